"""`bench compare` on a small corpus: all answer the same, every job is in the tables, and wrong answers are noticed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import compare, compare_contenders, compare_table, compare_wrk
from bench.__main__ import parser
from bench.compare import Measured
from bench.compare_commands import Facts
from bench.compare_contenders import NEWSWIRE, Contender, Figures
from bench.compare_jobs import JOBS, PAGE, RATE, SOME, TOGETHER, WRITING, get
from bench.compare_load import MARK, Load, LoadError, drive, drive_steadily
from bench.compare_serving import DATASETTE, FLOOR, NULL, PEERS, Server, missing
from bench.loading import load
from tests.soaks.clients import Client

SIZE = 300
SECONDS = 0.05


@pytest.mark.slow
def test_every_job_is_in_both_tables_with_its_ratios_and_every_aim_is_told() -> None:
    said: list[str] = []
    found = compare.run(SIZE, ["sqlite"], SECONDS, list(JOBS), tell=said.append)
    measured = found["sqlite"]
    others = [NULL, FLOOR, *([] if missing(DATASETTE) else [DATASETTE])]
    assert [each.name for each in measured.contenders] == [NEWSWIRE, *others]
    ratios, _, meanwhile, aims, figures, _ = compare_table.told(found, "command", SIZE, SECONDS).split("\n\n")
    heading, _, *rows = (line.strip("| ").split(" | ") for line in ratios.splitlines())
    assert heading == ["job", "engine", NEWSWIRE, *(f"× {name}" for name in others)]
    assert [row[0] for row in rows] == list(JOBS.values())
    for job, row in zip(JOBS, rows, strict=True):
        rates = {each.name: each.figures[job].rate for each in measured.contenders if job in each.figures}
        assert row[4].startswith(f"{rates[NEWSWIRE] / rates[FLOOR]:.2f} ")
        assert (row[3] == "–") == (job in WRITING)
    # Newswire and the floor do every job, the view that does nothing publishes nothing.
    assert sum(f"| {each} |" in line for line in figures.splitlines() for each in (NEWSWIRE, NULL, FLOOR)) == (
        3 * len(JOBS) - len(WRITING)
    )
    assert all(any(line.startswith(title) for line in said) for title in JOBS.values())
    # Beside the reader was published, by those who can.
    assert {each.name for each in measured.contenders if each.published} == {NEWSWIRE, FLOOR}
    assert meanwhile.startswith(f"SQLite: of {RATE} articles a second for each, beside its readers, took {NEWSWIRE} ")
    told = [line.strip("| ").split(" | ") for line in aims.splitlines()[2:]]
    assert len(told) == 6
    assert all(float(row[2].replace(",", "")) > 0 and row[3][0] in "≤≥" for row in told)


def test_a_part_has_its_jobs_only_and_missed_aims_are_marked() -> None:
    reached, missed = Figures(10, 1, 1, 1, 1), Figures(5, 1, 1, 1, 1)
    newswire = Contender(NEWSWIRE, Server(NULL, "", Path()), {}, {"fresh": reached, "deep": missed})
    floor = Contender(FLOOR, newswire.server, {}, {"fresh": missed, "deep": Figures(20, 1, 1, 1, 1)})
    found = {"sqlite": Measured([newswire, floor], Facts(megabytes=99, help=0.5, start=2.5), None)}
    ratios, _, aims, _, _ = compare_table.told(found, "command", SIZE, SECONDS).split("\n\n")
    assert ratios.splitlines()[2:] == [
        "| latest page of 50, never asked before | SQLite | 10 | 2.00 ≥ 0.5 (5) |",
        "| page of 50 at 90 % of the depth | SQLite | 5 | 0.25 ≥ 0.5 ! (20) |",
    ]
    assert [line.split(" | ")[2:] for line in aims.splitlines()[2:]] == [
        ["2.00", "≤ 1.2 ! |"], ["99.00", "≤ 100 |"], ["0.50", "≤ 0.4 ! |"], ["2.50", "≤ 2 ! |"]
    ]  # fmt: skip


@pytest.fixture
def contenders(database_url: str) -> Iterator[dict[str, Contender]]:
    """All of them, served, on a corpus of `SIZE`."""
    engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    load({engine: database_url}, SIZE, lambda line: None)
    with compare_contenders.contenders(database_url, SIZE, lambda line: None) as found:
        yield {each.name: each for each in found}


def headlines(contender: Contender, request: bytes) -> list[str]:
    """Those of the page that a request of a load asks for."""
    address, _, headers = request.replace(MARK, b"1").decode().removeprefix("GET ").partition(" HTTP/1.1\r\n")
    key = re.search("Bearer (.*)\r", headers)
    client = Client(contender.server, key[1] if key else "")
    answer: Any = client.get(address)
    client.close()
    page = answer if isinstance(answer, list) else answer.get("data", answer.get("results", [answer]))
    return [(each.get("article") or each)["headline"] for each in page]


@pytest.mark.slow
def test_all_give_the_same_headlines_for_the_same_page_and_take_what_is_published(
    contenders: dict[str, Contender],
) -> None:
    newswire, floor = contenders[NEWSWIRE], contenders[FLOOR]
    others = [each for name, each in contenders.items() if name not in (NEWSWIRE, NULL)]
    wanted = [FLOOR, *([] if missing(DATASETTE) else [DATASETTE])]
    assert [each.name for each in others][: len(wanted)] == wanted
    if newswire.server.environment["NEWSWIRE_DATABASE_URL"].startswith("postgresql"):
        assert [each.name for each in others] == [*wanted, *(name for name in PEERS if not missing(name))]
    for job in ("latest", "deep"):
        expected = [headlines(newswire, each) for each in newswire.loads[job].requests]
        assert {len(page) for page in expected} == {PAGE}
        for other in others:
            assert [headlines(other, each) for each in other.loads[job].requests] == expected, (job, other.name)
    for other in others:
        for mine, theirs in zip(newswire.loads["one"].requests[:SOME], other.loads["one"].requests, strict=False):
            assert headlines(other, theirs) == headlines(newswire, mine), other.name
        for job in ("common", "phrase"):
            assert any(headlines(other, each) for each in other.loads[job].requests[:SOME]), (job, other.name)
    for contender in (newswire, floor):
        pages = contender.loads["changes"].requests
        assert headlines(contender, pages[-1]) == headlines(newswire, newswire.loads["changes"].requests[-1])
        assert contender.server.address is not None
        drive(contender.server.address, contender.loads["publish"], 0, 7)
        drive(contender.server.address, contender.loads["batch"], 0, 8)
        # One, and a batch of which one and another are behind this place.
        after = re.sub(rb"after=\d+", b"after=%d" % (SIZE + 2), pages[0])
        assert len(headlines(contender, after)) == TOGETHER - 1


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The address of the view that does nothing."""
    server = Server(NULL, "", tmp_path)
    try:
        server.start()
        server.wait_until_ready()
        assert server.address is not None
        yield server.address
    finally:
        server.close()


NUMBERED = Load([get(f"/?number={MARK.decode()}", "")])


@pytest.mark.slow
def test_an_answer_with_another_status_is_noticed(nothing: tuple[str, int]) -> None:
    with pytest.raises(LoadError, match="200 OK"):
        drive(nothing, NUMBERED._replace(status=304), SECONDS, 0)


@pytest.mark.slow
def test_wrk_asks_for_the_same_as_the_driver(nothing: tuple[str, int]) -> None:
    if not compare_wrk.usable(1):
        pytest.skip("wrk is not installed")
    found = compare_wrk.drive(nothing, NUMBERED, 1, 0)
    assert found.answers > 10
    assert 0.5 < found.seconds < 5
    assert 0 < found.median <= found.slowest
    with pytest.raises(LoadError, match="requests failed"):
        compare_wrk.drive(nothing, Load([get(f"/none?number={MARK.decode()}", "")]), 1, 0)


@pytest.mark.slow
def test_a_steady_driver_asks_no_more_often_than_it_was_told(nothing: tuple[str, int]) -> None:
    assert 0 < drive_steadily(nothing, NUMBERED, 20, 0.5, 0) <= 20


def test_the_parts_of_the_comparison_make_up_the_whole() -> None:
    parts = [parser().parse_args([name]).jobs for name in ("read", "publish", "compare")]
    assert parts[0] + parts[1] == parts[2] == tuple(JOBS)
