"""A corpus of any size, the same on every machine: articles as a publisher sends them, in the order of reception.

Most of it is invented; a few in a hundred are real texts where `../shared/data/articles` is there
(a folder beside the checkout), under other ids, times and sections.
"""

import gzip
import json
import random
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from bench.planting import FIRST, SECOND, Plan, plan, planted
from bench.vocabulary import name, words
from newswire.timestamps import format_instant

SEED = 1835
REAL_TEXTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "articles"
REAL_SHARE = 0.04
HTML_SHARE = 0.1
REAL_OF_A_FILE = 200
LONGEST_REAL = 6_000
KEPT_OF_REAL = ("headline", "summary", "body_text", "body_html", "byline", "language", "authors", "images")

PUBLISHERS = {"gazette": 5, "courier": 4, "tribune": 3, "herald": 2, "observer": 1}
LANGUAGES = {"en": 92, "de": 3, "fr": 3, "es": 2}
AUTHORS, KEYWORDS = 2_000, 500
PARAGRAPHS = 4


class Sent(NamedTuple):
    """One article on its way: the slug of its publisher, and the JSON that it sends; `real` text or invented."""

    publisher: str
    content: dict[str, Any]
    real: bool


def corpus(size: int) -> Iterator[Sent]:
    """Every article of a corpus of `size`."""
    return (article(plan(size), index) for index in range(size))


def article(whole: Plan, index: int) -> Sent:
    """One article: it depends on its index and the size of the corpus alone."""
    chance = random.Random(SEED * 10_000_000 + index)
    parts = planted(whole.rank[index], whole.size)
    real = real_texts() if not parts and chance.random() < REAL_SHARE else ()
    content = dict(chance.choice(real)) if real else invented(chance, index, parts)
    content |= {
        "external_id": external_id(index),
        "section": whole.sections[index],
        "keywords": [f"topic {chance.randrange(KEYWORDS)}" for _ in range(chance.randrange(4))],
        "published_at": format_instant(whole.published[index]),
    }
    return Sent(one_of(chance, PUBLISHERS), content, bool(real))


def external_id(index: int) -> str:
    """No two articles share one, even of different publishers."""
    return f"{index:07d}"


def one_of(chance: random.Random, shares: dict[str, int]) -> str:
    return chance.choices(list(shares), list(shares.values()))[0]


def invented(chance: random.Random, index: int, parts: list[str]) -> dict[str, Any]:
    """Its texts, with the planted `parts`: now and then in the headline, else in the body."""
    body = words(chance, chance.randrange(120, 181))
    share = len(body) // PARAGRAPHS
    paragraphs = [body[share * number : share * (number + 1)] for number in range(PARAGRAPHS)]
    headline = words(chance, chance.randrange(5, 10))
    for part in parts:
        if part in (FIRST, SECOND):
            place = paragraphs[0 if part == FIRST else -1]
        else:
            place = headline if chance.random() < 0.1 else paragraphs[1]
        place.insert(chance.randrange(len(place)), part)
    texts = [sentences(chance, paragraph) for paragraph in paragraphs]
    html = {"body_html": "".join(f"<p>{text}</p>" for text in texts)}
    return {
        "headline": " ".join(headline).capitalize(),
        "summary": sentences(chance, words(chance, chance.randrange(12, 25))),
        **(html if chance.random() < HTML_SHARE else {"body_text": "\n\n".join(texts)}),
        "language": one_of(chance, LANGUAGES),
        "authors": [dict(chance.choice(authors())) for _ in range(chance.randrange(3))],
        "images": [image(chance, f"{index}-{number}") for number in range(chance.randrange(3))],
    }


def sentences(chance: random.Random, found: list[str]) -> str:
    """Words as sentences."""
    rest, made = iter(found), []
    while sentence := list(islice(rest, 7 + int(9 * chance.random()))):
        made.append(" ".join(sentence).capitalize() + ".")
    return " ".join(made)


def image(chance: random.Random, name: str) -> dict[str, Any]:
    return {
        "url": f"https://pictures.example/{name}.jpg", "caption": " ".join(words(chance, 10)),
        "alt_text": " ".join(words(chance, 5)), "credit": "Pictures Example", "width": 1600, "height": 900,
        "mime_type": "image/jpeg",
    }  # fmt: skip


@cache
def authors() -> list[dict[str, Any]]:
    chance = random.Random(SEED)
    found = []
    for number in range(AUTHORS):
        page = f"https://writers.example/{number}"
        bio = " ".join(words(chance, 12)).capitalize() + "."
        found.append({"name": name(chance), "role": "Reporter", "bio": bio, "url": page, "avatar_url": f"{page}.jpg"})
    return found


@cache
def real_texts() -> list[dict[str, Any]]:
    """The first texts of each file that are not too long; none where the files are not there."""
    found: list[dict[str, Any]] = []
    for path in sorted(REAL_TEXTS.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts = ({kept: text[kept] for kept in KEPT_OF_REAL if text.get(kept)} for text in map(json.loads, lines))
            found += islice((text for text in texts if length(text) < LONGEST_REAL), REAL_OF_A_FILE)
    return found


def length(text: dict[str, Any]) -> int:
    return len(text.get("body_text", "")) + len(text.get("body_html", ""))
