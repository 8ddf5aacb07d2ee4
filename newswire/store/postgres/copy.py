"""Backup and restore of a PostgreSQL database by its client programs pg_dump, pg_restore and psql.

Passwords are passed in the environment, because other users of the machine can read arguments. A restore is a single
transaction of psql, including the new id of the wire: if any program ends early, the COMMIT was not sent.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, text

from newswire.store.backend import DatabaseError, RestoreSteps, ShowProgress

MAGIC = b"PGDMP"
CHUNK = 1024 * 1024  # bytes
POLL_SECONDS = 0.2
NOT_HERE = "{name} is not installed here; it is one of PostgreSQL's client programs (Debian: postgresql-client)."


def copy_out(connection: Connection, url: URL, file: Path, show_progress: ShowProgress) -> None:
    """Writes the snapshot that `connection` sees of the database at `url` into an archive of pg_dump."""
    check_version(connection)
    # The exported snapshot ends with this transaction, which must stay idle until pg_dump has begun. On a busy server
    # that may take longer than the timeout.
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
    arguments = ("--no-password", "--format=custom", f"--snapshot={snapshot}", f"--file={file}")
    with program("pg_dump", *arguments, url=url) as dump, show_progress("Copying", "bytes", None) as show:
        while not dump.ended(POLL_SECONDS):
            size = file.stat().st_size
            show(size, size)
        dump.check()


def check_version(connection: Connection) -> None:
    """Raises `DatabaseError` if pg_dump is older than the server, which pg_dump refuses."""
    server = connection.execute(text("SHOW server_version_num")).scalar_one()
    output = subprocess.run([path_of("pg_dump"), "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"\) (\d+)", output)
    if version is not None and int(version[1]) < int(server) // 10_000:
        raise DatabaseError(
            f"pg_dump is of version {version[1]}, the server of version {int(server) // 10_000}: install the client"
            f" programs of PostgreSQL {int(server) // 10_000} (Debian: postgresql-client-{int(server) // 10_000})."
        )


def copy_in(file: Path, url: URL, steps: RestoreSteps) -> str:
    """Restores an archive into the empty database at `url`, under a new wire id; returns the schema of the archive."""
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise DatabaseError(f"{file} is no archive of pg_dump; nothing was restored.")
    schema = read_schema(file)
    steps.refuse_newer(schema)
    unpacked = ("--no-owner", "--no-privileges", "--file=-", str(file))
    session = ("--no-password", "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1")
    with (
        program("psql", *session, url=url) as psql,
        program("pg_restore", *unpacked) as archive,
        steps.show_progress("Restoring", "bytes", None) as show,
    ):
        try:
            psql.send(b"BEGIN;\n")
            size = 0
            while chunk := archive.out.read(CHUNK):
                psql.send(chunk)
                size += len(chunk)
                show(size, size)
            archive.check()
            psql.send(f"RESET search_path;\n{steps.rename_wire};\nCOMMIT;\n".encode())
        except BrokenPipeError:
            # psql has ended early. `check` raises an exception with its error message.
            pass
        psql.check()
    steps.upgrade(url.render_as_string(hide_password=False))
    return schema


def read_schema(file: Path) -> str:
    """The schema of the wire in an archive. Raises `DatabaseError` if the archive contains no wire."""
    with program("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file)) as archive:
        found = re.search(rb"^COPY .*\n(\w+)\n", archive.out.read(), re.MULTILINE)
        archive.check()
    if found is None:
        raise DatabaseError(f"{file} holds no wire; nothing was restored.")
    return found[1].decode()


class Program:
    """A running client program of PostgreSQL, whose standard error goes to the file `errors`."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], errors: IO[bytes]) -> None:
        self.name = name
        self.errors = errors
        self.process = subprocess.Popen(
            [path_of(name), *arguments], env={**os.environ, **environment, "LC_ALL": "C"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.into, self.out = self.process.stdin, self.process.stdout

    def send(self, content: bytes) -> None:
        """Writes to its standard input. Raises `BrokenPipeError` if it has ended."""
        self.into.write(content)
        self.into.flush()

    def ended(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def check(self) -> None:
        """Waits for its end. Raises `DatabaseError` with its first error message if it failed."""
        with suppress(BrokenPipeError):
            self.into.close()
        if self.process.wait():
            self.errors.seek(0)
            lines = self.errors.read().decode("utf-8", "replace").strip().splitlines() or ["it says nothing"]
            first = next((line for line in lines if "rror:" in line or "ERROR:" in line), lines[0])
            # The message may contain control sequences from the archive, which a terminal would execute.
            shown = "".join(letter if letter.isprintable() else " " for letter in first)
            raise DatabaseError(f"{self.name} failed: {shown}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):
            self.into.close()
        self.out.close()


@contextmanager
def program(name: str, *arguments: str, url: URL | None = None) -> Iterator[Program]:
    """Runs a client program of PostgreSQL, if `url` is given on that database. It is killed when the block ends."""
    environment: dict[str, str] = {}
    if url is not None:
        dialect: Any = url.get_dialect()
        _, options = dialect().create_connect_args(url)
        environment = {"PGPASSWORD": options.pop("password")} if options.get("password") else {}
        arguments = (f"--dbname={make_conninfo(**options)}", *arguments)
    with TemporaryFile() as errors:
        started = Program(name, arguments, environment, errors)
        try:
            yield started
        finally:
            started.close()


def path_of(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise DatabaseError(NOT_HERE.format(name=name))
    return found
