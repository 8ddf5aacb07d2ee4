"""What `bench search` asks of a wire with a corpus, and what must come back; how fast is measured in `searching`."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from bench.corpus import external_id
from bench.planting import BEGIN, COMMON, FIRST, LAST_YEAR, MEDIUM, OLD, OTHER, PREFIX, RARE, SECOND, SECTIONS, Plan
from bench.preparing import identity, received
from bench.vocabulary import vocabulary
from newswire.api.schemas.filters import ArticleParameters, query_of
from newswire.reading.lists import COUNTED_TO
from newswire.search.query import Position
from newswire.timestamps import format_instant, now
from newswire.visibility import FACETS

LIMIT = 25
SECTION = "sport"
DEPTH = 0.9
NEWEST_FIRST, POSTGRES_PHRASE, POSTGRES_PROXIMITY, WHOLE = 10, 30, 50, 50
"""How many times as long as the latest page a request may take."""
MANY_WORDS = 400
"""The same for queries near to the highest price: less than a second where the latest page takes two milliseconds."""
STEP = 7919
EMPTY: Mapping[str, str] = {}

PHRASE = f'"{FIRST} {SECOND}"'
PROXIMITY = f"{PHRASE}~5"
EITHER = f"{COMMON} OR {OTHER}"
TWENTY, HUNDRED = vocabulary()[40:60], vocabulary()[:100]
FOUR = f"{COMMON} {OTHER} {FIRST} {OLD}"
"""Words of which no two meet in an article, but for the few in which `COMMON` meets `OTHER`."""
SEARCHES = {
    "common word": COMMON, "medium word": MEDIUM, "rare word": RARE, "word of the oldest tenth": OLD,
    "two common words": f"{COMMON} {OTHER}", "phrase": PHRASE, "prefix": f"{PREFIX}*",
}  # fmt: skip
NARROWED: Mapping[str, Mapping[str, Any]] = {
    "": {}, ", one section": {"section": SECTION}, ", last year": {"published_from": format_instant(LAST_YEAR)},
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """One row of the table: asked again and again, the `number`th time of `address(number)`.

    `found` articles match, None where nobody has counted them; `fault(number, answer)` says what is wrong with an
    answer, None if it is right; it may take `most` times as long as the latest page.
    """

    name: str
    most: int
    found: int | None
    address: Callable[[int], str]
    fault: Callable[[int, Any], str | None]


@dataclass(frozen=True)
class View:
    """The articles of a corpus that a reader with an entitlement to these sections sees, the newest first."""

    plan: Plan
    sections: Sequence[str] = tuple(SECTIONS)
    known: dict[Any, list[int]] = field(default_factory=dict)

    def found(
        self, text: str | None = None, section: str | None = None, published_from: str | None = None
    ) -> list[int]:
        """The indexes of what a list holds."""
        key = text, section, published_from
        if key not in self.known:
            sections = self.sections if section is None else [section]
            since = BEGIN if published_from is None else LAST_YEAR
            self.known[key] = self.plan.found(text, sections=sections, since=since)
        return self.known[key]


def questions(view: View, engine: str) -> Iterator[Question]:
    """Every row for a reader, the latest page first."""
    for where, narrowed in NARROWED.items():
        yield listed(view, f"latest page{where}", NEWEST_FIRST, None, narrowed)
    yield deep_page(view)
    yield one_article(view)
    yield related(view)
    for name, text in SEARCHES.items():
        most = POSTGRES_PHRASE if engine == "postgresql" and text == PHRASE else NEWEST_FIRST
        for where, narrowed in NARROWED.items():
            yield listed(view, f"{name}{where}", most, text, narrowed)
    for match in ("most", "any"):
        for what, most, sort in (("", NEWEST_FIRST, "-published_at"), (" by relevance", WHOLE, "relevance")):
            name = f"two common words, {match}{what}"
            yield listed(view, name, most, SEARCHES["two common words"], {}, {"match": match, "sort": sort})
    # Otherwise the two words are kept paragraphs apart.
    near = POSTGRES_PROXIMITY if engine == "postgresql" else NEWEST_FIRST
    yield listed(view, "proximity", near, PROXIMITY, {}, holds=PHRASE)
    for what, sort in (("", "-published_at"), (" by relevance", "relevance")):
        name = f"four common words that hardly meet, most{what}"
        yield listed(view, name, WHOLE, FOUR, {}, {"match": "most", "sort": sort}, holds=SEARCHES["two common words"])
    for name in ("common word", "rare word"):
        for what, asked in (
            ("by relevance", {"sort": "relevance"}), ("with its count", {"count": "true"}),
            ("with all facets", {"facets": ",".join(FACETS)}),
        ):  # fmt: skip
            yield listed(view, f"{name}, {what}", WHOLE, SEARCHES[name], {}, asked)
    yield collapsed(view, "latest page, each story once", {})
    yield collapsed(view, "common word, each story once", {"q": COMMON})
    yield collapsed(view, "common word by relevance, each story once", {"q": COMMON, "sort": "relevance"})
    yield costly("twenty words by relevance, each story once", " OR ".join(TWENTY), {"collapse": "story"})
    yield costly("twenty words by relevance, most", " ".join(TWENTY), {"match": "most"})
    yield costly("a hundred common words by relevance, any", " ".join(HUNDRED), {"match": "any"})
    yield mistyped(view)
    yield resembling_none()


def listed(
    view: View, name: str, most: int, text: str | None, narrowed: Mapping[str, Any], asked: Mapping[str, str] = EMPTY,
    holds: str | None = None,
) -> Question:  # fmt: skip
    """The first page of a list; each time another address, so that no cache has the answer.

    `holds` is the search of `planting.HOLDS` that finds the same; without it `text` itself, or either of two words.
    """
    # Of two words `most` wants one.
    found = view.found(holds or (EITHER if "match" in asked else text), **narrowed)
    values = {**({} if text is None else {"q": text}), **narrowed, **asked, "limit": LIMIT}

    def fault(number: int, answer: Any) -> str | None:
        if asked.get("sort") == "relevance":
            return wrong_choice(answer, found)
        return wrong_page(answer, found[:LIMIT]) or wrong_totals(answer, asked, view, found)

    return Question(name, most, len(found), lambda number: f"/v1/articles?{urlencode({**values, '_n': number})}", fault)


def collapsed(view: View, name: str, asked: Mapping[str, str]) -> Question:
    """The first page of a list whose near-duplicates are collapsed; real articles among it may have some."""
    found = view.found(asked.get("q"))
    values = {**asked, "collapse": "story", "limit": LIMIT}

    def fault(number: int, answer: Any) -> str | None:
        if "sort" not in asked and ids(answer)[:1] != [external_id(index) for index in found[:1]]:
            return f"begins with {ids(answer)[:1]}, not with the newest"
        told = sum(len(item["duplicates"]) for item in answer["data"])
        shown = {external_id(index) for index in found} & set(ids(answer))
        return differing("articles", len(shown), LIMIT) if told < len(found) - LIMIT else None

    return Question(
        name, WHOLE, len(found), lambda number: f"/v1/articles?{urlencode({**values, '_n': number})}", fault
    )


def costly(name: str, text: str, asked: Mapping[str, str]) -> Question:
    """The first page of what the commonest words find, by relevance; nobody has counted the matches."""
    values = {"q": text, "sort": "relevance", **asked, "limit": LIMIT}

    def fault(number: int, answer: Any) -> str | None:
        shown = ids(answer)
        if len({*shown}) != len(shown):
            return "an article is shown twice"
        # Of stories a page may show fewer than it may hold.
        return None if "collapse" in asked and shown else differing("articles", len(shown), LIMIT)

    return Question(name, MANY_WORDS, None, lambda number: f"/v1/articles?{urlencode({**values, '_n': number})}", fault)


def resembling_none() -> Question:
    """A long word that resembles none, so that everything is looked up that it may be meant for."""
    typed = f"{OLD}{RARE}x"

    def fault(number: int, answer: Any) -> str | None:
        return wrong_page(answer, []) or differing("suggestions", answer["meta"].get("did_you_mean", []), [])

    return Question(
        "long word that resembles none (did_you_mean)", WHOLE, 0,
        lambda number: f"/v1/articles?{urlencode({'q': typed, 'limit': LIMIT, '_n': number})}", fault,
    )  # fmt: skip


def mistyped(view: View) -> Question:
    """A word with one wrong letter, which is in no article, and the word that must be suggested."""
    found, typed = len(view.found(RARE)), RARE[:-1] + "x"
    suggested = [{"q": RARE, "count": {"value": found, "relation": "eq"}}] if found else []

    def fault(number: int, answer: Any) -> str | None:
        return wrong_page(answer, []) or differing("suggestions", answer["meta"].get("did_you_mean", []), suggested)

    return Question(
        "mistyped word (did_you_mean)", WHOLE, 0,
        lambda number: f"/v1/articles?{urlencode({'q': typed, 'limit': LIMIT, '_n': number})}", fault,
    )  # fmt: skip


def deep_page(view: View) -> Question:
    """Pages far down the list of everything; the public cursor is made of the place of the article before."""
    found = view.found()
    query = query_of(ArticleParameters().load({"limit": str(LIMIT)}), now())

    def depth(number: int) -> int:
        return int(len(found) * DEPTH) + number

    def address(number: int) -> str:
        before = found[depth(number) - 1]
        cursor = query.cursor_at(Position(view.plan.published[before], before + 1))
        return "/v1/articles?" + urlencode({"limit": LIMIT, "cursor": cursor})

    def fault(number: int, answer: Any) -> str | None:
        return wrong_page(answer, found[depth(number) : depth(number) + LIMIT])

    return Question(f"page at depth {depth(0):,}", NEWEST_FIRST, len(found), address, fault)


def one_article(view: View) -> Question:
    found = view.found()

    def index(number: int) -> int:
        return found[number * STEP % len(found)]

    def address(number: int) -> str:
        return f"/v1/articles/{identity(index(number) + 1, received(view.plan, index(number)))}"

    def fault(number: int, answer: Any) -> str | None:
        return differing("article", answer["external_id"], external_id(index(number)))

    return Question("one article", NEWEST_FIRST, 1, address, fault)


def related(view: View) -> Question:
    """The stories around an article: the corpus has no links, so all of them are more like this."""
    found = view.found()

    def index(number: int) -> int:
        return found[number * STEP % len(found)]

    def address(number: int) -> str:
        return f"/v1/articles/{identity(index(number) + 1, received(view.plan, index(number)))}/related"

    def fault(number: int, answer: Any) -> str | None:
        shown = [item["article"]["external_id"] for item in answer["data"]]
        return differing("itself among similar ones", external_id(index(number)) in shown, False)

    return Question("related", WHOLE, len(found), address, fault)


def wrong_page(answer: Any, expected: Sequence[int]) -> str | None:
    return differing("articles", ids(answer), [external_id(index) for index in expected])


def wrong_choice(answer: Any, found: Sequence[int]) -> str | None:
    """By relevance: any of the matches, as many as fit, none twice."""
    shown = set(ids(answer))
    if strangers := shown - {external_id(index) for index in found}:
        return f"no matches: {sorted(strangers)}"
    return differing("articles", (len(shown), len(answer["data"])), (min(LIMIT, len(found)),) * 2)


def wrong_totals(answer: Any, asked: Mapping[str, str], view: View, found: Sequence[int]) -> str | None:
    """Count and facets, exact up to a bound, beyond it at least so many."""
    exact = len(found) <= COUNTED_TO
    meta = answer["meta"]
    if "count" in asked:
        expected = {"value": min(len(found), COUNTED_TO), "relation": "eq" if exact else "gte"}
        return differing("count", meta["count"], expected)
    if "facets" in asked:
        counted = {item["value"]: item["count"]["value"] for item in meta["facets"]["section"]}
        return differing("sections", counted, dict(Counter(view.plan.sections[index] for index in found[:COUNTED_TO])))
    return None


def ids(answer: Any) -> list[str]:
    return [item["external_id"] for item in answer["data"]]


def differing(what: str, found: object, expected: object) -> str | None:
    return None if found == expected else f"{what}: {found}, expected {expected}"
