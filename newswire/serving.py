"""The server processes: gunicorn's master with its web processes, and one worker beside them.

    newswire serve (master) ── web process × N      each with `create_app`
                            └─ newswire worker      releases, expiries, housekeeping

The master binds the address, keeps the processes alive and ends them. What the application
does is in `app`, what the worker does in `cli.worker`.
"""

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flask import Flask
from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.http import message
from gunicorn.workers.gthread import ThreadWorker

from newswire.app import create_app
from newswire.config import Settings

logger = logging.getLogger("newswire.serving")

# A `q` of 4,000 characters is up to 48,000 bytes in an address. gunicorn keeps its setting below
# this constant, or reads a line of any length when it is 0.
REQUEST_LINE_BYTES = 65_536
message.MAX_REQUEST_LINE = REQUEST_LINE_BYTES

M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1
"""As malloc.h has them."""

LARGE_BYTES = 128 * 1024

LONGEST_PAUSE = 60.0
HEALTHY_AFTER = 60.0
WORKER_STOP_SECONDS = 3.0
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


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

    def load(self) -> Flask:
        return create_app(self.settings)


class WebProcess(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, which ends its open streams when it is told to stop."""

    def init_process(self) -> None:
        share_memory()
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        # See `Supervisor.spawn_worker`: whoever was told to stop meanwhile hears of it now.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        # Not here, in the midst of whatever the main thread is doing.
        self.method_queue.defer(lambda: end_streams(self))

    def is_parent_alive(self) -> bool:
        """Asked once a second. A master that was killed has told nobody to stop, and open streams would go on."""
        alive: bool = super().is_parent_alive()
        if not alive:
            self.handle_exit(signal.SIGTERM, None)
        return alive

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            logger.info("a reader was dropped that took nothing")
            return False


def share_memory() -> None:
    """Two heaps for all threads, and what is large gets its memory by itself and gives it back.

    glibc gives each thread a heap of its own, and what one has freed no other can use. And it learns from what is freed
    to put ever larger things, such as pages, into the heaps, where they leave holes.
    """
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)


def end_streams(worker: Any) -> None:
    """Their readers connect anew, to whoever serves then, and resume."""
    if isinstance(worker.wsgi, Flask):
        worker.wsgi.config["NEWSWIRE"].feed.watcher.close()


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
