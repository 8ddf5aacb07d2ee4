"""Many cases in one test: whatever fails says in which case, and a property is tried with few examples or with many."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


def few_or_many(few: int, many: int) -> pytest.MarkDecorator:
    """For a test that takes `examples`: `few` of them always, and `many` where slow tests run."""
    return pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.slow)])


@contextmanager
def case(name: object) -> Iterator[None]:
    """Adds `name` to what is raised in the block."""
    try:
        yield
    except Exception as error:
        error.add_note(f"In this case: {name}")
        raise
