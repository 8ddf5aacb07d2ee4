"""`bench growth`, plots and profiles on small wires."""

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from bench import chart, growth, profiles
from bench.compare_jobs import JOBS
from newswire.accounts.slugs import PartyError
from newswire.store.migrate import upgrade
from tests.soaks.stage import Stage

SIZES = (200, 300)
SECONDS = 0.02
SVG = "{http://www.w3.org/2000/svg}"


def ignore(line: str) -> None:
    pass


@pytest.mark.slow
def test_every_job_is_told_and_drawn_for_every_size() -> None:
    found = growth.run(SIZES, ["sqlite"], None, SECONDS, tell=ignore)
    table, _ = growth.told(found, "command", SECONDS).split("\n\n")
    heading, _, *rows = (line.strip("| ").split(" | ") for line in table.splitlines())
    assert heading == ["job", "engine", "200", "300", "×"]
    assert [row[:2] for row in rows[:-3]] == [[JOBS[job], "SQLite"] for job in growth.GROWING]
    assert [(row[-1], "!" in row[3]) for row in rows[-3:]] == [
        (f"≤ {most}", values[1] > most) for _, most, values in growth.limited(found["sqlite"])
    ]
    assert len(etree.fromstring(growth.plot(found)).findall(f"{SVG}path")) == len(growth.GROWING)


def test_what_is_written_to_the_copy_of_a_wire_is_not_in_the_wire(database_url: str, tmp_path: Path) -> None:
    upgrade(database_url)
    with growth.copied(database_url, tmp_path) as copy:
        Stage(copy, tmp_path).publisher("gazette")
        # There is none of that name yet.
        Stage(database_url, tmp_path).publisher("gazette")
        with pytest.raises(PartyError, match="gazette"):
            Stage(copy, tmp_path).publisher("gazette")


def test_a_line_rises_with_what_it_shows_and_its_name_covers_no_other() -> None:
    named = {f"line {number}": [(10, 1 + number / 100), (1000, 5 + number / 100)] for number in range(12)}
    drawn = etree.fromstring(chart.lines("A & B", {"SQLite": named}))
    assert drawn.findtext(f"{SVG}text") == "A & B"
    (x1, y1), (x2, y2) = (each.split(",") for each in drawn.findall(f"{SVG}path")[0].attrib["d"][1:].split(" L"))
    assert float(x1) < float(x2)
    assert float(y1) > float(y2)
    places = sorted(float(each.attrib["y"]) for each in drawn.iter(f"{SVG}text") if "line " in str(each.text))
    assert len(places) == 12
    assert min(after - before for before, after in pairwise(places)) > chart.LINE - 0.1


def test_a_dot_is_further_right_the_more_it_shows() -> None:
    drawn = etree.fromstring(chart.dots("Rates", {"SQLite": {"latest": {"one": 10.0, "two": 1000.0}}}))
    places = {each.findtext(f"{SVG}title"): float(each.attrib["cx"]) for each in drawn.iter(f"{SVG}circle")}
    assert places["one: 10"] < places["two: 1,000"] < chart.WIDTH


@pytest.mark.slow
def test_a_profile_shows_the_calls_of_each_job_and_no_place_of_this_machine() -> None:
    if find_spec("pyinstrument") is None:
        pytest.skip("pyinstrument is not installed")
    found = dict(profiles.run(SIZES[0], ["sqlite"], 0.1, tell=ignore))
    assert list(found) == [f"sqlite-{job}" for job in profiles.PROFILED]
    assert "newswire/wire.py" in found["sqlite-publish"]
    assert "newswire/reading/" in found["sqlite-fresh"]
    assert not any(str(Path.cwd()) in told for told in found.values())
