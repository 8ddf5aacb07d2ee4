"""THE rule of access: Python and SQL say the same of every article, at every door; and it stands in one place."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, column, select, table, text

from newswire import wire as log
from newswire.article import Status
from newswire.changes.page import changes_page
from newswire.changes.positions import LogPosition
from newswire.changes.rules import Reader
from newswire.errors import Problem
from newswire.reading import article as single
from newswire.reading import lists
from newswire.reading.directory import Sight
from newswire.search.query import Query
from newswire.store.articles import CURRENT, as_terms, told_before
from newswire.store.tables import article, version
from newswire.timestamps import format_instant, now
from newswire.visibility import (
    TIMES,
    Filter,
    Grant,
    Standing,
    TimeRule,
    Visibility,
    allowed_clauses,
    allowed_sql,
    refused_sql,
    term_of,
    values_of_rules,
)
from tests.support.databases import ENGINES, empty_database
from tests.support.ways_of_reading import ndjson
from tests.support.wire import Wire

HOUR = 3_600_000
SECTIONS, LANGUAGES = ("world", "sport", "local"), ("en", "fr")


class World(NamedTuple):
    """A wire with articles in every state, and when it was made."""

    wire: Wire
    made_at: int


@pytest.fixture(scope="module", params=ENGINES)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with empty_database(request, request.param) as url, closing(Wire(url)) as wire:
        yield World(wire, filled(wire))


def filled(wire: Wire) -> int:
    """Articles of two publishers: some updated, into another section perhaps, some embargoed, expiring, killed."""
    chance, moment = random.Random(13), now()
    for slug in ("reuters", "afp"):
        publisher = wire.as_publisher(slug)
        for _ in range(2):
            batch: list[dict[str, Any]] = []
            for number in range(20):
                expires = chance.choice([None, -HOUR, HOUR, 2 * HOUR, 3 * HOUR])
                embargo = chance.choice([None, None, HOUR]) if expires in (None, 3 * HOUR) else None
                batch.append({
                    "headline": f"Story {number}", "external_id": f"{number}", "section": chance.choice(SECTIONS),
                    "language": chance.choice(LANGUAGES),
                    "expires_at": expires and format_instant(moment + expires),
                    "embargoed_until": embargo and format_instant(moment + embargo),
                })  # fmt: skip
            publisher.post("/v1/articles/batch", json=batch)
        for number in chance.sample(range(20), 5):
            publisher.delete(f"/v1/publishers/{slug}/articles/{number}")
    return moment


def filters() -> st.SearchStrategy[Filter]:
    limits = st.fixed_dictionaries({}, optional={
        "section": st.lists(st.sampled_from(SECTIONS), min_size=1, max_size=2, unique=True),
        "language": st.sampled_from(LANGUAGES).map(lambda name: [name]),
        "publisher": st.sampled_from(["reuters", "afp"]).map(lambda name: [name]),
    })  # fmt: skip
    return limits.map(Filter.of)


def callers() -> st.SearchStrategy[Visibility]:
    """Owners have one entitlement, partners a history of them."""
    partners = st.lists(st.tuples(st.integers(0, 60), filters()), min_size=1, max_size=3).map(
        lambda grants: Visibility(tuple(Grant(*grant) for grant in sorted(grants, key=lambda grant: grant[0])))
    )
    owners = filters().map(lambda wanted: Visibility((Grant(0, wanted),), owner=True))
    return st.one_of(partners, owners)


def standings(connection: Connection) -> dict[Any, Standing]:
    """Every article, by its row."""
    columns = [article.c[name] for name in ("number", "id", "status", *TIMES)]
    rows = connection.execute(select(*columns, version.c.terms).join_from(article, version, CURRENT)).all()
    return {
        row: Standing(row.status, row.published_at, row.updated_at, row.expires_at, as_terms(row.terms)) for row in rows
    }


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visibility=callers(), wanted=filters(), passed=st.sampled_from([0, HOUR, HOUR + 1, 2 * HOUR, 4 * HOUR]),
       status=st.sampled_from([*Status]), order=st.sampled_from(["published_at", "updated_at"]))  # fmt: skip
def test_every_door_shows_what_the_rule_allows(
    world: World, visibility: Visibility, wanted: Filter, passed: int, status: Status, order: str
) -> None:
    moment = world.made_at + passed
    query = Query(filter=wanted, status=status, order=order, limit=100)
    with world.wire.database.read() as connection:
        every = standings(connection)
        allowed = {row: each for row, each in every.items() if visibility.allows(each, moment)}
        there = {row.id for row, each in allowed.items() if each.status == status and wanted.matches(each.terms)}
        assert {row.id for row in lists.list_page(connection, query, visibility, moment).rows} == there
        assert lists.count_articles(connection, query, visibility, moment).value == len(there)
        usable = [each.terms for each in allowed.values() if each.status == Status.USABLE]
        names = [term_of("section", name) for name in SECTIONS]
        counted = Sight.of(visibility, moment).counts(connection, names)
        tally = Counter(name for terms in usable for name in terms if name in names)
        assert {name: count.value for name, count in counted.items()} == tally
        pasts = told_before(connection, [row.number for row in every])
        for row, standing in every.items():
            was_told = any(visibility.could_see_at(past.terms, past.seq) for past in pasts[row.number])
            expected = answer_by_the_rule(standing, visibility.allows(standing, moment), was_told=was_told)
            assert single_answer(connection, row.id, visibility, moment) == expected
        told = changes_page(
            connection, Reader(visibility, Query()), log.read_head(connection), LogPosition(0), 500, moment
        )
        by_number = {row.number: each for row, each in every.items()}
        for entry in told.entries:
            standing = by_number[entry.item.number]
            assert visibility.could_see_at(versions_terms(connection, entry.item), entry.item.seq) or entry.type in GONE
            readable = visibility.allows(standing, moment) and entry.type not in GONE
            assert entry.readable == (readable and visibility.filter.matches(versions_terms(connection, entry.item)))


GONE = ("article.canceled", "article.removed")


def versions_terms(connection: Connection, item: Any) -> frozenset[str]:
    number, told = item.number, item.told.version
    found = connection.scalar(select(version.c.terms).where(version.c.number == number, version.c.version == told))
    return as_terms(str(found))


def single_answer(connection: Connection, article_id: str, visibility: Visibility, moment: int) -> str:
    try:
        return str(single.read_current(connection, article_id, visibility, moment).status)
    except Problem as problem:
        return problem.code


def answer_by_the_rule(standing: Standing, is_allowed: bool, *, was_told: bool) -> str:
    """A kill is told to whoever could have read it; of what may not be shown nobody learns that it is there."""
    if standing.status == Status.CANCELED:
        return "article_canceled" if is_allowed or was_told else "not_found"
    return standing.status if is_allowed else "not_found"


rules = st.lists(
    st.builds(TimeRule, st.sampled_from(TIMES), st.booleans(), st.integers(0, 4)),
    max_size=4, unique_by=lambda rule: rule.name,
).map(tuple)  # fmt: skip
times = st.tuples(st.integers(0, 4), st.integers(0, 4), st.none() | st.integers(0, 4))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=rules, rows=st.lists(times, max_size=8))
def test_a_rule_of_time_is_the_same_in_python_and_in_every_form_of_sql(
    world: World, rules: tuple[TimeRule, ...], rows: list[tuple[Any, ...]]
) -> None:
    standing = table("standing", column("number"), *map(column, TIMES))
    open_here = {
        number
        for number, row in enumerate(rows)
        if all(rule.holds(dict(zip(TIMES, row, strict=True))[rule.column]) for rule in rules)
    }
    with world.wire.database.begin(keep=False) as connection:
        connection.execute(text(f"CREATE TEMPORARY TABLE standing (number bigint, {' bigint, '.join(TIMES)} bigint)"))
        for number, row in enumerate(rows):
            connection.execute(standing.insert(), {"number": number, **dict(zip(TIMES, row, strict=True))})
        clauses = select(standing.c.number).where(*allowed_clauses(rules, standing.c))
        found = [{number for (number,) in connection.execute(clauses)}]
        if world.wire.is_sqlite:
            # What neither holds nor fails is open: SQL knows three answers, the rule two.
            shut = f"SELECT number FROM standing WHERE ({refused_sql(rules, ':{}', 'standing')}) IS NOT TRUE"
            found.append({number for (number,) in connection.exec_driver_sql(shut, values_of_rules(rules))})
        else:
            stands = f"SELECT number FROM standing WHERE {allowed_sql(rules, '%({})s')}"
            found.append({number for (number,) in connection.exec_driver_sql(stands, values_of_rules(rules))})
    assert found == [open_here] * len(found)


def test_nobody_else_asks_whose_an_article_is() -> None:
    package = Path(lists.__file__).parents[1]
    asked = re.compile(r"\.owner\b")
    for path in package.rglob("*.py"):
        if path.name != "visibility.py":
            assert not asked.search(path.read_text(encoding="utf-8")), path


def test_a_rule_that_is_no_term_is_one_place(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partners see an article an hour after its newest version: one more `TimeRule`, and every door obeys."""
    delay, own_rules = [HOUR], Visibility.time_rules

    def time_rules(visibility: Visibility, now: int) -> tuple[TimeRule, ...]:
        found = own_rules(visibility, now)
        return found if visibility.owner else (*found, TimeRule("updated_at", False, now - delay[0]))

    monkeypatch.setattr(Visibility, "time_rules", time_rules)
    with closing(Wire(database_url)) as wire:
        ask_every_door(wire, delay)


def ask_every_door(wire: Wire, delay: list[int]) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    said = {"section": "World", "keywords": ["cocoa"], "authors": [{"name": "Ann Lee"}], "summary": "Dear."}
    stored = publisher.publish("Cocoa rises", **said)
    address, author = f"/v1/articles/{stored['id']}", stored["authors"][0]["id"]
    alone = [address, f"{address}.html", f"{address}.md", f"{address}.ninjs", f"{address}/versions",
             f"{address}/versions/1", f"/v1/authors/{author}"]  # fmt: skip
    listed = [
        "/v1/articles?count=true&facets=section", "/v1/articles?q=cocoa", "/v1/articles?q=cocoa&sort=relevance",
        "/v1/articles?section=world", "/v1/articles?sort=-updated_at", "/v1/articles?sort=updated_at&section=world",
        "/v1/articles.rss", "/v1/articles.atom", "/v1/articles.json", "/v1/articles.ninjs", "/v1/authors",
        "/v1/sections", "/v1/keywords", "/v1/publishers", "/v1/changes", "/v1/changes?q=cocoa",
    ]  # fmt: skip
    for _ in range(2):
        for each in alone:
            assert partner.get(each).status_code == 404, each
            assert publisher.get(each).status_code == 200, each
        for each in listed:
            answer = partner.get(each)
            assert answer.status_code == 200, each
            assert not re.search(
                'Cocoa|cocoa"|World|Ann Lee|Reuters', re.sub('q=cocoa|"words":."cocoa".', "", answer.text)
            ), each
            assert re.search("Cocoa|cocoa|World|Ann Lee|Reuters", publisher.get(each).text), each
        for entry in (*partner.changes(), *ndjson(partner, "", 0, 1)[0]):
            assert entry["article"] is None
    assert partner.get("/v1/articles?count=true").get_json()["meta"]["count"]["value"] == 0
    # No page was kept, and none has an ETag by which it could be held: an hour passes without the log.
    assert "ETag" not in partner.get("/v1/articles").headers
    tag = partner.get("/v1/sections").headers["ETag"]
    delay[0] = -1
    for each in (*alone, *listed):
        answer = partner.get(each, headers={"If-None-Match": tag})
        assert answer.status_code == 200, each
        assert re.search("Cocoa|cocoa|World|Ann Lee|Reuters", answer.text), each
    assert partner.changes()[0]["article"]["headline"] == "Cocoa rises"
