"""`python -m bench profile`: where the processor time of a request of Newswire goes, sampled in one process.

The application is called as gunicorn would call it, so neither gunicorn nor the network is in
it, and of PostgreSQL only the waiting. The requests are those of `bench compare`.
"""

import io
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from bench.compare import Tell
from bench.compare_doors import newswire_door
from bench.compare_jobs import HOST, JOBS, loads, material
from bench.compare_load import Load, LoadError, numbered
from bench.kept import wires
from bench.searching import NAMES
from newswire.app import create_app
from newswire.config import Settings
from tests.soaks.stage import Stage

PROFILED = ("fresh", "one", "changes", "common", "publish")
WARM_UP = 0.2
INTERVAL = 0.0005
"""Seconds between samples."""


def run(size: int, engines: Sequence[str], seconds: float, *, tell: Tell) -> Iterator[tuple[str, str]]:
    """The name and the text of the profile of each job on each engine."""
    with wires(size, engines, None, fresh=True, tell=tell) as urls:
        for engine, url in urls.items():
            with application(url, size) as (asked, found):
                for job in PROFILED:
                    title = f"{JOBS[job]}: Newswire on {NAMES[engine]}, {size:,} articles"
                    yield f"{engine}-{job}", f"{title}\n{profile(asked, found[job], seconds)}"


@contextmanager
def application(url: str, size: int) -> Iterator[tuple[WSGIApplication, Mapping[str, Load]]]:
    """Newswire on a wire with a corpus of `size`, and what it is asked."""
    stage = Stage(url, Path())
    door = newswire_door(stage.partner("profile-reader"), stage.publisher("profile-desk"), size)
    app = create_app(Settings(database_url=url))
    try:
        yield app, loads(door, material(size))
    finally:
        app.config["NEWSWIRE"].database.dispose()


def profile(asked: WSGIApplication, load: Load, seconds: float) -> str:
    """The tree of calls while asking for so long, in per cent of the time, after a warm-up."""
    # In the process that only compares it is not needed.
    from pyinstrument import Profiler
    from pyinstrument.renderers import ConsoleRenderer

    requests = numbered(load, 0)
    times(asked, requests, load.status, seconds * WARM_UP)
    profiler = Profiler(interval=INTERVAL, async_mode="disabled")
    with profiler:
        number, processor = times(asked, requests, load.status, seconds)
    told = profiler.output(ConsoleRenderer(unicode=True, short_mode=True, time="percent_of_total"))
    # Its frame says where and when.
    tree = [line[3:] for line in told.splitlines() if line.startswith(".  ") and " Profile at " not in line]
    each = f"{number:,} requests, {1000 * processor / number:.2f} ms of the processor each, sampling included"
    return "\n".join([each, "", *tree]).strip()


def times(asked: WSGIApplication, requests: Iterator[bytes], status: int, seconds: float) -> tuple[int, float]:
    """Asks for so long; returns how many times, and the seconds of processor time."""
    began, number, deadline = time.process_time(), 0, time.perf_counter() + seconds
    while number == 0 or time.perf_counter() < deadline:
        call(asked, next(requests), status)
        number += 1
    return number, time.process_time() - began


def call(asked: WSGIApplication, request: bytes, status: int) -> bytes:
    """The body of the answer to a whole request; raises `LoadError` for another status."""
    said = []

    def start(line: str, headers: Any, problem: Any = None) -> Any:
        said.append(line)

    answer = asked(environment(request), start)
    body = b"".join(answer)
    if close := getattr(answer, "close", None):
        close()
    if not said[0].startswith(str(status)):
        raise LoadError(f"{said[0]}: {body[:1000].decode()}")
    return body


def environment(request: bytes) -> dict[str, Any]:
    """What WSGI makes of a request (PEP 3333)."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, address, _ = first.split(" ")
    path, _, query = address.partition("?")
    headers = {name.upper().replace("-", "_"): value for name, value in (line.split(": ", 1) for line in lines)}
    return {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query, "SERVER_NAME": HOST, "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": headers.pop("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": headers.pop("CONTENT_LENGTH", ""), **{f"HTTP_{name}": headers[name] for name in headers},
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
