"""`section:` and `publisher:` in `q` match words of names, alike on both engines and in process."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.accounts.publishers import add_publisher
from newswire.search.expression import And, Named, Not, Or, Term
from newswire.search.syntax import ExpressionError, parse_query, understand_query
from newswire.timestamps import now
from tests.support.databases import ENGINES, empty_database
from tests.support.queries import compose_queries
from tests.support.wire import Wire

SECTIONS = ["Sport", "World news", "News, world & sports", "Économie", "中国新闻", "体育", None]


def test_a_name_field_is_a_condition_on_the_name() -> None:
    sport, cocoa = Named("section", ("sport",)), Term("cocoa", "cocoa")
    assert parse_query("section:sport cocoa") == And((sport, cocoa))
    assert parse_query("cocoa -Section:sport") == And((cocoa, Not(sport)))
    assert parse_query('section:"World News"') == Named("section", ("world", "news"))
    assert parse_query('section:"World News"~3') == Named("section", ("world", "news"))
    assert parse_query("section:(sport OR wor*)") == Or((sport, Named("section", (), "wor")))
    assert parse_query('publisher:"france pres"*') == Named("publisher", ("france",), "pres")
    assert parse_query("section:中国新 section:中") == And(
        (Named("section", ("中国", "国新")), Named("section", (), "中"))
    )
    assert parse_query("section:& cocoa") == And((Term("section", "section"), cocoa))
    assert parse_query("section: sport") == And((Term("section", "section"), Term("sport", "sport")))


@pytest.fixture(scope="module", params=ENGINES)
def wire_of_names(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with empty_database(request, request.param) as url:
        wire = Wire(url)
        with wire.database.begin() as connection:
            add_publisher(connection, "afp", "Agence France-Presse", None, "en", now())
        for slug in ("afp", "sport-desk"):
            for section in SECTIONS:
                wire.as_publisher(slug).publish(f"{slug} {section}", section=section, body_text="sport, economie")
        yield wire
        wire.close()


FOUND: dict[str, set[str | None]] = {
    "section:sport": {"Sport"},
    "section:SPORT*": {"Sport", "News, world & sports"},
    'section:"world news"': {"World news", "News, world & sports"},
    "section:economie": {"Économie"},
    "section:中国": {"中国新闻"},
    "section:育": {"体育"},
    "section:国中": set(),
    "section:(sport OR economie) sport": {"Sport", "Économie"},
    "economie -section:world -section:sport": {"Économie", "中国新闻", "体育", None},
    "economie -section:(news OR 体*)": {"Sport", "Économie", None, "中国新闻"},
    "publisher:presse section:sport": {"Sport"},
}  # fmt: skip


@pytest.mark.parametrize("q", FOUND)
def test_the_words_of_a_name_find_its_articles_in_lists_and_on_the_wire(wire_of_names: Wire, q: str) -> None:
    admin = wire_of_names.as_admin()
    publishers = ["afp"] if "publisher" in q else ["afp", "sport-desk"]
    names = sorted(f"{slug} {section}" for slug in publishers for section in FOUND[q])
    for rest in ("", "&sort=relevance&highlight=true"):
        page = admin.get(f"/v1/articles?count=true&limit=100&q={quote(q)}{rest}").get_json()
        assert sorted(article["headline"] for article in page["data"]) == names
        assert page["meta"]["count"]["value"] == len(names)
    entries = admin.get(f"/v1/changes?q={quote(q)}").get_json()["data"]
    assert sorted(entry["article"]["headline"] for entry in entries) == names


@pytest.mark.parametrize("q", ["publisher:france", "publisher:AFP", "publisher:agen*", 'publisher:"presse agence"'])
def test_a_publisher_is_found_by_words_of_its_name_and_slug(wire_of_names: Wire, q: str) -> None:
    found = wire_of_names.as_admin().get(f"/v1/articles?limit=100&q={quote(q)}").get_json()["data"]
    assert {article["publisher"]["slug"] for article in found} == {"afp"}
    assert len(found) == len(SECTIONS)


leaf = st.sampled_from(
    ["section:sport", "section:world", "section:news", "section:s*", "section:中", "publisher:sport", "publisher:afp",
     "publisher:(france OR desk)", "headline:sport", "sport", "中国"]
)  # fmt: skip
queries = compose_queries(leaf, max_leaves=5)


@settings(max_examples=20)
@given(q=queries)
def test_any_query_with_names_finds_the_same_in_lists_and_on_the_wire(wire_of_names: Wire, q: str) -> None:
    admin = wire_of_names.as_admin()
    listed = admin.get(f"/v1/articles?limit=100&q={quote(q)}").get_json()["data"]
    entries = admin.get(f"/v1/changes?limit=100&q={quote(q)}").get_json()["data"]
    assert sorted(article["id"] for article in listed) == sorted(entry["article_id"] for entry in entries)


def test_a_strict_reading_refuses_a_distance_between_words_of_a_name() -> None:
    with pytest.raises(ExpressionError) as refused:
        understand_query('cocoa section:"world news"~3', strict=True)
    assert refused.value.position == 26


def test_a_name_of_a_hidden_section_finds_nothing(wire_of_names: Wire) -> None:
    partner = wire_of_names.as_partner("sports", section=["sport"])
    for q, count in (
        ("section:sport", 2),
        ("section:world", 0),
        ("sport -section:world", 2),
        ("section:news OR sport", 2),
    ):
        page = partner.get(f"/v1/articles?count=true&q={quote(q)}").get_json()
        assert (len(page["data"]), page["meta"]["count"]["value"]) == (count, count)
