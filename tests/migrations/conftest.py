"""Empty databases without tables, on both engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that no migration has seen; the test runs once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with new_database(request.getfixturevalue("postgres_url"), "template0") as url:
            yield url
