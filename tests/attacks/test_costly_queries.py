"""Queries that would take seconds: refused before they run, ended at a deadline, or cut into pages of the log.

On the wire as it was twenty of the worst stopped everybody for minutes. Here they are sent all at once to a real
server, while another reader goes on.
"""

import http.client
import string
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from statistics import quantiles
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import create_engine, text

from newswire.changes import page as changes_page
from tests.support.command import Cli
from tests.support.served import Serving, started
from tests.support.wire import Wire

LETTERS = string.ascii_lowercase
PHRASES = " OR ".join(f'"story {letter}"*' for letter in LETTERS * 3)
BROAD = quote(" OR ".join(f"w{number}" for number in range(100)))
EVERYTHING = "&count=true&facets=publisher,section,language,keyword,author"
WORST = {
    "phrases that end in a letter": f"q={quote(PHRASES)}",
    "all letters": f"q={quote(' '.join(f'{letter}*' for letter in LETTERS))}",
    "all letters with everything": f"q={quote(' '.join(f'{letter}*' for letter in LETTERS))}{EVERYTHING}",
    "any letter": f"q={quote(' OR '.join(f'{letter}*' for letter in LETTERS[:24]))}",
    "all letters excluded": f"q={quote('story ' + ' '.join(f'-{letter}*' for letter in LETTERS[:24]))}",
    "a hundred words with everything": f"q={BROAD}{EVERYTHING}&highlight=true",
}
CHEAP = {
    "a hundred words": f"q={BROAD}",
    "a hundred phrases": f"q={quote(' OR '.join(f'{chr(34)}story number w{n}{chr(34)}' for n in range(100)))}",
    "a phrase of two hundred words": f"q={quote(chr(34) + ' '.join(f'w{n}' for n in range(200)) + chr(34))}",
    "nine hundred exclusions": "q=story&" + "&".join(
        f"not_{kind}=" + ",".join(f"v{n}" for n in range(100)) for kind in ("section", "keyword", "place", "subject")),
}  # fmt: skip
AT_ONCE, LISTS, MOST_SECONDS = 20, 30, 1.0


@pytest.fixture(scope="module")
def full_wire(shared_wire: Wire) -> Wire:
    caller = shared_wire.as_publisher("herald")
    for number in range(5):
        caller.publish(f"Story number w{number}", body_text=f"story number w{number} and others " * 50)
    return shared_wire


@pytest.mark.parametrize("name", WORST)
def test_each_of_the_worst_queries_is_refused_with_the_place_of_its_costly_part(full_wire: Wire, name: str) -> None:
    answer = full_wire.client.get(f"/v1/articles?{WORST[name]}", headers=reader(full_wire))
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (400, "invalid_query")
    assert isinstance(problem["position"], int)
    assert problem["errors"][0]["parameter"] == "q"


@pytest.mark.parametrize("name", CHEAP)
def test_broad_queries_that_are_cheap_are_answered(full_wire: Wire, name: str) -> None:
    assert full_wire.client.get(f"/v1/articles?{CHEAP[name]}", headers=reader(full_wire)).status_code == 200


def reader(wire: Wire) -> dict[str, str]:
    return {"Authorization": f"Bearer {wire.publisher_key('herald')}"}


@pytest.mark.slow
def test_twenty_of_the_worst_at_once_leave_the_lists_of_others_fast(fresh_sqlite: str, serving: Serving) -> None:
    with closing(Wire(fresh_sqlite)) as wire:
        wire.as_publisher().publish("Story")
        attacker, other = wire.as_partner("attacker").key, wire.as_partner("other").key
    _, served = started(serving, Cli(fresh_sqlite))
    stop, statuses = threading.Event(), set[int]()

    def attack(query: str) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            statuses.add(ask(served.url, f"{query}&_={number}", attacker))

    queries = [*WORST.values(), *CHEAP.values()] * 2
    attackers = [threading.Thread(target=attack, args=(query,)) for query in queries[:AT_ONCE]]
    for each in attackers:
        each.start()
    seconds = []
    for number in range(LISTS):
        began = time.monotonic()
        assert ask(served.url, f"limit=5&_={number}", other) == 200
        seconds.append(time.monotonic() - began)
    stop.set()
    for each in attackers:
        each.join()
    # Each list waits for its turn behind at most twenty requests of a few milliseconds.
    assert quantiles(seconds, n=100)[-1] <= MOST_SECONDS, seconds
    assert statuses <= {200, 400, 503}


def ask(url: str, query: str, key: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("GET", f"/v1/articles?{query}", headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.fixture
def locked_wire(fresh_postgresql: str) -> Iterator[Wire]:
    """A wire whose articles nobody can read, as if every query took for ever; a request may take a second."""
    with closing(Wire(fresh_postgresql, query_seconds=1)) as wire:
        yield wire


def test_a_query_over_its_deadline_is_answered_by_a_problem(locked_wire: Wire) -> None:
    caller = locked_wire.as_partner()
    assert caller.get("/v1/articles?q=story").status_code == 200
    engine = create_engine(locked_wire.url)
    with engine.begin() as lock:
        lock.execute(text("LOCK TABLE article IN ACCESS EXCLUSIVE MODE"))
        for path in (
            "articles?q=story&_=1",
            "articles?q=story&count=true",
            "articles?_=2",
            "articles/none",
            "sections",
        ):
            answer = caller.get(f"/v1/{path}")
            problem = answer.get_json()
            if path != "sections":
                assert (answer.status_code, problem["code"]) == (503, "query_too_slow"), path
                assert "Retry-After" not in answer.headers
    # The connections whose queries were canceled are not used again.
    assert caller.get("/v1/articles?q=story&_=3").status_code == 200
    engine.dispose()


def test_a_query_ends_when_the_server_says_that_its_caller_has_gone(fresh_postgresql: str) -> None:
    engine = create_engine(fresh_postgresql)
    with closing(Wire(fresh_postgresql, query_seconds=1000)) as wire:
        caller = wire.as_partner()
        assert caller.get("/v1/articles?q=story").status_code == 200
        with engine.begin() as lock:
            lock.execute(text("LOCK TABLE article IN ACCESS EXCLUSIVE MODE"))
            gone = {"newswire.client_gone": lambda: True}
            answer = caller.get("/v1/articles?q=story&_=1", environ_overrides=gone)
            assert answer.get_json()["code"] == "query_too_slow"
            running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event_type = 'Lock'"
            deadline = time.monotonic() + 20
            while lock.scalar(text(running)) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert lock.scalar(text(running)) == 0
    engine.dispose()


def test_a_page_of_the_log_ends_in_time_and_every_match_comes_once(
    shared_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = shared_wire.as_publisher("courier")
    published = [caller.publish(f"Match {number}")["id"] for number in range(4)]
    # No time at all: a page then scans a single entry, and says that there are more.
    monkeypatch.setattr(changes_page, "MATCHING_SECONDS", 0.0)
    found, after, pages = [], 0, 0
    while True:
        answer = caller.get(f"/v1/changes?after={after}&q={quote(PHRASES)}+OR+match")
        assert answer.status_code == 200
        content = answer.get_json()
        found += [entry["article_id"] for entry in content["data"]]
        assert content["page"]["next_after"] > after
        after, pages = content["page"]["next_after"], pages + 1
        if not content["page"]["has_more"]:
            break
    assert found == published
    assert pages >= len(published)
