"""The processes of a Newswire under trial: `newswire serve`, and commands that end by themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
COMMAND_SECONDS = 600.0
PROCESSES = 2
DEFECT = "a defect of Newswire"

# The shell, the server and what that starts are one process group. When our process ends, however it
# ends, the pipe closes and the group is killed. When the server ends by itself, so does the shell.
KEEPER = 'exec 3<&0; { read -r _ <&3; kill -KILL 0; } & "$@" </dev/null 3<&-'


class ServerError(Exception):
    """The server or a command did not do what it was started for; the text holds what it said."""


class Server:
    """`newswire serve` on a port that the kernel chooses; every start may bring another one.

    `address` is None while nothing listens; `closed`: it will not come back.
    """

    def __init__(self, database_url: str, folder: Path) -> None:
        self.environment = environment(database_url)
        self.log = folder / "server.log"
        self.said = folder / "server.out"
        self.address: tuple[str, int] | None = None
        self.processes = PROCESSES
        self.closed = False
        self._keeper: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it without waiting for it; see `wait_until_ready`."""
        with self.said.open("wb") as said, self.log.open("ab") as log:
            self._keeper = subprocess.Popen(
                ["sh", "-c", KEEPER, "keeper", *self.command()],
                stdin=subprocess.PIPE, stdout=said, stderr=log, env=self.environment, start_new_session=True,
            )  # fmt: skip

    def command(self) -> list[str]:
        """It prints a JSON object with its `url` once it is ready."""
        return [*newswire("serve"), "--port", "0", "--workers", str(self.processes), "--json"]

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (url := self._url()) is None:
            if self._keeper is None or self._keeper.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"The server did not start:\n{self.last_words()}")
            time.sleep(0.01)
        host, _, port = url.removeprefix("http://").rpartition(":")
        self.address = (host, int(port))

    def _url(self) -> str | None:
        try:
            return str(json.loads(self.said.read_bytes())["url"])
        except ValueError:
            return None

    def burden(self) -> tuple[float, float]:
        """Resident megabytes, and seconds of processor time so far, of its largest process: a web process, that is."""
        return max(self.burdens(), default=(0.0, 0.0))

    def burdens(self) -> list[tuple[float, float]]:
        """The same of each of its processes."""
        session = 0 if self._keeper is None else self._keeper.pid
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.getsid(int(path.name)) == session:
                    pages = int((path / "statm").read_text().split()[1])
                    ticks = (path / "stat").read_text().rpartition(")")[2].split()[11:13]
                    seconds = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
                    found.append((pages * os.sysconf("SC_PAGE_SIZE") / 2**20, seconds))
        return found

    def kill(self) -> None:
        """SIGKILL to the whole process group: master, web processes, worker. Nobody can say good-bye."""
        self.address = None
        if self._keeper is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._keeper.pid, signal.SIGKILL)
            self._keeper.communicate()
            self._keeper = None

    def close(self) -> None:
        self.closed = True
        self.kill()

    def defects(self) -> list[str]:
        """The lines of its log that tell of a defect."""
        return [line for line in self._lines() if DEFECT in line]

    def last_words(self) -> str:
        return "\n".join(self._lines()[-20:])

    def _lines(self) -> list[str]:
        return self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []


def run(database_url: str, *arguments: str) -> Any:
    """What a command of `newswire` tells with --json, whatever its exit status; raises `ServerError` if it does not."""
    done = subprocess.run(
        newswire(*arguments, "--json"), env=environment(database_url), capture_output=True, timeout=COMMAND_SECONDS
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = (done.stdout + done.stderr).decode("utf-8", "replace")[-4000:]
        raise ServerError(f"newswire {' '.join(arguments)} ended with {done.returncode}:\n{said}") from None


def newswire(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "newswire", *arguments]


def environment(database_url: str) -> Mapping[str, str]:
    """Ours, with settings of Newswire for this database only."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("NEWSWIRE_")}
    # The public address stays while the port changes, so that answers can be compared byte by byte.
    settings = {"DATABASE_URL": database_url, "BASE_URL": "http://wire.example", "LOG_LEVEL": "warning"}
    return ours | {f"NEWSWIRE_{name}": value for name, value in settings.items()}
