"""The applications beside Newswire in `bench compare`: which there are, and their processes as we start them.

What runs in such a process is `compare_process`, what the applications do is in `floor` and `peers`.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from newswire.config import Settings
from newswire.server import supervisor
from tests.soaks import servers

REPOSITORY = Path(__file__).resolve().parents[1]
NULL, FLOOR, DATASETTE = "null Flask", "floor", "Datasette"
PEERS: Mapping[str, tuple[str, ...]] = {
    "tutorial": ("flask_smorest",),
    "FastAPI": ("fastapi", "uvicorn"),
    "DRF": ("django", "rest_framework"),
}
"""Each peer on PostgreSQL, and what has to be installed for it."""
NEEDED = {**PEERS, DATASETTE: ("datasette", "uvicorn")}
MODULES = {
    NULL: "bench.peers.null", FLOOR: "bench.floor", "tutorial": "bench.peers.tutorial",
    "FastAPI": "bench.peers.fast", "DRF": "bench.peers.django_rest", DATASETTE: "bench.peers.datasette",
}  # fmt: skip


class Server(servers.Server):
    """One of the applications, by its name, on its database."""

    def __init__(self, name: str, database_url: str, folder: Path) -> None:
        super().__init__(database_url, folder)
        slug = name.replace(" ", "-")
        self.log, self.said = folder / f"{slug}.log", folder / f"{slug}.out"
        self.environment = {**self.environment, "PYTHONPATH": str(REPOSITORY)}
        self.arguments = [MODULES[name], database_url, json.dumps(gunicorn_settings())]

    def command(self) -> list[str]:
        return [sys.executable, "-m", "bench.compare_process", *self.arguments]


@cache
def gunicorn_settings() -> dict[str, int]:
    """Newswire's for one process: numbers of threads and connections, and times."""
    server = supervisor.ServerApplication(Settings(), socket.socket(), 1, lambda: None)
    os.close(int(str(server.gunicorn_settings["bind"]).removeprefix("fd://")))
    return {name: value for name, value in server.gunicorn_settings.items() if type(value) is int and value < 10_000}


def missing(name: str) -> list[str]:
    """What is not installed and has to be for this peer."""
    return [package for package in NEEDED[name] if find_spec(package) is None]
