"""Running the command `newswire`: in this process where that makes no difference, else as a child that is ended."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from newswire.app import create_app
from newswire.cli import main
from newswire.config import Settings

REPOSITORY = Path(__file__).resolve().parent.parent.parent
WAIT_SECONDS = 30.0
STOP_SECONDS = 45.0
"""More than a server may take: 30 seconds for its requests and 3 for its worker."""


class Cli:
    """`newswire` on one database."""

    def __init__(self, database_url: str, **settings: str) -> None:
        self.database_url = database_url
        self.settings = settings

    def run(self, *arguments: str) -> Result:
        """Runs the command in this process; it may fail."""
        return CliRunner().invoke(main, arguments, env={"NEWSWIRE_DATABASE_URL": self.database_url, **self.settings})

    def must(self, *arguments: str) -> str:
        """Runs a command that must succeed; returns what it prints."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.must(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        """Runs a command that must fail with exit status 1; returns its error output."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        return result.stderr

    def process(self, *arguments: str, **settings: Any) -> "subprocess.Popen[str]":
        return process(arguments, self.database_url, **settings)

    def finished(self, *arguments: str, **settings: Any) -> "subprocess.CompletedProcess[str]":
        """Runs the command as a process to its end."""
        with self.process(*arguments, **settings) as started:
            try:
                out, err = started.communicate(timeout=WAIT_SECONDS)
            finally:
                started.kill()
        return subprocess.CompletedProcess(arguments, started.returncode, out, err)


class Server:
    """A server process, with the lines of both of its outputs so far."""

    def __init__(self, started: "subprocess.Popen[str]") -> None:
        self.process = started
        self.out: list[str] = []
        self.err: list[str] = []
        self.readers = [
            self.reading(stream, kept) for stream, kept in ((started.stdout, self.out), (started.stderr, self.err))
        ]

    def reading(self, stream: IO[str] | None, kept: list[str]) -> threading.Thread:
        assert stream is not None

        def read() -> None:
            for line in stream:
                kept.append(line.rstrip("\n"))

        thread = threading.Thread(target=read)
        thread.start()
        return thread

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The log lines whose message begins so."""
        found = [json.loads(line) for line in list(self.err)]
        return [line for line in found if line["message"].startswith(message)]

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Polls `condition` until it is true, and returns its value; fails when the process ends before."""
        waited(lambda: condition() or self.process.poll() is not None, what)
        assert self.process.poll() is None, "\n".join([what, *self.out, *self.err])
        return condition()

    def end(self, signal_number: int) -> int:
        """Sends a signal and returns the exit status, once every process that could still write has ended."""
        self.process.send_signal(signal_number)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # The log says which of its processes the server waited for.
            raise AssertionError("\n".join(["the server does not stop", *self.err[-40:]])) from None
        for reader in self.readers:
            reader.join(WAIT_SECONDS)
            assert not reader.is_alive(), "a process of the server goes on without it"
        return status


def process(arguments: Sequence[str], database_url: str, **settings: Any) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSWIRE_")}
    given = {"NEWSWIRE_DATABASE_URL": database_url, "PYTHONPATH": str(REPOSITORY), **settings.pop("env", {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **settings}
    return subprocess.Popen([sys.executable, "-m", "newswire", *arguments], env={**kept, **given}, text=True, **streams)


@contextmanager
def api(cli: Cli, **settings: Any) -> Iterator[FlaskClient]:
    """The HTTP interface of the same wire, in this process."""
    app = create_app(Settings(database_url=cli.database_url, **settings))
    yield app.test_client()
    app.config["NEWSWIRE"].close()


def waited(condition: Callable[[], Any], what: str) -> Any:
    """Polls `condition` until it is true, and returns its value."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)
    return found
