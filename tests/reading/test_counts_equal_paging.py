"""A count that says eq is what paging to the end gives, facets too, and that is what the query means.

Small corpora, queries and readers with any entitlement are drawn by hypothesis. What a query means is said in plain
Python: each part of it is drawn together with a function that says of an article whether it is meant. Past 10,000
a count says gte.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.reading.lists import Count
from tests.support.cases import few_or_many
from tests.support.lists import page, post, read
from tests.support.wire import Caller, Wire

FIELDS = ("headline", "summary", "body", "caption", "byline")
# With marks and without; each plural has its singular for its stem, in English and in French.
VOCABULARY = ["cocoa", "price", "prices", "étude", "Études", "port", "PORTS", "portal"]
STEMMED = ("en", "en-GB", "fr")
PUBLISHERS = ["first", "second"]
SECTIONS = ["World", "Night Life"]
LANGUAGES = ["en", "en-GB", "fr", "he"]
KEYWORDS = ["Harvest", "trams"]
AUTHORS = ["Ann Lee", "Bo Quist"]
DAYS = [f"2026-05-0{day}" for day in range(1, 5)]
LABELS = {
    "publisher": PUBLISHERS, "section": SECTIONS, "language": LANGUAGES, "keyword": KEYWORDS, "author": AUTHORS,
    "external_id": [f"{slug}-{number}" for slug in PUBLISHERS for number in range(4)],
}  # fmt: skip
FACETS = ("publisher", "section", "language", "keyword", "author")


@dataclass(frozen=True)
class Story:
    """An article as it should be found; `texts` has the words of each field.

    `place` is its position in what its publisher sends, and the publishers send one after the other.
    """

    publisher: str
    place: int
    day: str
    texts: Mapping[str, Sequence[str]]
    section: str | None
    language: str
    keywords: Collection[str]
    author: str | None
    urgency: int | None
    status: str
    expired: bool

    @property
    def name(self) -> str:
        return f"{self.publisher}-{self.place}"

    @property
    def published(self) -> tuple[str, str, int]:
        return (self.day, self.publisher, self.place)

    @property
    def updated(self) -> tuple[str, str, int]:
        """The first batch, the second, and after both of them the kills."""
        return ("third" if self.status == "canceled" else self.publisher, self.publisher, self.place)

    def labels(self, kind: str) -> set[str]:
        """What the filter of this kind looks at; of a killed article nothing is left but who sent it and its id."""
        if kind in ("publisher", "external_id"):
            return {self.publisher if kind == "publisher" else self.name}
        if self.status == "canceled":
            return set()
        if kind == "language":
            return {self.language, self.language[:2]}
        if kind == "keyword":
            return set(self.keywords)
        label = self.section if kind == "section" else self.author
        return {label} if label else set()

    def words(self, field: str) -> Sequence[str]:
        return () if self.status == "canceled" else self.texts[field]

    @property
    def has_image(self) -> bool:
        return bool(self.words("caption"))


def words(least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(VOCABULARY), min_size=least, max_size=most)


def maybe(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, *values])


stories = st.builds(
    Story,
    publisher=st.just(""),
    place=st.just(0),
    day=st.sampled_from(DAYS),
    texts=st.fixed_dictionaries({field: words(field == "headline", 4) for field in FIELDS}),
    section=maybe(SECTIONS),
    language=st.sampled_from(LANGUAGES),
    keywords=st.sets(st.sampled_from(KEYWORDS)),
    author=maybe(AUTHORS),
    urgency=maybe([1, 5]),
    status=st.sampled_from(["usable", "usable", "usable", "usable", "withheld", "canceled"]),
    expired=st.sampled_from([False, False, False, True]),
)
corpora = st.tuples(st.lists(stories, min_size=1, max_size=6), st.lists(stories, min_size=1, max_size=6)).map(
    lambda sent: [
        replace(story, publisher=publisher, place=place)
        for publisher, batch in zip(PUBLISHERS, sent, strict=True)
        for place, story in enumerate(batch)
    ]
)


def as_sent(story: Story) -> dict[str, Any]:
    texts = {field: " ".join(found) or None for field, found in story.texts.items()}
    return {
        "external_id": story.name,
        "headline": texts["headline"],
        "summary": texts["summary"],
        "body_text": texts["body"],
        "byline": texts["byline"],
        "images": [{"url": "https://pictures.example/1.jpg", "caption": texts["caption"]}] if texts["caption"] else [],
        "section": story.section,
        "language": story.language,
        "keywords": sorted(story.keywords),
        "authors": [{"name": story.author}] if story.author else [],
        "urgency": story.urgency,
        "published_at": f"{story.day}T00:00:00Z",
        "embargoed_until": "2199-01-01T00:00:00Z" if story.status == "withheld" else None,
        "expires_at": "2020-01-01T00:00:00Z" if story.expired and story.status != "withheld" else None,
    }


class Part(NamedTuple):
    """One parameter of a query, what it means and how its values are spelled."""

    name: str
    values: Sequence[str]
    means: Callable[[Story], bool]
    spelled: Callable[[str], str] = str


class Sought(NamedTuple):
    """A piece of `q` and what it means, looking in some fields."""

    text: str
    means: Callable[[Story, Collection[str]], bool]


def folded(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", word.casefold()) if letter.isalpha())


def stemmed(word: str) -> str:
    return folded(word).removesuffix("s")


def a_word(word: str) -> Sought:
    """Its folded form, or its stem in an article whose language has a stemmer."""

    def means(story: Story, fields: Collection[str]) -> bool:
        found = [other for field in fields for other in story.words(field)]
        same = any(folded(other) == folded(word) for other in found)
        return same or (story.language in STEMMED and any(stemmed(other) == stemmed(word) for other in found))

    return Sought(word, means)


def a_phrase(phrase: Sequence[str]) -> Sought:
    """Its words unstemmed, side by side in one field."""
    wanted = [folded(word) for word in phrase]

    def stands(found: Sequence[str]) -> bool:
        text = [folded(word) for word in found]
        return any(text[start : start + len(wanted)] == wanted for start in range(len(text)))

    return Sought(f'"{" ".join(phrase)}"', lambda story, fields: any(stands(story.words(field)) for field in fields))


def a_prefix(word: str) -> Sought:
    beginning = word[:3]

    def means(story: Story, fields: Collection[str]) -> bool:
        return any(folded(other).startswith(folded(beginning)) for field in fields for other in story.words(field))

    return Sought(f"{beginning}*", means)


def in_field(field: str, sought: Sought) -> Sought:
    """A field named in the query goes before `search_in`."""
    return Sought(f"{field}:{sought.text}", lambda story, fields: sought.means(story, [field]))


def all_of(parts: Sequence[Sought]) -> Sought:
    text = " ".join(part.text for part in parts)
    return Sought(f"({text})", lambda story, fields: all(part.means(story, fields) for part in parts))


def one_of(parts: Sequence[Sought]) -> Sought:
    text = " OR ".join(part.text for part in parts)
    return Sought(f"({text})", lambda story, fields: any(part.means(story, fields) for part in parts))


def without(wanted: Sought, excluded: Sought) -> Sought:
    return Sought(
        f"({wanted.text} -{excluded.text})",
        lambda story, fields: wanted.means(story, fields) and not excluded.means(story, fields),
    )


simple = st.one_of(
    st.sampled_from(VOCABULARY).map(a_word), words(1, 3).map(a_phrase), st.sampled_from(VOCABULARY).map(a_prefix)
)
queries = st.recursive(
    st.one_of(simple, simple, st.builds(in_field, st.sampled_from(FIELDS), simple)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(all_of),
        st.lists(inner, min_size=2, max_size=3).map(one_of),
        st.builds(without, inner, inner),
    ),
    max_leaves=5,
)


def labelled(kind: str, values: Sequence[str], negated: bool, spelled: Callable[[str], str]) -> Part:
    """One of some values, or none of them, in small letters or capitals."""
    chosen = set(values)
    name = f"not_{kind}" if negated else kind
    return Part(name, values, lambda story: bool(story.labels(kind) & chosen) != negated, spelled)


def urgent(most: int) -> Part:
    def means(story: Story) -> bool:
        return story.status != "canceled" and story.urgency is not None and story.urgency <= most

    return Part("urgency_max", [str(most)], means)


def some_of(values: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


labels = st.sampled_from(list(LABELS)).flatmap(
    lambda kind: st.builds(
        labelled, st.just(kind), some_of(LABELS[kind]), st.booleans(), st.sampled_from([str, str.upper, str.lower])
    )
)
parts = st.one_of(
    labels,
    labels,
    st.sampled_from([1, 4, 5, 9]).map(urgent),
    st.booleans().map(lambda has: Part("has_image", [str(has)], lambda story: story.has_image is has, str.lower)),
    st.sampled_from(DAYS).map(lambda day: Part("published_from", [day], lambda story: story.day >= day)),
    st.sampled_from(DAYS).map(lambda day: Part("published_to", [day], lambda story: story.day < day)),
    st.sampled_from(PUBLISHERS).map(lambda time: Part("updated_from", [time], lambda story: story.updated[0] >= time)),
    st.sampled_from(PUBLISHERS).map(lambda time: Part("updated_to", [time], lambda story: story.updated[0] < time)),
)


class Asked(NamedTuple):
    """A list's parameters. Publishers, and times of update, are `first` and `second`."""

    q: Sought | None
    search_in: Collection[str] | None
    parts: Sequence[Part]
    status: str
    sort: str
    limit: int

    def means(self, story: Story) -> bool:
        by_words = self.q is None or self.q.means(story, self.search_in or FIELDS)
        return story.status == self.status and by_words and all(part.means(story) for part in self.parts)

    def order(self, story: Story) -> tuple[str, str, int]:
        return story.updated if self.sort.endswith("updated_at") else story.published


narrowings = st.fixed_dictionaries(
    {
        "parts": st.lists(parts, max_size=3, unique_by=lambda part: part.name),
        "status": st.sampled_from(["usable", "usable", "usable", "withheld", "canceled"]),
        "limit": st.integers(1, 5),
    }
)
asked = st.one_of(
    st.builds(
        lambda rest, **words: Asked(**words, **rest),
        narrowings,
        q=queries,
        search_in=st.none() | some_of(FIELDS),
        sort=st.sampled_from(["-published_at", "published_at"]),
    ),
    st.builds(
        lambda rest, sort: Asked(None, None, sort=sort, **rest),
        narrowings,
        st.sampled_from(["-published_at", "published_at", "-updated_at", "updated_at"]),
    ),
)


class Reader(NamedTuple):
    """A partner with an entitlement, one of the publishers, or an admin."""

    who: str
    limits: Mapping[str, Sequence[str]]

    def may_see(self, story: Story) -> bool:
        if self.who in PUBLISHERS:
            return story.publisher == self.who
        if self.who == "admin":
            return True
        entitled = all(story.labels(kind) & set(values) for kind, values in self.limits.items())
        return entitled and story.status == "usable" and not story.expired


limits = st.fixed_dictionaries(
    {}, optional={kind: some_of(LABELS[kind]) for kind in ("publisher", "section", "language", "keyword")}
)
readers = st.one_of(
    st.builds(Reader, st.just("partner"), limits),
    st.sampled_from([*PUBLISHERS, "admin"]).map(lambda who: Reader(who, {})),
)


class Edition:
    """A corpus on a wire that holds nothing else usable: its publishers are new, and what they send is killed again."""

    def __init__(self, wire: Wire, number: int, stories: Sequence[Story]) -> None:
        self.slugs = {which: f"{which}-{number}" for which in PUBLISHERS}
        self.callers = {which: wire.as_publisher(slug) for which, slug in self.slugs.items()}
        self.moments: dict[str, str] = {}
        for which in PUBLISHERS:
            self.publish(which, [story for story in stories if story.publisher == which])
        self.kill(story for story in stories if story.status == "canceled")

    def publish(self, which: str, stories: Sequence[Story]) -> None:
        ids = post(self.callers[which], [as_sent(story) for story in stories])
        self.moments[which] = self.callers[which].get(f"/v1/articles/{ids[0]}").get_json()["updated_at"]

    def kill(self, stories: Iterable[Story]) -> None:
        for story in stories:
            address = f"/v1/publishers/{self.slugs[story.publisher]}/articles/{story.name}"
            assert self.callers[story.publisher].delete(address).status_code == 200

    def named(self, kind: str, values: Sequence[str]) -> list[str]:
        """Publishers by their slugs here, times of update as they were."""
        return [(self.moments if kind.startswith("updated") else self.slugs).get(value, value) for value in values]

    def parameters(self, asked: Asked) -> dict[str, Any]:
        narrowed = {part.name: map(part.spelled, self.named(part.name, part.values)) for part in asked.parts}
        return {
            **{name: ",".join(values) for name, values in narrowed.items()},
            "q": asked.q and asked.q.text,
            "search_in": asked.search_in and ",".join(asked.search_in),
            "status": asked.status,
            "sort": asked.sort,
        }


class Newsstand:
    """A wire with its readers, and one corpus after the other."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.partner, self.admin = wire.as_partner(), wire.as_admin()
        self.editions = count(1)

    def check(self, stories: Sequence[Story], questions: Iterable[tuple[Reader, Asked]]) -> None:
        edition = Edition(self.wire, next(self.editions), stories)
        try:
            for reader, asked in questions:
                # Killed articles of other editions are left, which an admin would see.
                if reader.who != "admin" or asked.status != "canceled":
                    self.answer(edition, stories, reader, asked)
        finally:
            edition.kill(story for story in stories if story.status != "canceled")

    def answer(self, edition: Edition, stories: Sequence[Story], reader: Reader, asked: Asked) -> None:
        limits = {kind: edition.named(kind, values) for kind, values in reader.limits.items()}
        self.wire.set_partner("partner", **limits)
        caller = {"partner": self.partner, "admin": self.admin, **edition.callers}[reader.who]
        if is_too_dear(caller, edition.parameters(asked)):
            return
        expected = [story for story in stories if reader.may_see(story) and asked.means(story)]
        expected.sort(key=asked.order, reverse=asked.sort.startswith("-"))
        compare(caller, edition.parameters(asked), asked.limit, expected, edition)


def is_too_dear(caller: Caller, parameters: Mapping[str, Any]) -> bool:
    """Whether the query is refused for its price, as one with the same prefix again and again is."""
    asked = {name: value for name, value in parameters.items() if value is not None}
    response = caller.get(f"/v1/articles?{urlencode({**asked, 'count': 'true', 'facets': ','.join(FACETS)})}")
    return response.status_code == 400 and response.get_json()["detail"].find("costs too much to search") > 0


def compare(
    caller: Caller, parameters: Mapping[str, Any], limit: int, expected: Sequence[Story], edition: Edition
) -> None:
    """That paging to the end gives what is expected, and that counts and facets say so on every page."""
    wanted = {"facets": ",".join(FACETS), "count": "true", "fields": "external_id", "limit": limit}
    names: list[str] = []
    cursor: str | None = None
    while True:
        answer = page(caller, **parameters, **wanted, cursor=cursor)
        names += [article["external_id"] for article in answer["data"]]
        assert answer["meta"]["count"] == {"value": len(expected), "relation": "eq"}
        facets = answer["meta"]["facets"]
        for kind in FACETS:
            counted = Counter(label for story in expected for label in edition.named(kind, sorted(story.labels(kind))))
            assert tally(facets[kind]) == {label.casefold(): number for label, number in counted.items()}, kind
        cursor = answer["page"]["next_cursor"]
        if cursor is None:
            break
    assert names == [story.name for story in expected]


def tally(facet: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How often each value occurs. An author's name may stand for one author of each publisher."""
    found: Counter[str] = Counter()
    for value in facet:
        assert value["count"]["relation"] == "eq"
        found[value.get("name", value["value"]).casefold()] += value["count"]["value"]
    return dict(found)


@few_or_many(4, 30)
def test_a_count_is_what_paging_gives_and_what_the_query_means(wire: Wire, examples: int) -> None:
    stand = Newsstand(wire)

    @settings(max_examples=examples)
    @given(corpora, st.lists(st.tuples(readers, asked), min_size=6, max_size=10))
    def holds(stories: list[Story], questions: list[tuple[Reader, Asked]]) -> None:
        stand.check(stories, questions)

    holds()


def test_ten_thousand_is_the_last_count_that_is_exact() -> None:
    assert [Count.of(number) for number in (9_999, 10_000, 10_001)] == [
        (9_999, "eq"), (10_000, "eq"), (10_000, "gte"),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_count_is_exact_to_ten_thousand_and_then_says_at_least(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()

    def send(numbers: Iterable[int]) -> None:
        post(publisher, [{"headline": f"Tram {number}", "section": "city"} for number in numbers])

    def counts() -> list[Any]:
        asked: list[dict[str, str]] = [
            {},
            {"q": "tram"},
            {"q": "trams", "not_section": "world", "sort": "published_at"},
            {"section": "city", "sort": "-updated_at"},
        ]
        return [page(partner, count="true", limit=1, **query)["meta"]["count"] for query in asked]

    send(range(10_000))
    assert counts() == [{"value": 10_000, "relation": "eq"}] * 4
    send(range(50))
    assert counts() == [{"value": 10_000, "relation": "gte"}] * 4
    found = [article["id"] for article in read(partner, q="tram", section="city", limit=100, fields="id")]
    assert len(found) == len(set(found)) == 10_050
