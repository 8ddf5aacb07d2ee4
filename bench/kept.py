"""Wires that hold a corpus: loaded when they are not there, and kept for the next time where that is asked for.

A kept wire is found again by the size of its corpus and by what would be written today: when the
corpus, the analysis or the format of any row has changed, another one is loaded beside it.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.corpus import article
from bench.loading import load
from bench.planting import plan
from bench.preparing import prepared, received
from newswire.store.migrate import script_folder
from tests.support.postgres import DURABLE, LOADING, folder_for_all, kept_postgres

ENGINES = ("sqlite", "postgresql")
SAMPLE_OF, SAMPLE = 1000, 50


@contextmanager
def wires(
    size: int, engines: Sequence[str], keep: Path | None, *, fresh: bool, tell: Callable[[str], None]
) -> Iterator[dict[str, str]]:
    """The URL of a wire with a corpus of `size` for each engine, usable during the block.

    `keep` is the folder for them, None a temporary one; `fresh` loads what is already there again.
    """
    with ExitStack() as ending:
        folder = keep or ending.enter_context(folder_for_all())
        place = folder.resolve() / f"{size}-{fingerprint()}"
        missing = [engine for engine in engines if fresh or not loaded(place, engine).exists()]
        if missing:
            fill(place, size, missing, tell)
        yield ending.enter_context(opened(place, engines, DURABLE))


def fill(place: Path, size: int, engines: Sequence[str], tell: Callable[[str], None]) -> None:
    for engine in engines:
        loaded(place, engine).unlink(missing_ok=True)
        shutil.rmtree(place / engine, ignore_errors=True)
        (place / engine).mkdir(parents=True)
    with opened(place, engines, LOADING) as urls:
        load(urls, size, tell)
    for engine in engines:
        loaded(place, engine).touch()


def loaded(place: Path, engine: str) -> Path:
    """The file that tells that the wire is whole."""
    return place / f"{engine}.loaded"


@contextmanager
def opened(place: Path, engines: Sequence[str], options: Sequence[str]) -> Iterator[dict[str, str]]:
    """The URLs of the databases there; PostgreSQL runs with `options` during the block."""
    with ExitStack() as ending:
        urls = {"sqlite": f"sqlite:///{place}/sqlite/newswire.db"}
        if "postgresql" in engines:
            urls["postgresql"] = ending.enter_context(kept_postgres(place / "postgresql", options)).url
        yield {engine: urls[engine] for engine in engines}


def fingerprint() -> str:
    """The same as long as the same articles would become the same rows of the same tables."""
    found = hashlib.sha256()
    for script in sorted((script_folder() / "versions").glob("*.py")):
        found.update(script.read_bytes())
    whole = plan(SAMPLE_OF)
    for index in range(SAMPLE):
        rows = prepared(article(whole, index), index + 1, received(whole, index), ENGINES)
        # The words of a tsvector come in no order.
        words = [sorted(str(value).split()) for row in rows.search.values() for value in row.values()]
        found.update(repr((rows._replace(search={}), words)).encode())
    return found.hexdigest()[:12]
