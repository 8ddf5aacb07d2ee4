"""Attacks on the stored bytes: pages of the database are overwritten, as a failing disk does it.

From the first damage that is met every door answers 503, publishing too, and nothing is a defect with a traceback.
"""

import random
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner
from sqlalchemy import make_url, text

from newswire.cli import main
from newswire.timestamps import format_instant, now
from tests.support.command import Cli, Server, waited
from tests.support.databases import copied_database, empty_database
from tests.support.served import Serving, started
from tests.support.site import problem_of
from tests.support.wire import Wire

PAGE = 4096
DOORS = (
    "/v1/articles", "/v1/articles?q=cocoa", "/v1/articles?include=body&limit=100", "/v1/articles.rss",
    "/v1/articles?q=cocoa&count=true&facets=section,author", "/v1/changes?limit=500", "/v1/changes?q=cocoa",
    "/v1/articles.atom", "/v1/articles.json", "/v1/authors", "/v1/sections", "/v1/keywords", "/v1/publishers",
    "/v1/me", "/v1/wire", "/v1/consumers", "/v1/feeds", "/v1/articles/{id}", "/v1/articles/{id}/versions",
    "/v1/articles/{id}.html", "/readyz",
)  # fmt: skip
COMMANDS = ("stats", "export", "key list", "publisher list", "backup {folder}/copy", "worker", "serve --port 0",
            "db upgrade", "import {folder}/empty --publisher reuters")  # fmt: skip


@pytest.fixture(scope="module")
def filled(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a SQLite wire with two hundred articles, most of whose pages hold texts and their index."""
    words = ["cocoa", "rises", "falls", "market", "news", "word", "port", "ship"]
    chance = random.Random(1)
    with empty_database(request, "sqlite") as url:
        with closing(Wire(url)) as wire:
            articles = [
                {"headline": f"Story {n} about cocoa", "external_id": f"e{n}", "section": "World",
                 "keywords": [f"k{n % 10}"], "authors": [{"name": f"Ann Lee {n % 7}"}],
                 "body_text": " ".join(f"{chance.choice(words)}{chance.randrange(500)}" for _ in range(300))}
                for n in range(200)
            ]  # fmt: skip
            assert wire.as_publisher().post("/v1/articles/batch", json=articles).status_code == 200
        yield url


@pytest.fixture
def wire_url(request: pytest.FixtureRequest, filled: str) -> Iterator[str]:
    with copied_database(request, filled) as url:
        yield url


def overwrite_pages(url: str, count: int, seed: int) -> None:
    """Writes noise over some pages of a SQLite database, but not over the first two."""
    file = make_url(url).database
    assert file
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    chance = random.Random(seed)
    with open(file, "r+b") as opened:
        for page in chance.sample(range(2, pages), count):
            opened.seek(page * PAGE)
            opened.write(chance.randbytes(PAGE))


@pytest.mark.slow
@pytest.mark.parametrize(("count", "seed"), [(60, 1), (60, 2), (8, 3), (8, 4), (2, 5), (2, 6)])
def test_no_door_answers_500_on_a_damaged_database(wire_url: str, count: int, seed: int) -> None:
    with closing(Wire(wire_url)) as wire:
        publisher, partner = wire.as_publisher(), wire.as_partner()
        identifiers = [article["id"] for article in partner.get("/v1/articles?limit=30").get_json()["data"]]
        wire.database.dispose()
        overwrite_pages(wire_url, count, seed)
        doors = [*DOORS, *(f"/v1/articles/{each}" for each in identifiers)]
        found = [partner.get(door.format(id=identifiers[0])).status_code for door in doors]
        assert set(found) <= {200, 503}, dict(zip(doors, found, strict=True))
        if 503 in found:
            assert set(found[found.index(503) :]) == {503}
            problem_of(publisher.post("/v1/articles", json={"headline": "x"}), "unavailable")


@pytest.mark.slow
def test_a_damaged_database_is_503_in_every_process_until_a_backup_is_put_back(
    wire_url: str, serving: Serving, tmp_path: Path
) -> None:
    cli = Cli(wire_url)
    key = cli.json("key", "create", "--admin")["key"]
    cli.must("backup", str(tmp_path / "whole"))
    server = serving(cli.process("serve", "--port", "0", "--workers", "2"))
    server.wait_for(lambda: server.out, "it says where it listens")
    overwrite_pages(wire_url, 60, 1)
    address, headers = server.out[0].split(" at ")[1].split(",")[0], {"Authorization": f"Bearer {key}"}

    def call(method: str, path: str, **settings: Any) -> urllib3.BaseHTTPResponse:
        # A connection of its own for each request, so that all processes get some.
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            return pool.request(method, address + path, headers=headers, **settings)

    waited(lambda: call("GET", "/v1/articles?include=body&limit=100").status == 503, "the damage is met")
    for _ in range(12):
        answer = call("PUT", "/v1/publishers/reuters/articles/new", json={"headline": "x"})
        assert (answer.status, answer.json()["code"]) == (503, "unavailable")
        assert "damaged" in call("GET", "/readyz").json()["detail"]
    assert call("GET", "/healthz").status == 200
    check_log(server)

    verified = cli.finished("verify")
    assert (verified.returncode, verified.stderr) == (1, "")
    assert verified.stdout.startswith("The database is damaged: ")
    assert len(verified.stdout.splitlines()) == 1
    (tmp_path / "empty").touch()
    for command in COMMANDS:
        refused = cli.refused(*command.format(folder=tmp_path).split())
        assert "The database is damaged: " in refused
        assert "Traceback" not in refused

    cli.must("restore", "--force", str(tmp_path / "whole"))
    assert cli.json("verify")["whole"]


def check_log(server: Server) -> None:
    """Ends a server, whose log must name the damage once and hold no traceback."""
    server.wait_for(lambda: server.logged("the worker has ended; it is started again"), "the worker has ended")
    assert server.end(signal.SIGTERM) == 0
    assert not any("Traceback" in line for line in server.err)
    critical = [line for line in server.err if '"critical"' in line and "the database is damaged: " in line]
    assert len(critical) == 1, critical


def test_damage_that_postgresql_reports_is_503_at_every_door(fresh_postgresql: str) -> None:
    with closing(Wire(fresh_postgresql)) as wire:
        publisher, partner = wire.as_publisher(), wire.as_partner()
        publisher.publish("Before")
        with wire.database.begin() as connection:
            connection.execute(
                text(
                    "CREATE FUNCTION report_damage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    " RAISE 'invalid page in block 7 of relation base/5/16400' USING ERRCODE = 'data_corrupted'; END $$"
                )
            )
            connection.execute(text("CREATE TRIGGER damaged BEFORE INSERT ON version EXECUTE FUNCTION report_damage()"))
        assert partner.listed() == ["Before"]
        problem_of(publisher.post("/v1/articles", json={"headline": "x"}), "unavailable")
        for door in ("/v1/articles", "/v1/changes", "/v1/me", "/readyz"):
            assert "damaged" in problem_of(partner.get(door), "unavailable")["detail"]
        assert partner.get("/healthz").status_code == 200


def test_a_mark_without_damage_is_removed_by_verify(sqlite_cli: Cli) -> None:
    mark = Path(f"{make_url(sqlite_cli.database_url).database}-damaged")
    mark.write_text("database disk image is malformed")
    assert "database disk image is malformed" in sqlite_cli.refused("stats")
    verified = sqlite_cli.run("verify")
    assert verified.exit_code == 0
    assert "it is served again" in verified.stderr
    assert not mark.exists()
    sqlite_cli.must("stats")


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "newswire.db"
    file.write_bytes(b"not a database at all" * 1000)
    for command in ("verify", "stats", "db upgrade", "worker"):
        result = CliRunner().invoke(main, command.split(), env={"NEWSWIRE_DATABASE_URL": f"sqlite:///{file}"})
        assert result.exit_code == 1
        assert "file is not a database." in result.stderr
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "said"),
    [("café".encode(), "the worker ends by a defect of Newswire"), (b"\xff\x00", "the worker ends: The database is")],
    ids=["a defect", "damage"],
)
def test_a_worker_whose_thread_ends_ends_and_is_started_again(
    sqlite_cli: Cli, serving: Serving, stored: bytes, said: str
) -> None:
    server, wire = started(serving, sqlite_cli)
    wire.publisher().put("embargoed", embargoed_until=format_instant(now() + 2000))
    with closing(sqlite3.connect(make_url(sqlite_cli.database_url).database or "")) as connection:
        # A digest is ASCII, and goes into the chain value of the entry.
        connection.execute("UPDATE version SET digest = CAST(? AS TEXT)", (stored,))
        connection.commit()
    server.wait_for(lambda: server.logged(said), "the thread ends")
    assert [line["level"] for line in server.logged(said)] == ["critical"]
    server.wait_for(lambda: server.logged("the worker has ended; it is started again"), "its process ends")
    server.wait_for(lambda: len({line["process"] for line in server.logged("the worker ")}) > 2, "another one starts")
    assert server.end(signal.SIGTERM) == 0
