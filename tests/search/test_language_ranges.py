"""Filters and entitlements by language are ranges of RFC 4647, and mean the same at every door."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from newswire import wire as log
from newswire.accounts.publishers import change_publisher
from newswire.changes.page import changes_page
from newswire.changes.positions import LogPosition
from newswire.changes.rules import Reader
from newswire.language_tags import EXTENDED, canonical_tag
from newswire.reading import lists
from newswire.search.query import Query
from newswire.store.articles import CURRENT, as_terms
from newswire.store.tables import article, version
from newswire.timestamps import now
from newswire.visibility import Filter, Grant, Visibility
from tests.support.command import Cli
from tests.support.lists import post
from tests.support.wire import Caller, Wire

TAGS = (
    "zh", "zh-Hant", "zh-Hant-TW", "zh-Hant-HK", "zh-Hans-CN", "zh-TW", "zh_CN", "zh-yue", "yue-HK", "cmn-Hans", "en",
    "en_US", "en-UK", "EN-gb", "eng", "en-GB-oed", "iw", "he-IL", "in", "id-ID", "mo", "ro-MD", "i-klingon", "tlh",
    "de-CH-1996", "de-x-private", "x-private", "sr-Latn-RS", "sgn-US", "ase", "und", "dez",
)  # fmt: skip
RANGES = (
    *TAGS, "*", "ZH", "zh-han", "z", "zh-Hans", "de", "de-ch", "d", "sr-Latn", "sr-RS", "he", "id", "sgn", "ar",
    "no such",
)  # fmt: skip


def is_matched(wanted: str, tag: str) -> bool:
    """Basic filtering (RFC 4647, 3.3.1) of a tag by a range, both in canonical form, also by an extended prefix."""
    if wanted == "*":
        return True
    wanted, tag = canonical_tag(wanted).lower(), canonical_tag(tag).lower()
    return tag == wanted or tag.startswith(f"{wanted}-") or EXTENDED.get(tag.split("-")[0]) == wanted


@pytest.fixture(scope="module")
def reader(shared_wire: Wire, shared_publisher: Caller, shared_partner: Caller) -> Caller:
    """A partner of a wire with an article in each of these languages, with the tag for its headline."""
    post(shared_publisher, [{"headline": tag, "language": tag} for tag in TAGS])
    return shared_partner


some = st.lists(st.sampled_from(RANGES), min_size=1, max_size=3)


@settings(max_examples=60)
@given(chosen=st.none() | some, hidden=st.none() | some, entitled=st.none() | some)
def test_every_door_means_the_same_by_a_range(
    reader: Caller, shared_wire: Wire, chosen: list[str] | None, hidden: list[str] | None, entitled: list[str] | None
) -> None:
    wanted = [
        tag
        for tag in TAGS
        if (chosen is None or any(is_matched(each, tag) for each in chosen))
        and not any(is_matched(each, tag) for each in hidden or ())
        and (entitled is None or any(is_matched(each, tag) for each in entitled))
    ]
    query = Query(filter=Filter.of({"language": chosen or ()}, {"language": hidden or ()}), limit=100)
    visibility = Visibility((Grant(0, Filter.of({"language": entitled or ()})),))
    with shared_wire.database.read() as connection:
        moment = now()
        rows = connection.execute(select(article.c.id, version.c.terms).join_from(article, version, CURRENT)).all()
        both = query.filter & visibility.filter
        allowed = {row.id for row in rows if both.matches(as_terms(row.terms))}
        assert {row.id for row in lists.list_page(connection, query, visibility, moment).rows} == allowed
        assert lists.count_articles(connection, query, visibility, moment).value == len(allowed) == len(wanted)
        told = changes_page(
            connection, Reader(visibility, query), log.read_head(connection), LogPosition(0), 500, moment
        )
        assert {entry.item.article_id for entry in told.entries} == allowed
    if entitled is None:
        asked = {"language": ",".join(chosen or ()), "not_language": ",".join(hidden or ()), "limit": 100}
        listed = reader.get("/v1/articles", query_string={name: value for name, value in asked.items() if value})
        assert sorted(item["headline"] for item in listed.get_json()["data"]) == sorted(wanted)


@pytest.mark.parametrize(
    ("query", "seen", "unseen"),
    [
        ("language=zh-Hant", ["zh-Hant", "zh-Hant-TW"], ["zh", "zh-TW", "zh-Hans-CN"]),
        ("not_language=zh-Hans", ["zh-Hant-TW", "zh_CN"], ["zh-Hans-CN"]),
        ("language=zh", ["zh", "zh-Hant-TW", "zh-Hans-CN", "zh_CN", "zh-yue", "yue-HK"], ["en"]),
        ("language=ZH-HANT-tw", ["zh-Hant-TW"], ["zh-Hant", "zh-Hant-HK"]),
        ("language=en_GB", ["en-UK", "EN-gb", "en-GB-oed"], ["en", "en_US"]),
        ("language=iw,mo", ["iw", "he-IL", "mo", "ro-MD"], ["in"]),
        ("language=de", ["de-CH-1996", "de-x-private"], ["dez"]),
    ],
)
def test_a_range_sees_what_begins_with_it(reader: Caller, query: str, seen: list[str], unseen: list[str]) -> None:
    listed = reader.listed(f"{query}&limit=100")
    assert set(seen) <= set(listed)
    assert set(unseen).isdisjoint(listed)


def test_every_range_among_the_facets_is_counted_as_the_filter_counts(reader: Caller) -> None:
    facets = reader.get("/v1/articles?facets=language&language=zh,en,iw").get_json()["meta"]["facets"]["language"]
    found = {facet["value"]: facet["count"]["value"] for facet in facets}
    assert (found["zh-Hant-TW"], found["zh-Hant"], found["en-US"], found["he"]) == (1, 3, 1, 2)
    for value, count in found.items():
        assert len([tag for tag in reader.listed("limit=100") if is_matched(value, tag)]) == count


def test_an_article_in_an_old_spelling_is_stemmed_in_its_language(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Membaca buku di perpustakaan", language="in")
    publisher.publish("Häuser am Hafen", language="ger")
    assert partner.listed("q=pembaca&language=id") == ["Membaca buku di perpustakaan"]
    assert partner.listed("q=Haus&language=de") == ["Häuser am Hafen"]


@pytest.mark.parametrize("stored", [["iw"], ["en_US", "iw"], ["HE"]])
def test_an_entitlement_that_was_stored_in_an_old_spelling_still_holds(wire: Wire, stored: Sequence[str]) -> None:
    wire.as_publisher().publish("Shalom", language="he-IL")
    wire.as_publisher().publish("Bonjour", language="fr")
    partner = wire.as_partner("old", language=[*stored])
    assert partner.listed() == ["Shalom"]
    assert [(entry["article"] or {}).get("headline") for entry in partner.changes()] == ["Shalom"]


def test_a_saved_feed_and_a_cursor_keep_a_range_in_any_spelling(wire: Wire) -> None:
    post(wire.as_publisher(), [{"headline": f"{number}", "language": "he"} for number in range(4)])
    partner = wire.as_partner()
    assert partner.post("/v1/feeds", json={"name": "hebrew", "query": "language=iw"}).status_code == 201
    pages: list[dict[str, Any]] = []
    for language in ("iw", "HE"):
        cursor = f"&cursor={pages[-1]['page']['next_cursor']}" if pages else ""
        pages.append(partner.get(f"/v1/articles?language={language}&limit=2{cursor}").get_json())
    assert [item["headline"] for page in pages for item in page["data"]] == ["3", "2", "1", "0"]
    assert len(partner.get("/v1/feeds/hebrew/articles").get_json()["data"]) == 4


def test_the_language_of_a_publisher_in_an_old_spelling_is_canonical_in_its_articles(wire: Wire) -> None:
    publisher = wire.as_publisher()
    with wire.database.begin() as connection:
        change_publisher(connection, "reuters", {"language": "iw"})
    assert publisher.publish("Shalom")["language"] == "he"


def test_the_command_line_stores_canonical_tags(sqlite_cli: Cli) -> None:
    added = sqlite_cli.json("publisher", "add", "kol", "--name", "Kol", "--language", "iw_IL")
    assert added["language"] == "he-IL"
    assert sqlite_cli.json("publisher", "set", "kol", "--language", "zh_hant_tw")["language"] == "zh-Hant-TW"
    partner = sqlite_cli.json("partner", "add", "desk", "--name", "Desk", "--only", "language=en_UK,iw")
    assert partner["entitlement"] == {"language": ["en-GB", "he"]}
