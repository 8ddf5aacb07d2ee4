"""A filter by a subject finds what is on a narrower one too, at every door, once a vocabulary is loaded."""

from pathlib import Path

import pytest

from newswire.cli.worker import MappingRound
from newswire.search.remapping import count_unmapped
from newswire.visibility import FACETS
from tests.support.command import Cli
from tests.support.vocabulary import BASE, BEACH, CURLING, POLITICS, SOCCER, SPORT, write_vocabulary
from tests.support.wire import Caller, Wire


@pytest.fixture
def partner(wire: Wire, tmp_path: Path) -> Caller:
    """A partner on a wire with a vocabulary, and articles whose subjects are written in every way."""
    publisher = wire.as_publisher()
    publisher.publish("Beach", subjects=[{"code": f"medtop:{BEACH}", "name": "Strandfußball"}])
    loaded = Cli(wire.url).json("vocabulary", "load", write_vocabulary(tmp_path))
    assert (loaded["concepts"], loaded["retired"], loaded["mapped"]) == (6, 1, 1)
    publisher.publish("Soccer", subjects=[{"code": SOCCER, "scheme": BASE}])
    publisher.publish("Curling", subjects=[{"code": BASE.replace("http:", "https:") + CURLING}])
    publisher.publish("Sport", subjects=[{"code": SPORT, "scheme": "medtop"}])
    publisher.publish("Politics", subjects=[{"code": f"MEDTOP:{POLITICS}"}])
    publisher.publish("Old code", subjects=[{"code": SPORT}])
    publisher.publish("Other")
    return wire.as_partner()


SPORTS = ["Sport", "Curling", "Soccer", "Beach"]


@pytest.mark.parametrize("written", [f"medtop:{SPORT}", f"MedTop:{SPORT}", BASE + SPORT])
def test_a_broad_subject_finds_all_narrower_ones_however_it_is_written(partner: Caller, written: str) -> None:
    assert partner.listed(f"subject={written}") == SPORTS
    assert partner.listed(f"not_subject={written}") == ["Other", "Old code", "Politics"]


def test_narrow_subjects_and_names_find_what_they_found(partner: Caller) -> None:
    assert partner.listed(f"subject=medtop:{SOCCER}") == ["Soccer", "Beach"]
    assert partner.listed(f"subject=medtop:{BEACH}") == ["Beach"]
    assert partner.listed("subject=strandfußball") == ["Beach"]
    assert partner.listed(f"subject={SPORT}") == ["Old code", "Sport"]
    assert partner.listed(f"subject=medtop:{BEACH},medtop:{POLITICS}") == ["Politics", "Beach"]


def test_counts_feeds_changes_and_streams_find_the_same(partner: Caller) -> None:
    asked = f"subject=medtop:{SPORT}"
    counted = partner.get(f"/v1/articles?{asked}&count=true&facets={','.join(FACETS)}").get_json()["meta"]
    assert counted["count"] == {"value": 4, "relation": "eq"}
    assert counted["facets"]["keyword"] == []
    assert {each["value"]: (each["name"], each["count"]["value"]) for each in counted["facets"]["subject"]} == {
        f"medtop:{SPORT}": ("sport", 4), "medtop:20000822": ("competition discipline", 3),
        f"medtop:{SOCCER}": ("soccer", 2), f"medtop:{BEACH}": ("beach soccer", 1), f"medtop:{CURLING}": ("curling", 1),
    }  # fmt: skip
    told = partner.get(f"/v1/changes?{asked}").get_json()["data"]
    assert [entry["article"]["headline"] for entry in told] == SPORTS[::-1]
    streamed = partner.get(f"/v1/changes?{asked}", headers={"Accept": "application/x-ndjson"}).text
    assert streamed.count('"headline"') == 4
    assert partner.post("/v1/feeds", json={"name": "sport", "query": {"subject": f"medtop:{SPORT}"}}).status_code == 201
    saved = partner.get("/v1/feeds/sport/articles").get_json()["data"]
    assert [article["headline"] for article in saved] == SPORTS
    assert partner.get("/v1/feeds/sport.rss").text.count("<item>") == 4


def test_another_vocabulary_moves_what_is_stored_and_no_page_is_kept(partner: Caller, tmp_path: Path) -> None:
    address = f"/v1/articles?subject=medtop:{SPORT}"
    before = partner.get(address)
    for _ in range(2):
        assert len(partner.get(address).get_json()["data"]) == 4
    cli = Cli(partner.client.application.config["NEWSWIRE"].settings.database_url)
    again = cli.json("vocabulary", "load", write_vocabulary(tmp_path))
    assert (again["changed"], again["mapped"]) == (False, 0)
    # Of the new one, curling is no part of sport any more.
    changed = cli.json("vocabulary", "load", write_vocabulary(tmp_path, ((SOCCER, SPORT), (BEACH, SOCCER))))
    assert (changed["changed"], changed["mapped"]) == (True, 7)
    after = partner.get(address, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert [article["headline"] for article in after.get_json()["data"]] == ["Sport", "Soccer", "Beach"]


def test_a_concept_is_shown_with_its_neighbours(cli: Cli, tmp_path: Path) -> None:
    cli.must("db", "upgrade")
    assert "`newswire vocabulary load FILE`" in cli.refused("vocabulary", "show", f"medtop:{SPORT}")
    cli.must("vocabulary", "load", write_vocabulary(tmp_path))
    shown = cli.json("vocabulary", "show", BASE + "20000822")
    assert (shown["code"], shown["broader"]) == ("medtop:20000822", [f"medtop:{SPORT}"])
    assert shown["narrower"] == [f"medtop:{CURLING}", f"medtop:{SOCCER}"]
    text = cli.must("vocabulary", "show", f"medtop:{CURLING}")
    assert text == f"medtop:{CURLING}  curling (retired)\n  broader  medtop:20000822  competition discipline\n"


def test_the_worker_maps_what_came_meanwhile_by_the_vocabulary_of_before(wire: Wire, tmp_path: Path) -> None:
    publisher = wire.as_publisher()
    first = publisher.publish("Beach", subjects=[{"code": f"medtop:{BEACH}"}])
    # A request that has looked up its publisher before the load commits after it: the cache of callers is as it was.
    database = wire.database
    Cli(wire.url).must("vocabulary", "load", write_vocabulary(tmp_path))
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE article SET mapped = 0")
        connection.exec_driver_sql("UPDATE publisher SET mapping = 2")
    assert count_unmapped(database) == 1
    MappingRound().continue_mapping(database)
    assert count_unmapped(database) == 0
    assert wire.as_partner().get(f"/v1/articles?subject=medtop:{SPORT}").get_json()["data"][0]["id"] == first["id"]


def test_the_real_media_topics_are_loaded(cli: Cli, shared_data: Path) -> None:
    file = shared_data / "schemas" / "iptc-mediatopics-en-GB.json"
    if not file.is_file():
        pytest.skip("../shared/data/schemas/iptc-mediatopics-en-GB.json is not there")
    cli.must("db", "upgrade")
    loaded = cli.json("vocabulary", "load", str(file))
    assert (loaded["concepts"], loaded["retired"], loaded["mapped"]) == (1392, 308, 0)
    assert len(cli.json("vocabulary", "show", "medtop:15000000")["narrower"]) > 10
