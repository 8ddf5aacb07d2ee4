"""A search index with old stems is searched all the same, and rebuilt while the wire is read and written."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from newswire.cli import worker
from newswire.cli.serve import prepare_database
from newswire.config import Settings
from newswire.publishing.release import release_due_articles
from newswire.search.index_version import ANALYSIS_VERSION, INDEX_VERSION
from newswire.search.rebuild import count_outdated, rebuild_index
from newswire.store.backend import DatabaseError
from newswire.store.database import Database
from newswire.timestamps import format_instant, now
from tests.support.command import REPOSITORY, Cli
from tests.support.wire import Wire

OLDER = Path(__file__).resolve().parent / "older_stemmer"
STEADY, CHANGING = 30, 270
EMBARGO = now() + 3_600_000
"""When the first of the embargoes ends; the next ones follow by the second."""
WORDS = [
    "harbour",
    "ladder",
    "orchard",
    "tunnel",
    "bridge",
    "glacier",
    "meadow",
    "timber",
    "lantern",
    "quarry",
    "ferry",
]


class OlderRelease(Cli):
    """`newswire` as a process with another release of the stemmer."""

    def must(self, *arguments: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSWIRE_")}
        given = {"NEWSWIRE_DATABASE_URL": self.database_url, "PYTHONPATH": f"{OLDER}{os.pathsep}{REPOSITORY}"}
        called = [sys.executable, "-m", "newswire", *arguments]
        done = subprocess.run(called, env=kept | given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def invented(number: int, random: Random, **fields: Any) -> dict[str, Any]:
    """An article; several have the same time of publication."""
    body = " ".join(random.choice(WORDS) + random.choice(("", "s", "ed", "ing")) for _ in range(200))
    moment = format_instant(1_780_000_000_000 + number // 3 * 1000)
    return {"external_id": f"a{number}", "headline": f"Number {number}", "body_text": body, "section": "World",
            "keywords": [f"word {number % 7}"], "published_at": moment, **fields}  # fmt: skip


def older_articles(random: Random) -> Iterator[dict[str, Any]]:
    """What is on the wire before the rebuild: some that nobody touches, then those that change meanwhile."""
    for number in range(STEADY):
        yield invented(number, random, external_id=f"steady{number}", section="Steady", headline="Lighthouses stand")
    for number in range(CHANGING):
        embargo = {"embargoed_until": format_instant(EMBARGO + number * 1000)} if number % 10 == 9 else {}
        yield invented(number, random, **embargo)


@pytest.fixture
def older_wire(database_url: str, tmp_path: Path) -> Iterator[Wire]:
    """A wire whose articles were indexed with another release of the stemmer."""
    file = tmp_path / "older.jsonl"
    file.write_text("".join(json.dumps(article) + "\n" for article in older_articles(Random(5))))
    older = OlderRelease(database_url)
    older.must("publisher", "add", "reuters", "--name", "Reuters")
    older.must("import", str(file), "--publisher", "reuters")
    wire = Wire(database_url)
    yield wire
    wire.close()


def is_sqlite(database: Database) -> bool:
    return database.backend.name == "sqlite"


def outdated(database: Database) -> int:
    with database.read() as connection:
        return count_outdated(connection)


def rows(database: Database) -> list[Any]:
    """The whole index, and on SQLite the order in which its rows stand."""
    whole = (
        "SELECT * FROM search_place LEFT JOIN search_index ON search_index.rowid = position ORDER BY position"
        if is_sqlite(database)
        else "SELECT *, words::text FROM search_document ORDER BY number"
    )
    with database.read() as connection:
        found = [row._asdict() for row in connection.execute(text(whole))]
    # Where there is room between neighbours is nobody's business.
    return [{name: value for name, value in row.items() if name not in ("position", "rowid")} for row in found]


def outdate(database: Database, index_version: str) -> None:
    """Makes every row one of another version, without changing what stands in it."""
    table = "search_place" if is_sqlite(database) else "search_document"
    with database.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET index_version = :version"), {"version": index_version})


def rebuilt(database: Database) -> list[Any]:
    """The index as a rebuild makes it while nobody publishes."""
    outdate(database, "")
    assert list(rebuild_index(database))
    return rows(database)


@pytest.mark.slow
def test_old_stems_are_left_out_with_a_warning_until_the_index_is_rebuilt(older_wire: Wire, database_url: str) -> None:
    partner, publisher = older_wire.as_partner(), older_wire.as_publisher()
    ready = older_wire.client.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "ready")
    assert "until `newswire db upgrade` has rebuilt it" in ready.get_json()["warning"]
    everything = ["Lighthouses stand"] * STEADY
    assert partner.listed("q=lighthouses&limit=100") == everything
    assert partner.listed("q=headline:lighthouses -tower&section=Steady&limit=100") == everything
    assert partner.listed("q=lighthouses&sort=relevance&limit=100") == everything
    assert partner.listed('q="lighthouses stand"&limit=100') == everything
    assert partner.listed("q=lighthouse") == []
    publisher.publish("Signals from the lighthouse", published_at="2026-01-01T00:00:00Z")
    assert partner.listed("q=lighthouse") == ["Signals from the lighthouse"]
    assert len(partner.listed("q=lighthouses&limit=100")) == STEADY
    before = outdated(older_wire.database)
    assert before == STEADY + CHANGING
    assert Cli(database_url).json("db", "upgrade")["indexed"] == before
    # Pages that this application has kept are not shown any more.
    assert len(partner.listed("q=lighthouse&limit=100")) == STEADY + 1
    assert older_wire.client.get("/readyz").get_json()["warning"] is None


@pytest.mark.slow
def test_one_article_of_an_older_release_is_enough_for_the_warning(older_wire: Wire, database_url: str) -> None:
    """A server that was not replaced in time: what it publishes is found as it is written, and then indexed again."""
    assert list(rebuild_index(older_wire.database))
    file = Path(database_url.removeprefix("sqlite:///")).parent if older_wire.is_sqlite else Path("/tmp")
    late = file / f"late-{os.getpid()}.jsonl"
    late.write_text(json.dumps({"headline": "Ferries were late", "external_id": "late"}) + "\n")
    OlderRelease(database_url).must("import", str(late), "--publisher", "reuters")
    late.unlink()
    partner = older_wire.as_partner()
    assert older_wire.client.get("/readyz").get_json()["warning"]
    assert partner.listed("q=ferries headline:late") == ["Ferries were late"]
    assert partner.listed("q=ferry headline:late") == []
    assert Cli(database_url).json("db", "upgrade")["indexed"] == 1
    assert partner.listed("q=ferry headline:late") == ["Ferries were late"]


def test_a_rebuild_writes_what_publishing_has_written(database_url: str) -> None:
    wire = Wire(database_url)
    publisher = wire.as_publisher()
    random = Random(3)
    publisher.post("/v1/articles/batch", json=[invented(number, random) for number in range(60)])
    publisher.delete("/v1/publishers/reuters/articles/a7")
    publisher.put("/v1/publishers/reuters/articles/a8", json=invented(40, random, external_id="a8"))
    publisher.publish("Later", embargoed_until="2199-01-01T00:00:00Z", language="de")
    published = rows(wire.database)
    assert {row["index_version"] for row in published} == {INDEX_VERSION}
    assert rebuilt(wire.database) == published
    wire.close()


@pytest.mark.parametrize("index_version", ["", "0/3.1.0", "99/3.1.0"])
def test_an_index_of_another_analysis_is_refused_and_the_way_out_is_told(database_url: str, index_version: str) -> None:
    wire, cli = Wire(database_url), Cli(database_url)
    wire.as_publisher().publish("Ladders were sold")
    outdate(wire.database, index_version)
    assert wire.client.get("/readyz").status_code == 503
    assert "run `newswire db upgrade`" in cli.refused("publisher", "list")
    if wire.is_sqlite:
        prepare_database(Settings(database_url=database_url), 1)
    else:
        with pytest.raises(DatabaseError, match="run `newswire db upgrade`"):
            prepare_database(Settings(database_url=database_url), 1)
        cli.must("db", "upgrade")
    assert outdated(wire.database) == 0
    assert wire.client.get("/readyz").status_code == 200
    assert wire.as_partner().listed("q=ladder") == ["Ladders were sold"]
    wire.close()


def test_a_server_starts_with_old_stems_and_its_worker_rebuilds_them_on_sqlite_only(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    wire = Wire(database_url)
    wire.as_publisher().publish("Ladders were sold")
    outdate(wire.database, f"{ANALYSIS_VERSION}/2.0.1")
    with caplog.at_level(logging.WARNING):
        prepare_database(Settings(database_url=database_url), 1)
    assert "another release of the stemmer" in caplog.text
    assert outdated(wire.database) == 1
    worker.RebuildRound().continue_rebuild(wire.database)
    assert outdated(wire.database) == (0 if wire.is_sqlite else 1)
    wire.close()


def test_the_folded_labels_are_those_of_the_analysis_of_today(database_url: str) -> None:
    wire = Wire(database_url)
    wire.as_publisher().publish(section="Straße des Nordens", keywords=["Zebra"])
    wire.as_publisher().publish(section="Zürich")
    before = rows(wire.database)
    with wire.database.begin() as connection:
        connection.execute(text("UPDATE label SET words = ' other ' WHERE kind = 'section'"))
    outdate(wire.database, "0/3.1.0")
    assert [*rebuild_index(wire.database)][-1] == 2
    found = wire.as_partner().get("/v1/sections?q=strasse").get_json()["data"]
    assert [item["name"] for item in found] == ["Straße des Nordens"]
    assert rows(wire.database) == before
    wire.close()


@pytest.mark.slow
def test_a_killed_rebuild_goes_on_and_ctrl_c_ends_it_with_a_sentence(older_wire: Wire, database_url: str) -> None:
    total, partner = outdated(older_wire.database), older_wire.as_partner()
    killed = stopped(older_wire.database, database_url, signal.SIGKILL, total)
    assert killed.returncode == -signal.SIGKILL
    left = outdated(older_wire.database)
    assert 0 < left < total
    assert partner.listed("q=lighthouses&limit=100") == ["Lighthouses stand"] * STEADY
    assert older_wire.client.get("/readyz").get_json()["warning"]
    interrupted = stopped(older_wire.database, database_url, signal.SIGINT, left)
    left = outdated(older_wire.database)
    assert interrupted.returncode == 130
    assert interrupted.stderr.startswith(f"Stopped; {left} articles have still to be indexed.")
    assert Cli(database_url).json("db", "upgrade")["indexed"] == left > 0
    found = rows(older_wire.database)
    assert found == rebuilt(older_wire.database)


def stopped(database: Database, url: str, number: int, before: int) -> "subprocess.CompletedProcess[str]":
    """`newswire db upgrade` as a process, ended by a signal once some articles are indexed and others are not."""
    with Cli(url).process("db", "upgrade") as upgrade:
        while outdated(database) == before:
            assert upgrade.poll() is None, "it has ended before it could be stopped"
        upgrade.send_signal(number)
        out, err = upgrade.communicate(timeout=30)
    return subprocess.CompletedProcess([], upgrade.returncode, out, err)


class Storm:
    """Publishers, a worker and a reader who go on until they are told to stop; what went wrong is kept."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.stop = threading.Event()
        self.faults: list[str] = []
        self.counts = dict.fromkeys(("changed", "killed", "new", "released", "read"), 0)
        publisher, partner = wire.as_publisher(), wire.as_partner()
        works = [(self.publish, publisher, share) for share in range(3)]
        self.threads = [threading.Thread(target=self.guarded, args=work) for work in works]
        self.threads.append(threading.Thread(target=self.guarded, args=(self.read, partner)))
        self.threads.append(threading.Thread(target=self.guarded, args=(self.release,)))

    def __enter__(self) -> "Storm":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(60)

    def guarded(self, work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception as error:
            self.faults.append(repr(error))

    def publish(self, publisher: Any, share: int) -> None:
        """Changes and kills articles of its share, in batches in an order of its own, and publishes new ones."""
        random, address = Random(share), "/v1/publishers/reuters/articles"
        killed: set[int] = set()
        count = 0
        while not self.stop.is_set():
            mine = [number for number in range(CHANGING) if number % 3 == share and number not in killed]
            chosen = random.sample(mine, 4)
            batch = [invented(random.randrange(CHANGING), random, external_id=f"a{number}") for number in chosen]
            answer = publisher.post("/v1/articles/batch", json=batch)
            results = [result["status"] for result in answer.get_json().get("results", [answer.get_json()])]
            self.expect(set(results) <= {200, 201}, f"batch: {results}")
            self.counts["changed"] += len(batch)
            if count % 3 == 0 and len(killed) < 20:
                killed.add(chosen[0])
                answer = publisher.delete(f"{address}/a{chosen[0]}")
                self.expect(answer.status_code == 200, f"kill: {answer.status_code}")
                self.counts["killed"] += 1
            fresh = invented(count, random, external_id=f"new{share}-{count}")
            answer = publisher.put(f"{address}/{fresh['external_id']}", json=fresh)
            self.expect(answer.status_code == 201, f"new: {answer.status_code}")
            self.counts["new"] += 1
            count += 1

    def read(self, partner: Any) -> None:
        """What nobody changes is found at every moment."""
        while not self.stop.is_set():
            for query in ("q=lighthouses", "section=Steady", "q=headline:lighthouses&section=Steady"):
                found = partner.listed(f"{query}&limit=100")
                self.expect(len(found) == STEADY, f"{query}: {len(found)}")
                self.counts["read"] += 1

    def release(self) -> None:
        """Ten seconds go by in each tenth of one."""
        moment = EMBARGO
        while not self.stop.wait(0.1):
            moment += 10_000
            with self.wire.database.begin() as connection:
                self.counts["released"] += release_due_articles(connection, moment)

    def expect(self, right: bool, otherwise: str) -> None:
        if not right:
            self.faults.append(otherwise)


@pytest.mark.slow
def test_nobody_is_missed_who_publishes_during_a_rebuild_that_is_killed_and_begun_again(
    older_wire: Wire, database_url: str
) -> None:
    total = outdated(older_wire.database)
    with Storm(older_wire) as storm:
        stopped(older_wire.database, database_url, signal.SIGKILL, total)
        # Two at once, as when a second operator has not heard of the first.
        with Cli(database_url).process("db", "upgrade") as first, Cli(database_url).process("db", "upgrade") as second:
            ends = [upgrade.communicate(timeout=120)[1] for upgrade in (first, second)]
        time.sleep(0.5)
    assert (first.returncode, second.returncode) == (0, 0), ends
    assert storm.faults == []
    assert all(storm.counts.values()), storm.counts
    assert outdated(older_wire.database) == 0
    found = rows(older_wire.database)
    assert found == rebuilt(older_wire.database)
    partner = older_wire.as_partner("later")
    assert len(partner.listed("q=lighthouse&limit=100")) == STEADY
    assert Cli(database_url).json("verify")["whole"]
