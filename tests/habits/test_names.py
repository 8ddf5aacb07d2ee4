"""The floors of names and sizes, for readers who did not write the code; measures.py says how each is taken."""

from functools import cache

from tests.habits.measures import (
    REPOSITORY,
    Function,
    Module,
    list_functions,
    names_shared_in_a_package,
    one_word_names,
    public_functions,
    read_modules,
    repeated_classes,
    share_of,
    shared_names,
)

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_ONE_WORD_SHARE = 0.20
MAX_SHARED_SHARE = 0.10


@cache
def modules() -> list[Module]:
    return read_modules(REPOSITORY)


@cache
def functions() -> list[Function]:
    return list_functions(modules())


@cache
def public() -> list[Function]:
    return public_functions(functions())


def test_at_most_a_fifth_of_the_public_functions_have_names_of_one_word() -> None:
    found = one_word_names(public())
    assert share_of(found, public()) <= MAX_ONE_WORD_SHARE, sorted(f"{f.module}: {f.name}" for f in found)


def test_at_most_a_tenth_of_the_public_functions_share_their_name_with_another_module() -> None:
    shared = shared_names(public())
    found = [function for function in public() if function.name in shared]
    assert share_of(found, public()) <= MAX_SHARED_SHARE, sorted(f"{f.name}: {f.module}" for f in found)


def test_no_public_function_name_stands_twice_in_a_package() -> None:
    assert names_shared_in_a_package(public()) == {}


def test_no_class_name_stands_twice() -> None:
    assert repeated_classes(modules()) == {}


def test_no_module_is_longer_than_a_person_reads_at_once() -> None:
    assert {str(module.path): module.lines for module in modules() if module.lines > MAX_MODULE_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    assert [f"{f.module}: {f.name}" for f in functions() if f.lines > MAX_FUNCTION_LINES] == []
