"""Articles that are made to cost time or memory: nobody waits for them, and a batch that is killed goes on.

Bounds are generous, because other work on the machine makes everything slow: before, each was exceeded ten times over.
"""

import gzip
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import HTTPError

from newswire.article import Publisher
from newswire.errors import Problem
from newswire.publishing.prepare import prepare_article
from newswire.schemas.article import load_draft
from newswire.store.database import Database
from newswire.wire import read_head
from tests.support.command import Cli, Server, waited
from tests.support.served import Client, Serving, started

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024
LONGEST_WAIT = 10.0
LONGEST_LOCK = 2.0
"""Seconds; alone on a machine it is 0.25."""
LONGEST_PREPARATION = 2.0
MOST_GROWTH = 200 * MEGABYTE
OTHERS = 20
LINES, JSON = "application/x-ndjson", "application/json"


def growing_letters() -> bytes:
    """20 kB of gzip: ten articles of 2 MiB of U+FDFA, of which NFKC makes 18 letters."""
    body = "\ufdfa" * (2 * MEGABYTE // 3 - 10)
    lines = [json.dumps({"headline": f"h{n}", "body_text": body}, ensure_ascii=False) for n in range(10)]
    return gzip.compress("\n".join(lines).encode(), 9)


HTTP = PoolManager(maxsize=50, timeout=120.0, retries=False)


def send(client: Client, path: str, body: bytes, content_type: str = LINES, **headers: str) -> BaseHTTPResponse:
    given = {"Authorization": f"Bearer {client.key}", "Content-Type": content_type, **headers}
    return HTTP.request("POST", client.url + path, body=body, headers=given)


def send_batch(client: Client, body: bytes, **headers: str) -> BaseHTTPResponse:
    return send(client, "/v1/articles/batch", body, **{"Content-Encoding": "gzip", **headers})


@contextmanager
def again_and_again(work: Callable[[], object], threads: int) -> Iterator[list[float]]:
    """Does `work` in threads until the block ends; yields the seconds that each took."""
    taken, stop = list[float](), threading.Event()

    def run() -> None:
        while not stop.is_set():
            began = time.monotonic()
            try:
                work()
            finally:
                taken.append(time.monotonic() - began)
            stop.wait(0.05)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    yield taken
    stop.set()
    for thread in running:
        thread.join()


def test_others_publish_and_read_while_a_batch_of_costly_articles_is_stored(cli: Cli, serving: Serving) -> None:
    _, wire = started(serving, cli)
    publisher, partner, statuses = wire.publisher(), wire.partner(), list[int]()

    def publish() -> None:
        body = json.dumps({"headline": "Cocoa rises"}).encode()
        statuses.append(send(publisher, "/v1/articles", body, JSON).status)

    def read() -> None:
        statuses.append(partner.call("GET", "/v1/articles").status)

    attacker = wire.publisher()
    with again_and_again(publish, OTHERS) as published, again_and_again(read, 1) as read_in:
        assert send_batch(attacker, growing_letters()).status == 200
    print(f"published {max(published):.2f} s, read {max(read_in):.2f} s at most")
    assert set(statuses) == {200, 201}
    assert max(published) < LONGEST_WAIT
    assert sorted(read_in)[int(len(read_in) * 0.99) - 1] < LONGEST_WAIT / 2


def test_a_batch_of_costly_articles_never_holds_the_write_lock_for_long(cli: Cli, serving: Serving) -> None:
    _, wire = started(serving, cli)
    attacker, database = wire.publisher(), Database(cli.database_url)
    statement = f"SELECT seq FROM head{' FOR UPDATE NOWAIT' if database.backend.name == 'postgresql' else ''}"
    words = "\n".join(json.dumps({"headline": "h", "body_text": distinct_words(n)}) for n in range(5)).encode()
    answers: list[BaseHTTPResponse] = []

    def attack() -> None:
        answers.extend(send_batch(attacker, body) for body in (growing_letters(), gzip.compress(words)))

    sending = threading.Thread(target=attack)
    sending.start()
    free_at, longest = time.monotonic(), 0.0
    while sending.is_alive():
        try:
            with database.begin(wait=0.0) as connection:
                connection.exec_driver_sql(statement)
            free_at = time.monotonic()
        except Problem:
            longest = max(longest, time.monotonic() - free_at)
        time.sleep(0.005)
    database.dispose()
    print(f"the lock was held for {longest:.2f} s at most")
    assert [answer.status for answer in answers] == [200, 200]
    assert longest < LONGEST_LOCK


COSTLY = {
    "letters that grow": lambda: "\ufdfa" * (2 * MEGABYTE // 3 - 10),
    "Russian words": lambda: distinct_words(0, "бвгджзклмнпрстфхцчшщ")[:MEGABYTE],
    "Arabic words": lambda: distinct_words(0, "بتثجحخدذرزسشصضطظعغفق")[:MEGABYTE],
}


@pytest.mark.parametrize("name", COSTLY)
def test_preparing_the_costliest_text_takes_a_bounded_time(name: str) -> None:
    publisher = Publisher(1, "p", "P", None, "ru" if "Russian" in name else "ar")
    text = COSTLY[name]()
    began = time.thread_time()
    prepare_article(load_draft({"headline": "h", "body_text": text}, publisher), publisher)
    taken = time.thread_time() - began
    print(f"{name}: {taken:.2f} s of processor time")
    assert taken < LONGEST_PREPARATION


def distinct_words(seed: int, letters: str = "bcdfghjklmnpqrstvwxz") -> str:
    """290,000 words of six letters, no two alike."""
    return " ".join(
        "".join(letters[n // 20**place % 20] for place in range(6))
        for n in range(seed * 300_000, seed * 300_000 + 290_000)
    )


def test_a_batch_whose_server_is_killed_goes_on_where_it_stopped(cli: Cli, serving: Serving) -> None:
    server, wire = started(serving, cli)
    publisher, size = wire.publisher(), 1000
    lines = [json.dumps({"headline": f"Story {n}", "body_text": f"ferry {n} " * 300}) for n in range(size)]
    body, key = gzip.compress("\n".join(lines).encode(), 1), {"Idempotency-Key": "k"}

    def send_and_lose() -> None:
        with pytest.raises(HTTPError):
            send_batch(publisher, body, **key)

    sending = threading.Thread(target=send_and_lose)
    sending.start()
    database = Database(cli.database_url)
    waited(lambda: head_of(database) >= 100, "some parts are stored")
    os.kill(web_process(server), signal.SIGKILL)
    sending.join()
    assert 100 <= head_of(database) < size
    database.dispose()
    answer = insist(lambda: send_batch(publisher, body, **key))
    results = answer.json()["results"]
    assert [(result["index"], result["status"]) for result in results] == [(n, 201) for n in range(size)]
    log = wire.log()
    assert [entry["article_id"] for entry in log] == [result["id"] for result in results]
    assert [entry["article"]["headline"] for entry in log] == [f"Story {n}" for n in range(size)]
    again = send_batch(publisher, body, **key)
    assert (again.data, again.headers["Idempotent-Replayed"]) == (answer.data, "true")


def head_of(database: Database) -> int:
    with database.read() as connection:
        return read_head(connection).seq


def insist(request: Callable[[], BaseHTTPResponse]) -> BaseHTTPResponse:
    """The answer to a request, which is repeated while the server starts again."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return request()
        except HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def web_process(server: Server) -> int:
    return int(server.logged("Booting worker")[-1]["message"].split()[-1])


CROWDED = b'{"a":[%s]}' % b",".join([b"{}"] * 20_000)
BOMBS: dict[str, tuple[str, Callable[[], bytes], str, int]] = {
    "lines of objects": ("/v1/articles/batch", lambda: gzip.compress(b"\n".join([CROWDED] * 400)), LINES, 200),
    "an array of objects": (
        "/v1/articles/batch", lambda: gzip.compress(b"[%s]" % b",".join([CROWDED] * 200)), JSON, 200
    ),
    "unknown members": (
        "/v1/articles", lambda: gzip.compress(b"{%s}" % b",".join(b'"%d":1' % n for n in range(600_000)), 1), JSON, 413
    ),
    "empty gzip members": ("/v1/articles/batch", lambda: gzip.compress(b"") * 2_000_000, LINES, 400),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_body_takes_little_memory_whatever_it_decompresses_to(
    sqlite_cli: Cli, serving: Serving, name: str
) -> None:
    path, make_body, content_type, status = BOMBS[name]
    body = make_body()
    server, wire = started(serving, sqlite_cli)
    publisher = wire.publisher()
    publisher.put("warm")
    before = most_memory(web_process(server))
    answer = send(publisher, path, body, content_type, **{"Content-Encoding": "gzip"})
    grown = most_memory(web_process(server)) - before
    print(f"{name}: {len(body):,} bytes, {answer.status}, memory grew by {grown / MEGABYTE:.0f} MB")
    assert answer.status == status
    assert grown < MOST_GROWTH


def most_memory(process: int) -> int:
    """The most bytes of memory that a process has had (`VmHWM`)."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) * 1024
