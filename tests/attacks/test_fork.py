"""A PostgreSQL that fails over to a standby which had not received everything, under a server that runs."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
from sqlalchemy import URL, make_url

from newswire.store.migrate import upgrade
from tests.support.command import Cli, waited
from tests.support.postgres import Postgres, connect, replica_of, temporary_postgres
from tests.support.served import Client, Serving, Wire, started

pytestmark = pytest.mark.slow
KEPT, LOST, ANEW = 10, 15, 16


class Pair:
    """A primary with an asynchronous standby, and the URL under which the one that can be written is reached."""

    def __init__(self, primary: Postgres, standby: Postgres) -> None:
        self.primary, self.standby = make_url(primary.url), make_url(standby.url)
        self.server = primary
        hosts = [str(url.query["host"]) for url in (self.primary, self.standby)]
        query = {"host": hosts, "target_session_attrs": "read-write"}
        self.url = self.primary.set(query=query).render_as_string(hide_password=False)

    def cut_replication(self) -> None:
        """From now on the standby receives nothing; it has everything so far."""
        lsn = asked(self.primary, "SELECT pg_current_wal_lsn()::text")
        waited(lambda: asked(self.standby, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'"), "the standby has everything")
        asked(self.standby, "ALTER SYSTEM SET primary_conninfo = ''")
        asked(self.standby, "SELECT pg_reload_conf()")
        waited(lambda: not asked(self.primary, "SELECT count(*) FROM pg_stat_replication"), "replication is cut")

    def fail_over(self) -> None:
        """Stops the primary without a checkpoint, and promotes the standby."""
        self.server.stop()
        asked(self.standby, "SELECT pg_promote()")


def asked(url: URL, statement: str) -> Any:
    with closing(connect(url)) as connection:
        done = connection.execute(statement.encode())
        row = done.fetchone() if done.description else None
    return row[0] if row else None


@pytest.fixture
def pair() -> Iterator[Pair]:
    with temporary_postgres() as primary, replica_of(primary) as standby:
        yield Pair(primary, standby)


class Listener(threading.Thread):
    """An open event stream, and the events that came until it ended."""

    def __init__(self, client: Client, last_event: str) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.last_event = last_event
        self.text = ""
        self.start()

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.client.key}", "Accept": "text/event-stream",
                   "Last-Event-ID": self.last_event}  # fmt: skip
        response = urllib3.request("GET", f"{self.client.url}/v1/changes", headers=headers, preload_content=False,
                                   timeout=60)  # fmt: skip
        for chunk in response.stream():
            self.text += chunk.decode()


@contextmanager
def followed(serving: Serving, pair: Pair, folder: Path) -> Iterator[tuple[Any, Wire, Client, Client]]:
    """A server on the pair, with a publisher and a partner, on a wire of 15 entries of which 5 are about to go."""
    upgrade(pair.url)
    server, wire = started(serving, Cli(pair.url))
    publisher, partner = wire.publisher(), wire.partner()
    for number in range(KEPT):
        publisher.put(f"kept-{number}")
    pair.cut_replication()
    for number in range(LOST - KEPT):
        publisher.put(f"lost-{number}")
    yield server, wire, publisher, partner


def test_after_a_failover_that_lost_the_tail_every_reader_is_told(
    pair: Pair, serving: Callable[..., Any], tmp_path: Path
) -> None:
    state, output = tmp_path / "state", tmp_path / "wire.ndjson"
    pull = ("pull", "--state", state, "--output", output)
    with followed(serving, pair, tmp_path) as (server, _, publisher, partner):
        page = partner.call("GET", "/v1/changes").content
        former, chains = page["wire"], [entry["chain"] for entry in page["data"]]
        partner.must(*pull)
        partner.call("PUT", "/v1/consumers/desk", {"after": LOST})
        event = f"{former}:{LOST}:{chains[-1][:16]}"
        listener = Listener(partner, event)
        waited(lambda: listener.text, "the stream has begun")
        # It looks four times a second, and is the one that remembers.
        server.wait_for(lambda: server.logged("the worker has started"), "the worker has started")
        time.sleep(1)
        pair.fail_over()
        for number in range(ANEW - KEPT):
            publisher.put(f"anew-{number}")
        listener.join(20)
        assert not listener.is_alive()
        assert "event: error" in listener.text
        assert listener.text.count("event: article") == 0
        server.wait_for(lambda: server.logged("the wire has lost entries"), "a process finds the fork")
        ready = waited(lambda: json.loads(urllib3.request("GET", f"{partner.url}/readyz").data)["warning"], "readyz")
        assert former in ready
        for query, code in (
            (f"after={LOST}&wire={former}&chain={chains[-1]}", "wire_forked"),
            (f"after={LOST}&wire={former}", "wire_changed"),
            (f"after={KEPT}&wire={former}", "wire_changed"),
            ("consumer=desk", "not_found"),
        ):
            assert refusal(partner, query)["code"] == code
        assert refusal(partner, "", {"Last-Event-ID": event, "Accept": "text/event-stream"})["code"] == "wire_forked"
        for _ in range(2):
            assert "The wire has lost entries that you have read" in partner.refused(*pull)
        going_on = partner.call("GET", f"/v1/changes?after={KEPT}&wire={former}&chain={chains[KEPT - 1]}").content
        assert [entry["seq"] for entry in going_on["data"]] == list(range(KEPT + 1, ANEW + 1))
        assert going_on["wire"] != former
        assert len(server.logged("the wire has lost entries")) == 1


def refusal(client: Client, query: str, headers: dict[str, str] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {client.key}", **(headers or {})}
    return json.loads(urllib3.request("GET", f"{client.url}/v1/changes?{query}", headers=headers).data)
