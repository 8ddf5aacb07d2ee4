"""Embargoes end and articles expire by themselves: each is told once, by one worker of many, at its time."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from newswire import wire as log
from newswire.publishing import release
from newswire.store.database import Database
from newswire.timestamps import format_instant, now
from newswire.visibility import term_of
from tests.support.wire import Caller, Wire

SOON = 1000
FAR = 600_000
LATEST_SECONDS = 20.0


def in_milliseconds(milliseconds: int) -> str:
    return format_instant(now() + milliseconds)


def tend(wire: Wire, later: int = 0) -> int:
    """What a worker does, as if it were `later` milliseconds later."""
    with wire.database.begin() as connection:
        return release.release_due_articles(connection, now() + later)


@contextmanager
def workers(wire: Wire, count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """`newswire worker`, some of them beside each other, once they all have started; `url` still has its password."""
    url = wire.database.url.render_as_string(hide_password=False)
    environment = {**os.environ, "NEWSWIRE_DATABASE_URL": url.replace("postgresql+psycopg:", "postgresql:")}
    command = [sys.executable, "-m", "newswire", "worker"]
    with tempfile.TemporaryFile("w+") as log:
        started = [subprocess.Popen(command, env=environment, stderr=log) for _ in range(count)]
        try:
            # A busy machine takes seconds to start a process, and no embargo of a test should wait for that.
            until(lambda: os.pread(log.fileno(), 100_000, 0).count(b"the worker has started") == count)
            yield started
        finally:
            for process in started:
                process.kill()
                process.wait()


def until(condition: Any) -> Any:
    """The first true value of `condition`."""
    end = time.monotonic() + LATEST_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return value


def test_a_release_leaves_the_row_of_the_index_that_publishing_would_write(wire: Wire) -> None:
    publisher = wire.as_publisher()
    fields = {"body_text": "Ferries were late.", "keywords": ["a", "z"], "published_at": "2026-05-05T05:05:05Z"}
    publisher.publish("Cocoa rises", **fields)
    publisher.publish("Cocoa rises", **fields, embargoed_until=in_milliseconds(60_000))
    assert tend(wire, later=61_000) == 1
    columns = "terms, headline, body" if wire.database.backend.name == "sqlite" else "status, words::text, forms::text"
    table = "search_index" if wire.database.backend.name == "sqlite" else "search_document"
    with wire.database.read() as connection:
        rows = connection.exec_driver_sql(f"SELECT {columns} FROM {table}").all()
        ids = connection.exec_driver_sql("SELECT id FROM article").scalars().all()
    [one, other] = [tuple(without_ids(value, ids) for value in row) for row in rows]
    assert one == other


def without_ids(text: str, ids: Sequence[str]) -> list[str]:
    """The tokens of a text, without those that name one of the articles."""
    terms = {term_of("id", article_id) for article_id in ids}
    return sorted(token for token in text.split() if token.strip("'_") not in terms)


def types(reader: Caller) -> list[str]:
    return [entry["type"] for entry in reader.changes()]


def whole(database: Database) -> bool:
    with database.read() as connection:
        return log.verify_log(connection).broken is None


@pytest.mark.slow
def test_an_embargo_ends_at_its_time_by_exactly_one_of_three_workers(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    with workers(wire, 3):
        ends = now() + 4000
        sent = [publisher.publish(f"Secret {n}", embargoed_until=format_instant(ends)) for n in range(20)]
        while now() < ends - 100:
            assert partner.changes() == []
            assert partner.listed() == []
            time.sleep(0.05)
        until(lambda: len(partner.changes()) == 20)
        time.sleep(0.7)
    entries = partner.changes()
    assert [entry["seq"] for entry in entries] == list(range(1, 21))
    assert {entry["type"] for entry in entries} == {"article.published"}
    assert {entry["article_id"] for entry in entries} == {article["id"] for article in sent}
    assert all(format_instant(ends) <= entry["at"] <= format_instant(ends + 2000) for entry in entries)
    assert len(partner.listed("q=secret")) == 20
    assert whole(wire.database)


@pytest.mark.slow
def test_what_came_due_while_every_worker_was_down_is_told_when_one_starts(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Secret", embargoed_until=in_milliseconds(300))
    publisher.publish("Short", expires_at=in_milliseconds(300))
    time.sleep(0.4)
    assert partner.listed() == []
    assert types(partner) == ["article.published"]
    with workers(wire, 1) as started:
        until(lambda: len(partner.changes()) == 3)
        started[0].send_signal(signal.SIGTERM)
        assert started[0].wait(LATEST_SECONDS) == 0
    assert types(partner) == ["article.published", "article.published", "article.expired"]
    assert partner.listed() == ["Secret"]


def test_a_release_tells_of_the_last_version_and_of_nothing_before(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("First", body_text="alpha", embargoed_until=in_milliseconds(SOON))
    address = f"/v1/articles/{article['id']}"
    change = {"type": "correction", "note": "A name was wrong."}
    publisher.patch(address, json={"headline": "Second", "change": change}, headers={"If-Match": "*"})
    assert (publisher.get(address).get_json()["status"], publisher.get(address).get_json()["seq"]) == ("withheld", None)
    assert tend(wire) == 0
    assert tend(wire, later=SOON) == 1
    assert tend(wire, later=SOON) == 0
    (entry,) = partner.changes()
    assert (entry["type"], entry["version"], entry["article"]["headline"]) == ("article.published", 2, "Second")
    read = partner.get(address).get_json()
    assert (read["status"], read["seq"], read["version"]) == ("usable", 1, 2)
    assert partner.listed("q=alpha") == ["Second"]
    assert [version["version"] for version in partner.get(f"{address}/versions").get_json()["data"]] == [2]
    assert whole(wire.database)


def test_an_embargo_can_be_moved_and_lifted_before_its_time(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    moved = publisher.publish("Moved", embargoed_until=in_milliseconds(SOON))
    lifted = publisher.publish("Lifted", embargoed_until=in_milliseconds(SOON))
    for article, ends in ((moved, in_milliseconds(10 * SOON)), (lifted, None)):
        address = f"/v1/articles/{article['id']}"
        publisher.patch(address, json={"embargoed_until": ends}, headers={"If-Match": "*"})
    assert partner.listed() == ["Lifted"]
    assert tend(wire, later=2 * SOON) == 0
    assert tend(wire, later=10 * SOON) == 1
    assert [entry["article"]["headline"] for entry in partner.changes()] == ["Lifted", "Moved"]


def test_a_killed_embargo_is_never_released(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("Secret", embargoed_until=in_milliseconds(FAR))
    publisher.delete(f"/v1/articles/{article['id']}")
    assert tend(wire, later=2 * FAR) == 0
    assert partner.changes() == []


def test_an_expiry_is_told_once_and_hides_the_article_from_all_but_its_publisher(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("Short", expires_at=in_milliseconds(2 * SOON))
    address = f"/v1/articles/{article['id']}"
    assert partner.listed() == ["Short"]
    # No worker runs: what is read is hidden all the same.
    until(lambda: partner.listed() == [])
    assert partner.get(address).status_code == 404
    assert tend(wire) == 1
    assert tend(wire) == 0
    published, expired = partner.changes()
    assert (published["type"], published["article"]) == ("article.published", None)
    assert (expired["type"], expired["version"], expired["article"]) == ("article.expired", 1, None)
    assert publisher.get(address).get_json()["seq"] == 2
    assert publisher.listed() == ["Short"]


def test_an_expired_article_comes_back_with_a_later_expiry_and_expires_again(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("Short", expires_at=in_milliseconds(-1))
    tend(wire)
    address = f"/v1/articles/{article['id']}"
    later = in_milliseconds(SOON * 10)
    assert publisher.patch(address, json={"expires_at": later}, headers={"If-Match": "*"}).status_code == 200
    assert partner.listed() == ["Short"]
    assert tend(wire, later=SOON * 20) == 1
    assert types(partner) == ["article.published", "article.expired", "article.updated", "article.expired"]
    assert whole(wire.database)


def test_an_expiry_is_told_to_those_who_were_told_of_the_article_only(wire: Wire) -> None:
    publisher = wire.as_publisher()
    world, sport = wire.as_partner("w", section=["world"]), wire.as_partner("s", section=["sport"])
    article = publisher.publish("Short", section="world", expires_at=in_milliseconds(SOON))
    moved = {"section": "sport"}
    publisher.patch(f"/v1/articles/{article['id']}", json=moved, headers={"If-Match": "*"})
    tend(wire, later=SOON)
    assert types(world) == ["article.published", "article.removed"]
    assert types(sport) == ["article.updated", "article.expired"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_release_whose_article_has_expired_meanwhile_is_told_and_then_its_expiry(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    ends = now() + 2 * SOON
    publisher.publish("Late", embargoed_until=format_instant(ends - 1), expires_at=format_instant(ends))
    until(lambda: now() > ends)
    assert (tend(wire), tend(wire), tend(wire)) == (1, 1, 0)
    assert types(partner) == ["article.published", "article.expired"]
    assert partner.changes()[0]["article"] is None
