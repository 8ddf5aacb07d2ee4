"""`newswire import --undated`: articles without a date are counted and said, and never pass for the news of today."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Cli, api

DATED = {"external_id": "dated", "headline": "Cocoa in the port", "published_at": "2024-05-06T07:08:09Z"}
UNDATED = [{"external_id": f"undated-{number}", "headline": "Cocoa in the port"} for number in (1, 2)]


@pytest.fixture
def wire(cli: Cli) -> Cli:
    """A wire with one publisher, once on each engine."""
    cli.must("publisher", "add", "port", "--name", "Port Authority")
    return cli


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three articles, of which two have no date."""
    file = tmp_path / "stories.ndjson"
    file.write_text("".join(json.dumps(story) + "\n" for story in (DATED, *UNDATED)))
    return file


def loaded(cli: Cli, file: Path, *options: str) -> dict[str, Any]:
    counts: dict[str, Any] = cli.json("import", str(file), "--publisher", "port", *options)
    return counts


def dates(cli: Cli) -> dict[str, str]:
    """The date of every article on the wire, by external id."""
    entries = map(json.loads, cli.must("export").splitlines())
    return {entry["article"]["external_id"]: entry["article"]["published_at"] for entry in entries}


def ranked(cli: Cli) -> list[str]:
    """The external ids of a search in the order of relevance; every page has one article."""
    key = cli.json("key", "create", "--admin")["key"]
    found, address = [], "/v1/articles?q=cocoa&sort=relevance&limit=1"
    with api(cli) as client:
        while address:
            page = client.get(address, headers={"Authorization": f"Bearer {key}"}).get_json()
            found += [article["external_id"] for article in page["data"]]
            address = page["links"]["next"]
    return found


def test_articles_without_a_date_are_dated_now_and_the_command_says_how_many(wire: Cli, file: Path) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    said = wire.must("import", str(file), "--publisher", "port")
    assert said.startswith("3 articles: 3 new, 0 updated, 0 unchanged, 0 refused; 2 without a date, dated now; ")
    found = dates(wire)
    assert found["dated"] == "2024-05-06T07:08:09.000Z"
    for name in ("undated-1", "undated-2"):
        assert before < datetime.fromisoformat(found[name]) < datetime.now(UTC) + timedelta(seconds=5)


def test_a_repeat_changes_no_date_whatever_it_says_about_undated_articles(wire: Cli, file: Path) -> None:
    first = loaded(wire, file)
    assert (first["created"], first["undated"], first["skipped"]) == (3, 2, 0)
    found = dates(wire)
    for options in ((), ("--undated", "now"), ("--undated", "1998-01-31")):
        again = loaded(wire, file, *options)
        assert (again["unchanged"], again["created"], again["updated"], again["undated"]) == (3, 0, 0, 0)
    assert dates(wire) == found


@pytest.mark.parametrize(
    ("given", "date"),
    [("1998-01-31", "1998-01-31T00:00:00.000Z"), ("1998-01-31T10:00:00+01:00", "1998-01-31T09:00:00.000Z")],
)
def test_a_date_may_be_given_for_all_that_have_none(wire: Cli, file: Path, given: str, date: str) -> None:
    said = wire.must("import", str(file), "--publisher", "port", "--undated", given)
    assert f"2 without a date, dated {date}; " in said
    assert dates(wire) == {"dated": "2024-05-06T07:08:09.000Z", "undated-1": date, "undated-2": date}
    assert loaded(wire, file, "--undated", given)["unchanged"] == 3


def test_articles_without_a_date_may_be_skipped(wire: Cli, file: Path) -> None:
    said = wire.must("import", str(file), "--publisher", "port", "--undated", "skip")
    assert said.startswith("3 articles: 1 new, 0 updated, 0 unchanged, 0 refused, 2 without a date, skipped; ")
    assert [*dates(wire)] == ["dated"]
    again = loaded(wire, file, "--undated", "skip")
    assert (again["read"], again["unchanged"], again["skipped"], again["undated"]) == (3, 1, 2, 0)


def test_a_kill_is_not_skipped_for_its_missing_date(wire: Cli, tmp_path: Path) -> None:
    file = tmp_path / "kill.ninjs"
    file.write_text(json.dumps({"uri": "dated", "type": "text", "pubStatus": "canceled"}))
    assert loaded(wire, file, "--undated", "skip")["created"] == 1


@pytest.mark.parametrize("given", ["yesterday", "now-2d", "1998", "1998-02-30", "31.1.1998", ""])
def test_what_is_no_date_is_wrong_usage(sqlite_cli: Cli, file: Path, given: str) -> None:
    result = sqlite_cli.run("import", str(file), "--publisher", "port", "--undated", given)
    assert result.exit_code == 2
    assert "is not skip, now, a date such as 1998-01-31" in result.stderr


def test_an_undated_article_of_an_import_does_not_rank_as_fresh(wire: Cli, file: Path) -> None:
    loaded(wire, file)
    assert ranked(wire) == ["dated", "undated-2", "undated-1"]


def test_an_article_that_is_published_without_a_date_ranks_as_fresh(wire: Cli, file: Path) -> None:
    loaded(wire, file)
    key = wire.json("key", "create", "--publisher", "port")["key"]
    with api(wire) as client:
        headers = {"Authorization": f"Bearer {key}"}
        client.put("/v1/publishers/port/articles/today", json={"headline": "Cocoa in the port"}, headers=headers)
        # An article of the archive gets a date of its own, and counts by that from then on.
        client.put("/v1/publishers/port/articles/undated-1", headers=headers,
                   json=UNDATED[0] | {"published_at": "2025-05-06T07:08:09Z"})  # fmt: skip
    assert ranked(wire) == ["today", "undated-1", "dated", "undated-2"]
