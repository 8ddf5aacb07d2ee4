"""`match=most` and `any` by relevance: what has more of the query comes first, however many newer matches there are."""

from random import Random
from typing import Any

import pytest

from newswire.reading import relevance
from newswire.search.bm25 import ArticleScorer
from newswire.search.expression import And, Phrase, Spellings, Term
from newswire.search.relaxation import any_of, relax_expression
from tests.support.lists import page, pages, post, read
from tests.support.wire import Caller, Wire

RARE, COMMON, OTHER = "cocoa", "market", "harbour"


def ranked(reader: Caller, q: str, match: str, **parameters: Any) -> list[str]:
    """The external ids of all matches, best first."""
    return [item["external_id"] for item in read(reader, q=q, match=match, sort="relevance", **parameters)]


def story(name: str, text: str, day: int = 1) -> dict[str, Any]:
    return {"headline": "News", "body_text": text, "external_id": name, "published_at": f"2020-01-{day:02}T00:00:00Z"}


@pytest.mark.parametrize("match", ["most", "any"])
def test_what_has_more_of_the_query_stands_higher(wire: Wire, match: str) -> None:
    texts = {"one": f"{COMMON} {COMMON} {COMMON}", "two": f"{COMMON} {OTHER}", "three": f"{COMMON} {OTHER} {RARE}"}
    post(wire.as_publisher(), [story(name, text) for name, text in texts.items()])
    assert ranked(wire.as_partner(), f"{OTHER} {COMMON} {RARE}", match) == ["three", "two", "one"]


@pytest.mark.parametrize("match", ["most", "any"])
def test_the_oldest_article_with_all_words_stands_first_among_many_new_ones_with_one(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, match: str
) -> None:
    monkeypatch.setattr(relevance, "WINDOW", 10)
    old = [story("rare", f"{RARE} of old"), story("all", f"{RARE} on the {COMMON} at the {OTHER}"),
           story("two", f"{RARE} at the {OTHER}")]  # fmt: skip
    new = [story(f"new {number}", f"the {COMMON} and {OTHER}", 1 + number % 28) for number in range(60)]
    post(wire.as_publisher(), [*old, *new])
    partner = wire.as_partner()
    assert ranked(partner, f"{COMMON} {OTHER} {RARE}", match, limit=30)[:2] == ["all", "two"]
    assert ranked(partner, f"{COMMON} {OTHER} {RARE}", match)[:2] == ["all", "two"]


@pytest.mark.slow
@pytest.mark.parametrize(("match", "window"), [("most", 7), ("any", 7), ("most", 50), ("any", 1_000)])
def test_paging_through_everything_returns_each_match_once(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, match: str, window: int
) -> None:
    monkeypatch.setattr(relevance, "WINDOW", window)
    random = Random(9)
    words = [RARE, COMMON, COMMON, COMMON, OTHER, OTHER, "ghana", "rise", "x", "y", "z"]
    post(wire.as_publisher(), [
        story(f"{number:03}", " ".join(random.choices(words, k=random.randint(1, 9))), random.randint(1, 4))
        for number in range(160)
    ])  # fmt: skip
    partner = wire.as_partner()
    query = f'{RARE} {COMMON} {OTHER} (ghana OR rise) "x y" -z'
    everything = sorted(item["external_id"] for item in read(partner, q=query, match=match, limit=100))
    assert len(everything) > 60
    whole = ranked(partner, query, match, limit=100)
    assert sorted(whole) == everything
    for limit in (1, 13):
        shown = [*pages(partner, q=query, match=match, sort="relevance", limit=limit)]
        assert [item["external_id"] for some in shown for item in some] == whole
        assert {len(some) for some in shown[:-1]} == {limit}


def test_arrivals_and_kills_between_two_pages_move_no_other_article(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relevance, "WINDOW", 10)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    random = Random(5)
    post(publisher, [
        story(f"{number:02}", " ".join(random.choices([RARE, COMMON, COMMON, OTHER], k=3)), number % 28 + 1)
        for number in range(40)
    ])  # fmt: skip
    query = f"{RARE} {COMMON} {OTHER}"
    expected = ranked(partner, query, "most", limit=4)
    walk = pages(partner, q=query, match="most", sort="relevance", limit=4)
    shown = [item["external_id"] for item in next(walk)]
    killed = {shown[-1], expected[6]}
    for name in killed:
        publisher.delete(f"/v1/publishers/reuters/articles/{name}")
    post(publisher, [story(f"late {number}", f"{RARE} {COMMON} {OTHER}", number + 1) for number in range(5)])
    shown += [item["external_id"] for some in walk for item in some]
    assert len(shown) == len({*shown})
    assert [name for name in shown if not name.startswith("late")] == [
        name for name in expected if name not in killed or name in expected[:4]
    ]


def test_the_spellings_of_a_word_weigh_as_one_word() -> None:
    spelt = Spellings((Phrase(("u", "s")), Term("us", "us")))
    relaxed = relax_expression(And((spelt, Term("cocoa", "cocoa"))), "most")

    def scores(*bodies: str) -> list[float]:
        texts = [("", "", f" {body} ", "", "") for body in bodies]
        expression = any_of(relaxed.items)
        scorer = ArticleScorer(expression, ["en"], relaxed.items)
        return scorer.score([scorer.counter.count_in(each) for each in texts])[0]

    phrase, word, both, cocoa = scores("x u s x", "x us x x", "x us cocoa x", "x x cocoa x")
    assert phrase == word
    assert both > cocoa > 0


def test_any_and_most_are_searched_within_what_the_caller_may_see(wire: Wire) -> None:
    publisher = wire.as_publisher()
    post(publisher, [story("open", f"{RARE} {COMMON}") | {"section": "open"},
                     story("closed", f"{RARE} {COMMON} {OTHER}") | {"section": "closed"}])  # fmt: skip
    reader = wire.as_partner("reader", section=["open"])
    for match in ("most", "any"):
        assert ranked(reader, f"{RARE} {COMMON} {OTHER}", match) == ["open"]
        counted = page(reader, q=f"{RARE} {COMMON} {OTHER}", match=match, count="true")["meta"]["count"]
        assert counted == {"value": 1, "relation": "eq"}
