"""`newswire synonyms load | show | clear`: a whole dictionary at a time, or nothing and every fault of it."""

import json
from pathlib import Path

import pytest

from tests.support.command import Cli

RULES = "car, automobile, motor car\npm => prime minister\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "synonyms.txt"


def test_a_dictionary_is_loaded_shown_replaced_and_cleared(cli: Cli, file: Path) -> None:
    file.write_text("# ours\n" + RULES)
    assert cli.must("synonyms", "load", str(file)) == "Rules loaded: 2, members: 5.\n"
    assert cli.must("synonyms", "show") == RULES
    file.write_text("a, b\n")
    assert json.loads(cli.must("synonyms", "load", str(file), "--json")) == {"rules": 1, "members": 2}
    assert json.loads(cli.must("synonyms", "show", "--json")) == [{"typed": ["a", "b"], "found": ["a", "b"]}]
    assert cli.must("synonyms", "clear") == "Rules removed: 1.\n"
    assert json.loads(cli.must("synonyms", "show", "--json")) == []
    assert "no synonyms" in cli.must("synonyms", "show")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"car\na, b\nx => y => z\n", ["  Line 1: ", "  Line 3: "]),
        (b"a, b\n\xe9, c\n", [", line 2: not UTF-8"]),
        (b"# nothing\n", ["no rules"]),
        (b"a, b\n" * 200_001, ["1,000,000 bytes"]),
        (b"alone\n" * 60, ["… and 10 more."]),
    ],
)
def test_a_faulty_file_changes_nothing(cli: Cli, file: Path, content: bytes, said: list[str]) -> None:
    file.write_text(RULES)
    cli.must("synonyms", "load", str(file))
    file.write_bytes(content)
    error = cli.refused("synonyms", "load", str(file))
    assert all(each in error for each in said), error
    assert cli.must("synonyms", "show") == RULES
