"""A feed token that leaked, on a server of several processes: from its revocation on it opens nothing, for good."""

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.support.command import Cli, Server

pytestmark = pytest.mark.slow
Serving = Callable[["subprocess.Popen[str]"], Server]
READERS = 4
ROUNDS = 3
PAUSE = 0.01


class Answer(NamedTuple):
    began: float
    status: int
    content: Any


class Site:
    """A server with two web processes, and a partner with a key."""

    def __init__(self, cli: Cli, serving: Serving) -> None:
        self.cli = cli
        cli.must("partner", "add", "courier", "--name", "The Courier")
        server = serving(cli.process("serve", "--port", "0", "--json", "--workers", "2"))
        server.wait_for(lambda: "}" in server.out, "it says where it listens")
        self.host = str(urlsplit(json.loads("\n".join(server.out))["url"]).netloc)
        self.number, self.key = self.new_key()

    def new_key(self) -> tuple[str, str]:
        made = self.cli.json("key", "create", "--partner", "courier")
        return str(made["id"]), made["key"]

    def connect(self) -> "closing[http.client.HTTPConnection]":
        return closing(http.client.HTTPConnection(self.host, timeout=30))

    def send(self, method: str, path: str, key: str | None, body: Any = None) -> Answer:
        with self.connect() as connection:
            return ask(connection, method, path, key, body)

    def is_open(self, token: str) -> bool:
        """Whether a token opens the feed; asked often enough that both processes answer."""
        found = {self.send("GET", f"/v1/feeds/desk.rss?token={token}", None).status for _ in range(6)}
        assert found in ({200}, {401}), found
        return found == {200}

    @contextmanager
    def pollers(self, token: str) -> Iterator[list[Answer]]:
        """Clients that read the feed on connections of their own, all the time; their answers so far."""
        answers: list[Answer] = []
        stop = threading.Event()

        def poll() -> None:
            with self.connect() as connection:
                while not stop.is_set():
                    answers.append(ask(connection, "GET", f"/v1/feeds/desk.rss?token={token}", None))

        with ThreadPoolExecutor(READERS) as pool:
            polling = [pool.submit(poll) for _ in range(READERS)]
            try:
                yield answers
            finally:
                stop.set()
            for each in polling:
                each.result()


def ask(connection: http.client.HTTPConnection, method: str, path: str, key: str | None, body: Any = None) -> Answer:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    content = None if body is None else json.dumps(body).encode()
    if content is not None:
        headers["Content-Type"] = "application/json"
    began = time.monotonic()
    connection.request(method, path, content, headers)
    response = connection.getresponse()
    read = response.read()
    return Answer(began, response.status, json.loads(read) if "json" in response.headers["Content-Type"] else None)


def test_no_process_takes_a_token_once_the_command_that_revokes_it_has_returned(cli: Cli, serving: Serving) -> None:
    site = Site(cli, serving)
    token = site.send("POST", "/v1/feeds", site.key, {"name": "desk", "query": ""}).content["token"]
    for command in (("feed", "revoke", "partner:courier", "desk"), ("key", "revoke", site.number)):
        with site.pollers(token) as answers:
            time.sleep(0.3)
            cli.must(*command)
            returned = time.monotonic()
            time.sleep(0.5)
        assert {answer.status for answer in answers} == {200, 401}
        assert {answer.status for answer in answers if answer.began > returned} == {401}
        assert not site.is_open(token)
        if command[0] == "feed":
            token = site.send("POST", "/v1/feeds/desk/token", site.key).content["token"]
            assert site.is_open(token)
    _, key = site.new_key()
    assert not site.is_open(token)
    assert site.send("GET", "/v1/feeds/desk.rss", key).status == 200
    renewed = site.send("POST", "/v1/feeds/desk/token", key)
    assert renewed.status == 201
    assert site.is_open(renewed.content["token"])
    assert not site.is_open(token)


def test_no_token_survives_that_was_made_while_its_key_was_being_revoked(cli: Cli, serving: Serving) -> None:
    """The thief of a key asks for tokens all the time, on many connections, and keeps every one that he gets."""
    site = Site(cli, serving)
    site.send("POST", "/v1/feeds", site.key, {"name": "desk", "query": ""})
    number, stolen = site.number, site.key
    made = 0
    for _ in range(ROUNDS):
        kept: list[str] = []
        busy = threading.Barrier(READERS + 1)

        def steal(key: str = stolen, kept: list[str] = kept, busy: threading.Barrier = busy) -> int:
            with site.connect() as connection:
                answer = ask(connection, "POST", "/v1/feeds/desk/token", key)
                busy.wait(30)
                # A party may change its feeds 300 times a minute: a thief who is refused for that goes on.
                while answer.status in (201, 429):
                    if answer.status == 201:
                        kept.append(answer.content["token"])
                    time.sleep(PAUSE)
                    answer = ask(connection, "POST", "/v1/feeds/desk/token", key)
                return answer.status

        with ThreadPoolExecutor(READERS) as pool:
            thieves = [pool.submit(steal) for _ in range(READERS)]
            busy.wait(30)
            time.sleep(0.1)
            cli.must("key", "revoke", number)
            assert {thief.result() for thief in thieves} == {401}
        made += len(kept)
        number, stolen = site.new_key()
        feeds = site.send("GET", "/v1/feeds", stolen).content["data"]
        assert [feed["has_token"] for feed in feeds] == [False]
        # The last ones are those that a race would have let through; the others were replaced by them.
        assert not any(site.is_open(token) for token in kept[-2 * READERS :])
    assert made > ROUNDS * READERS
