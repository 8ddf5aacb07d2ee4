"""Subject maps: one entitlement over the words of several publishers, and what is owed after a map was changed."""

import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from newswire.accounts.subject_maps import change_subject_map
from newswire.search.remapping import count_unmapped, remap_articles
from newswire.store.tables import version
from newswire.timestamps import now
from tests.support.command import Cli, waited
from tests.support.vocabulary import BASE, BEACH, CURLING, SOCCER, SPORT, write_vocabulary
from tests.support.ways_of_reading import WAYS
from tests.support.wire import Caller, Wire

SPORTS = {"subject": [f"medtop:{SPORT}"]}
KILLED = "article.canceled"


def codes(*written: str) -> list[str]:
    """Pairs for `publisher map`: what is sent, and the code of its subject."""
    return [text if position % 2 == 0 else f"subject=medtop:{text}" for position, text in enumerate(written)]


@pytest.fixture
def cli(wire: Wire, tmp_path: Path) -> Cli:
    """The command line of the wire, whose vocabulary is loaded."""
    made = Cli(wire.url)
    made.must("vocabulary", "load", write_vocabulary(tmp_path))
    return made


def types_told(reader: Caller, query: str = "") -> list[tuple[str, str]]:
    """Type and headline of each entry; a headline that may not be read is empty."""
    told = reader.get(f"/v1/changes?{query}").get_json()["data"]
    return [(entry["type"], entry["article"]["headline"] if entry["article"] else "") for entry in told]


def stored_bytes(wire: Wire) -> list[Any]:
    columns = [version.c[name] for name in ("number", "version", "digest", "source", "rendered", "body", "form")]
    with wire.database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(version.c.number))]


def test_one_entitlement_covers_the_words_of_three_publishers(wire: Wire, cli: Cli) -> None:
    club, other = wire.as_partner("club", **SPORTS), wire.as_partner("other", subject=["medtop:11000000"])
    gazette, times, post = (wire.as_publisher(slug) for slug in ("gazette", "times", "post"))
    first = gazette.publish("G1", section="sport")
    times.publish("T1", section="FOOTBALL")
    post.publish("P1", keywords=["Championship"])
    before = stored_bytes(wire)
    assert club.listed() == []
    assert cli.json("publisher", "map", "gazette", *codes("section=Sport", SPORT))["mapped"] == 1
    cli.must("publisher", "map", "times", *codes("section=Football", SOCCER))
    cli.must(
        "publisher",
        "map",
        "post",
        *codes("keyword=championship", BEACH, "subject=old:17", CURLING, f"subject={BASE}99999998", SPORT),
    )
    assert club.listed() == ["P1", "T1", "G1"]
    gazette.publish("G2", section="Sport")
    gazette.publish("G3", section="Football")
    post.publish("P2", subjects=[{"code": "medtop:99999998"}])
    post.publish("P3", subjects=[{"code": "old:17"}])
    assert club.listed() == ["P3", "P2", "G2", "P1", "T1", "G1"]
    assert club.listed(f"subject=medtop:{SOCCER}") == ["P1", "T1"]
    assert club.get("/v1/articles?count=true&facets=publisher").get_json()["meta"]["count"]["value"] == 6
    assert [headline for _, headline in types_told(club)] == ["G1", "T1", "P1", "G2", "P2", "P3"]
    assert club.get(f"/v1/articles/{first['id']}").get_json()["subjects"] == []
    assert (other.listed(), types_told(other)) == ([], [])
    assert other.get(f"/v1/articles/{first['id']}").status_code == 404
    assert stored_bytes(wire)[: len(before)] == before
    assert cli.json("verify")["whole"]


@pytest.mark.parametrize(
    "way", [way if way == "event stream" else pytest.param(way, marks=pytest.mark.slow) for way in WAYS]
)
def test_a_kill_reaches_whoever_saw_the_article_through_a_map_that_was_changed(wire: Wire, cli: Cli, way: str) -> None:
    saw, publisher = wire.as_partner("saw", **SPORTS), wire.as_publisher()
    cli.must("publisher", "map", "reuters", *codes("section=Ball", SOCCER))
    article = publisher.publish("Seen", section="Ball")
    withdrawn = publisher.publish("Withdrawn", section="Ball")
    assert saw.listed() == ["Withdrawn", "Seen"]
    after = article["seq"] + 1
    # The follower of this reader is at the head, and its process has the entries in memory.
    assert WAYS[way](saw, "", 0, after)[1] == after
    assert cli.json("publisher", "map", "reuters", "--remove", "section=ball")["mapped"] == 2
    assert (saw.listed(), types_told(saw)) == ([], [])
    # Who is entitled only now has never seen it, and neither had somebody who lost the entitlement before.
    late = wire.as_partner("late", **SPORTS)
    publisher.delete(f"/v1/articles/{article['id']}")
    changed = publisher.put(f"/v1/articles/{withdrawn['id']}", json={"headline": "New", "section": "Ball"},
                            headers={"If-Match": "*"})  # fmt: skip
    publisher.put(f"/v1/articles/{withdrawn['id']}", json={"headline": "Newer", "section": "Ball"},
                  headers={"If-Match": "*"})  # fmt: skip
    assert changed.status_code == 200
    end = publisher.publish("End", subjects=[{"code": f"medtop:{BEACH}"}])["seq"]
    told, _ = WAYS[way](saw, "", after, end)
    assert [entry["type"] for entry in told] == [KILLED, "article.removed", "article.published"]
    assert [entry["article"] for entry in told[:2]] == [None, None]
    filtered, _ = WAYS[way](saw, f"&subject=medtop:{SOCCER}", after, end)
    assert [entry["type"] for entry in filtered] == [KILLED, "article.removed", "article.published"]
    assert [entry["seq"] for entry in WAYS[way](late, "", 0, end)[0]] == [end]
    assert saw.get(f"/v1/articles/{article['id']}").status_code == 410
    assert late.get(f"/v1/articles/{article['id']}").status_code == 404


def test_who_lost_the_entitlement_before_the_map_is_not_told(wire: Wire, cli: Cli) -> None:
    former, publisher = wire.as_partner("former", **SPORTS), wire.as_publisher()
    article = publisher.publish("Ball", section="Ball")
    wire.set_partner("former", section=["world"])
    cli.must("publisher", "map", "reuters", *codes("section=Ball", SOCCER))
    new = wire.as_partner("new", **SPORTS)
    assert new.listed() == ["Ball"]
    publisher.delete(f"/v1/articles/{article['id']}")
    assert types_told(former) == []
    assert former.get(f"/v1/articles/{article['id']}").status_code == 404
    assert (KILLED, "") in types_told(new)
    # A reader who was cut while the map was in force is told.
    second = publisher.publish("Second", section="Ball")
    wire.set_partner("new", section=["world"])
    cli.must("publisher", "map", "reuters", "--remove", "section=Ball")
    publisher.delete(f"/v1/articles/{second['id']}")
    assert types_told(new)[-1] == (KILLED, "")


def test_a_map_that_changes_often_keeps_every_reader_of_each_time(wire: Wire, cli: Cli) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish("Ball", section="Ball")
    readers = []
    for round_, code in enumerate((SOCCER, CURLING, BEACH)):
        cli.must("publisher", "map", "reuters", *codes("section=Ball", code))
        readers.append(wire.as_partner(f"p{round_}", subject=[f"medtop:{code}"]))
        assert readers[-1].listed() == ["Ball"]
        cli.must("publisher", "map", "reuters", "--remove", "section=Ball")
    early = wire.as_partner("nobody", subject=[f"medtop:{CURLING}"])
    publisher.delete(f"/v1/articles/{article['id']}")
    assert [types_told(reader) for reader in readers] == [[(KILLED, "")]] * 3
    assert types_told(early) == []


def test_an_article_that_is_published_by_the_map_of_before_is_found_by_the_next_look(wire: Wire, cli: Cli) -> None:
    """A request that reads its publisher, and is overtaken by an edit of the map, commits terms of the old one."""
    club, publisher = wire.as_partner("club", **SPORTS), wire.as_publisher()
    publisher.publish("Warm", section="Ball")
    seen = publisher.publish("Old", section="Ball", external_id="old")
    with wire.database.begin() as connection:
        connection.exec_driver_sql("UPDATE publisher SET mapping = mapping + 1")
    # The cached caller has the map of before: the revision was not raised.
    publisher.publish("Late", section="Ball")
    publisher.put("/v1/publishers/reuters/articles/old", json={"headline": "Newer", "section": "Ball"})
    assert count_unmapped(wire.database) == 3
    cli.must("publisher", "map", "reuters", *codes("section=Ball", SOCCER))
    assert count_unmapped(wire.database) == 0
    assert club.listed() == ["Late", "Newer", "Warm"]
    assert club.get(f"/v1/articles/{seen['id']}/versions").get_json()["data"][-1]["version"] == 1


@pytest.mark.slow
def test_an_interrupted_rebuild_goes_on_and_loses_no_former_terms(wire: Wire, cli: Cli) -> None:
    saw, publisher = wire.as_partner("saw", **SPORTS), wire.as_publisher()
    cli.must("publisher", "map", "reuters", *codes("section=Ball", SOCCER))
    batch = [{"headline": f"N{n}", "section": "Ball", "external_id": f"n{n}"} for n in range(120)]
    publisher.post("/v1/articles/batch", json=batch)
    with cli.process("publisher", "map", "reuters", "--remove", "section=Ball") as started:
        waited(lambda: started.poll() is not None or 0 < count_unmapped(wire.database) < 120, "a first part")
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=30)
    left = count_unmapped(wire.database)
    if started.returncode:
        assert started.returncode == 130, err
        assert err.startswith(f"Stopped; {left} articles have still to be mapped.")
    assert sum(1 for _ in remap_articles(wire.database)) == (left + 49) // 50
    assert (count_unmapped(wire.database), saw.listed()) == (0, [])
    killed = [{"external_id": f"n{n}", "status": "canceled"} for n in (0, 60, 119)]
    publisher.post("/v1/articles/batch", json=killed)
    for n in (0, 60, 119):
        publisher.delete(f"/v1/publishers/reuters/articles/n{n}")
    told = saw.get(f"/v1/changes?limit=500&types={KILLED}").get_json()["data"]
    assert len(told) == 3


def test_a_dry_run_and_an_unchanged_article_store_nothing_new(wire: Wire, cli: Cli) -> None:
    publisher = wire.as_publisher()
    address, sent = "/v1/publishers/reuters/articles/a", {"headline": "Ball", "section": "Ball"}
    first = publisher.put(address, json=sent).get_json()
    cli.must("publisher", "map", "reuters", *codes("section=Ball", SOCCER))
    again = publisher.put(address, json=sent)
    assert (again.status_code, again.get_json()["version"], again.get_json()["digest"]) == (200, 1, first["digest"])
    assert publisher.put(f"{address}?dry_run=true", json={**sent, "headline": "Dry"}).status_code == 200
    assert wire.as_partner("club", **SPORTS).listed() == ["Ball"]


def test_a_map_is_shown_and_what_is_wrong_with_one_is_said(wire: Wire, cli: Cli) -> None:
    wire.as_publisher()
    assert cli.must("publisher", "map", "reuters") == "reuters maps nothing yet.\n"
    pairs = codes("section=Ball", SOCCER, "section= Ball ", CURLING, "section=BALL", SOCCER)
    made = cli.json("publisher", "map", "reuters", *pairs)
    rows = [{"section": "Ball", "code": f"medtop:{SOCCER}"}, {"section": "Ball", "code": f"medtop:{CURLING}"}]
    assert made == {"publisher": "reuters", "map": rows, "mapped": 0}
    assert cli.json("publisher", "map", "reuters") == {"publisher": "reuters", "map": rows}
    for arguments, said in (
        (["section=Ball"], "Pairs are needed"),
        (["author=Ann", "subject=x"], "'author' is nothing that can be mapped"),
        (["section=Ball", "section=x"], "must be followed by its subject"),
        (["section=", "subject=x"], "Say which section"),
        (["--remove", "Ball"], "nothing that can be mapped"),
    ):
        result = cli.run("publisher", "map", "reuters", *arguments)
        assert (result.exit_code, said in result.stderr) == (2, True), result.output
    assert "does not map section=Tennis" in cli.refused("publisher", "map", "reuters", "--remove", "section=Tennis")
    assert "There is no publisher 'times'" in cli.refused("publisher", "map", "times", *codes("section=Ball", SOCCER))
    unknown = cli.run("publisher", "map", "reuters", "section=Air", "subject=medtop:99999999")
    assert (unknown.exit_code, "has no subject medtop:99999999" in unknown.stderr) == (0, True)
    limited = cli.run("partner", "add", "club", "--name", "C", "--only", f"subject=medtop:{SPORT},medtop:99999999")
    assert (limited.exit_code, limited.stderr.count("has no subject")) == (0, 1)


def test_entries_that_a_process_has_in_memory_follow_the_map(wire: Wire, cli: Cli) -> None:
    saw, publisher = wire.as_partner("saw", **SPORTS), wire.as_publisher()
    cli.must("publisher", "map", "reuters", *codes("section=Ball", SOCCER))
    start = publisher.publish("Before", section="Ball")["seq"]
    # A poll begins to watch: what comes from now on is kept in memory.
    assert saw.get(f"/v1/changes?after={start}&wait=1").get_json()["data"] == []
    publisher.publish("Meanwhile", section="Ball")
    end = publisher.publish("End", subjects=[{"code": f"medtop:{BEACH}"}])["seq"]

    def streamed() -> list[str]:
        told, _ = WAYS["event stream"](saw, "", start, end)
        return [entry["article"]["headline"] for entry in told]

    assert streamed() == ["Meanwhile", "End"]
    cli.must("publisher", "map", "reuters", "--remove", "section=Ball")
    waited(lambda: streamed() == ["End"], "a stream without what the map took out")


def test_a_new_version_before_the_rebuild_keeps_what_the_one_before_was_seen_through(wire: Wire, cli: Cli) -> None:
    saw, publisher = wire.as_partner("saw", **SPORTS), wire.as_publisher()
    cli.must("publisher", "map", "reuters", *codes("section=Ball", SOCCER))
    article = publisher.publish("Ball", section="Ball")
    # The command was killed after its first transaction: nothing is mapped yet.
    with wire.database.begin() as connection:
        change_subject_map(connection, "reuters", [], [("section", "Ball")], now())
    new = {"json": {"headline": "New", "section": "Ball"}, "headers": {"If-Match": "*"}}
    assert publisher.put(f"/v1/articles/{article['id']}", **new).status_code == 200
    assert types_told(saw)[-1] == ("article.removed", "")
    assert list(remap_articles(wire.database)) == [1]
    late = wire.as_partner("late", **SPORTS)
    publisher.delete(f"/v1/articles/{article['id']}")
    assert types_told(saw)[-1] == (KILLED, "")
    assert types_told(late) == []
