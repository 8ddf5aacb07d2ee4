"""`newswire import` with processes that prepare ahead: order, interrupts, and the death of any of them."""

import copyreg
import json
import os
import pickle
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from newswire.article import Publisher
from newswire.cli.support.article_files import FileArticle
from newswire.cli.support.prepared_batches import plain_publisher, prepare_batch
from newswire.errors import Fault, Problem
from newswire.publishing.prepare import PreparedArticle
from newswire.subjects import SubjectMap
from tests.cli.test_import import loaded, ndjson, state, stored, stories
from tests.support.command import WAIT_SECONDS, Cli, waited

PORT = Publisher(1, "port", "Port Authority", "https://port.example", "en")
FEW = 850
"""Articles of more batches than the command prepares by itself."""
needs_two_processors = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="one processor: the command prepares everything itself",
)


def mixed_stories() -> list[Any]:
    """Articles of several batches, in which every 97th line is refused and every 50th is one of before, changed."""
    lines: list[Any] = [*stories(FEW)]
    for number in range(0, FEW, 97):
        lines[number] = {"headline": number}
    for number in range(50, FEW, 50):
        lines[number] = {**stories(FEW)[number - 49], "headline": f"Changed in line {number + 1}"}
    return lines


def children_of(number: int) -> list[int]:
    """The processes that a process has started to prepare articles."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == number and b"spawn_main" in command:
            found.append(int(folder.name))
    return found


def is_running(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def started_with_processes(cli: Cli) -> "tuple[subprocess.Popen[str], list[int]]":
    """An import that has stored batches that other processes prepared, and waits for more; with these processes."""
    started = cli.process("import", "-", "--publisher", "port", stdin=subprocess.PIPE)
    assert started.stdin is not None
    started.stdin.write(ndjson(stories(FEW)))
    started.stdin.flush()
    waited(lambda: stored(cli) >= 800, "batches of other processes are stored")
    processes = children_of(started.pid)
    assert processes
    return started, processes


def test_what_is_sent_between_processes_arrives_as_it_was() -> None:
    faults = [Fault("required", "It is missing.", pointer="/headline")]
    refused = Problem("validation_failed", "Bad", faults, headers={"A": "b"}, article_id="c")
    articles: list[Any] = [
        *stories(2),
        {"headline": "<Bold> & 東京へ行く", "body_html": "<p>Ça, <b>U.S.</b> &amp; Co</p>", "authors": [{"name": "É"}]},
        {"headline": ""}, {"uri": "urn:x", "type": "text", "pubStatus": "canceled"}, refused,
    ]  # fmt: skip
    batch = prepare_batch([FileArticle(f"line {number}", item) for number, item in enumerate(articles)], PORT)
    sent = pickle.loads(pickle.dumps(batch))
    for (position, before), (place, after) in zip(batch, sent, strict=True):
        assert (place, type(after)) == (position, type(before))
        if isinstance(before, Problem):
            assert vars(after) == vars(before)
        elif isinstance(before, PreparedArticle) and isinstance(after, PreparedArticle):
            assert before._replace(body={}) == after._replace(body={})
            reduced = copyreg.dispatch_table[type(before.body["body_html"])]
            assert {name: reduced(text) for name, text in after.body.items()} == {
                name: reduced(text) for name, text in before.body.items()
            }
        else:
            assert after == before
    mapped = PORT._replace(subjects=SubjectMap({"section_sport": frozenset({"subject_1"})}))
    assert pickle.loads(pickle.dumps(plain_publisher(mapped))) == mapped


@needs_two_processors
@pytest.mark.slow
def test_one_processor_and_several_store_and_say_the_same(port: Cli, sqlite_cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson(mixed_stories()))
    alone = Cli(sqlite_cli.database_url)
    alone.must("publisher", "add", "port", "--name", "Port Authority", "--url", "https://port.example")
    several = port.run("import", str(file), "--publisher", "port", "--json")
    every = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(every)})
        one = alone.run("import", str(file), "--publisher", "port", "--json")
    finally:
        os.sched_setaffinity(0, every)
    counts = [json.loads(result.stdout) | {"seconds": 0} for result in (several, one)]
    assert counts[0] == counts[1]
    assert counts[0]["refused"] == len(range(0, FEW, 97))
    said = [[line for line in result.stderr.splitlines() if line.startswith("line ")] for result in (several, one)]
    assert said[0] == said[1]
    assert len(said[0]) == counts[0]["refused"]
    told = [[json.loads(line)["article"]["external_id"] for line in cli.must("export").splitlines()]
            for cli in (port, alone)]  # fmt: skip
    assert told[0] == told[1]
    assert state(port) == state(alone)


@needs_two_processors
@pytest.mark.slow
def test_a_small_file_starts_no_process(sqlite_port: Cli) -> None:
    with sqlite_port.process("import", "-", "--publisher", "port", "--json", stdin=subprocess.PIPE) as started:
        assert started.stdin is not None
        started.stdin.write(ndjson(stories(400)))
        started.stdin.flush()
        waited(lambda: stored(sqlite_port) == 400, "both batches are stored")
        assert children_of(started.pid) == []
        out, _ = started.communicate(timeout=WAIT_SECONDS)
    assert json.loads(out)["created"] == 400


@needs_two_processors
@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_import_and_is_told(sqlite_port: Cli, tmp_path: Path) -> None:
    started, processes = started_with_processes(sqlite_port)
    assert started.stdin is not None
    for process in processes:
        os.kill(process, signal.SIGKILL)
    _, err = started.communicate(ndjson(stories(FEW + 500)[FEW:]), timeout=WAIT_SECONDS)
    assert started.returncode == 1
    count = stored(sqlite_port)
    assert "A process that prepares articles has ended" in err
    assert f"Stored so far: {count:,} articles: {count:,} new" in err
    assert "Traceback" not in err
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson(stories(FEW)))
    assert loaded(sqlite_port, file)["read"] == FEW
    assert state(sqlite_port)["head"] == FEW


@needs_two_processors
@pytest.mark.slow
def test_no_process_outlives_an_import_that_is_killed(sqlite_port: Cli) -> None:
    started, processes = started_with_processes(sqlite_port)
    started.kill()
    started.communicate(timeout=WAIT_SECONDS)
    waited(lambda: not any(map(is_running, processes)), "the processes end")
    assert sqlite_port.json("verify")["whole"]


@needs_two_processors
@pytest.mark.slow
def test_ctrl_c_of_a_terminal_ends_all_processes_quietly(sqlite_port: Cli) -> None:
    started = sqlite_port.process("import", "-", "--publisher", "port", stdin=subprocess.PIPE, start_new_session=True)
    assert started.stdin is not None
    started.stdin.write(ndjson(stories(FEW)))
    started.stdin.flush()
    waited(lambda: children_of(started.pid), "a process has been started")
    processes = children_of(started.pid)
    time.sleep(0.1)
    # A terminal sends it to every process of the command, also to one that is just starting.
    os.killpg(started.pid, signal.SIGINT)
    _, err = started.communicate(timeout=WAIT_SECONDS)
    assert started.returncode == 130
    count = stored(sqlite_port)
    assert err == f"Stopped. Stored so far: {count:,} articles: {count:,} new, 0 updated, 0 unchanged, 0 refused." \
        " Start it again to go on.\n"  # fmt: skip
    assert not any(map(is_running, processes))
    assert sqlite_port.json("verify")["entries"] == count
