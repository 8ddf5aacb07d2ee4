"""The supervisor: gunicorn's master process with its web processes, and one `newswire worker` beside them.

    newswire serve (master) ── web process × N      each with `create_app`
                            └─ newswire worker      releases, expiries, housekeeping

The master binds the address, restarts processes that end and stops all of them. The application is in `app`, the web
process in `gunicorn_worker`, the rounds of the worker in `cli.worker`.
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

from newswire.api.admission import body_limit
from newswire.api.context import SharedState
from newswire.api.limits.slots import most_requests
from newswire.api.limits.windows import WindowTable
from newswire.api.request.address import find_client
from newswire.app import create_app
from newswire.config import Settings, parse_networks
from newswire.server.bounds import KEEPALIVE_SECONDS
from newswire.server.gunicorn_patches import REQUEST_LINE_BYTES, freeze_settings, patch_gunicorn
from newswire.server.gunicorn_worker import STOP_SIGNALS, Hooks, WebProcess

logger = logging.getLogger("newswire.server")

MAX_RESTART_DELAY_SECONDS = 60.0
HEALTHY_AFTER_SECONDS = 60.0
"""A worker that ran for longer than this is restarted with the shortest delay."""

DESCRIPTORS_PER_CONNECTION, SPARE_DESCRIPTORS = 3, 40
"""A connection of SQLite takes up to three descriptors, one of PostgreSQL takes one."""
WORKER_STOP_SECONDS = 3.0
"""How long the worker may take to stop before it is killed."""


def run_server(
    settings: Settings,
    listener: socket.socket,
    *,
    processes: int,
    environment: Mapping[str, str],
    ready: Callable[[], None],
) -> int:
    """Serves until SIGTERM, SIGINT, SIGQUIT or SIGHUP; returns the exit status: 0, or 1 after a failure.

    `environment` is that of the worker process; `ready` is called once requests are accepted.
    """
    patch_gunicorn()
    server = ServerApplication(settings, listener, processes, ready)
    try:
        Supervisor(server, WorkerProcess(environment)).run()
    except SystemExit as ended:
        return 1 if ended.code else 0
    return 0


class ServerApplication(BaseApplication):  # type: ignore[misc]
    """gunicorn's settings and the factory of the application; gunicorn's files and variables are not read."""

    def __init__(self, settings: Settings, listener: socket.socket, processes: int, ready: Callable[[], None]) -> None:
        self.settings = settings
        # Made before the fork, so that all web processes count in the same table, those that are started again too.
        self.windows = WindowTable()
        # Each of them has a thread: a stream sleeps in it, and the slots of `api.limits` bound the others.
        threads = most_requests(settings)
        self.gunicorn_settings = {
            # gunicorn closes this descriptor itself.
            "bind": f"fd://{listener.detach()}",
            "workers": processes,
            "worker_class": WebProcess,
            "threads": threads,
            "worker_connections": 1000 + threads,
            "keepalive": KEEPALIVE_SECONDS,
            "timeout": 60,
            "graceful_timeout": 30,
            "limit_request_line": REQUEST_LINE_BYTES,
            "forwarded_allow_ips": ",".join(map(str, parse_networks(settings.trusted_proxies))),
            # By default gunicorn believes SCRIPT_NAME and PATH_INFO from the peers above, and a path is then not the
            # one that a proxy has judged by its rules.
            "forwarder_headers": "",
            # Files are sent by the event loop too, which `sendfile` would block.
            "sendfile": False,
            "logger_class": GunicornLogger,
            "control_socket_disable": True,
            "proc_name": "newswire",
            # The last connection that is closed moves SQLite's write-ahead log into the database file.
            "worker_exit": lambda arbiter, worker: close_application(worker),
            "when_ready": lambda arbiter: ready(),
        }
        super().__init__()

    @property
    def hooks(self) -> Hooks:
        """Of the application that this process has loaded."""
        state: SharedState = self.wsgi().config["NEWSWIRE"]
        return Hooks(
            lambda environ: body_limit(state, environ),
            state.feed.watcher.close,
            DESCRIPTORS_PER_CONNECTION * self.settings.connections + SPARE_DESCRIPTORS,
            lambda host: find_client(host, "", self.settings.trusted_proxies),
            self.settings.connections_per_address,
        )

    def load_config(self) -> None:
        for name, value in self.gunicorn_settings.items():
            self.cfg.set(name, value)
        freeze_settings(self.cfg)

    def load(self) -> Flask:
        return create_app(self.settings, self.windows)


def close_application(worker: Any) -> None:
    """Closes the database connections of a web process that ends."""
    if isinstance(worker.wsgi, Flask):
        worker.wsgi.config["NEWSWIRE"].close()


class GunicornLogger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's logger without handlers of its own: its lines propagate to ours."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True

    def access(self, *ignored: Any) -> None:
        """Writes nothing: the application logs requests itself, in `api.pipeline`."""


class Supervisor(Arbiter):  # type: ignore[misc]
    """gunicorn's master process, which runs the worker process too."""

    def __init__(self, server: ServerApplication, worker: "WorkerProcess") -> None:
        super().__init__(server)
        self.worker = worker

    # gunicorn reloads its settings at SIGHUP. Ours come from the environment and cannot change, and a terminal that
    # is closed sends the signal to end what was started in it. At SIGINT it drops the requests that are being answered;
    # Ctrl-C must lose nothing, so both signals end the server as SIGTERM does.
    handle_hup = handle_int = Arbiter.handle_term

    def manage_workers(self) -> None:
        """Called at the start, once a second, and when a process has ended."""
        super().manage_workers()
        self.worker.ensure_running()

    def spawn_worker(self) -> int:
        # A forked process inherits the master's signal handlers, which put signals into a queue that nobody reads in
        # it. Until it sets its own (`WebProcess.init_signals`), a signal to stop must wait, or it would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            child: int = super().spawn_worker()
        except SystemExit as ended:
            # This is the forked process at its end. Unwinding the stack further would run the clean-up of the master.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(ended.code if isinstance(ended.code, int) else 1)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        return child

    def stop(self, graceful: bool = True) -> None:
        # The worker stops while the web processes finish their requests.
        self.worker.terminate()
        super().stop(graceful)
        self.worker.wait_or_kill()


class WorkerProcess:
    """`newswire worker` as a child process, restarted with a growing delay when it ends by itself."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.process: subprocess.Popen[bytes] | None = None
        self.restart_delay = 0.5
        self.started_at = 0.0
        self.restart_at = 0.0

    def ensure_running(self) -> None:
        """Starts the process, or restarts it when it has ended and its delay is over."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            is_healthy = now - self.started_at > HEALTHY_AFTER_SECONDS
            self.restart_delay = 1.0 if is_healthy else min(self.restart_delay * 2, MAX_RESTART_DELAY_SECONDS)
            self.restart_at = now + self.restart_delay
            self.process = None
            logger.error("the worker has ended; it is started again in %d s", self.restart_delay)
        if self.process is None and now >= self.restart_at:
            command = [sys.executable, "-m", "newswire", "worker", "--parent", str(os.getpid())]
            self.process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL)
            self.started_at = now

    def terminate(self) -> None:
        """Asks the process to stop, without waiting."""
        if self.process is not None:
            self.process.terminate()

    def wait_or_kill(self) -> None:
        """Waits `WORKER_STOP_SECONDS` for the process to stop, then kills it."""
        if self.process is None:
            return
        try:
            self.process.wait(WORKER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
