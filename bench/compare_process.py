"""The process of an application beside Newswire: `python -m bench.compare_process MODULE DATABASE SETTINGS`.

`application` of the module is served by one process of gunicorn with threads, under the settings
(JSON), or by uvicorn where it is one for that. Nothing of Newswire is imported: it would take memory here.
"""

import json
import socket
import sys
from importlib import import_module
from typing import Any

from gunicorn.app.base import BaseApplication

ASYNCHRONOUS = ("bench.peers.fast", "bench.peers.datasette")


class Gunicorn(BaseApplication):  # type: ignore[misc]
    """gunicorn with the application of a module."""

    def __init__(self, module: str, database: str, settings: dict[str, Any]) -> None:
        self.module, self.database, self.settings = module, database, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return import_module(self.module).application(self.database)


def main() -> None:
    module, database, settings = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    said = json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"})
    if module in ASYNCHRONOUS:
        uvicorn, application = import_module("uvicorn"), import_module(module).application(database)
        print(said, flush=True)
        uvicorn.Server(uvicorn.Config(application, log_level="warning")).run([listener])
        return
    ours = {"bind": f"fd://{listener.detach()}", "worker_class": "gthread", "control_socket_disable": True}
    ready = {"when_ready": lambda arbiter: print(said, flush=True)}
    Gunicorn(module, database, {**json.loads(settings), **ours, **ready}).run()


if __name__ == "__main__":
    main()
