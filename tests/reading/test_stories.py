"""`collapse=story`: near-duplicates are shown once, by what each reader sees, and every match once on all pages."""

from random import Random
from typing import Any

import pytest

from tests.support.lists import page, post, read
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
