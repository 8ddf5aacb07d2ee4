"""PgBouncer in transaction mode: refused in a sentence where nobody has said that it is there, else served rightly."""

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, make_url, text

from newswire import wire as log
from newswire.store.backend import MAX_LISTEN_SECONDS
from newswire.store.database import Database
from newswire.store.migrate import upgrade
from tests.support.asking import ask
from tests.support.command import Cli
from tests.support.pgbouncer import PROGRAM, pgbouncer
from tests.support.postgres import Postgres, new_database, temporary_postgres
from tests.support.served import Serving, Wire, started

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed (Debian: pgbouncer)")

REQUESTS, CLIENTS = 200, 8
STANDS_BETWEEN = "a pooler in transaction mode (such as PgBouncer) stands between Newswire and PostgreSQL"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with temporary_postgres() as postgres:
        yield postgres


@pytest.fixture
def direct(server: Postgres) -> Iterator[URL]:
    with new_database(server.url) as made:
        yield make_url(made)


@pytest.fixture(scope="module")
def pooler(server: Postgres) -> Iterator[URL]:
    with pgbouncer(server) as url:
        yield url


def through(pooler: URL, direct: URL) -> str:
    return pooler.set(database=direct.database).render_as_string(hide_password=False)


def rendered(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize("ignored", ["extra_float_digits", "extra_float_digits,options"])
def test_a_pooler_that_nobody_has_set_is_refused_in_one_sentence(server: Postgres, direct: URL, ignored: str) -> None:
    upgrade(rendered(direct))
    with pgbouncer(server, ignored) as pooler:
        cli = Cli(through(pooler, direct))
        for command in (["stats"], ["db", "upgrade"], ["serve", "--port", "0"]):
            said = cli.refused(*command)
            assert STANDS_BETWEEN in said
            assert len(said.splitlines()) == 1


def test_settings_are_in_force_in_every_transaction_and_in_none_after_it(pooler: URL, direct: URL) -> None:
    upgrade(rendered(direct))
    database = Database(through(pooler, direct), pooler=True)
    shown = text("SELECT current_setting('enable_seqscan'), current_setting('work_mem'), current_setting('TimeZone')")
    for block in (database.begin(), database.read(), database.look()):
        with block as connection:
            assert connection.execute(shown).one() == ("off", "32MB", "UTC")
    assert log.look_at_head(database) is not None
    with database.read() as connection:
        assert connection.execute(text("SELECT name FROM pg_prepared_statements")).all() == []
    database.dispose()
    other = Database(through(pooler, direct), pooler=True)
    driver = other.engine.raw_connection()
    assert driver.cursor().execute("SELECT current_setting('enable_seqscan')").fetchone() == ("on",)
    driver.close()
    other.dispose()


@pytest.mark.slow
def test_a_wire_is_made_written_and_read_through_a_pooler(pooler: URL, direct: URL, serving: Serving) -> None:
    environment: dict[str, Any] = {"NEWSWIRE_DATABASE_POOLER": "true"}
    cli = Cli(through(pooler, direct), **environment)
    assert cli.json("db", "upgrade")["before"] is None
    _, wire = started(serving, cli, workers=2, **environment)
    publisher, partner = wire.publisher(), wire.partner()
    answers: Counter[tuple[int, str]] = Counter()

    def work(client: int) -> None:
        for number in range(client, REQUESTS, CLIENTS):
            kind, key, body = mixed_request(number, publisher.key, partner.key)
            answers[ask(f"{wire.url}{kind}", key, body)[0], kind.partition("?")[0]] += 1

    clients = [threading.Thread(target=work, args=[client]) for client in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert sum(answers.values()) == REQUESTS
    assert {status for status, _ in answers} == {200, 201}, answers
    batch = json.dumps([{"headline": f"Story {each} of a batch", "keywords": ["cocoa"]} for each in range(30)])
    assert ask(f"{wire.url}/v1/articles/batch", publisher.key, batch.encode())[0] == 200
    published = sum(count for (status, _), count in answers.items() if status == 201) + 30
    assert cli.json("verify")["entries"] == published > REQUESTS / 5
    assert seconds_until_told(wire, publisher.key, partner.key) < 3.0


def test_with_a_direct_address_a_commit_through_the_pooler_is_heard_of_at_once(pooler: URL, direct: URL) -> None:
    upgrade(rendered(direct))
    database = Database(through(pooler, direct), pooler=True, listen_url=rendered(direct))
    heard: list[float] = []
    with database.listen(threading.Event()) as wait_for_commit:
        for _ in range(7):
            with database.begin() as connection:
                log.bump_revision(connection)
            began = time.monotonic()
            wait_for_commit()
            heard.append(time.monotonic() - began)
    # Without the address each would take a whole second.
    assert sorted(heard)[3] < MAX_LISTEN_SECONDS / 2, heard
    database.dispose()


def test_a_listen_url_that_leads_nowhere_or_to_a_pooler_is_refused(pooler: URL, direct: URL) -> None:
    upgrade(rendered(direct))
    for listen_url, said in (
        ("postgresql://127.0.0.1:1/wire", "Connection refused."),
        (through(pooler, direct), "it leads to a pooler; it must lead to PostgreSQL itself."),
    ):
        environment = {"NEWSWIRE_DATABASE_POOLER": "true", "NEWSWIRE_LISTEN_URL": listen_url}
        refusal = Cli(through(pooler, direct), **environment).refused("serve", "--port", "0")
        assert refusal.startswith("Error: NEWSWIRE_LISTEN_URL cannot be used: ")
        assert refusal.endswith(f"{said}\n")
        assert len(refusal.splitlines()) == 1


def test_a_backup_goes_through_no_pooler(pooler: URL, direct: URL, tmp_path: Path) -> None:
    cli = Cli(through(pooler, direct), NEWSWIRE_DATABASE_POOLER="true")
    (tmp_path / "archive").touch()
    assert "cannot go through a pooler" in cli.refused("restore", str(tmp_path / "archive"))
    upgrade(rendered(direct))
    assert "cannot go through a pooler" in cli.refused("backup", str(tmp_path / "copy"))


def mixed_request(number: int, publisher: str, partner: str) -> tuple[str, str, bytes | None]:
    """The path, the key and the body of one request."""
    article = json.dumps({"headline": f"Story {number}", "section": "world", "body_text": "cocoa prices rise"})
    requests: list[tuple[str, str, bytes | None]] = [
        ("/v1/articles?limit=5", partner, None),
        (f"/v1/articles?q=cocoa%20story&limit={number % 90 + 1}", partner, None),
        ("/v1/articles", publisher, article.encode()),
        (f"/v1/changes?after=0&limit={number % 90 + 1}", partner, None),
        ("/v1/keywords", partner, None),
        ("/v1/articles?section=world&count=true", publisher, None),
        ("/v1/articles", publisher, article.encode()),
        ("/v1/articles?q=cocoa&sort=relevance&facets=section", partner, None),
    ]
    # Not a multiple of the number of clients, so that each sends all of them.
    return requests[(number + number // CLIENTS) % len(requests)]


def seconds_until_told(wire: Wire, publisher: str, partner: str) -> float:
    """How long a waiting reader waits for an article from the moment on in which it was stored."""
    told: list[float] = []
    head = json.loads(read(f"{wire.url}/v1/wire", partner) or b"{}").get("head", 0)

    def wait() -> None:
        answer = json.loads(read(f"{wire.url}/v1/changes?after={head}&wait=20", partner))
        assert answer["data"]
        told.append(time.monotonic())

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.5)
    assert ask(f"{wire.url}/v1/articles", publisher, b'{"headline": "News"}')[0] == 201
    stored = time.monotonic()
    waiting.join()
    return told[0] - stored


def read(address: str, key: str) -> bytes:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: bytes = answer.read()
        return content
