"""Random histories, and readers of every kind at random moments: each is told what a plain model says, entry by entry.

The model knows the log as a list of what was done, and nothing of terms, SQL or search indexes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from newswire.accounts.publishers import find_publisher
from newswire.api.views import streams
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import publish_transaction
from newswire.schemas.article import load_draft
from newswire.timestamps import now
from tests.support.cases import few_or_many
from tests.support.ways_of_reading import WAYS, answered
from tests.support.wire import Wire

NAMES = count()
SECTIONS, KEYWORDS, WORDS = ("world", "sport"), ("port", "rain"), ("cocoa", "trams", "storm")
contents = st.fixed_dictionaries({
    "section": st.sampled_from(SECTIONS), "keywords": st.lists(st.sampled_from(KEYWORDS), unique=True),
    "headline": st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join),
})  # fmt: skip
limits = st.sampled_from([{}, {"section": ["world"]}, {"section": ["sport"]}, {"keyword": ["rain"]},
                          {"section": ["sport"], "keyword": ["port"]}])  # fmt: skip
articles = st.integers(0, 2)
# A poll that waits in vain takes a second: it comes now and then only.
ways = st.sampled_from([*[way for way in WAYS if way != "long poll"] * 5, "long poll"])


class Wanted(NamedTuple):
    """What a reader asks for; None and empty ask for everything."""

    sections: tuple[str, ...] = ()
    without: str | None = None
    word: str | None = None

    def query(self) -> str:
        parts = {"section": ",".join(self.sections), "not_keyword": self.without, "q": self.word}
        return "".join(f"&{name}={quote(value)}" for name, value in parts.items() if value)

    def holds(self, content: Mapping[str, Any]) -> bool:
        return (
            (not self.sections or content["section"] in self.sections)
            and self.without not in content["keywords"]
            and (self.word is None or self.word in content["headline"].split())
        )


wishes = st.builds(
    Wanted, st.sampled_from([(), ("world",), ("sport",), SECTIONS]), st.sampled_from([None, *KEYWORDS]),
    st.sampled_from([None, None, *WORDS]),
)  # fmt: skip


@dataclass
class Reader:
    """One reader: who, how, for what, how far, and what it holds of each article (None: gone)."""

    partner: int
    way: str
    wanted: Wanted
    after: int
    holds: dict[str, int | None] = field(default_factory=dict)


class Entry(NamedTuple):
    """What was done: `content` None is a kill."""

    seq: int
    kind: str
    article: str
    version: int
    content: Mapping[str, Any] | None


class History(RuleBasedStateMachine):
    """Two partners, three readers, three articles; the log and the entitlements as lists."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire
        self.mark = f"m{next(NAMES)}"
        self.publisher = wire.as_publisher()
        self.log: list[Entry] = []
        self.ids: dict[int, str] = {}

    @initialize(first=limits, second=limits, ways=st.lists(ways, min_size=3, max_size=3),
                wanted=st.lists(wishes, min_size=3, max_size=3))  # fmt: skip
    def begin(self, first: Any, second: Any, ways: list[str], wanted: list[Wanted]) -> None:
        self.start = self.head()
        self.partners = [self.wire.as_partner(f"{self.mark}-{n}", **given) for n, given in enumerate((first, second))]
        self.grants = [[(self.start, first)], [(self.start, second)]]
        self.readers = [
            Reader(n % 2, way, wish, self.start) for n, (way, wish) in enumerate(zip(ways, wanted, strict=True))
        ]

    def head(self) -> int:
        head: int = answered(self.publisher, "limit=1")["head"]
        return head

    def address(self, article: int) -> str:
        return f"/v1/publishers/reuters/articles/{self.mark}-{article}"

    @rule(article=articles, content=contents)
    def put(self, article: int, content: Any) -> None:
        self.note(self.publisher.put(self.address(article), json=content), content)

    @rule(article=articles, content=contents, note=st.text("ab", min_size=1))
    def correct(self, article: int, content: Any, note: str) -> None:
        sent = {**content, "change": {"type": "correction", "note": note}}
        self.note(self.publisher.put(self.address(article), json=sent), content, "corrected")

    @rule(article=articles)
    def kill(self, article: int) -> None:
        if article in self.ids:
            self.note(self.publisher.delete(f"/v1/articles/{self.ids[article]}"), None)

    @rule(content=contents)
    def rehearse(self, content: Any) -> None:
        """A dry run leaves nothing."""
        assert self.publisher.post("/v1/articles?dry_run=true", json=content).status_code == 200

    @rule(content=contents)
    def roll_back(self, content: Any) -> None:
        """Work that had its number already and was never committed leaves nothing."""
        with self.wire.database.begin(keep=False) as connection:
            publisher = find_publisher(connection, "reuters")
            assert publisher is not None
            with publish_transaction(connection, now()) as transaction:
                transaction.create(publisher, prepare_article(load_draft(content, publisher), publisher))

    @rule(some=st.lists(st.tuples(articles, contents), max_size=4))
    def batch(self, some: list[tuple[int, Any]]) -> None:
        """Bad lines harm no other."""
        lines = [{**content, "external_id": f"{self.mark}-{article}"} for article, content in some]
        answer = self.publisher.post("/v1/articles/batch", json=[{"headline": ""}, *lines])
        assert answer.status_code == 200
        for (_, content), result in zip(some, answer.get_json()["results"][1:], strict=True):
            if result["status"] in (200, 201):
                self.add(result["id"], result["version"], content, "updated")

    @rule(partner=st.integers(0, 1), given=limits)
    def entitle(self, partner: int, given: Any) -> None:
        self.wire.set_partner(f"{self.mark}-{partner}", **given)
        self.grants[partner].append((self.head(), given))

    @rule(reader=st.integers(0, 2))
    def read(self, reader: int) -> None:
        self.catch_up(self.readers[reader])

    def note(self, response: Any, content: Any, kind: str = "updated") -> None:
        if response.status_code == 410:
            return
        assert response.status_code in (200, 201), response.text
        article = response.get_json()
        self.ids[int((article["external_id"]).rpartition("-")[2])] = article["id"]
        self.add(article["id"], article["version"], content, kind)

    def add(self, article: str, version: int, content: Any, kind: str) -> None:
        """A new version is the next entry of the log."""
        if any(entry.article == article and entry.version == version for entry in self.log):
            return
        first = not any(entry.article == article for entry in self.log)
        kind = "canceled" if content is None else "published" if first else kind
        self.log.append(Entry(self.start + len(self.log) + 1, kind, article, version, content))

    def catch_up(self, reader: Reader) -> None:
        head = self.start + len(self.log)
        caller = self.partners[reader.partner]
        expected = self.expected(reader)
        if reader.way == "event stream" and reader.after == head:
            return
        told, reader.after = WAYS[reader.way](caller, reader.wanted.query(), reader.after, head)
        assert reader.after == head
        assert [
            (e["seq"], e["type"].removeprefix("article."), e["article"] and e["article"]["headline"]) for e in told
        ] == expected
        for entry in told:
            gone = entry["type"] in ("article.removed", "article.canceled")
            reader.holds[entry["article_id"]] = None if gone else entry["version"]

    def expected(self, reader: Reader) -> list[tuple[int, str, str | None]]:
        """Number, type and headline of what this reader is to be told now: the model."""
        grants = self.grants[reader.partner]
        found = []
        for entry in self.log:
            before = [other for other in self.log if other.article == entry.article and other.seq < entry.seq]
            if entry.seq <= reader.after:
                continue
            matched = partial(self.matched, reader.wanted, grants)
            if entry.content is None:
                kind = "canceled" if any(map(matched, before)) else None
            elif matched(entry):
                kind = entry.kind
            else:
                kind = "removed" if before and matched(before[-1]) else None
            if kind:
                found.append((entry.seq, kind, self.headline(entry, kind, grants[-1][1])))
        return found

    def matched(self, wanted: Wanted, grants: list[tuple[int, Any]], entry: Entry) -> bool:
        """Whether the version is wanted, and an entitlement in force at its entry or later shows it."""
        assert entry.content is not None
        ends = [since for since, _ in grants[1:]] + [10**9]
        return wanted.holds(entry.content) and any(
            shows(given, entry.content) for (_, given), end in zip(grants, ends, strict=True) if end >= entry.seq
        )

    def headline(self, entry: Entry, kind: str, given: Any) -> str | None:
        """The content is there while the article lives and both the version and the newest one may be seen today."""
        last = [other for other in self.log if other.article == entry.article][-1]
        if kind in ("removed", "canceled") or last.content is None or entry.content is None:
            return None
        return entry.content["headline"] if shows(given, entry.content) and shows(given, last.content) else None

    @invariant()
    def the_log_is_what_was_done(self) -> None:
        if hasattr(self, "start"):
            assert self.head() == self.start + len(self.log)

    def teardown(self) -> None:
        """At the end everyone who reads on holds what a fold of the whole log through its filter says."""
        for reader in getattr(self, "readers", ()):
            self.catch_up(reader)


def in_short(entry: Mapping[str, Any]) -> tuple[int, str, str | None]:
    """What of a served entry the model knows too."""
    article = entry["article"]
    return entry["seq"], entry["type"].removeprefix("article."), article and article["headline"]


def shows(given: Mapping[str, list[str]], content: Mapping[str, Any]) -> bool:
    """Whether an entitlement shows a version."""
    return ("section" not in given or content["section"] in given["section"]) and (
        "keyword" not in given or bool({*content["keywords"]} & {*given["keyword"]})
    )


@pytest.fixture
def machine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], History]]:
    """Makes histories, one after the other on the same wire: each has partners and articles of its own."""
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.0)
    wire = Wire(database_url)
    yield lambda: History(wire)
    wire.close()


@few_or_many(2, 40)
def test_every_reader_is_told_what_the_model_says(machine: Any, examples: int) -> None:
    checks = settings(max_examples=examples, stateful_step_count=30)
    run_state_machine_as_test(machine, settings=checks)
