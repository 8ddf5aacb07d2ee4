"""Fixtures that tests of several rooms share: fresh databases on both engines, a wire, the command line, real articles.

A test that takes `database_url` runs twice, each time on a new, migrated, empty database.
Migrating is done once for each engine; every test gets a copy of the result.

PostgreSQL (`tests.support.postgres`) is started when the first test asks for it, once in each
pytest-xdist worker. `NEWSWIRE_TEST_DATABASE_URL` names another server instead; its role
must be allowed to create databases.
"""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from newswire.store.migrate import upgrade
from tests.support.command import WAIT_SECONDS, Cli, Server
from tests.support.databases import ENGINES, empty_database
from tests.support.postgres import PostgresError, new_database, temporary_postgres
from tests.support.wire import Caller, Wire

# Whoever runs the suite in the background of a shell lets it ignore Ctrl-C, and with it every process that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What is compiled stays compiled: each worker would rewrite the assertions of all test modules again (8 s of processor
# time), and each process that a test starts would compile all of Newswire (0.2 s), where an environment forbids it.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Collecting makes 700,000 objects that stay: looking through them again and again took a sixth of the time of the quick
# tests. From its end on (`pytest_collection_finish`) the collector looks at what the tests themselves make.
gc.disable()

REPOSITORY = Path(__file__).resolve().parent.parent
# The code of these rooms never asks for the engine (tests/habits/test_engine_seam.py holds that), so that the quick
# tests ask them of SQLite alone, which is quicker; the whole suite asks them of both.
ROOMS_WITHOUT_ENGINE = {"accounts", "api", "changes", "cli", "client", "formats", "reading"}

# A busy machine makes a test slow and not wrong, so nothing here looks at the clock. The same examples in every run:
# a suite that fails says that the code has changed. A wire as a fixture may serve all examples of a test.
settings.register_profile(
    "newswire",
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,
    ],
)  # fmt: skip
settings.load_profile("newswire")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Makes slow tests of those on PostgreSQL in rooms whose code does not know the engine."""
    for item in items:
        engines = (
            item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        )
        if "postgresql" in engines and item.path.parent.name in ROOMS_WITHOUT_ENGINE:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session, as the URL of a database to connect to first."""
    given = os.environ.get("NEWSWIRE_TEST_DATABASE_URL")
    if given:
        server = make_url(given).set(drivername="postgresql+psycopg")
        yield server.render_as_string(hide_password=False)
    else:
        try:
            with temporary_postgres() as postgres:
                yield postgres.url
        except PostgresError as error:
            pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def postgresql_template(postgres_url: str) -> Iterator[str]:
    """The URL of a migrated, empty database that nobody is connected to."""
    with new_database(postgres_url) as url:
        upgrade(url)
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a migrated, empty SQLite file."""
    url = f"sqlite:///{tmp_path_factory.mktemp('template') / 'newswire.db'}"
    upgrade(url)
    return url


@pytest.fixture
def fresh_postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    with empty_database(request, "postgresql") as url:
        yield url


@pytest.fixture
def fresh_sqlite(request: pytest.FixtureRequest) -> Iterator[str]:
    with empty_database(request, "sqlite") as url:
        yield url


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new, migrated, empty database; the test runs once on each engine."""
    with empty_database(request, request.param) as url:
        yield url


@pytest.fixture(scope="module", params=ENGINES)
def shared_wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """A wire, once on each engine, that the tests of a module share: they only read it, or nothing of it is counted."""
    with empty_database(request, request.param) as url, closing(Wire(url)) as made:
        yield made


@pytest.fixture(scope="module")
def shared_publisher(shared_wire: Wire) -> Caller:
    """The publisher `reuters` of the shared wire."""
    return shared_wire.as_publisher()


@pytest.fixture(scope="module")
def shared_partner(shared_wire: Wire) -> Caller:
    """A partner of the shared wire who may see everything."""
    return shared_wire.as_partner("shared")


@pytest.fixture
def wire(database_url: str) -> Iterator[Wire]:
    """A fresh wire with its HTTP interface, once on each engine."""
    with closing(Wire(database_url)) as made:
        yield made


@pytest.fixture
def cli(database_url: str) -> Cli:
    """`newswire` on a new database, once on each engine."""
    return Cli(database_url)


@pytest.fixture
def sqlite_cli(fresh_sqlite: str) -> Cli:
    """`newswire` on a new SQLite database, where the engine makes no difference."""
    return Cli(fresh_sqlite)


@pytest.fixture
def serving() -> Iterator[Callable[[subprocess.Popen[str]], Server]]:
    """Watches processes that serve, and ends those that a test has left."""
    watched: list[Server] = []

    def watch(started: subprocess.Popen[str]) -> Server:
        watched.append(Server(started))
        return watched[-1]

    yield watch
    for server in watched:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(WAIT_SECONDS)
        for reader in server.readers:
            reader.join(WAIT_SECONDS)
        for stream in (server.process.stdout, server.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the real test material, which is not part of the project."""
    path = REPOSITORY.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("../shared/data is not there: this test needs the real test material")
    return path
