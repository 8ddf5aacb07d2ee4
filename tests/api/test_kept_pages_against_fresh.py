"""Kept pages of two processes against pages made anew: whatever is published or edited between, they are the same."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count, cycle
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from newswire.api.cache.middleware import PageCacheMiddleware
from newswire.wire import Head
from tests.support.cases import few_or_many
from tests.support.wire import Caller, Wire

PARTNERS = 3
SECTIONS = ["world", "arts", "sport"]
# Not by relevance, which depends on the minute: two of the processes might be asked in different ones.
PATHS = [
    "/v1/articles", "/v1/articles?q=cocoa", "/v1/articles?q=cocoa&count=true", "/v1/articles.atom",
    "/v1/articles?facets=section&limit=2", "/v1/sections", "/v1/publishers", "/v1/feeds/desk.rss",
    "/v1/feeds/desk/articles", "/v1/changes?after=0&limit=500",
]  # fmt: skip
NOWHERE = Head("another", 0, "", 0, 0)


class Processes(NamedTuple):
    """Two applications on one database, as two web processes; a third one that makes every page anew."""

    first: Wire
    second: Wire
    fresh: Wire
    publisher: Caller
    partners: list[str]

    def read_fresh(self, key: str, path: str) -> TestResponse:
        middleware: Any = self.fresh.app.wsgi_app
        assert isinstance(middleware, PageCacheMiddleware)
        middleware.pages.drop_other_heads(NOWHERE)
        return Caller(self.fresh.client, key).get(path)


@pytest.fixture
def processes(database_url: str) -> Iterator[Processes]:
    with ExitStack() as stack:
        first, second, fresh = (stack.enter_context(closing(Wire(database_url))) for _ in range(3))
        publisher, partners = first.as_publisher(), [first.as_partner(f"partner-{n}") for n in range(PARTNERS)]
        for number, partner in enumerate(partners):
            made = partner.post("/v1/feeds", json={"name": "desk", "query": f"section={SECTIONS[number % 3]}"})
            assert made.status_code == 201, made.text
        yield Processes(first, second, fresh, publisher, [partner.key for partner in partners])


PARTNER = st.integers(0, PARTNERS - 1)
EDIT = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(SECTIONS)),
    st.tuples(st.sampled_from(["move", "kill"]), st.integers(0, 3)),
    st.tuples(st.just("entitle"), PARTNER, st.lists(st.sampled_from(SECTIONS), max_size=2, unique=True)),
    st.tuples(st.just("feed"), PARTNER, st.sampled_from(SECTIONS)),
    st.tuples(st.just("nothing")),
)


class Walk:
    """The steps of one example, on articles of its own."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.articles: list[str] = []
        self.tags: dict[tuple[str, int], str] = {}
        self.contents: dict[tuple[str, str], bytes] = {}
        self.moves, self.turns = count(), cycle((processes.first, processes.second, processes.second))
        for number in range(PARTNERS):
            processes.first.set_partner(f"partner-{number}")

    def publish(self, section: str) -> None:
        self.articles.append(self.processes.publisher.publish(f"Cocoa of {section}", section=section)["id"])

    def move(self, which: int) -> None:
        for article in self.articles[which : which + 1]:
            patch = {"section": SECTIONS[(which + next(self.moves)) % 3]}
            self.processes.publisher.patch(f"/v1/articles/{article}", json=patch, headers={"If-Match": "*"})

    def kill(self, which: int) -> None:
        for article in self.articles[which : which + 1]:
            self.processes.publisher.delete(f"/v1/articles/{article}")

    def entitle(self, partner: int, sections: list[str]) -> None:
        self.processes.second.set_partner(f"partner-{partner}", **({"section": sections} if sections else {}))

    def feed(self, partner: int, section: str) -> None:
        owner = Caller(self.processes.second.client, self.processes.partners[partner])
        assert owner.patch("/v1/feeds/desk", json={"query": f"section={section}"}).status_code == 200

    def nothing(self) -> None:
        """Two rounds of reading without an edit between: the second one is answered from what was kept."""

    def read_round(self, path: str) -> None:
        """Every partner reads from one of the processes: without an ETag, with its own last one, with another's."""
        for number in range(PARTNERS):
            expected = self.processes.read_fresh(self.processes.partners[number], path)
            wire = next(self.turns)
            for held in (None, self.tags.get((path, number)), self.tags.get((path, (number + 1) % PARTNERS))):
                self.read(Caller(wire.client, self.processes.partners[number]), path, held, expected)
            if (tag := expected.headers.get("ETag")) is not None:
                assert self.contents.setdefault((path, tag), expected.data) == expected.data, "one ETag for two pages"
                self.tags[path, number] = tag

    def read(self, partner: Caller, path: str, held: str | None, expected: TestResponse) -> None:
        """A kept answer, or a new one, is that of the process that keeps nothing; a 304 holds for its ETag only."""
        found = partner.get(path, headers={} if held is None else {"If-None-Match": held})
        if held is not None and held == expected.headers.get("ETag"):
            assert found.status_code == 304
        else:
            assert (found.status_code, found.data) == (expected.status_code, expected.data)
        assert found.headers.get("ETag") == expected.headers.get("ETag")


@few_or_many(4, 8)
def test_a_kept_page_is_what_a_fresh_one_would_be(processes: Processes, examples: int) -> None:
    # To shrink an example takes minutes, and its few edits can be read as they are.
    @settings(max_examples=examples, phases=[Phase.explicit, Phase.generate])
    @given(
        edits=st.lists(EDIT, min_size=3, max_size=8),
        paths=st.lists(st.sampled_from(PATHS), min_size=1, max_size=2, unique=True),
    )
    @example(edits=[("nothing",)], paths=["/v1/feeds/desk.rss"])
    def holds(edits: list[tuple[Any, ...]], paths: list[str]) -> None:
        walk = Walk(processes)
        for name, *values in (("publish", "world"), ("publish", "arts"), *edits):
            getattr(walk, name)(*values)
            for path in paths:
                walk.read_round(path)

    holds()
