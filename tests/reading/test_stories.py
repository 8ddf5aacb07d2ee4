"""`collapse=story`: near-duplicates are shown once, by what each reader sees, and every match once on all pages."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from newswire.reading import neighbours, stories
from newswire.search.index import search_backend
from newswire.search.rebuild import rebuild_index
from newswire.store.tables import version
from tests.support.lists import page, pages, post, read
from tests.support.wire import Caller, Wire

WORDS = [
    f"{a}{b}{c}" for a in ("har", "mon", "tel", "vor", "sup") for b in ("bi", "co", "da") for c in ("ne", "ro", "st")
]


def prose(seed: int, paragraphs: int = 6, words: int = 30) -> list[str]:
    """The paragraphs of a story of its own."""
    random = Random(seed)
    return [" ".join(random.choices(WORDS, k=words)).capitalize() + "." for _ in range(paragraphs)]


def story(seed: int, headline: str | None = None, **fields: Any) -> dict[str, Any]:
    body = "\n\n".join(fields.pop("paragraphs", None) or prose(seed))
    return {"headline": headline or f"Story {seed}", "body_text": body, **fields}


def at(minute: int) -> str:
    return f"2026-03-03T{3 + minute // 60:02}:{minute % 60:02}:00Z"


def collapsed(reader: Caller, **parameters: Any) -> list[tuple[str, list[str]]]:
    """The headlines of a list with those of their duplicates."""
    shown = read(reader, collapse="story", **parameters)
    return [(each["headline"], [other["headline"] for other in each["duplicates"]]) for each in shown]


def test_a_reprint_is_shown_once_with_the_other_in_duplicates(wire: Wire) -> None:
    alpha, beta, partner = wire.as_publisher("alpha"), wire.as_publisher("beta"), wire.as_partner()
    first = alpha.publish(**story(1, "Cocoa rises", published_at=at(0)))
    beta.publish(**story(2, "Another story", published_at=at(1)))
    beta.publish(**story(1, "Markets: cocoa is up", published_at=at(2)))
    answer = page(partner, collapse="story", count="true")
    assert [each["headline"] for each in answer["data"]] == ["Markets: cocoa is up", "Another story"]
    assert answer["data"][0]["duplicates"] == [
        {name: first[name] for name in ("id", "publisher", "headline", "published_at")}
    ]
    assert answer["data"][0]["duplicate_count"] == {"value": 1, "relation": "eq"}
    assert answer["data"][1]["duplicates"] == []
    assert answer["meta"]["count"] == {"value": 2, "relation": "eq"}
    assert collapsed(partner, sort="published_at") == [("Cocoa rises", ["Markets: cocoa is up"]), ("Another story", [])]


EDITS = {
    "another headline": lambda text: text,
    "a changed paragraph": lambda text: [*text[:2], prose(99, 1)[0], *text[3:]],
    "a new first paragraph": lambda text: [prose(99, 1)[0], *text],
    "cut by half": lambda text: text[:3],
    "one figure corrected": lambda text: [f"Some 4 were hurt. {text[0]}", *text[1:]],
}
OTHERS = {
    "another story": lambda text: prose(99),
    "the same paragraph in another story": lambda text: [*prose(99), text[3]],
    "the same words in another order": lambda text: [" ".join(reversed(" ".join(text).split()))],
}


@pytest.mark.parametrize("name", [*EDITS, *OTHERS])
def test_edited_copies_collapse_and_other_stories_do_not(wire: Wire, name: str) -> None:
    text = prose(7)
    edited = (EDITS | OTHERS)[name](text)
    post(wire.as_publisher(), [story(0, "First", paragraphs=text), story(0, "Second", paragraphs=edited)])
    assert len(read(wire.as_partner(), collapse="story")) == (1 if name in EDITS else 2)


def test_short_flashes_collapse_only_if_every_word_is_the_same(wire: Wire) -> None:
    headlines = ["Earthquake hits Japan"] * 2 + [
        "Central bank leaves its base lending rate unchanged at four percent",
        "Central bank leaves its base lending rate unchanged at five percent",
        "Central bank leaves its base lending rate unchanged at five percent",
    ]
    post(wire.as_publisher(), [{"headline": headline} for headline in headlines])
    assert sorted(headline for headline, _ in collapsed(wire.as_partner())) == sorted([*headlines[:2], *headlines[2:4]])


def test_two_tables_of_one_form_with_other_numbers_are_two(wire: Wire) -> None:
    def table(seed: int) -> list[str]:
        random = Random(seed)
        return [f"Prices of {word} closed at {random.randint(100, 999)} in London today." for word in WORDS[:20]]

    post(wire.as_publisher(), [story(0, f"Market {seed}", paragraphs=table(seed)) for seed in (1, 2)])
    assert len(read(wire.as_partner(), collapse="story")) == 2


def test_each_reader_sees_its_own_member_of_a_story(wire: Wire) -> None:
    for minute, slug in enumerate(("alpha", "beta", "gamma")):
        wire.as_publisher(slug).publish(**story(1, slug, published_at=at(minute), section=slug))
    assert collapsed(wire.as_partner("every")) == [("gamma", ["beta", "alpha"])]
    assert collapsed(wire.as_partner("some", publisher=["alpha", "beta"])) == [("beta", ["alpha"])]
    assert collapsed(wire.as_partner("one", publisher=["alpha"])) == [("alpha", [])]
    # Nor do members of which the query finds none.
    assert collapsed(wire.as_partner("narrow"), not_section="gamma", sort="published_at") == [("alpha", ["beta"])]
    assert collapsed(wire.as_publisher("beta")) == [("beta", [])]


def chain(first: int = 7) -> list[list[str]]:
    """Three texts: the second is near to the other two, which are not near to each other."""
    text, others = prose(first, 10), prose(first + 100, 4)
    return [text, [*text[:8], *others[:2]], [*text[:6], *others]]


QUERIES: list[dict[str, Any]] = [
    {}, {"sort": "published_at"}, {"sort": "updated_at"}, {"q": "news", "sort": "relevance"}, {"q": "news", "limit": 2},
]  # fmt: skip


def test_a_hidden_copy_leaves_no_trace_and_joins_nothing(wire: Wire) -> None:
    before, between, after = chain()
    mine, other = wire.as_publisher("mine"), wire.as_publisher("other")
    mine.publish(**story(0, "Old news", paragraphs=before, published_at=at(0)))
    mine.publish(**story(0, "New news", paragraphs=after, published_at=at(9)))
    partner = wire.as_partner("partner", publisher=["mine"])

    def answers() -> list[Any]:
        shown = [page(partner, collapse="story", count="true", **query) for query in QUERIES]
        return [(each["data"], each["page"], each["meta"]["count"], each["links"]) for each in shown]

    alone = answers()
    assert [headline for headline, _ in collapsed(partner)] == ["New news", "Old news"]
    for headline, owner, fields in (
        ("Foreign", other, {}), ("Embargoed", mine, {"embargoed_until": "2199-01-01T00:00:00Z"}),
        ("Expired", mine, {"expires_at": "2001-01-01T00:00:00Z"}), ("Killed", mine, {}),
    ):  # fmt: skip
        made = owner.publish(**story(0, f"{headline} news", paragraphs=between, published_at=at(5), **fields))
        if headline == "Killed":
            assert len(collapsed(partner)) == 1
            assert owner.delete(f"/v1/articles/{made['id']}").status_code == 200
        assert answers() == alone, headline
    # The publisher sees all of its own, so for itself the three are one.
    assert len(collapsed(mine)) == 1


def test_a_story_follows_the_current_versions_of_its_members(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish(**story(1, "One", published_at=at(0)))
    address = f"/v1/articles/{publisher.publish(**story(2, 'Two', published_at=at(1)))['id']}"
    assert len(collapsed(partner)) == 2
    for seed, expected in ((1, 1), (3, 2)):
        changed = publisher.put(address, json=story(seed, "Two", published_at=at(1)), headers={"If-Match": "*"})
        assert changed.status_code == 200, changed.text
        assert len(collapsed(partner)) == expected


@pytest.mark.parametrize("query", [{}, {"sort": "published_at"}, {"sort": "-updated_at", "section": "world"},
                                   {"q": "news", "sort": "relevance"}], ids=str)  # fmt: skip
def test_on_all_pages_together_every_match_stands_once(wire: Wire, query: dict[str, Any]) -> None:
    random = Random(5)
    articles = []
    for seed in range(12):
        text = prose(seed)
        copies = [
            [*text[: random.randint(3, 6)], *prose(random.randint(100, 999), 1)] for _ in range(random.randint(0, 3))
        ]
        texts = chain(seed) if seed % 4 == 0 else [text, *copies]
        articles += [story(0, f"{seed} news", paragraphs=each) for each in texts]
    random.shuffle(articles)
    sent = [{**each, "published_at": at(random.randint(0, 20)), "section": "World"} for each in articles]
    made = post(wire.as_publisher(), sent)
    partner = wire.as_partner()
    for limit in (3, 100):
        shown = read(partner, collapse="story", limit=limit, **query)
        told = [each["id"] for each in shown] + [other["id"] for each in shown for other in each["duplicates"]]
        assert sorted(told) == sorted(made)
        assert len(shown) < len(made)
        assert all(each["duplicate_count"] == {"value": len(each["duplicates"]), "relation": "eq"} for each in shown)
        for each in shown:
            # A story of ours is told by its headline; what stands together is of one.
            assert {other["headline"] for other in each["duplicates"]} <= {each["headline"]}
    if "q" not in query:
        assert page(partner, collapse="story", count="true", **query)["meta"]["count"]["value"] == len(shown)


def test_hundreds_of_copies_are_one_story_on_pages_of_bounded_work(wire: Wire) -> None:
    copies = [story(1, f"Copy {number}", published_at=at(number)) for number in range(260)]
    post(
        wire.as_publisher("flood"),
        [*copies, story(2, "Below", published_at=at(-1)), story(3, "Above", published_at=at(300))],
    )
    partner = wire.as_partner()
    walked = list(pages(partner, collapse="story", limit=10))
    assert [each["headline"] for shown in walked for each in shown] == ["Above", "Copy 259", "Below"]
    assert 260 // (stories.CHUNKS * 11) <= len(walked) <= 260 // (stories.CHUNKS * 10) + 2
    flood = walked[0][1]
    assert [other["headline"] for other in flood["duplicates"]][:3] == ["Copy 258", "Copy 257", "Copy 256"]
    assert flood["duplicate_count"]["relation"] == "gte"
    assert neighbours.MOST_NEAREST <= flood["duplicate_count"]["value"] <= 260
    counted = page(partner, collapse="story", count="true")["meta"]["count"]
    assert counted == {"value": 3, "relation": "eq"}


def test_it_is_refused_where_every_article_is_wanted(wire: Wire) -> None:
    partner = wire.as_partner()
    asked: Sequence[tuple[str, dict[str, str]]] = [
        ("/v1/changes", {}), ("/v1/changes", {"Accept": "application/x-ndjson"}), ("/v1/articles.rss", {}),
        ("/v1/articles.json", {}), ("/v1/articles.atom", {}),
    ]  # fmt: skip
    for path, headers in asked:
        refused = partner.get(f"{path}?collapse=story", headers=headers)
        assert refused.status_code == 400, (path, headers)
        assert refused.get_json()["errors"][0]["parameter"] == "collapse"
    assert partner.get("/v1/articles?collapse=stories").status_code == 400
    saved = partner.post("/v1/feeds", json={"name": "mine", "query": "section=world&collapse=story"})
    assert saved.status_code == 422
    assert "every article" in saved.text
    assert partner.post("/v1/feeds", json={"name": "mine", "query": "section=world"}).status_code == 201
    assert partner.get("/v1/feeds/mine/articles?collapse=story").status_code == 400


def test_a_cursor_of_a_collapsed_list_is_for_no_other_list(wire: Wire) -> None:
    post(wire.as_publisher(), [story(seed) for seed in range(3)])
    partner = wire.as_partner()
    cursor = page(partner, collapse="story", limit=1)["page"]["next_cursor"]
    refused = partner.get(f"/v1/articles?limit=1&cursor={cursor}")
    assert (refused.status_code, refused.get_json()["code"]) == (400, "cursor_mismatch")


def test_a_flood_of_copies_that_nobody_sees_hides_none_that_a_reader_sees(wire: Wire) -> None:
    mine, partner = wire.as_publisher("mine"), wire.as_partner("partner", publisher=["mine"])
    for headline, minute in (("First", 0), ("Last", 300)):
        mine.publish(**story(1, headline, published_at=at(minute)))
    alone = page(partner, collapse="story", count="true")
    post(wire.as_publisher("flood"), [story(1, f"Copy {each}", published_at=at(each + 20)) for each in range(230)])
    flooded = page(partner, collapse="story", count="true")
    assert (flooded["data"], flooded["page"], flooded["meta"]["count"]) == (
        alone["data"], alone["page"], alone["meta"]["count"],
    )  # fmt: skip
    assert [(each["headline"], each["duplicate_count"]) for each in flooded["data"]] == [
        ("Last", {"value": 1, "relation": "eq"})
    ]


def test_articles_of_an_older_release_are_collapsed_once_the_index_is_rebuilt(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    address = f"/v1/articles/{publisher.publish(**story(2, 'Old', published_at=at(0)))['id']}"
    assert publisher.put(address, json=story(1, "Old"), headers={"If-Match": "*"}).status_code == 200
    publisher.publish(**story(1, "New", published_at=at(1)))
    with wire.database.begin() as connection:
        for row in connection.execute(select(version.c.number, version.c.version, version.c.terms)).all():
            older = " ".join(term for term in row.terms.split() if not term.startswith("story_"))
            same = (version.c.number == row.number) & (version.c.version == row.version)
            connection.execute(update(version).where(same).values(terms=older))
        connection.execute(update(search_backend(connection).rows).values(index_version="1/0"))
    assert len(collapsed(partner)) == 2
    list(rebuild_index(wire.database))
    assert len(collapsed(partner)) == 1
