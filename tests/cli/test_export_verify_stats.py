"""`newswire export`, `verify` and `stats`: the wire as it is, and whether it is as it was written."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Executable, delete, update

from newswire.store.database import Database
from newswire.store.tables import entry, head, version
from tests.support.command import WAIT_SECONDS, Cli, api
from tests.support.databases import ENGINES, copied_database, empty_database

STORIES = 250


@pytest.fixture(scope="module", params=ENGINES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the database of a wire of 250 stories, once on each engine."""
    file = tmp_path_factory.mktemp("stories") / "stories.ndjson"
    lines = ({"external_id": f"tide-{number}", "headline": f"Tide report {number}"} for number in range(STORIES))
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with empty_database(request, request.param) as url:
        Cli(url).must("publisher", "add", "port", "--name", "Port Authority")
        Cli(url).must("import", str(file), "--publisher", "port")
        yield url


@pytest.fixture
def wire(request: pytest.FixtureRequest, written: str) -> Iterator[Cli]:
    """A copy of the wire of 250 stories."""
    with copied_database(request, written) as url:
        yield Cli(url)


def entries(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cli.must("export", *arguments).splitlines()]


def test_an_export_is_what_an_admin_reads_as_changes(wire: Cli) -> None:
    key = wire.json("key", "create", "--admin")["key"]
    with api(wire, base_url="http://127.0.0.1:8000") as client:
        page = client.get(f"/v1/changes?after=0&limit={STORIES}", headers={"Authorization": f"Bearer {key}"})
    served = page.get_json()["data"]
    assert entries(wire) == served
    assert [item["seq"] for item in served] == list(range(1, STORIES + 1))


def test_an_export_continues_behind_an_entry_and_ends_at_the_head(wire: Cli) -> None:
    assert [item["seq"] for item in entries(wire, "--after", "247")] == [248, 249, 250]
    assert entries(wire, "--after", "250") == []
    assert "251 lies beyond it" in wire.refused("export", "--after", "251")


@pytest.mark.slow
def test_an_export_into_a_pipe_that_closes_early_is_no_accident(wire: Cli) -> None:
    with wire.process("export") as started:
        assert started.stdout is not None
        assert started.stderr is not None
        first = started.stdout.readline()
        started.stdout.close()
        assert started.wait(WAIT_SECONDS) == 1
        assert started.stderr.read() == ""
    assert json.loads(first)["seq"] == 1


def test_a_wire_as_it_was_written_is_whole(wire: Cli) -> None:
    found = wire.json("verify")
    assert (found["whole"], found["entries"], found["broken"], found["reason"]) == (True, STORIES, None, None)
    assert wire.must("verify") == f"The wire is whole: {STORIES} entries, chain {found['chain']}.\n"


@pytest.mark.parametrize(
    ("change", "broken", "reason"),
    [
        (update(version).where(version.c.number == 7).values(rendered=b'"headline":"Forged"'), 7,
         "its content was altered"),
        (update(version).where(version.c.number == 7).values(rendered=b"scribble"), 7, "its content was altered"),
        (update(entry).where(entry.c.seq == 8).values(digest="0" * 64), 8, "its content was altered"),
        (update(entry).where(entry.c.seq == 9).values(chain="0" * 64), 9,
         "its chain value does not follow from the entry before it"),
        (delete(entry).where(entry.c.seq == 10), 10, "entry 10 is missing"),
        (delete(entry).where(entry.c.seq == STORIES), STORIES,
         f"the head stands at {STORIES}, the log ends at {STORIES - 1}"),
        (update(head).values(chain="0" * 64), STORIES, "the chain value of the head is not that of the last entry"),
    ],
    ids=["forged", "scribbled over", "another digest", "another chain", "dropped", "cut off", "another head"],
)  # fmt: skip
def test_verify_names_the_first_entry_that_somebody_touched(
    wire: Cli, change: Executable, broken: int, reason: str
) -> None:
    database = Database(wire.database_url)
    with database.begin() as connection:
        connection.execute(change)
    database.dispose()
    result = wire.run("verify")
    assert result.exit_code == 1
    assert result.stdout == f"The wire is broken at entry {broken}: {reason}.\n"
    found = json.loads(wire.run("verify", "--json").stdout)
    assert (found["whole"], found["broken"], found["reason"]) == (False, broken, reason)


def test_stats_count_what_the_wire_holds(wire: Cli) -> None:
    wire.must("partner", "add", "radio", "--name", "Radio Nord")
    for _ in range(2):
        wire.must("key", "create", "--partner", "radio")
    wire.must("key", "revoke", "1")
    found = wire.json("stats")
    assert found["articles"] == {"usable": STORIES, "withheld": 0, "canceled": 0}
    assert (found["versions"], found["head"], found["publishers"], found["partners"], found["keys"]) == (
        STORIES, STORIES, 1, 1, 1,
    )  # fmt: skip
    assert found["size_bytes"] > 100_000
    assert found["wire"] == wire.json("verify")["wire"]
    assert "250 usable, 0 withheld, 0 canceled" in wire.must("stats")
