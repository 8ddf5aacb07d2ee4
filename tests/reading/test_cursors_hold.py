"""A walk by cursor meets every article that stays where it is exactly once and in order, whatever is written meanwhile.

Between the pages articles are inserted, updated, moved to other times and killed, on both sides of the cursor and
under it: first in long walks over a thousand articles of one millisecond, then in short ones that hypothesis thinks
of, each page of which a plain Python model foretells.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.support.cases import few_or_many
from tests.support.lists import page, pages, post, read
from tests.support.wire import Wire

SORTS = ("-published_at", "published_at", "-updated_at", "updated_at")
MOMENTS = [f"2026-05-05T05:05:05.{millisecond}Z" for millisecond in (499, 500, 501)]


@dataclass(frozen=True)
class Held:
    """What should be on the wire of an article; `number` is its order of first reception."""

    name: str
    number: int
    headline: str
    section: str
    published_at: str
    updated_at: str = ""
    alive: bool = True


@dataclass(frozen=True)
class Wish:
    """What a walk is over, and in which order."""

    sort: str
    q: str | None = None
    section: str | None = None

    def wants(self, article: Held) -> bool:
        return article.alive and (self.q or "") in article.headline and self.section in (None, article.section)

    def place(self, article: Held) -> tuple[str, int]:
        """Where an article stands: its time, then the order of first reception."""
        return (getattr(article, self.sort.removeprefix("-")), article.number)

    def listed(self, articles: Iterable[Held], behind: tuple[str, int] | None = None) -> list[Held]:
        """The wanted articles in their order, those behind a place only."""
        found = sorted(filter(self.wants, articles), key=self.place)
        if self.sort.startswith("-"):
            return [article for article in reversed(found) if behind is None or self.place(article) < behind]
        return [article for article in found if behind is None or self.place(article) > behind]

    def parameters(self, limit: int) -> dict[str, Any]:
        return {"sort": self.sort, "q": self.q, "section": self.section, "limit": limit, "fields": "external_id"}


class Desk:
    """A publisher that writes, its partner that reads, and what should be on the wire.

    `states` keeps every state that any article was ever in, `held` the newest one of each.
    """

    def __init__(self, wire: Wire) -> None:
        self.publisher, self.partner = wire.as_publisher(), wire.as_partner()
        self.numbers = count(1)
        self.held: dict[str, Held] = {}
        self.states: list[Held] = []

    def keep(self, article: Held) -> None:
        self.held[article.name] = article
        self.states.append(article)

    def made(self, headline: str, section: str, published_at: str) -> Held:
        number = next(self.numbers)
        return Held(f"article-{number}", number, headline, section, published_at)

    def fill(self, articles: Sequence[Held]) -> None:
        """Sends new articles in one batch."""
        post(self.publisher, [sent(article) | {"external_id": article.name} for article in articles])
        told = read(self.partner, limit=100, fields="external_id,updated_at")
        updated = {article["external_id"]: article["updated_at"] for article in told}
        for article in articles:
            self.keep(replace(article, updated_at=updated[article.name]))

    def write(self, article: Held) -> None:
        """Sends an article or a new version of it."""
        response = self.publisher.put(address(article), json=sent(article))
        assert response.status_code in (200, 201), response.text
        self.keep(replace(article, updated_at=response.get_json()["updated_at"]))

    def kill(self, article: Held) -> None:
        assert self.publisher.delete(address(article)).status_code == 200
        self.keep(replace(article, alive=False))

    def alive(self) -> list[Held]:
        return [article for article in self.held.values() if article.alive]

    def check(self, wish: Wish, before: Sequence[Held], since: int, seen: Sequence[str]) -> set[str]:
        """That a walk over `before`, begun after `since` states, met each that stayed once, in order; returns these."""
        places = {article.name: {wish.place(article)} for article in before}
        for state in self.states[since:]:
            places.setdefault(state.name, set()).add(wish.place(state))
            if not wish.wants(state):
                places[state.name].add(("", 0))
        stayed = [article.name for article in before if len(places[article.name]) == 1]
        known = set(stayed)
        assert [name for name in seen if name in known] == stayed
        assert [name for name, times in Counter(seen).items() if times > 1 and len(places[name]) == 1] == []
        return known


def address(article: Held) -> str:
    return f"/v1/publishers/reuters/articles/{article.name}"


def sent(article: Held) -> dict[str, Any]:
    return {"headline": article.headline, "section": article.section, "published_at": article.published_at}


def wishes(sort: str) -> list[Wish]:
    """Everything, a filter, and by time of publication also words, alone and filtered."""
    found = [Wish(sort), Wish(sort, section="world")]
    return found if sort.endswith("updated_at") else [*found, Wish(sort, q="story"), Wish(sort, "story", "world")]


@pytest.mark.slow
@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_over_a_thousand_articles_of_one_moment_meets_each_that_stays_once(wire: Wire, sort: str) -> None:
    desk, random = Desk(wire), Random(sort)
    moments = random.sample(MOMENTS, counts=(40, 1000, 40), k=1080)
    new = [desk.made(f"A story {moment}", random.choice(["world", "world", "city"]), moment) for moment in moments]
    # By time of update, the thousand of one batch share theirs, with neighbours on both sides.
    for some in (new[:40], new[40:1040], new[1040:]):
        desk.fill(some)
    for wish, limit in zip(wishes(sort), (97, 64, 89, 83), strict=False):
        since, before = len(desk.states), wish.listed(desk.alive())
        seen: list[str] = []
        for shown in pages(desk.partner, **wish.parameters(limit)):
            seen += [article["external_id"] for article in shown]
            disturb(desk, random, seen)
        stayed = desk.check(wish, before, since, seen)
        assert len(stayed) > 0.7 * len(before)


def disturb(desk: Desk, random: Random, seen: Sequence[str]) -> None:
    """Writes behind, before and under a cursor that stands on the last article seen."""
    alive = desk.alive()
    met = set(seen)
    for side in ([article for article in alive if (article.name in met) is which] for which in (True, False)):
        if len(side) >= 3:
            killed, moved, updated = random.sample(side, 3)
            desk.kill(killed)
            desk.write(replace(moved, published_at=random.choice(MOMENTS)))
            desk.write(replace(updated, headline=f"{updated.headline} again"))
    under = desk.held[seen[-1]]
    if under.alive:
        if random.random() < 0.25:
            desk.kill(under)
        else:
            desk.write(replace(under, headline="A story anew", published_at=random.choice(MOMENTS)))
    for moment in MOMENTS:
        desk.write(desk.made("A new story", random.choice(["world", "city"]), moment))


@dataclass
class Walk:
    """A reader among its pages."""

    wish: Wish
    limit: int
    since: int
    before: list[Held]
    seen: list[str] = field(default_factory=list)
    place: tuple[str, int] | None = None
    cursor: str | None = None
    ended: bool = False


class WritersAndWalkers(RuleBasedStateMachine):
    """Some articles at three moments, several readers, and any writes between any two pages."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.walks: list[Walk] = []
        for moment in MOMENTS:
            self.insert(moment, "world", "A story")
            self.insert(moment, "city", "A story")

    @rule(
        moment=st.sampled_from(MOMENTS),
        section=st.sampled_from(["world", "city"]),
        headline=st.sampled_from(["A story", "A tale"]),
    )
    def insert(self, moment: str, section: str, headline: str) -> None:
        self.desk.write(self.desk.made(headline, section, moment))

    @precondition(lambda self: self.desk.alive())
    @rule(data=st.data(), moment=st.sampled_from(MOMENTS))
    def move(self, data: st.DataObject, moment: str) -> None:
        self.desk.write(replace(self.one(data), published_at=moment))

    @precondition(lambda self: self.desk.alive())
    @rule(data=st.data(), headline=st.sampled_from(["A story", "A tale", "Another story"]))
    def update(self, data: st.DataObject, headline: str) -> None:
        self.desk.write(replace(self.one(data), headline=headline))

    @precondition(lambda self: self.desk.alive())
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        self.desk.kill(self.one(data))

    def one(self, data: st.DataObject) -> Held:
        """Any article, often one that a cursor stands on."""
        under = [self.desk.held[walk.seen[-1]] for walk in self.walks if walk.seen and not walk.ended]
        return data.draw(st.sampled_from([*self.desk.alive(), *(article for article in under if article.alive)]))

    @precondition(lambda self: len(self.walks) < 4)
    @rule(wish=st.sampled_from(SORTS).flatmap(lambda sort: st.sampled_from(wishes(sort))), limit=st.integers(1, 4))
    def begin(self, wish: Wish, limit: int) -> None:
        self.walks.append(Walk(wish, limit, len(self.desk.states), wish.listed(self.desk.alive())))
        self.read(self.walks[-1])

    @precondition(lambda self: any(not walk.ended for walk in self.walks))
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        self.read(data.draw(st.sampled_from([walk for walk in self.walks if not walk.ended])))

    def read(self, walk: Walk) -> None:
        """The next page: as many as it may hold of what is now behind the place of the last article seen."""
        answer = page(self.desk.partner, cursor=walk.cursor, **walk.wish.parameters(walk.limit))
        foretold = walk.wish.listed(self.desk.alive(), walk.place)
        shown = foretold[: walk.limit]
        assert [article["external_id"] for article in answer["data"]] == [article.name for article in shown]
        assert answer["page"]["has_more"] is (len(foretold) > walk.limit)
        walk.seen += [article.name for article in shown]
        walk.cursor = answer["page"]["next_cursor"]
        walk.ended = walk.cursor is None
        walk.place = walk.wish.place(shown[-1]) if shown else walk.place
        if walk.ended:
            self.desk.check(walk.wish, walk.before, walk.since, walk.seen)

    def teardown(self) -> None:
        """Every walk goes to its end; then the wire is empty again."""
        try:
            for walk in self.walks:
                while not walk.ended:
                    self.read(walk)
        finally:
            for article in self.desk.alive():
                self.desk.kill(article)


@few_or_many(3, 20)
def test_walks_go_on_right_whatever_writers_do_between_their_pages(wire: Wire, examples: int) -> None:
    class Here(WritersAndWalkers):
        desk = Desk(wire)

    run_state_machine_as_test(
        Here,
        settings=settings(max_examples=examples, stateful_step_count=25),
    )
