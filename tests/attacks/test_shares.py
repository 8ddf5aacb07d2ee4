"""Nobody takes everything: a held lock, one party with everything at once, all streams, twice the limit."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from sqlalchemy import make_url

from tests.support.command import Cli, Server, waited

pytestmark = pytest.mark.slow
Serving = Callable[["subprocess.Popen[str]"], Server]
PATIENT = 60


class Answer(NamedTuple):
    """The status of an answer, its headers and body, and how long it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Site:
    """A server with keys of two publishers and two partners."""

    def __init__(self, cli: Cli, serving: Serving, processes: int = 1, **settings: str) -> None:
        self.cli = cli
        self.keys = {}
        for kind, slugs in (("publisher", ("reuters", "local")), ("partner", ("greedy", "modest"))):
            for slug in slugs:
                cli.must(kind, "add", slug, "--name", slug)
                self.keys[slug] = cli.json("key", "create", f"--{kind}", slug)["key"]
        command = ("serve", "--port", "0", "--json", "--workers", str(processes))
        self.server = serving(cli.process(*command, env=settings))
        self.server.wait_for(lambda: "}" in self.server.out, "it says where it listens")
        address = urlsplit(json.loads("\n".join(self.server.out))["url"])
        self.address = (str(address.hostname), int(address.port or 0))

    def send(self, method: str, path: str, who: str | None = None, content: object = None) -> Answer:
        began = time.monotonic()
        with closing(http.client.HTTPConnection(*self.address, timeout=PATIENT)) as connection:
            key = {} if who is None else {"Authorization": f"Bearer {self.keys.get(who, who)}"}
            body = None if content is None else json.dumps(content)
            connection.request(method, path, body, {"Content-Type": "application/json", **key})
            response = connection.getresponse()
            body_read = response.read()
            return Answer(response.status, dict(response.headers), body_read, time.monotonic() - began)

    def publish(self, who: str = "reuters", headline: str = "Cocoa") -> Answer:
        return self.send("POST", "/v1/articles", who, {"headline": headline})


@contextmanager
def probing(site: Site, who: str) -> Iterator[list[Answer]]:
    """Asks for health and for a list that no cache has, again and again, until the block ends."""
    found: list[Answer] = []
    over = threading.Event()

    def probe() -> None:
        number = 0
        while not over.is_set():
            number += 1
            found.append(site.send("GET", "/healthz"))
            found.append(site.send("GET", f"/v1/articles?_={number}", who))
            over.wait(0.02)

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def check_served(found: list[Answer], longest: float) -> None:
    assert len(found) >= 4
    assert {answer.status for answer in found} == {200}
    assert max(answer.seconds for answer in found) < longest


def check_refused(answer: Answer) -> None:
    assert (answer.status, json.loads(answer.body)["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_lock_that_another_process_holds_delays_no_reader(sqlite_cli: Cli, serving: Serving) -> None:
    site = Site(sqlite_cli, serving)
    assert site.publish().status == 201
    assert site.send("GET", "/v1/articles", "modest").status == 200
    file = sqlite3.connect(str(make_url(sqlite_cli.database_url).database), isolation_level=None)
    with closing(file), ThreadPoolExecutor(12) as pool:
        file.execute("BEGIN IMMEDIATE")
        with probing(site, "modest") as found:
            answers = list(pool.map(lambda number: site.publish(headline=f"Story {number}"), range(12)))
        file.execute("ROLLBACK")
    for answer in answers:
        check_refused(answer)
        assert answer.seconds < 6
    check_served(found, longest=2.0)
    assert site.publish().status == 201


def test_a_party_with_a_hundred_slow_requests_leaves_the_others_their_turn(sqlite_cli: Cli, serving: Serving) -> None:
    site = Site(sqlite_cli, serving)
    site.publish("local")
    words = " ".join(f"word{number}" for number in range(300))
    batch = [{"headline": f"Story {number}", "body_text": f"{words} {number}"} for number in range(100)]
    over = threading.Event()

    def insist(number: int) -> list[Answer]:
        found = []
        while not over.is_set():
            found.append(site.send("POST", f"/v1/articles/batch?_={number}", "reuters", batch))
        return found

    with ThreadPoolExecutor(100) as pool:
        insisting = [pool.submit(insist, number) for number in range(100)]
        try:
            time.sleep(1)
            with probing(site, "modest") as found:
                time.sleep(3)
        finally:
            over.set()
    answers = [answer for each in insisting for answer in each.result()]
    check_served(found, longest=2.0)
    assert {answer.status for answer in answers} <= {200, 503}
    assert any(answer.status == 200 for answer in answers)
    for answer in answers:
        if answer.status == 503:
            check_refused(answer)


def open_stream(site: Site, who: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(*site.address, timeout=PATIENT)
    headers = {"Authorization": f"Bearer {site.keys[who]}", "Accept": "text/event-stream"}
    connection.request("GET", "/v1/changes", headers=headers)
    return connection, connection.getresponse()


def test_a_party_that_opens_every_stream_leaves_others_theirs(sqlite_cli: Cli, serving: Serving) -> None:
    site = Site(sqlite_cli, serving, NEWSWIRE_STREAMS="10")
    opened = [open_stream(site, "greedy") for _ in range(10)]
    try:
        assert sorted(response.status for _, response in opened) == [200] * 5 + [503] * 5
        poll = site.send("GET", "/v1/changes?wait=1", "modest")
        assert poll.status == 200
        check_refused(site.send("GET", "/v1/changes?wait=1", "greedy"))
    finally:
        for connection, _ in opened:
            connection.close()


def test_twice_the_limit_on_four_processes_is_the_limit_also_when_they_are_killed(
    sqlite_cli: Cli, serving: Serving
) -> None:
    site = Site(sqlite_cli, serving, processes=4, NEWSWIRE_LIMITS="read=80/120s")
    began = time.monotonic()

    def ask(requests: int) -> list[Answer]:
        found: list[Answer] = []
        while len(found) < requests:
            answer = site.send("GET", f"/v1/articles?_={len(found) % 5}", "modest")
            # On a busy machine one may find no slot in time, which costs nothing of the quota.
            if answer.status != 503:
                found.append(answer)
        return found

    with ThreadPoolExecutor(8) as pool:
        first = [answer for found in pool.map(ask, [5] * 8) for answer in found]
        waited(lambda: len(web_processes(site.server)) == 4, "all web processes are there")
        killed = kill_web_processes(site.server)
        # Each has to be replaced, or the requests below would not reach new ones.
        waited(lambda: len(web_processes(site.server) - killed) == 4, "there are new web processes")
        rest = [answer for found in pool.map(ask, [15] * 8) for answer in found]
    assert time.monotonic() - began < 100, "the window ended before the test"
    assert [answer.status for answer in first] == [200] * 40
    statuses = [answer.status for answer in rest]
    assert (statuses.count(200), statuses.count(429)) == (40, 80)
    for answer in rest:
        assert answer.headers["RateLimit-Policy"] == '"read";q=80;w=120'
        if answer.status == 429:
            assert json.loads(answer.body)["code"] == "quota_exceeded"
            assert answer.headers["RateLimit"].startswith('"read";r=0;t=')
            assert 1 <= int(answer.headers["Retry-After"]) <= 120
    assert site.send("GET", "/v1/articles", "greedy").status == 200


def web_processes(server: Server) -> set[int]:
    """The children of the master that are forks of it, not the worker, which is a program of its own."""
    found = set()
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(server.process.pid)], capture_output=True, text=True
    )
    for line in listed.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        if " worker" not in command and "<defunct>" not in command:
            found.add(int(pid))
    return found


def kill_web_processes(server: Server) -> set[int]:
    killed = web_processes(server)
    assert len(killed) == 4
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    return killed


def test_a_web_server_says_its_names(sqlite_cli: Cli, serving: Serving) -> None:
    site = Site(sqlite_cli, serving, NEWSWIRE_ALLOWED_HOSTS="127.0.0.1")
    assert site.send("GET", "/v1/articles", "modest").status == 200
    with closing(http.client.HTTPConnection(*site.address, timeout=PATIENT)) as connection:
        headers: dict[str, Any] = {"Host": "evil.example", "Authorization": f"Bearer {site.keys['modest']}"}
        connection.request("GET", "/v1/articles", headers=headers)
        assert connection.getresponse().status == 400
