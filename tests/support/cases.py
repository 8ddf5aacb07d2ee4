"""Many cases in one test, on one wire: whatever fails says in which case."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def case(name: object) -> Iterator[None]:
    """Adds `name` to what is raised in the block."""
    try:
        yield
    except Exception as error:
        error.add_note(f"In this case: {name}")
        raise
