"""`bench compare` on a small corpus: all answer the same, every job is in the tables, and wrong answers are noticed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from bench import compare, compare_contenders, compare_table
from bench.clients import Client
from bench.compare_contenders import NEWSWIRE, Contender
from bench.compare_jobs import JOBS, PAGE, TOGETHER, WRITING
from bench.compare_load import MARK, Load, LoadError, drive
from bench.compare_serving import FLOOR, NULL, PEERS, missing
from bench.loading import load

pytestmark = pytest.mark.slow

SIZE = 300
SECONDS = 0.05


def test_every_job_is_in_both_tables_with_its_ratios() -> None:
    said: list[str] = []
    found = compare.run(SIZE, ["sqlite"], SECONDS, tell=said.append)
    assert [each.name for each in found["sqlite"]] == [NEWSWIRE, NULL, FLOOR]
    ratios, _, _, figures, _ = compare_table.told(found, SIZE, SECONDS).split("\n\n")
    heading, _, *rows = (line.strip("| ").split(" | ") for line in ratios.splitlines())
    assert heading == ["job", "engine", NEWSWIRE, f"× {NULL}", f"× {FLOOR}"]
    assert [row[0] for row in rows] == list(JOBS.values())
    for job, row in zip(JOBS, rows, strict=True):
        rates = {each.name: each.figures[job].rate for each in found["sqlite"] if job in each.figures}
        assert row[4].startswith(f"{rates[NEWSWIRE] / rates[FLOOR]:.2f} ")
        assert (row[3] == "–") == (job in WRITING)
    # All three do every job, but for the view that does nothing: it publishes nothing.
    assert figures.count("\n| ") == 1 + 3 * len(JOBS) - len(WRITING)
    assert all(any(line.startswith(title) for line in said) for title in JOBS.values())


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
    page = answer if isinstance(answer, list) else answer.get("data") or answer["results"]
    return [(each.get("article") or each)["headline"] for each in page]


def test_all_give_the_same_headlines_for_the_same_page_and_take_what_is_published(
    contenders: dict[str, Contender],
) -> None:
    newswire, floor = contenders[NEWSWIRE], contenders[FLOOR]
    others = [each for name, each in contenders.items() if name not in (NEWSWIRE, NULL)]
    if newswire.server.environment["NEWSWIRE_DATABASE_URL"].startswith("postgresql"):
        assert [each.name for each in others] == [FLOOR, *(name for name in PEERS if not missing(name))]
    for job in ("latest", "deep"):
        expected = [headlines(newswire, each) for each in newswire.loads[job].requests]
        assert {len(page) for page in expected} == {PAGE}
        for other in others:
            assert [headlines(other, each) for each in other.loads[job].requests] == expected, (job, other.name)
    for contender in (newswire, floor):
        pages = contender.loads["changes"].requests
        assert headlines(contender, pages[-1]) == headlines(newswire, newswire.loads["changes"].requests[-1])
        assert contender.server.address is not None
        drive(contender.server.address, contender.loads["publish"], 0, 7)
        drive(contender.server.address, contender.loads["batch"], 0, 8)
        # One, and a batch of which one and another are behind this place.
        after = re.sub(rb"after=\d+", b"after=%d" % (SIZE + 2), pages[0])
        assert len(headlines(contender, after)) == TOGETHER - 1


def test_an_answer_with_another_status_is_noticed(contenders: dict[str, Contender]) -> None:
    server = contenders[FLOOR].server
    assert server.address is not None
    with pytest.raises(LoadError, match="200 OK"):
        drive(server.address, Load(contenders[FLOOR].loads["latest"].requests, 304), SECONDS, 0)
