"""`newswire stats --storage`: what each table takes, which together is the database."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.cli.test_import import ndjson, stories
from tests.support.command import Cli

STORIES = 120


@pytest.fixture
def wire(cli: Cli, tmp_path: Path) -> Cli:
    cli.must("publisher", "add", "port", "--name", "Port Authority", "--url", "https://port.example")
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson(stories(STORIES)))
    cli.must("import", str(file), "--publisher", "port")
    return cli


def test_the_sizes_of_the_tables_add_up_to_that_of_the_database(wire: Cli) -> None:
    found = wire.json("stats", "--storage")
    tables = found["storage"]
    assert [table["total_bytes"] for table in tables] == sorted((t["total_bytes"] for t in tables), reverse=True)
    for table in tables:
        parts = table["rows_bytes"] + table["long_values_bytes"] + table["indexes_bytes"]
        assert parts == table["total_bytes"] > 0
        assert table["bytes_per_article"] == round(table["total_bytes"] / STORIES)
    whole = sum(table["total_bytes"] for table in tables)
    if wire.database_url.startswith("sqlite"):
        file = Path(make_url(wire.database_url).database or "")
        assert whole == file.stat().st_size
    else:
        # PostgreSQL counts a few files of its own that belong to no table.
        assert whole == pytest.approx(found["size_bytes"], rel=0.02)
    names = {table["table"] for table in tables}
    assert names >= {"version", "article", "entry", "head"}
    assert names & {"search_index_data", "search_document"}


def test_the_sizes_are_shown_as_a_table_with_their_sum_and_only_if_they_are_asked_for(wire: Cli) -> None:
    assert "storage" not in wire.json("stats")
    assert "TABLE" not in wire.must("stats")
    shown = wire.must("stats", "--storage")
    counts, _, sizes = shown.partition("\n\n")
    assert counts.startswith("WHAT")
    first, *rows, last = [line.split("  ") for line in sizes.splitlines()]
    assert first[0] == "TABLE"
    totals = [int([cell for cell in row if cell][4].replace(",", "")) for row in (*rows, last)]
    assert last[0] == "in all"
    assert sum(totals[:-1]) == totals[-1]


def test_an_empty_wire_has_sizes_too(cli: Cli) -> None:
    tables = cli.json("stats", "--storage")["storage"]
    assert {table["bytes_per_article"] for table in tables} == {None}
    assert "in all" in cli.must("stats", "--storage")
