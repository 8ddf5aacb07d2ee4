"""The list of mutants is up to date: each fault can be put where it belongs, and the tests that notice it are there."""

from tests.mutants import MUTANTS, REPOSITORY
from tests.support.cases import case


def test_every_mutant_can_be_applied_to_the_code_as_it_is() -> None:
    for mutant in MUTANTS:
        with case(mutant.name):
            text = (REPOSITORY / "newswire" / mutant.file).read_text(encoding="utf-8")
            compile(mutant.broken(text), mutant.file, "exec")
            assert all((REPOSITORY / "tests" / name).exists() for name in mutant.tests.split())


def test_there_are_enough_of_them_and_the_quick_part_must_notice_most() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names)) >= 30
    assert sum(mutant.quick for mutant in MUTANTS) > 0.8 * len(MUTANTS)
