"""What `bench compare` asks of Newswire's commands: how long they take to start, and how fast `newswire import` is."""

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.compare_load import Load, drive
from tests.soaks import servers

HELPED, STARTED = 5, 3


class Facts(NamedTuple):
    """Megabytes of a web process after all jobs; seconds of `newswire --help`, and of `newswire serve` to an answer."""

    megabytes: float
    help: float
    start: float


def facts(server: servers.Server, latest: Load) -> Facts:
    """Of the server that was asked, and of others on its database."""
    megabytes, _ = server.burden()
    return Facts(megabytes, median(help_seconds() for _ in range(HELPED)), start_seconds(server, latest))


def help_seconds() -> float:
    began = time.perf_counter()
    subprocess.run(servers.newswire("--help"), check=True, capture_output=True)
    return time.perf_counter() - began


def start_seconds(server: servers.Server, latest: Load) -> float:
    """Until another server on the same database has answered its first request, the median."""
    return median(started(server.environment["NEWSWIRE_DATABASE_URL"], latest) for _ in range(STARTED))


def started(url: str, latest: Load) -> float:
    with tempfile.TemporaryDirectory(prefix="newswire-start-") as folder:
        server = servers.Server(url, Path(folder))
        began = time.perf_counter()
        try:
            server.start()
            server.wait_until_ready()
            assert server.address is not None
            drive(server.address, latest._replace(connections=1), 0, 0)
            return time.perf_counter() - began
        finally:
            server.close()


def import_rate(url: str, slug: str, contents: Sequence[Mapping[str, Any]], articles: int, name: str) -> float:
    """Articles a second of `newswire import`, its start included; `name` is part of the ids of all of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for number in range(articles):
            file.write(json.dumps({**contents[number % len(contents)], "external_id": f"{name}-{number}"}) + "\n")
        file.flush()
        began = time.perf_counter()
        told = servers.run(url, "import", file.name, "--publisher", slug)
        taken = time.perf_counter() - began
    if told["created"] != articles:
        raise servers.ServerError(f"newswire import: {told}")
    return articles / taken
