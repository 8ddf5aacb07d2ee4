"""`python -m bench walks`: how far a request walks through the code of Newswire, counted in one process on SQLite.

Each request is the second of its kind, so that nothing of it is start-up. `sys.setprofile` counts what runs in the
files of `newswire` in the thread of the request; Flask, SQLAlchemy and the driver are not counted. Comprehensions are
left out, because Python 3.12 and later run them within their function.
"""

import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from wsgiref.types import WSGIApplication

import newswire
from bench.compare_jobs import get, post
from bench.profiles import call
from newswire.app import create_app
from newswire.config import Settings
from newswire.store import migrate
from tests.soaks.stage import Stage

ROOT = f"{Path(newswire.__file__).parent}/"
VIEWS, API = "api/views/", "api/"
INLINED = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})
DRIVER = (sqlite3.Connection, sqlite3.Cursor)
ARTICLES = 3
ARTICLE = {
    "headline": "Harbour bridge opens after two years", "summary": "The first lorries crossed at dawn.",
    "slugline": "harbour-bridge", "byline": "By Ada Lark", "dateline": "PORT ELLEN", "section": "world",
    "language": "en", "keywords": ["harbour", "bridge"], "urgency": 4, "url": "https://gazette.example/harbour/",
    "body_html": '<p>The harbour bridge is open <a href="plans">again</a>.</p><p>It stood closed for two years.</p>',
    "authors": [{"name": "Ada Lark", "bio": "Ada Lark covers ports.", "url": "/people/ada"}],
    "images": [{"url": "bridge.jpg", "caption": "The bridge", "alt_text": "A bridge", "credit": "Tom Reed"}],
}  # fmt: skip


@dataclass
class Walk:
    """What ran in the files of Newswire during one request.

    `around` are the files that were entered while no view was running: the pipeline before and after it. `depth` is
    the largest number of Newswire's frames, the view's included, that led to a call of the database's driver, and
    `deepest` the file and name of each of them.
    """

    calls: int = 0
    functions: set[tuple[str, int, str]] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    around: set[str] = field(default_factory=set)
    deepest: Sequence[str] = ()

    @property
    def depth(self) -> int:
        return len(self.deepest)

    def row(self) -> Sequence[int]:
        in_api = sum(file.startswith(API) or file == "app.py" for file in self.around)
        return (self.calls, len(self.functions), len(self.files), len(self.around), in_api, self.depth)


class Asked(NamedTuple):
    """A row of the table: what is asked, the request whose walk is warm-up, and the one that is counted."""

    name: str
    first: bytes
    second: bytes
    status: int = 200


def counted(walk: Walk) -> Any:
    """A profile function (`sys.setprofile`) that notes every call into `walk`."""

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            if code.co_filename.startswith(ROOT) and code.co_name not in INLINED:
                file = code.co_filename.removeprefix(ROOT)
                walk.calls += 1
                walk.functions.add((file, code.co_firstlineno, code.co_name))
                walk.files.add(file)
                if not from_view(frame):
                    walk.around.add(file)
        elif event == "c_call" and isinstance(getattr(argument, "__self__", None), DRIVER):
            path = from_view(frame)
            if len(path) > len(walk.deepest):
                walk.deepest = path

    return note


def from_view(frame: FrameType | None) -> list[str]:
    """Newswire's frames from the view to `frame`, outermost first; none when no view is running."""
    path: list[str] = []
    begins = 0
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(ROOT) and code.co_name not in INLINED:
            file = code.co_filename.removeprefix(ROOT)
            path.append(f"{file}:{code.co_name}")
            if file.startswith(VIEWS):
                begins = len(path)
        frame = frame.f_back
    return path[:begins][::-1]


def run(folder: Path) -> dict[str, Walk]:
    """The walk of every row of the table, on a new SQLite wire in `folder`."""
    with application(folder) as (asked, publisher, partner):
        walks = {}
        for row in rows(asked, publisher, partner):
            call(asked, row.first, row.status)
            walk = walks[row.name] = Walk()
            sys.setprofile(counted(walk))
            try:
                call(asked, row.second, row.status)
            finally:
                sys.setprofile(None)
        return walks


@contextmanager
def application(folder: Path) -> Iterator[tuple[WSGIApplication, str, str]]:
    """Newswire on a new wire with a few articles, and the headers of a publisher and of a partner."""
    url = f"sqlite:///{folder}/wire.db"
    migrate.upgrade(url)
    stage = Stage(url, folder)
    publisher, partner = (f"Authorization: Bearer {key}\r\n" for key in (stage.publisher("desk"), stage.partner("all")))
    app = create_app(Settings(database_url=url))
    try:
        for number in range(ARTICLES):
            call(app, post("/v1/articles", publisher, article(number)), 201)
        yield app, publisher, partner
    finally:
        app.config["NEWSWIRE"].database.dispose()


def article(number: int) -> Mapping[str, Any]:
    return {**ARTICLE, "headline": f"{ARTICLE['headline']}, part {number}", "external_id": f"walk-{number}"}


def rows(asked: WSGIApplication, publisher: str, partner: str) -> Iterator[Asked]:
    """The rows, reading first: a publication would empty the page cache."""
    marks = count()
    page = f"/v1/articles?limit={ARTICLES}"

    def fresh(name: str, address: str) -> Asked:
        """Parameters that begin with _ are not looked at, but part of the page cache's key: no page is a kept one."""
        first, second = (get(f"{address}&_={next(marks)}", partner) for _ in range(2))
        return Asked(name, first, second)

    yield fresh("GET a list, new page", page)
    yield Asked("GET a list, kept page", get(page, partner), get(page, partner))
    found = call(asked, get(page, partner), 200).partition(b'"id":"')[2][:36].decode()
    yield Asked("GET one article", get(f"/v1/articles/{found}", partner), get(f"/v1/articles/{found}", partner))
    yield fresh("GET a search (two words)", f"{page}&q=harbour+bridge")
    yield fresh("the same by relevance", f"{page}&q=harbour+bridge&sort=relevance")
    yield fresh(f"GET changes, {ARTICLES} entries", f"/v1/changes?limit={ARTICLES}&after=0")
    yield fresh(f"GET RSS, {ARTICLES} items", f"/v1/articles.rss?limit={ARTICLES}")
    first, second = (post("/v1/articles", publisher, article(ARTICLES + number)) for number in range(2))
    yield Asked("POST one article", first, second, 201)


def table(walks: Mapping[str, Walk]) -> str:
    """The walks as Markdown."""
    lines = [
        "| way | calls | functions | files | of them around the view | in api | deepest: view → driver |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [f"| {name} | {' | '.join(map(str, walk.row()))} |" for name, walk in walks.items()]
    return "\n".join(lines)


def details(walks: Mapping[str, Walk]) -> str:
    """The files of every way, those around the view apart, and its deepest stack."""
    lines = []
    for name, walk in walks.items():
        lines += [f"\n{name}", f"  around: {' '.join(sorted(walk.around))}"]
        lines += [f"  own: {' '.join(sorted(walk.files - walk.around))}", f"  deepest: {' > '.join(walk.deepest)}"]
    return "\n".join(lines)
