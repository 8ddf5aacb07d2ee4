"""The floors of names and sizes, for readers who did not write the code; measures.py says how each is taken."""

from tests.habits.measures import (
    REPOSITORY,
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

MODULES = read_modules(REPOSITORY)
FUNCTIONS = list_functions(MODULES)
PUBLIC = public_functions(FUNCTIONS)


def test_at_most_a_fifth_of_the_public_functions_have_names_of_one_word() -> None:
    found = one_word_names(PUBLIC)
    assert share_of(found, PUBLIC) <= MAX_ONE_WORD_SHARE, sorted(f"{f.module}: {f.name}" for f in found)


def test_at_most_a_tenth_of_the_public_functions_share_their_name_with_another_module() -> None:
    shared = shared_names(PUBLIC)
    found = [function for function in PUBLIC if function.name in shared]
    assert share_of(found, PUBLIC) <= MAX_SHARED_SHARE, sorted(f"{f.name}: {f.module}" for f in found)


def test_no_public_function_name_stands_twice_in_a_package() -> None:
    assert names_shared_in_a_package(PUBLIC) == {}


def test_no_class_name_stands_twice() -> None:
    assert repeated_classes(MODULES) == {}


def test_no_module_is_longer_than_a_person_reads_at_once() -> None:
    assert {str(module.path): module.lines for module in MODULES if module.lines > MAX_MODULE_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    assert [f"{f.module}: {f.name}" for f in FUNCTIONS if f.lines > MAX_FUNCTION_LINES] == []
