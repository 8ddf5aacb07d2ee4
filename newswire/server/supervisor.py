"""The server processes: gunicorn's master with its web processes, and one worker beside them.

    newswire serve (master) ── web process × N      each with `create_app`
                            └─ newswire worker      releases, expiries, housekeeping

The master binds the address, keeps the processes alive and ends them. What the application
does is in `app`, a web process in `webprocess`, what the worker does in `cli.worker`.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.http import message

from newswire.app import create_app
from newswire.config import Settings
from newswire.server.gunicorn_worker import STOPPING, WebProcess

logger = logging.getLogger("newswire.server")

# A `q` of 4,000 characters is up to 48,000 bytes in an address. gunicorn keeps its setting below
# this constant, or reads a line of any length when it is 0.
REQUEST_LINE_BYTES = 65_536
message.MAX_REQUEST_LINE = REQUEST_LINE_BYTES

LONGEST_PAUSE = 60.0
HEALTHY_AFTER = 60.0
WORKER_STOP_SECONDS = 3.0


def run(
    settings: Settings,
    listener: socket.socket,
    *,
    processes: int,
    environment: Mapping[str, str],
    ready: Callable[[], None],
) -> int:
    """Serves until a signal says stop (SIGTERM, SIGINT, SIGQUIT, SIGHUP); returns 0, or 1 after a failure.

    `environment` is that of the worker process; `ready` is called once requests can come.
    """
    server = Server(settings, listener, processes, ready)
    try:
        Supervisor(server, Companion(environment)).run()
    except SystemExit as ended:
        return 1 if ended.code else 0
    return 0


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn's settings and application; they come from here only, not from its files or variables."""

    def __init__(self, settings: Settings, listener: socket.socket, processes: int, ready: Callable[[], None]) -> None:
        self.settings = settings
        self.gunicorn = {
            # gunicorn closes this descriptor itself.
            "bind": f"fd://{listener.detach()}",
            "workers": processes,
            "worker_class": WebProcess,
            # A stream takes a thread that sleeps; `api.places` keeps the two apart.
            "threads": settings.threads + settings.streams,
            "worker_connections": 1000 + settings.threads + settings.streams,
            # Longer than the 60 seconds for which the usual proxies keep their connections.
            "keepalive": 75,
            "timeout": 60,
            "graceful_timeout": 30,
            "limit_request_line": REQUEST_LINE_BYTES,
            "forwarded_allow_ips": "127.0.0.1,::1",
            "logger_class": Logger,
            "control_socket_disable": True,
            "proc_name": "newswire",
            # The last connection that is closed puts what SQLite's log still holds into the database file.
            "worker_exit": lambda arbiter, worker: close(worker),
            "when_ready": lambda arbiter: ready(),
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.gunicorn.items():
            self.cfg.set(name, value)
        # They stand now, and some twenty are looked up for each request.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})

    def load(self) -> Flask:
        return create_app(self.settings)


def close(worker: Any) -> None:
    if isinstance(worker.wsgi, Flask):
        worker.wsgi.config["NEWSWIRE"].close()


class Logger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's log lines go where ours go; requests are logged by the application, with what it knows."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True

    def access(self, *ignored: Any) -> None:
        """Nothing: see `api.requestlog`."""


class Supervisor(Arbiter):  # type: ignore[misc]
    """gunicorn's master, which also tends the worker."""

    def __init__(self, server: Server, companion: "Companion") -> None:
        super().__init__(server)
        self.companion = companion

    # There is nothing to reload: settings come from the environment. And a closed terminal ends what it started.
    handle_hup = Arbiter.handle_term

    def manage_workers(self) -> None:
        """Called at the start, once a second, and when a process has ended."""
        super().manage_workers()
        self.companion.tend()

    def spawn_worker(self) -> int:
        # Until it listens to signals itself, a web process would put them into its copy of our queue, and never stop.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            child: int = super().spawn_worker()
        except SystemExit as ended:
            # This is the child. It must not unwind the stack of its parent, who cleans up there.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(ended.code if isinstance(ended.code, int) else 1)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        return child

    def stop(self, graceful: bool = True) -> None:
        self.companion.ask_to_stop()
        super().stop(graceful)
        self.companion.end()


class Companion:
    """`newswire worker` as a child process, started again after a growing pause when it ends by itself."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.process: subprocess.Popen[bytes] | None = None
        self.pause = 0.5
        self.started = 0.0
        self.due = 0.0

    def tend(self) -> None:
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.pause = 1.0 if now - self.started > HEALTHY_AFTER else min(self.pause * 2, LONGEST_PAUSE)
            self.due = now + self.pause
            self.process = None
            logger.error("the worker has ended; it is started again in %d s", self.pause)
        if self.process is None and now >= self.due:
            command = [sys.executable, "-m", "newswire", "worker", "--parent", str(os.getpid())]
            self.process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL)
            self.started = now

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def end(self) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(WORKER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
