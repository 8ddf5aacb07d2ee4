"""An index of the analysis before is searched by its stems, with a warning, until it is rebuilt in place."""

import pytest
from sqlalchemy import text

from newswire.cli.serve import prepare_database
from newswire.config import Settings
from newswire.search.index_version import ANALYSIS_VERSION, INDEX_VERSION, SEARCHED_ANALYSES
from newswire.search.rebuild import count_outdated
from tests.support.command import Cli
from tests.support.wire import Wire

OLDER = INDEX_VERSION.replace(f"{ANALYSIS_VERSION}/", f"{SEARCHED_ANALYSES[0]}/")


def mark_rows(wire: Wire, index_version: str) -> None:
    table = "search_place" if wire.is_sqlite else "search_document"
    with wire.database.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET index_version = :version"), {"version": index_version})


def test_the_wire_serves_stems_from_an_older_analysis_until_it_is_rebuilt(database_url: str) -> None:
    wire = Wire(database_url)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Ladders were sold", external_id="old")
    mark_rows(wire, OLDER)
    prepare_database(Settings(database_url=database_url), 1)
    ready = wire.client.get("/readyz")
    assert ready.status_code == 200
    assert "other spellings" in ready.get_json()["warning"]
    assert partner.listed("q=ladder") == ["Ladders were sold"]
    publisher.publish("Wi-Fi on ladders", external_id="new")
    assert partner.listed("q=ladder") == ["Wi-Fi on ladders", "Ladders were sold"]
    assert partner.listed("q=wifi ladder") == ["Wi-Fi on ladders"]
    assert Cli(database_url).json("db", "upgrade")["indexed"] == 1
    with wire.database.read() as connection:
        assert count_outdated(connection) == 0
    assert wire.client.get("/readyz").get_json()["warning"] is None
    assert partner.listed("q=ladder") == ["Wi-Fi on ladders", "Ladders were sold"]
    wire.close()


@pytest.mark.parametrize("between", [f"{SEARCHED_ANALYSES[0]}/9.0.0", f"{ANALYSIS_VERSION}/0.0.1"])
def test_stems_of_another_release_between_two_versions_are_noticed(database_url: str, between: str) -> None:
    wire = Wire(database_url)
    for number, version in enumerate((OLDER, between, INDEX_VERSION)):
        wire.as_publisher().publish("Ladders were sold", external_id=f"a{number}")
        table = "search_place" if wire.is_sqlite else "search_document"
        with wire.database.begin() as connection:
            connection.execute(
                text(f"UPDATE {table} SET index_version = :version WHERE number = :number"),
                {"version": version, "number": number + 1},
            )
    assert "another release of the stemmer" in wire.client.get("/readyz").get_json()["warning"]
    assert wire.as_partner().listed("q=ladder") == []
    wire.close()


def test_by_relevance_a_short_word_in_capitals_comes_before_the_same_letters(database_url: str) -> None:
    wire = Wire(database_url)
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Troops of the US leave", external_id="1", published_at="2026-01-01T00:00:00Z")
    publisher.publish("U.S. army waits", external_id="2", published_at="2026-01-01T00:00:00Z")
    publisher.publish("They tell us, trust us, help us", external_id="3", published_at="2026-01-02T00:00:00Z")
    assert partner.listed("q=US&sort=relevance")[-1].startswith("They")
    assert partner.listed("q=us&sort=relevance")[0].startswith("They")
    assert partner.listed("q=US")[0].startswith("They")
    wire.close()
