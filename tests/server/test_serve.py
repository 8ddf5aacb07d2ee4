"""`newswire serve` and `worker` as processes: they start, answer, stop, and say why they cannot."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import delete, insert, select, text

from newswire.accounts.publishers import add_publisher
from newswire.cli.worker import ROUNDS, Round, run_rounds
from newswire.errors import Problem
from newswire.store.database import Database
from newswire.store.tables import idempotency, publisher
from newswire.timestamps import now
from tests.support.command import Cli, Server

pytestmark = pytest.mark.slow
Serving = Callable[["subprocess.Popen[str]"], Server]
DAY = 24 * 3600 * 1000


def served(serving: Serving, cli: Cli, *arguments: str) -> tuple[Server, str]:
    """A server that answers, and its address."""
    server = serving(cli.process("serve", "--port", "0", "--json", *arguments))
    server.wait_for(lambda: "}" in server.out, "it says where it listens")
    return server, json.loads("\n".join(server.out))["url"]


def status_of(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def workers(server: Server) -> list[int]:
    """The process ids of the workers that were started so far."""
    return [line["process"] for line in server.logged("the worker has started")]


def test_a_server_answers_has_one_worker_and_takes_it_along_when_it_stops(cli: Cli, serving: Serving) -> None:
    server, url = served(serving, cli, "--workers", "2")
    assert status_of(f"{url}/healthz") == 200
    assert status_of(f"{url}/readyz") == 200
    assert status_of(f"{url}/docs") == 200
    server.wait_for(lambda: workers(server), "the worker has started")
    assert len(workers(server)) == 1
    assert server.end(signal.SIGTERM) == 0
    assert len(server.logged("the worker has stopped")) == 1
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/healthz", timeout=5)


def test_ctrl_c_lets_a_request_that_is_being_answered_be_answered(sqlite_cli: Cli, serving: Serving) -> None:
    server, url = served(serving, sqlite_cli, "--workers", "1")
    sqlite_cli.json("publisher", "add", "gazette", "--name", "The Gazette")
    key = sqlite_cli.json("key", "create", "--publisher", "gazette")["key"]
    body = b"".join(b'{"headline": "h%d", "body_text": "%s"}\n' % (each, b"cocoa rises " * 200) for each in range(1000))
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(f"{url}/v1/articles/batch", body, headers)
    answers: list[int] = []

    def publish() -> None:
        with urllib.request.urlopen(request, timeout=60) as response:
            answers.append(len(json.load(response)["results"]))

    publishing = threading.Thread(target=publish)
    publishing.start()
    # A thousand articles take longer than this; the log line of the request is not there yet.
    time.sleep(0.4)
    was_answered = bool(server.logged("request"))
    # A terminal sends Ctrl-C to every process of its group.
    children = [int(line["message"].split()[-1]) for line in server.logged("Booting worker")]
    for process in children:
        os.kill(process, signal.SIGINT)
    assert server.end(signal.SIGINT) == 0
    publishing.join()
    assert (answers, was_answered) == ([1000], False)


def test_a_worker_that_dies_is_started_again(sqlite_cli: Cli, serving: Serving) -> None:
    server, url = served(serving, sqlite_cli, "--workers", "1")
    server.wait_for(lambda: workers(server), "the worker has started")
    os.kill(workers(server)[0], signal.SIGKILL)
    server.wait_for(lambda: len(workers(server)) == 2, "another worker has started")
    assert status_of(f"{url}/healthz") == 200
    assert server.end(signal.SIGINT) == 0


def test_a_server_that_is_killed_leaves_no_process_behind(sqlite_cli: Cli, serving: Serving) -> None:
    server, _ = served(serving, sqlite_cli, "--workers", "1")
    server.wait_for(lambda: workers(server), "the worker has started")
    assert server.logged("Booting worker")
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
    assert server.logged("the worker has stopped")


def test_a_closed_terminal_ends_the_server(sqlite_cli: Cli, serving: Serving) -> None:
    server, _ = served(serving, sqlite_cli)
    assert server.end(signal.SIGHUP) == 0


def test_an_address_may_hold_the_longest_query(sqlite_cli: Cli, serving: Serving) -> None:
    server, url = served(serving, sqlite_cli)
    key = sqlite_cli.json("key", "create", "--admin")["key"]
    # As long as the longest `q` may be, of letters that take most room; as a search it would cost too much.
    longest = quote("\N{HIRAGANA LETTER A}" * 4000)
    assert status_of(f"{url}/v1/articles?_={longest}", Authorization=f"Bearer {key}") == 200
    assert status_of(f"{url}/v1/articles?_={longest}{longest}", Authorization=f"Bearer {key}") == 414
    assert server.process.poll() is None


def test_a_request_is_one_log_line_that_holds_no_key(sqlite_cli: Cli, serving: Serving) -> None:
    server, url = served(serving, sqlite_cli)
    key = sqlite_cli.json("key", "create", "--admin")["key"]
    status_of(f"{url}/v1/articles/{key}?q={key}", Authorization=f"Bearer {key}", **{"X-Request-Id": "desk-7"})
    server.wait_for(lambda: server.logged("request"), "the request is logged")
    (line,) = server.logged("request")
    assert (line["request_id"], line["method"], line["status"], line["caller"]) == ("desk-7", "GET", 400, "admin:")
    assert line["path"] == "/v1/articles/nw_***"
    assert line["milliseconds"] > 0
    server.end(signal.SIGTERM)
    assert not any(key in text for text in [*server.out, *server.err])
    assert all(json.loads(text) for text in server.err)


def test_a_port_in_use_is_one_sentence(cli: Cli) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        for command in ("serve", "demo"):
            began = time.monotonic()
            done = cli.finished(command, "--port", str(port))
            assert done.returncode == 1
            assert done.stdout == ""
            assert done.stderr == (
                f"Error: Port {port} of 127.0.0.1 is in use already; choose another one with --port.\n"
            )
            assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("host", "said"), [("nowhere.invalid", "is unknown here"), ("203.0.113.7", "This machine has no address")]
)
def test_an_address_that_is_not_here_is_one_sentence(sqlite_cli: Cli, host: str, said: str) -> None:
    named = {"NEWSWIRE_BASE_URL": "https://wire.example"}
    done = sqlite_cli.finished("serve", "--host", host, "--port", "0", env=named)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_sqlite_wire_is_created_by_the_server_itself(tmp_path: Path, serving: Serving) -> None:
    _, url = served(serving, Cli(f"sqlite:///{tmp_path}/new.db"))
    assert status_of(f"{url}/readyz") == 200


def test_an_old_or_empty_postgresql_is_refused_in_one_sentence(fresh_postgresql: str) -> None:
    cli = Cli(fresh_postgresql)
    database = Database(fresh_postgresql)
    for change, said in (
        ("UPDATE alembic_version SET version_num = '0000'", "The database schema is at 0000, this version needs"),
        ("DROP TABLE alembic_version", "The database is empty; create the tables with `newswire db upgrade`."),
    ):
        with database.begin() as connection:
            connection.execute(text(change))
        for command in ("serve", "worker"):
            done = cli.finished(command, *(["--port", "0"] if command == "serve" else []))
            assert done.returncode == 1
            assert said in done.stderr
            assert len(done.stderr.splitlines()) == 1
    database.dispose()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"NEWSWIRE_DATABASE_URL": "postgresql://127.0.0.1:1/wire"}, "Connection refused."),
        ({"NEWSWIRE_DATABASE_URL": "sqlite:////nowhere/wire.db"}, "unable to open database file."),
        ({"NEWSWIRE_DATABASE_URL": "mysql://127.0.0.1/wire"}, "not mysql."),
        ({"NEWSWIRE_TREADS": "4"}, "Did you mean NEWSWIRE_THREADS?"),
        ({"NEWSWIRE_CORS": "*"}, "Did you mean NEWSWIRE_CORS_ORIGINS?"),
    ],
)
def test_what_keeps_a_server_from_starting_is_one_sentence(
    sqlite_cli: Cli, environment: dict[str, str], said: str
) -> None:
    done = sqlite_cli.finished("serve", "--port", "0", env=environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("public", ["false", "true"])
def test_a_setting_for_shared_caches_that_can_do_nothing_is_said(sqlite_cli: Cli, public: str) -> None:
    nowhere = {"NEWSWIRE_DATABASE_URL": "sqlite:////nowhere/wire.db"}
    settings = {"NEWSWIRE_SHARED_MAX_AGE": "30", "NEWSWIRE_PUBLIC_READ": public}
    done = sqlite_cli.finished("serve", "--port", "0", env=nowhere | settings)
    assert ("NEWSWIRE_SHARED_MAX_AGE does nothing here" in done.stderr) == (public == "false")


@pytest.fixture
def locked(fresh_sqlite: str) -> Iterator[Cli]:
    """A wire that somebody else is writing to all the time."""
    file = fresh_sqlite.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield Cli(fresh_sqlite)


def test_a_worker_stops_at_once_even_while_it_waits_for_the_database(locked: Cli, serving: Serving) -> None:
    server = serving(locked.process("worker"))
    server.wait_for(lambda: workers(server), "the worker has started")
    time.sleep(0.3)
    began = time.monotonic()
    assert server.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 3.0
    assert server.logged("the worker has stopped")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.dispose()


def test_housekeeping_forgets_what_is_older_than_a_day_only(database: Database) -> None:
    with database.begin() as connection:
        number = add_publisher(connection, "port", "Port", None, "en", now()).id
        for key, age in (("old", DAY + 60_000), ("young", DAY - 60_000)):
            row = {"publisher_id": number, "key": key, "fingerprint": "", "created_at": now() - age}
            connection.execute(insert(idempotency).values(**row))
    for item in ROUNDS:
        item.work(database)
    with database.read() as connection:
        assert connection.scalars(select(idempotency.c.key)).all() == ["young"]
        assert connection.scalars(select(publisher.c.slug)).all() == ["port"]


def test_a_round_that_fails_keeps_no_other_from_its_turn(database: Database) -> None:
    stop, turns = threading.Event(), []

    def failing(database: Database) -> None:
        turns.append("failing")
        raise Problem("unavailable", "The database is away.")

    def working(database: Database) -> None:
        turns.append("working")
        with database.begin() as connection:
            connection.execute(delete(idempotency))
        if turns.count("working") == 3:
            stop.set()

    run_rounds(database, (Round("failing", 0.0, failing), Round("working", 0.01, working)), stop)
    assert turns == ["failing", "working", "working", "working"]
