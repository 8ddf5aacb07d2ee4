"""`start=<time>` on `/v1/changes`: begins with the lowest number whose time is that or later, however the times lie."""

from collections.abc import Sequence
from random import Random

import pytest
from sqlalchemy import update

from newswire.accounts.publishers import find_publisher
from newswire.changes.page import DISORDER
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import publish_transaction
from newswire.schemas.article import load_draft
from newswire.store.tables import entry
from newswire.timestamps import format_instant, now
from tests.support.ways_of_reading import answered
from tests.support.wire import Caller, Wire

DAY = 24 * 3600 * 1000


@pytest.fixture
def partner(wire: Wire) -> Caller:
    wire.publisher_key()
    return wire.as_partner()


@pytest.fixture
def began() -> int:
    return now() - DAY


def write(wire: Wire, times: Sequence[int]) -> None:
    """Entries with these times, in this order, as a version wrote them that did not keep times in order."""
    with wire.database.begin() as connection:
        publisher = find_publisher(connection, "reuters")
        assert publisher is not None
        for at in times:
            draft = load_draft({"headline": "Cocoa rises"}, publisher)
            with publish_transaction(connection, at) as transaction:
                transaction.create(publisher, prepare_article(draft, publisher))
        for seq, at in enumerate(times, 1):
            connection.execute(update(entry).where(entry.c.seq == seq).values(at=at))


def first(partner: Caller, moment: int) -> int | None:
    """The number of the entry with which a walk from this time begins."""
    page = answered(partner, f"start={format_instant(moment)}&limit=1")
    return page["data"][0]["seq"] if page["data"] else None


def lowest(times: Sequence[int], moment: int) -> int | None:
    return next((seq for seq, at in enumerate(times, 1) if at >= moment), None)


@pytest.mark.slow
@pytest.mark.parametrize("disorder", [0, 50, 5000, DISORDER - 1])
def test_times_that_are_out_of_order_leave_nothing_out(wire: Wire, partner: Caller, began: int, disorder: int) -> None:
    random = Random(disorder)
    times = [began + 1000 * number - random.randint(0, disorder) for number in range(120)]
    write(wire, times)
    asked = {*random.sample(times, 20), *(at + 1 for at in random.sample(times, 5)), began - DISORDER, times[-1]}
    assert {moment: first(partner, moment) for moment in asked} == {moment: lowest(times, moment) for moment in asked}


def test_many_entries_of_one_time_begin_with_the_first_of_them(wire: Wire, partner: Caller, began: int) -> None:
    write(wire, [began] * 30 + [began + 1] * 30)
    assert [first(partner, began + after) for after in (-1, 0, 1, 2)] == [1, 1, 31, None]


def test_a_clock_that_was_wrong_by_a_day_sends_nobody_back_to_the_beginning(
    wire: Wire, partner: Caller, began: int
) -> None:
    """A walk through all of the log would stop at the second entry."""
    times = [began + 600_000 * number for number in range(60)]
    times[1] += DAY
    write(wire, times)
    assert first(partner, times[50]) == 51


def test_an_empty_wire_begins_at_its_head(wire: Wire, partner: Caller) -> None:
    assert first(partner, 0) is None
    assert answered(partner, "start=now-1h")["page"] == {"has_more": False, "next_after": 0, "next_chain": "0" * 64}


def test_the_head_is_where_a_time_to_come_begins(wire: Wire, partner: Caller, began: int) -> None:
    write(wire, [began, began + 1])
    assert answered(partner, f"start={format_instant(now() + DAY)}")["page"]["next_after"] == 2
