"""NEWSWIRE_DURABILITY=replicated: what was acknowledged is on a standby too, and without one nothing is."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from newswire.cli import main
from newswire.cli.serve import prepare_database
from newswire.config import Settings
from newswire.store.backend import DatabaseError
from newswire.store.migrate import upgrade
from newswire.store.postgres import replication
from tests.support.command import waited
from tests.support.postgres import Postgres, connect, new_database, replica_of, temporary_postgres
from tests.support.site import problem_of
from tests.support.wire import Wire


def asked(server: Postgres, statement: str) -> object:
    with closing(connect(make_url(server.url))) as connection:
        done = connection.execute(statement.encode())
        row = done.fetchone() if done.description else None
    return row[0] if row else None


def set_standbys(server: Postgres, names: str) -> None:
    asked(server, f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
    asked(server, "SELECT pg_reload_conf()")
    waited(lambda: asked(server, "SHOW synchronous_standby_names") == names, "the setting is read")


@pytest.mark.parametrize(
    ("names", "needed"),
    [("", 0), (" ", 0), ("*", 1), ("a, b", 1), ("FIRST 2 (a, b, c)", 2), ("any 3(a,b,c)", 3), ("2 (a, b)", 2)],
)
def test_how_many_standbys_a_commit_waits_for(names: str, needed: int) -> None:
    assert replication.standbys_needed(names) == needed


def test_what_cannot_be_had_stops_the_start(fresh_sqlite: str, fresh_postgresql: str) -> None:
    for url, said in ((fresh_sqlite, "needs PostgreSQL"), (fresh_postgresql, "set synchronous_standby_names")):
        with pytest.raises(DatabaseError, match=said):
            prepare_database(Settings(database_url=url, durability="replicated"), 1)
        # What the worker opens its database with too.
        done = run("stats", url, "replicated")
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
        assert said in done.stderr
    assert "NEWSWIRE_DURABILITY must be local or replicated" in run("stats", fresh_sqlite, "yes").stderr


def run(command: str, url: str, durability: str) -> Result:
    environment = {"NEWSWIRE_DATABASE_URL": url, "NEWSWIRE_DURABILITY": durability}
    return CliRunner().invoke(main, [command], env=environment)


@pytest.fixture
def primary() -> Iterator[Postgres]:
    with temporary_postgres() as server:
        yield server


@pytest.mark.slow
def test_without_a_standby_it_reads_and_publishes_nothing(primary: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication, "COMMIT_SECONDS", 1.0)
    with new_database(primary.url) as url, replica_of(primary):
        upgrade(url)
        with closing(Wire(url)) as local:
            publisher, partner = local.as_publisher(), local.as_partner()
        set_standbys(primary, "*")
        waited(lambda: asked(primary, "SELECT sync_state FROM pg_stat_replication") == "sync", "it is synchronous")
        with closing(Wire(url, durability="replicated")) as wire:
            publisher.client = partner.client = wire.client
            publisher.publish("Replicated")
            # A standby that is connected and does not answer: the commit waits, and is given up.
            receiver = int(str(asked(primary, "SELECT pid FROM pg_stat_replication")))
            os.kill(receiver, signal.SIGSTOP)
            headers = {"Idempotency-Key": "one"}
            began = time.monotonic()
            waiting = publisher.post("/v1/articles", json={"headline": "Once"}, headers=headers)
            assert time.monotonic() - began < 10
            assert "may have been stored" in problem_of(waiting, "unavailable")["detail"]
            assert int(waiting.headers["Retry-After"]) > 0
            # Nobody reads what no standby has.
            assert [entry["article"]["headline"] for entry in partner.changes()] == ["Replicated"]
            os.kill(receiver, signal.SIGCONT)
            waited(lambda: len(partner.changes()) == 2, "the commit that waited is done")
            again = publisher.post("/v1/articles", json={"headline": "Once"}, headers=headers)
            assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
            assert len(partner.changes()) == 2
            set_standbys(primary, "nobody")
            time.sleep(replication.CHECK_SECONDS)
            began = time.monotonic()
            for _ in range(5):
                refused = publisher.post("/v1/articles", json={"headline": "Unsafe"})
                assert "No standby" in problem_of(refused, "unavailable")["detail"]
                assert int(refused.headers["Retry-After"]) > 0
            assert time.monotonic() - began < 5
            assert len(partner.changes()) == 2
            assert wire.client.get("/readyz").status_code == 200
            set_standbys(primary, "*")
            waited(lambda: asked(primary, "SELECT sync_state FROM pg_stat_replication") == "sync", "synchronous again")
            time.sleep(replication.CHECK_SECONDS)
            publisher.publish("Safe again")
        set_standbys(primary, "")
