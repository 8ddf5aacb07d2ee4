"""The command `newswire serve`: the database is checked, the listener opened, and the server run."""

import logging
import os

import click
from sqlalchemy import Connection

from newswire import __version__, logs
from newswire.cli.support.database import update_index
from newswire.cli.support.listen import is_loopback, listener_url, open_listener
from newswire.cli.support.output import json_option, print_result
from newswire.config import Settings
from newswire.search.index import read_versions
from newswire.search.rebuild import check_index
from newswire.server.supervisor import run_server
from newswire.store import migrate
from newswire.store.database import FEWEST_CONNECTIONS, Database, public_url

logger = logging.getLogger("newswire.server")

MOST_PROCESSES = 64
UNNAMED = (
    "Others can reach this address, so say under which names: set NEWSWIRE_ALLOWED_HOSTS (wire.example.org,10.0.0.5)"
    " or NEWSWIRE_BASE_URL (https://wire.example.org). Links are made of the name that a request gives."
)
NOBODY_SHARES = (
    "NEWSWIRE_SHARED_MAX_AGE does nothing here: shared caches may keep only what anyone may read. Set"
    " NEWSWIRE_PUBLIC_READ=true as well, or leave it out."
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 for every address of this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one.")
@click.option(
    "--workers", type=click.IntRange(1, MOST_PROCESSES), help="Web processes. Default: one a processor, to 4."
)
@json_option
def serve_command(host: str, port: int, workers: int | None, as_json: bool) -> None:
    """Serve the wire over HTTP, with one worker process beside the web processes.

    A SQLite database is created or migrated first; a PostgreSQL with an older schema, or with a search index
    that this version cannot search, is refused: run `newswire db upgrade`. Log lines are JSON on standard
    error. SIGTERM and Ctrl-C end it; requests that are being answered are answered. An address that other machines
    can reach needs NEWSWIRE_ALLOWED_HOSTS or NEWSWIRE_BASE_URL.

    \b
    newswire serve
    NEWSWIRE_ALLOWED_HOSTS=wire.example.org newswire serve --host 0.0.0.0 --workers 4
    """
    settings = Settings.from_env()
    if not is_loopback(host) and settings.allowed_hosts is None and settings.base_url is None:
        raise click.UsageError(UNNAMED)
    logs.configure_logging(settings.log_level)
    if settings.shared_max_age and not settings.public_read:
        logger.warning(NOBODY_SHARES)
    processes = workers or count_processors()
    database = prepare_database(settings, processes)
    with open_listener(host, port) as listener:
        url = listener_url(listener)
        docs = f"{settings.base_url or url}/docs"

        def ready() -> None:
            sentence = f"Newswire {__version__} listens at {url}, database {database}, reference {docs}"
            print_result(sentence, {"url": url, "database": database, "docs": docs}, as_json)

        status = run_server(settings, listener, processes=processes, environment=os.environ, ready=ready)
    raise SystemExit(status)


def prepare_database(settings: Settings, processes: int) -> str:
    """Migrates the database (SQLite only) and checks it; returns its URL without the password."""
    database = Database.of_settings(settings, settings.connections)
    try:
        if database.backend.upgrades_on_serve:
            migrate.upgrade(settings.database_url)
            update_unusable_index(database)
        migrate.check(database)
        database.backend.check_listener()
        migrate.check_durability(database, settings.durability)
        with database.read() as connection:
            warnings = [check_index(connection), too_few_connections(database, connection, settings, processes)]
        for warning in filter(None, (*warnings, database.backend.find_exposure())):
            logger.warning("%s", warning)
    finally:
        database.dispose()
    return public_url(database.url)


def too_few_connections(database: Database, connection: Connection, settings: Settings, processes: int) -> str | None:
    """The warning for a database server that accepts fewer connections than this server may open; None if it fits."""
    limit, bound = database.backend.connection_limit(connection), settings.connections
    wanted = processes * bound + FEWEST_CONNECTIONS
    if limit is None or wanted <= limit:
        return None
    return (
        f"This server may open {wanted} connections (web processes: {processes}, with {bound} each; worker:"
        f" {FEWEST_CONNECTIONS}), but the database accepts {limit} from all servers together: raise max_connections"
        " there, or lower NEWSWIRE_DATABASE_CONNECTIONS."
    )


def update_unusable_index(database: Database) -> None:
    """Rebuilds a search index of another analysis. One with old stems only is served, and the worker rebuilds it."""
    with database.read() as connection:
        usable = read_versions(connection).fits_analysis()
    if not usable:
        update_index(database)


def count_processors() -> int:
    """The number of processors that this process may use, four at most."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)
