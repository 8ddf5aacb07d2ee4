"""The time of an entry: never before that of the entry before it, whatever the clock says."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from newswire.accounts.publishers import find_publisher
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import publish_transaction
from newswire.schemas.article import load_draft
from newswire.store.tables import entry
from newswire.timestamps import format_instant, now
from newswire.wire import MAX_AHEAD, check_newest_entry
from tests.support.wire import Wire

HOUR = 3_600_000


def publish_at(wire: Wire, moment: int, articles: int = 1) -> None:
    with wire.database.begin() as connection:
        publisher = find_publisher(connection, "reuters")
        assert publisher is not None
        article = prepare_article(load_draft({"headline": "Cocoa rises"}, publisher), publisher)
        with publish_transaction(connection, moment) as transaction:
            for _ in range(articles):
                transaction.create(publisher, article)


def read_times(wire: Wire) -> list[int]:
    with wire.database.read() as connection:
        return list(connection.execute(select(entry.c.at).order_by(entry.c.seq)).scalars())


def test_a_reader_from_a_time_misses_nothing_after_the_clock_was_set_back(wire: Wire) -> None:
    wire.publisher_key()
    partner, began = wire.as_partner(), now()
    for _ in range(6):
        publish_at(wire, began - 60_000, 10)
    for _ in range(7):
        publish_at(wire, began - HOUR, 10)
    page = partner.get(f"/v1/changes?start={format_instant(began - 300_000)}&limit=500").get_json()
    assert [item["seq"] for item in page["data"]] == list(range(1, 131))


@settings(max_examples=15)
@given(steps=st.lists(st.tuples(st.integers(-HOUR, HOUR), st.integers(1, 3)), min_size=1, max_size=8))
def test_times_are_in_order_and_follow_the_clock_where_they_may(wire: Wire, steps: list[tuple[int, int]]) -> None:
    wire.publisher_key()
    before = read_times(wire)
    latest, expected, moment = before[-1] if before else 0, [], now()
    for step, articles in steps:
        moment += step
        latest = max(latest, moment)
        expected += [latest] * articles
        publish_at(wire, moment, articles)
    assert read_times(wire)[len(before) :] == expected


def test_a_newest_entry_far_ahead_of_the_clock_is_a_warning(wire: Wire) -> None:
    wire.publisher_key()
    moment = now()
    with wire.database.read() as connection:
        assert check_newest_entry(connection, moment) is None
    publish_at(wire, moment + MAX_AHEAD)
    with wire.database.read() as connection:
        assert check_newest_entry(connection, moment) is None
        warning = check_newest_entry(connection, moment - 1)
    assert warning is not None
    assert format_instant(moment + MAX_AHEAD) in warning
