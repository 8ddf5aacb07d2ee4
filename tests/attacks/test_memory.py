"""Memory that a client would choose: what a web process takes at most while somebody tries, on a real server.

Every attack is a tenth of one that took hundreds of megabytes, and so is what is allowed: the process must not grow by
more than a fraction of what it grew by when its caches were bounded in number, or keyed by what a client may vary.
"""

import http.client
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from newswire.store.database import Database
from tests.support.command import Cli, Server
from tests.support.served import Serving, started
from tests.support.wire import Wire as LocalWire

MEBIBYTE = 1024 * 1024
HOSTS, ENTRIES, BODY = 30, 200, 12_000
TERMED, VERSIONS, VERSION_BODY, READERS = 150, 60, 400_000, 8


@pytest.fixture
def serve(serving: Serving) -> Callable[..., tuple[Server, str]]:
    def start(cli: Cli) -> tuple[Server, str]:
        server, wire = started(serving, cli)
        return server, wire.url

    return start


def peak_memory(server: Server) -> int:
    """The most memory, in bytes, that any process of the server has taken so far."""
    return max(peak_of(process) for process in descendants(server.process.pid))


def peak_of(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def descendants(process: int) -> Iterator[int]:
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from descendants(int(child))


def get(url: str, path: str, key: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def read_events(url: str, key: str, host: str, number: int) -> int:
    """Reads so many events of a stream from the beginning; returns how many name the host in their links."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Host": host, "Accept": "text/event-stream"}
    try:
        connection.request("GET", "/v1/changes?after=0", headers=headers)
        answer = connection.getresponse()
        found = 0
        while number:
            line = answer.readline()
            assert line, "the stream ended"
            if line.startswith(b"data: "):
                number -= 1
                found += f'"self":"http://{host}/v1/articles/'.encode() in line
        return found
    finally:
        answer.close()
        connection.close()


@pytest.mark.slow
def test_entries_kept_for_streams_take_the_same_memory_for_every_host(
    fresh_sqlite: str, serve: Callable[..., tuple[Server, str]]
) -> None:
    # 1,000 entries of 12 kB took 20 MB for each Host.
    local = LocalWire(fresh_sqlite)
    key, reader = local.publisher_key(), local.as_partner()
    server, url = serve(Cli(fresh_sqlite))
    watching = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {reader.key}", "Accept": "text/event-stream"}
    watching.request("GET", "/v1/changes?after=0", headers=headers)
    kept_open = watching.getresponse()
    assert kept_open.readline()
    lines = [
        json.dumps({"headline": f"Story {number}", "body_text": f"{number} harbour " * (BODY // 14)})
        for number in range(ENTRIES)
    ]
    sending = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    sending.request(
        "POST",
        "/v1/articles/batch",
        "\n".join(lines),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"},
    )
    assert sending.getresponse().status == 200
    assert read_events(url, reader.key, "first.example", ENTRIES) == ENTRIES
    before = peak_memory(server)
    for number in range(HOSTS):
        assert read_events(url, reader.key, f"host{number}.example", ENTRIES) == ENTRIES
    assert peak_memory(server) - before < HOSTS * ENTRIES * BODY / 2
    kept_open.close()
    watching.close()
    sending.close()
    local.close()


@pytest.mark.slow
def test_the_most_terms_are_not_kept_for_who_reads_the_log(
    database_url: str, serve: Callable[..., tuple[Server, str]]
) -> None:
    # 300 such articles took 400 MB, and 1,024 of them would have been kept.
    local = LocalWire(database_url)
    publisher, reader = local.as_publisher(), local.as_partner()
    fields: dict[str, Any] = {name: [field(number) for number in range(most)] for name, (most, field) in NAMED.items()}
    publisher.publish(**fields)
    copy_articles(local.database, TERMED)
    local.close()
    server, url = serve(Cli(database_url))
    assert get(url, "/v1/changes?limit=1&section=none", reader.key)[0] == 200
    before = peak_memory(server)
    after, more = 0, True
    while more:
        status, body = get(url, f"/v1/changes?limit=500&after={after}&section=none", reader.key)
        assert status == 200
        page = json.loads(body)["page"]
        after, more = page["next_after"], page["has_more"]
    assert after == TERMED
    assert peak_memory(server) - before < 25 * MEBIBYTE, (peak_memory(server), before)


NAMED: dict[str, tuple[int, Callable[[int], object]]] = {
    "keywords": (200, lambda number: f"keyword {number} ".ljust(200, "x")),
    "subjects": (
        200,
        lambda number: {"code": f"code:{number}".ljust(250, "x"), "name": f"name {number} ".ljust(250, "x")},
    ),
    "places": (200, lambda number: {"name": f"place {number} ".ljust(250, "x")}),
    "authors": (100, lambda number: {"name": f"author {number} ".ljust(250, "x")}),
}


def copy_articles(database: Database, number: int) -> None:
    """Copies the first article and its entry under other numbers, with terms of their own."""
    copies = range(2, number + 1)
    with database.begin() as connection:
        names = {
            table: list(connection.execute(text(f"SELECT * FROM {table} LIMIT 1")).keys())
            for table in ("article", "version", "entry")
        }
        for copied in copies:
            changed = {
                "article": {"number": str(copied), "id": f"'{copied:036d}'", "seq": str(copied)},
                "version": {"number": str(copied), "terms": f"terms || ' copied_{copied}'"},
                "entry": {"seq": str(copied), "number": str(copied)},
            }
            for table, values in changed.items():
                columns = ", ".join(names[table])
                selected = ", ".join(values.get(name, name) for name in names[table])
                where = "seq = 1" if table == "entry" else "number = 1"
                connection.execute(
                    text(f"INSERT INTO {table} ({columns}) SELECT {selected} FROM {table} WHERE {where}")
                )
        connection.execute(text(f"UPDATE head SET seq = {number}"))


@pytest.mark.slow
def test_a_page_of_a_history_loads_no_other_version(
    fresh_postgresql: str, serve: Callable[..., tuple[Server, str]]
) -> None:
    # 120 versions of 832 KiB, read eight at once, took 3 GB. SQLite hands out a row at a time.
    local = LocalWire(fresh_postgresql)
    publisher = local.as_publisher()
    article = publisher.publish(body_text="harbour " * (VERSION_BODY // 8))
    with local.database.begin() as connection:
        names = list(connection.execute(text("SELECT * FROM version LIMIT 1")).keys())
        columns = ", ".join(names)
        copied = ", ".join("copied" if name == "version" else name for name in names)
        numbers = f"generate_series(2, {VERSIONS}) AS copied"
        connection.execute(text(f"INSERT INTO version ({columns}) SELECT {copied} FROM version, {numbers}"))
        connection.execute(text(f"UPDATE article SET version = {VERSIONS}"))
    local.close()
    server, url = serve(Cli(fresh_postgresql))
    history = f"/v1/articles/{article['id']}/versions"
    assert get(url, f"{history}?limit=1", publisher.key)[0] == 200
    before = peak_memory(server)
    with ThreadPoolExecutor(READERS) as pool:
        paths = [f"{history}?limit=1", f"{history}/{VERSIONS}"] * READERS
        answers = list(pool.map(lambda path: get(url, path, publisher.key), paths))
    assert {status for status, _ in answers} == {200}
    assert peak_memory(server) - before < 100 * MEBIBYTE
