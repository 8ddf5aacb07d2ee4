"""Articles of the release before: ranges find them, dates far ahead pin none of them, and none is rewritten."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Connection, text

from newswire.store.database import Database
from newswire.timestamps import parse_instant
from tests.migrations.older_wires import older_wire
from tests.support.command import Cli
from tests.support.wire import Wire

RELEASE_BEFORE = "0012"
FAR = "2062-05-01T10:00:00.000Z"
# By external id: the tag that the release before stored, and the terms that it gave it.
LANGUAGES = {
    "haeuser": ("iw", "language_iw"),
    "tanada": ("zh-Hant-TW", "language_zh language_zh_2dhant_2dtw"),
    "expiring": ("zh-yue", "language_zh language_zh_2dyue"),
}


@pytest.fixture
def upgraded(empty_url: str) -> Iterator[Wire]:
    """The wire of an older release with such articles, upgraded."""
    older_wire(empty_url, RELEASE_BEFORE)
    database = Database(empty_url)
    with database.begin() as connection:
        for external_id, (tag, terms) in LANGUAGES.items():
            put_language(connection, external_id, tag, terms)
        put_date(connection, "orchards", FAR, embargoed_until=None)
        # Its date is near the end of its embargo.
        put_date(connection, "secret", "2198-12-31T10:00:00.000Z", embargoed_until="2199-01-01T00:00:00.000Z")
    database.dispose()
    assert Cli(empty_url).json("db", "upgrade")["indexed"] == 8
    with closing(Wire(empty_url)) as wire:
        yield wire


def put_language(connection: Connection, external_id: str, tag: str, terms: str) -> None:
    row = version_of(connection, external_id)
    old = row.rendered.split(b'"language":"')[1].split(b'"')[0].decode()
    rendered = row.rendered.replace(f'"language":"{old}"'.encode(), f'"language":"{tag}"'.encode())
    source = json.dumps({**json.loads(bytes(row.source)), "language": tag}).encode()
    terms = row.terms.replace(f"language_{old}", terms)
    values = {"number": row.number, "rendered": rendered, "terms": terms, "source": source}
    connection.execute(
        text("UPDATE version SET rendered = :rendered, terms = :terms, source = :source WHERE number = :number"), values
    )


def put_date(connection: Connection, external_id: str, date: str, *, embargoed_until: str | None) -> None:
    row = version_of(connection, external_id)
    start, _, rest = row.rendered.partition(b'"published_at":"')
    rendered = start + b'"published_at":"' + date.encode() + rest[rest.index(b'"') :]
    ends = None if embargoed_until is None else parse_instant(embargoed_until)
    values = {"number": row.number, "rendered": rendered, "at": parse_instant(date), "ends": ends}
    connection.execute(text("UPDATE version SET rendered = :rendered WHERE number = :number"), values)
    connection.execute(
        text("UPDATE article SET published_at = :at, embargoed_until = :ends WHERE number = :number"), values
    )


def version_of(connection: Connection, external_id: str) -> Any:
    found = text(
        "SELECT article.number, article.published_at, article.created_at, terms, rendered, source"
        " FROM article JOIN version USING (number, version) WHERE external_id = :external_id"
    )
    return connection.execute(found, {"external_id": external_id}).one()


def test_articles_of_the_release_before_are_found_by_ranges(upgraded: Wire) -> None:
    partner = upgraded.as_partner()
    houses, terraces, tickets = (
        "Häuser am Hafen wurden verkauft",
        "棚田の収穫が始まった",
        "Tickets are sold until the show",
    )
    assert partner.listed("language=zh-Hant") == [terraces]
    assert partner.listed("language=he") == partner.listed("language=iw") == [houses]
    assert partner.listed("language=zh") == [tickets, terraces]
    assert partner.listed("language=yue") == [tickets]
    assert terraces not in partner.listed("not_language=zh-Hant")
    # What is stored is served as it was.
    assert {item["language"] for item in partner.get("/v1/articles?language=zh,iw").get_json()["data"]} == {
        "iw", "zh-Hant-TW", "zh-yue",
    }  # fmt: skip


def test_one_that_is_sent_again_stays_as_it_is_stored(upgraded: Wire) -> None:
    """Also one whose language and whose far date are cleaned in another way today."""
    publisher = upgraded.as_publisher("gazette")
    before = len(publisher.changes())
    with upgraded.database.read() as connection:
        sources = {name: json.loads(bytes(version_of(connection, name).source)) for name in (*LANGUAGES, "orchards")}
    sources["orchards"]["published_at"] = FAR
    for external_id, source in sources.items():
        answer = publisher.put(f"/v1/publishers/gazette/articles/{external_id}", json=source)
        assert (answer.status_code, answer.get_json()["version"]) == (200, 1), external_id
        assert answer.get_json()["language"] == LANGUAGES.get(external_id, ("en", ""))[0]
    assert len(publisher.changes()) == before


def test_an_entitlement_by_range_holds_for_them_at_every_door(upgraded: Wire) -> None:
    partner = upgraded.as_partner("taipei", language=["zh-Hant", "iw"])
    [houses, terraces] = sorted(partner.get("/v1/articles").get_json()["data"], key=lambda item: item["external_id"])
    assert (houses["external_id"], terraces["external_id"]) == ("haeuser", "tanada")
    for item in (houses, terraces):
        assert partner.get(f"/v1/articles/{item['id']}").status_code == 200
    told = [entry["article"]["external_id"] for entry in partner.changes()]
    assert told == ["haeuser", "tanada"]
    assert upgraded.as_publisher("gazette").delete("/v1/publishers/gazette/articles/tanada").status_code == 200
    assert [entry["type"] for entry in partner.changes()][-1] == "article.canceled"


def test_an_article_that_was_dated_far_ahead_is_listed_at_its_reception(upgraded: Wire) -> None:
    upgraded.as_publisher("gazette").publish("Near")
    partner = upgraded.as_partner()
    for query in ("", "publisher=gazette", "q=near OR orchards"):
        assert partner.listed(query)[:2] == ["Near", "Orchards were harvested early"], query
    [orchards] = partner.get("/v1/articles?external_id=orchards").get_json()["data"]
    assert orchards["published_at"] == FAR
    assert partner.listed("published_from=2040-01-01") == []
    with upgraded.database.read() as connection:
        found, secret = version_of(connection, "orchards"), version_of(connection, "secret")
    assert found.published_at == found.created_at
    assert secret.published_at == parse_instant("2198-12-31T10:00:00Z")
