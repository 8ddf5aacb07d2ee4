"""An article that is dated more than a day ahead is served as sent and listed at its reception: nobody pins one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire.accounts.publishers import find_publisher
from newswire.article import ArticleState, Draft, Publication, Status, date_version
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import Outcome, publish_transaction
from newswire.publishing.release import release_due_articles
from newswire.schemas.article import load_draft
from newswire.timestamps import LATEST, format_instant, parse_instant
from tests.support.wire import Caller, Wire

MORNING = parse_instant("2026-01-05T08:00:00Z")
HOUR = 3_600_000
DAY = 24 * HOUR
FAR = "2062-05-01T10:00:00.000Z"


class Desk:
    """A publisher's desk at a time that the test says, and a partner who reads."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        wire.publisher_key()
        self.partner = wire.as_partner()

    def send(self, name: str, at: int, **fields: Any) -> Outcome:
        """Sends an article by its external id, as received at this time."""
        with self.wire.database.begin() as connection:
            publisher = find_publisher(connection, "reuters")
            assert publisher is not None
            draft = load_draft({"headline": name, "external_id": name, **fields}, publisher)
            with publish_transaction(connection, at) as transaction:
                return transaction.upsert(publisher, name, prepare_article(draft, publisher))

    def kill(self, name: str, at: int) -> None:
        with self.wire.database.begin() as connection:
            publisher = find_publisher(connection, "reuters")
            assert publisher is not None
            with publish_transaction(connection, at) as transaction:
                transaction.kill_by_external_id(publisher, name, None)

    def release(self, at: int) -> None:
        with self.wire.database.begin() as connection:
            release_due_articles(connection, at)

    def listed(self, query: str = "") -> list[str]:
        """The external ids of a list, in the order of the article table and of the search index, which are the same."""
        plain = self.ids(query)
        assert self.ids(f"{query}&publisher=reuters") == plain
        return plain

    def ids(self, query: str) -> list[str]:
        return [item["external_id"] for item in self.partner.get(f"/v1/articles?{query}").get_json()["data"]]


@pytest.fixture
def desk(wire: Wire) -> Desk:
    return Desk(wire)


def codes(outcome: Outcome) -> list[tuple[str, str]]:
    return [(warning["pointer"], warning["code"]) for warning in outcome.warnings]


def test_a_far_date_is_served_with_a_warning_and_listed_at_its_reception(desk: Desk) -> None:
    desk.send("before", MORNING, published_at=format_instant(MORNING))
    far = desk.send("far", MORNING + 1, published_at=FAR)
    desk.send("after", MORNING + 2)
    assert codes(far) == [("/published_at", "far_ahead")]
    assert format_instant(MORNING + 1) in far.warnings[0]["detail"]
    assert desk.listed() == ["after", "far", "before"]
    assert desk.listed("sort=published_at") == ["before", "far", "after"]
    [served] = desk.partner.get("/v1/articles?external_id=far").get_json()["data"]
    assert served["published_at"] == FAR


def test_a_day_ahead_is_within_reach_and_a_millisecond_more_is_not(desk: Desk) -> None:
    near = desk.send("near", MORNING, published_at=format_instant(MORNING + DAY))
    far = desk.send("far", MORNING, published_at=format_instant(MORNING + DAY + 1))
    assert (codes(near), codes(far)) == ([], [("/published_at", "far_ahead")])
    assert desk.listed() == ["near", "far"]


def test_ranges_and_cursors_take_the_reception(desk: Desk) -> None:
    for number in range(5):
        desk.send(f"{number}", MORNING + number * HOUR, published_at=FAR)
    asked = f"published_from={format_instant(MORNING + HOUR)}&published_to={format_instant(MORNING + 4 * HOUR)}"
    assert desk.listed(asked) == ["3", "2", "1"]
    assert desk.listed("published_from=2062-01-01") == []
    told = [entry["article"]["external_id"] for entry in changes(desk.partner, asked)]
    assert told == ["1", "2", "3"]
    assert changes(desk.partner, "published_from=2062-01-01") == []
    walked: list[str] = []
    cursor = ""
    while True:
        page = desk.partner.get(f"/v1/articles?limit=2{cursor}").get_json()
        walked += [item["external_id"] for item in page["data"]]
        if not page["page"]["has_more"]:
            break
        cursor = f"&cursor={page['page']['next_cursor']}"
        # A version of an article that was listed already moves nothing.
        desk.send("4", MORNING + 9 * DAY, published_at=FAR, summary=cursor)
    assert walked == ["4", "3", "2", "1", "0"]


def changes(reader: Caller, query: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = reader.get(f"/v1/changes?{query}").get_json()["data"]
    return entries


def test_the_same_far_date_again_changes_nothing_and_moves_nothing(desk: Desk) -> None:
    date = format_instant(MORNING + 3 * DAY)
    desk.send("story", MORNING, published_at=date)
    desk.send("later", MORNING + 1)
    again = desk.send("story", MORNING + DAY, published_at=date)
    assert (again.changed, codes(again)) == (False, [("/published_at", "far_ahead")])
    # By now it is within reach of the clock.
    assert not desk.send("story", MORNING + 4 * DAY, published_at=date).changed
    assert desk.send("story", MORNING + 4 * DAY, published_at=date, summary="More").changed
    assert desk.listed() == ["later", "story"]
    told = changes(desk.partner, f"published_to={format_instant(MORNING + 1)}")
    assert [entry["version"] for entry in told] == [1, 2]


def test_a_corrected_date_moves_it(desk: Desk) -> None:
    desk.send("story", MORNING, published_at=FAR)
    desk.send("later", MORNING + HOUR)
    assert desk.listed() == ["later", "story"]
    assert codes(desk.send("story", MORNING + DAY, published_at=format_instant(MORNING + DAY))) == []
    assert desk.listed() == ["story", "later"]
    desk.send("story", MORNING + DAY, published_at="2020-01-01T00:00:00Z")
    assert desk.listed() == ["later", "story"]
    desk.send("story", MORNING + 2 * DAY, published_at="2061-01-01T00:00:00Z")
    assert desk.listed(f"published_from={format_instant(MORNING + 2 * DAY)}") == ["story"]


def test_a_later_version_without_a_date_keeps_the_one_that_was_sent_and_so_does_a_kill(desk: Desk) -> None:
    desk.send("story", MORNING, published_at=FAR)
    later = desk.send("story", MORNING + HOUR, summary="More")
    assert (later.changed, codes(later)) == (True, [])
    desk.send("other", MORNING + 1)
    [served] = desk.partner.get("/v1/articles?external_id=story").get_json()["data"]
    assert (served["published_at"], served["change"]["fields"]) == (FAR, ["summary"])
    assert desk.listed() == ["other", "story"]
    desk.kill("story", MORNING + DAY)
    publisher = desk.wire.as_publisher()
    [tombstone] = publisher.get("/v1/articles?status=canceled").get_json()["data"]
    assert tombstone["published_at"] == FAR
    dates = [item["published_at"] for item in publisher.get(f"{served['links']['versions'][16:]}").get_json()["data"]]
    assert dates == [FAR] * 3


def test_an_article_without_a_date_has_that_of_its_first_reception(desk: Desk) -> None:
    desk.send("story", MORNING)
    assert not desk.send("story", MORNING + 9 * DAY).changed
    desk.send("story", MORNING + 9 * DAY, summary="More")
    [served] = desk.partner.get("/v1/articles").get_json()["data"]
    assert served["published_at"] == format_instant(MORNING)


def test_what_is_embargoed_is_judged_at_its_release(desk: Desk) -> None:
    release = MORNING + 3 * DAY
    embargo = {"embargoed_until": format_instant(release)}
    dated = desk.send("dated", MORNING, published_at=format_instant(release + HOUR), **embargo)
    far = desk.send("far", MORNING, published_at=FAR, **embargo)
    assert (codes(dated), codes(far)) == ([], [("/published_at", "far_ahead")])
    desk.send("before", release - 1)
    desk.release(release)
    desk.send("after", release + 1)
    assert desk.listed() == ["dated", "after", "far", "before"]


def test_an_embargo_that_is_lifted_early_does_not_leave_its_article_ahead(desk: Desk) -> None:
    """Else an embargo of years, lifted at once, would pin it."""
    desk.send("story", MORNING, published_at=FAR, embargoed_until="2062-05-01T10:00:00Z")
    lifted = desk.send("story", MORNING + HOUR, published_at=FAR)
    assert codes(lifted) == [("/published_at", "far_ahead")]
    desk.send("silent", MORNING, published_at=FAR, embargoed_until="2062-05-01T10:00:00Z")
    desk.send("silent", MORNING + HOUR)
    desk.send("later", MORNING + 2 * HOUR)
    assert desk.listed() == ["later", "silent", "story"]


def test_the_warning_points_into_a_ninjs_document(wire: Wire) -> None:
    document = {"uri": "urn:x:1", "type": "text", "headline": "Far", "firstcreated": "2062-05-01T10:00+02"}
    answer = wire.as_publisher().post(
        "/v1/articles", json=document, headers={"Content-Type": "application/vnd.iptc.ninjs+json"}
    )
    assert answer.get_json()["published_at"] == "2062-05-01T08:00:00.000Z"
    assert [(each["pointer"], each["code"]) for each in answer.get_json()["warnings"]] == [
        ("/firstcreated", "far_ahead")
    ]


def test_a_far_date_makes_nothing_fresh_for_years(wire: Wire) -> None:
    """In relevance the reception counts, too."""
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Cocoa falls", published_at="2062-05-01T10:00:00Z")
    publisher.publish("Cocoa rises")
    assert partner.listed("q=cocoa&sort=relevance") == ["Cocoa rises", "Cocoa falls"]
    assert partner.listed("q=cocoa") == ["Cocoa rises", "Cocoa falls"]
    dry = publisher.post("/v1/articles?dry_run=true", json={"headline": "x", "published_at": "2062-05-01T10:00:00Z"})
    assert [each["code"] for each in dry.get_json()["warnings"]] == ["far_ahead"]
    assert partner.listed() == ["Cocoa rises", "Cocoa falls"]


STATE = ArticleState(1, "", 1, None, None, 1, Status.USABLE, 1, 0, 0, 0, None, None)
moments = st.integers(MORNING - 3 * DAY, MORNING + 3 * DAY)
dates = st.none() | moments | st.integers(LATEST - 3 * DAY, LATEST - 1)


@settings(max_examples=200)
@given(versions=st.lists(st.tuples(dates, moments), min_size=1, max_size=5))
def test_no_article_is_ever_listed_more_than_a_day_after_the_reception_of_its_newest_date(
    versions: list[tuple[int | None, int]],
) -> None:
    received = sorted(at for _, at in versions)
    dated: Publication | None = None
    reached = 0
    for (sent, _), at in zip(versions, received, strict=True):
        before = dated
        draft = Draft({}, {}, None, None, "update", None, sent, None, None)
        held = None if before is None else STATE._replace(published_at=before.listed)
        dated = date_version(draft, at, held, 0 if before is None else before.served)
        if before is None or dated.served != before.served:
            reached = at
        assert dated.listed <= reached + DAY
        assert dated.listed in (dated.served, reached)
        assert dated.served == (sent if sent is not None else at if before is None else before.served)
