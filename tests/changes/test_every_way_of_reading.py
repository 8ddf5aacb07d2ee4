"""The contract that every way of reading the wire passes, on both engines."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from newswire.api.views import streams
from tests.support.site import problem_of
from tests.support.ways_of_reading import EVENTS, LINES, WAYS, answered, events, paged
from tests.support.wire import Caller, Wire


@pytest.fixture
def wire(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A fresh wire that tells the readers of its event streams with every page where they stand."""
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.0)
    with closing(Wire(database_url)) as made:
        yield made


def read_every_way(caller: Caller, query: str, after: int, head: int) -> tuple[list[dict[str, Any]], int]:
    """What is told from one position to another and where that ends, which every way of reading must agree on."""
    answers = {name: way(caller, query, after, head) for name, way in WAYS.items()}
    assert answers == dict.fromkeys(WAYS, answers["page"])
    return answers["page"]


def story(publisher: Caller, name: str, section: str, headline: str = "Cocoa rises") -> dict[str, Any]:
    response = publisher.put(
        f"/v1/publishers/reuters/articles/{name}", json={"headline": headline, "section": section, "body_text": "text"}
    )
    assert response.status_code in (200, 201), response.text
    article: dict[str, Any] = response.get_json()
    return article


def told(entries: list[dict[str, Any]]) -> list[tuple[int, str, bool]]:
    return [(entry["seq"], entry["type"].removeprefix("article."), entry["article"] is not None) for entry in entries]


def test_nothing_is_skipped_and_nothing_comes_twice(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    after, found = 0, []
    for round in range(3):
        for number in range(4):
            story(publisher, f"{round}-{number}", "world")
        entries, after = read_every_way(partner, "", after, 4 * round + 4)
        found += entries
    assert [entry["seq"] for entry in found] == list(range(1, 13))
    assert after == 12
    assert found == paged(partner, "", 0)[0]


def test_a_kill_comes_after_the_article_it_kills(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = story(publisher, "a", "world")
    before, after = read_every_way(partner, "", 0, 1)
    publisher.delete(f"/v1/articles/{article['id']}?reason=wrong")
    later, _ = read_every_way(partner, "", after, 2)
    assert told(before) + told(later) == [(1, "published", True), (2, "canceled", False)]
    assert later[0]["change"] == {"type": "kill", "note": "wrong", "fields": []}
    assert told(read_every_way(partner, "", 0, 2)[0]) == [(1, "published", False), (2, "canceled", False)]


def test_what_leaves_a_filter_is_removed_once_and_its_kill_still_comes(wire: Wire) -> None:
    publisher, partner, sport = wire.as_publisher(), wire.as_partner(), wire.as_partner("sport", section=["sport"])
    for section, headline in (("world", "one"), ("sport", "two"), ("sport", "three"), ("world", "four")):
        article = story(publisher, "a", section, headline)
    publisher.delete(f"/v1/articles/{article['id']}")
    story(publisher, "b", "culture")
    entries, after = read_every_way(partner, "&section=world", 0, 6)
    # The article is dead now: its entries are there, its content is not.
    assert told(entries) == [
        (1, "published", False), (2, "removed", False), (4, "updated", False), (5, "canceled", False),
    ]  # fmt: skip
    assert after == 6
    assert told(read_every_way(sport, "", 0, 6)[0]) == [
        (2, "updated", False), (3, "updated", False), (4, "removed", False), (5, "canceled", False),
    ]  # fmt: skip
    assert told(read_every_way(partner, "&section=culture", 0, 6)[0]) == [(6, "published", True)]
    assert told(read_every_way(partner, "&not_section=world,sport", 0, 6)[0]) == [(6, "published", True)]


def test_words_filter_every_version_for_itself(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for headline in ("Cocoa rising", "Rain falls", "Rain fell", "Cocoa rose"):
        article = story(publisher, "a", "world", headline)
    story(publisher, "b", "world", "Trams")
    publisher.delete(f"/v1/articles/{article['id']}")
    expected = [(1, "published", False), (2, "removed", False), (4, "updated", False), (6, "canceled", False)]
    for query in ("&q=cocoa", '&q="cocoa rising" OR cocoa', "&q=cocoa -falls&search_in=headline", "&q=coc*"):
        assert told(read_every_way(partner, query, 0, 6)[0]) == expected
    assert told(read_every_way(partner, "&q=rise", 0, 6)[0]) == [(1, "published", False), (2, "removed", False),
                                                      (6, "canceled", False)]  # fmt: skip
    assert told(read_every_way(partner, "&q=cocoa&search_in=body", 0, 6)[0]) == []
    assert told(read_every_way(partner, "&q=trams&published_from=now-1h", 0, 6)[0]) == [(5, "published", True)]
    assert told(read_every_way(partner, "&q=trams&published_to=now-1h", 0, 6)[0]) == []


def test_types_narrow_what_is_told(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = story(publisher, "a", "world", "one")
    story(publisher, "a", "sport", "two")
    publisher.delete(f"/v1/articles/{article['id']}")
    query = "&section=world&types=article.canceled,article.removed"
    assert told(read_every_way(partner, query, 0, 3)[0]) == [(2, "removed", False), (3, "canceled", False)]


def test_reading_stops_at_the_head(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    story(publisher, "a", "world")
    assert told(read_every_way(partner, "", 0, 1)[0]) == [(1, "published", True)]
    assert read_every_way(partner, "", 1, 1) == ([], 1)


@pytest.mark.parametrize("headers", [{}, EVENTS, LINES], ids=["page", "event stream", "ndjson"])
def test_the_future_and_other_wires_are_refused(wire: Wire, headers: dict[str, str]) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    story(publisher, "a", "world")
    own = answered(partner, "")["wire"]
    problem = problem_of(partner.get("/v1/changes?after=2", headers=headers), "cursor_ahead")
    assert problem["head"] == 1
    problem_of(partner.get("/v1/changes?after=1&wire=another", headers=headers), "wire_changed")
    problem_of(partner.get("/v1/changes?consumer=none", headers=headers), "not_found")
    for wrong in ("after=1&start=now", "after=1&consumer=desk", "start=yesterday", "types=article.lost", "wait=31",
                  "limit=501", "sort=published_at"):  # fmt: skip
        assert partner.get(f"/v1/changes?{wrong}", headers=headers).status_code == 400, wrong
    if headers == EVENTS:
        for last, code in ((f"{own}:2", "cursor_ahead"), ("another:1", "wire_changed"), ("1", "invalid_parameter"),
                           (f"{own}:", "invalid_parameter"), (f"{own}:-1", "invalid_parameter")):  # fmt: skip
            problem_of(partner.get("/v1/changes?after=0", headers={**headers, "Last-Event-ID": last}), code)


def test_a_walk_may_begin_at_a_time(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for number in range(3):
        story(publisher, str(number), "world")
        time.sleep(0.01)
    times = [entry["at"] for entry in partner.changes()]
    for number, at in enumerate(times):
        assert [entry["seq"] for entry in answered(partner, f"start={at}")["data"]] == [*range(number + 1, 4)]
    chain = partner.get("/v1/wire").get_json()["chain"]
    assert answered(partner, "start=2100-01-01")["page"] == {"has_more": False, "next_after": 3, "next_chain": chain}
    assert answered(partner, "start=now")["data"] == []
    assert len(answered(partner, "start=oldest")["data"]) == len(answered(partner, "start=now-1d")["data"]) == 3


def test_a_page_holds_what_is_told_and_scans_past_the_rest(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    lines = [{"headline": f"Story {number}", "section": "sport"} for number in range(700)]
    publisher.post("/v1/articles/batch", json=[*lines, {"headline": "Rare", "section": "world"}])
    page = answered(partner, "section=world&limit=2")
    assert [entry["seq"] for entry in page["data"]] == [701]
    assert page["page"] == {"has_more": False, "next_after": 701, "next_chain": page["data"][0]["chain"]}


def test_a_waiting_reader_is_answered_when_something_of_its_own_comes(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner(section=["world"])
    began = time.monotonic()
    assert answered(partner, "wait=1")["page"] == {"has_more": False, "next_after": 0, "next_chain": "0" * 64}
    assert 0.9 < time.monotonic() - began < 3
    later = threading.Timer(0.3, lambda: [story(publisher, section, section) for section in ("sport", "world")])
    later.start()
    began = time.monotonic()
    page = answered(partner, "wait=20")
    later.join()
    assert told(page["data"]) == [(2, "published", True)]
    assert page["page"]["next_after"] == page["head"] == 2
    assert 0.2 < time.monotonic() - began < 5


def test_an_open_stream_gets_what_is_published_later(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    stream = events(partner, "&start=now")
    opening = next(stream)
    assert (opening.id, opening.data) == (f"{answered(partner, '')['wire']}:0:{'0' * 16}", None)
    for number in range(1, 4):
        story(publisher, str(number), "world")
        event = next(event for event in stream if event.data is not None)
        assert event.data["seq"] == number
    stream.close()


def test_a_stream_tells_where_it_stands_behind_many_entries_of_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SKIPPED", 3)
    with closing(Wire(database_url)) as wire:
        publisher, partner = wire.as_publisher(), wire.as_partner(section=["world"])
        for section in ("world", "sport", "sport", "world", "sport", "sport", "sport"):
            publisher.publish(section=section)
        stream = events(partner, "&after=0")
        ids = [next(event for event in stream if event.id).id for _ in range(4)]
        stream.close()
        own = answered(partner, "")["wire"]
        chains = ["0" * 16, *(entry["chain"][:16] for entry in wire.as_admin().changes())]
        assert ids == [f"{own}:{seq}:{chains[seq]}" for seq in (0, 1, 4, 7)]


def test_a_stream_ends_with_its_key_and_follows_its_entitlement(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner(section=["world"])
    stream = events(partner, "")
    story(publisher, "a", "world")
    assert next(event for event in stream if event.data is not None).data["seq"] == 1
    wire.set_partner("partner", section=["sport"])
    story(publisher, "b", "world")
    story(publisher, "c", "sport")
    assert next(event for event in stream if event.data is not None).data["seq"] == 3
    wire.revoke(partner.key)
    assert [event for event in stream if event.data is not None] == []


def test_head_asks_without_opening_a_stream(wire: Wire) -> None:
    partner = wire.as_partner()
    for headers in ({}, EVENTS, LINES):
        head = partner.call("HEAD", "/v1/changes?wait=30", headers=headers)
        assert (head.status_code, head.data) == (200, b"")
        assert "Accept" in head.headers["Vary"]
    assert partner.get("/v1/changes", headers={"Accept": "text/html"}).status_code == 406
    stream = partner.get("/v1/changes", headers={**EVENTS, "Accept-Encoding": "gzip"})
    assert "no-transform" in stream.headers["Cache-Control"]
    assert stream.headers["X-Accel-Buffering"] == "no"
    assert "Content-Encoding" not in stream.headers
    stream.close()


def test_an_export_is_short_of_its_last_line_when_it_was_cut_off(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.post("/v1/articles/batch", json=[{"headline": f"Story {number}"} for number in range(250)])
    response = partner.get("/v1/changes", headers=LINES)
    lines = response.iter_encoded()
    got = next(lines)
    wire.revoke(partner.key)
    got += b"".join(lines)
    assert 100 <= got.count(b"\n") < 250
    assert b"next_after" not in got


def test_more_streams_than_the_budget_are_refused(database_url: str) -> None:
    wire = Wire(database_url, streams=2)
    partner = wire.as_partner()
    open_streams = [partner.get("/v1/changes", headers=EVENTS) for _ in range(2)]
    for headers, query in ((EVENTS, ""), (LINES, ""), ({}, "?wait=5")):
        refused = partner.get(f"/v1/changes{query}", headers=headers)
        problem_of(refused, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    assert partner.get("/v1/changes").status_code == 200
    assert partner.get("/v1/articles").status_code == 200
    open_streams[0].close()
    another = partner.get("/v1/changes", headers=EVENTS)
    assert another.status_code == 200
    another.close()
    open_streams[1].close()
    wire.close()
