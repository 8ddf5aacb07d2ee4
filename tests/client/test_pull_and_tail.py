"""`newswire pull` and `tail`: nothing missed, nothing told twice, and a sentence for whatever goes wrong."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import chain as chain_iterables
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import WAIT_SECONDS, Cli, waited
from tests.support.forks import saved_copy
from tests.support.served import Client, Serving, Wire, answering, entry, page, problem, served, started


@pytest.fixture
def wire(cli: Cli) -> Iterator[Wire]:
    with served(cli) as wire:
        yield wire


@pytest.fixture
def sqlite_wire(sqlite_cli: Cli) -> Iterator[Wire]:
    with served(sqlite_cli) as wire:
        yield wire


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def fold(log: list[dict[str, Any]]) -> dict[str, Any]:
    """What is left to read after the whole log: for each article its newest version."""
    found: dict[str, Any] = {}
    for told in log:
        if told["article"] is None:
            found.pop(told["article_id"], None)
        else:
            found[told["article_id"]] = told["article"]
    return found


def articles(folder: Path) -> dict[str, Any]:
    return {file.stem: json.loads(file.read_bytes()) for file in folder.glob("*.json")}


def test_a_pull_reads_everything_and_the_next_one_what_is_new(wire: Wire, tmp_path: Path) -> None:
    publisher, partner = wire.publisher(), wire.partner()
    state, output = tmp_path / "wire.state", tmp_path / "wire.ndjson"
    pull = ("pull", "--state", state, "--output", output)
    for number in range(3):
        publisher.put(f"tide-{number}", headline=f"Tide {number}")
    partner.must(*pull)
    assert lines(output) == wire.log()
    publisher.put("tide-1", headline="Tide 1, corrected")
    publisher.kill("tide-2")
    partner.must(*pull)
    partner.must(*pull)
    told = lines(output)
    assert [item["seq"] for item in told] == [1, 2, 3, 4, 5]
    assert told[3:] == wire.log()[3:]
    assert (
        partner.run(*pull).stderr == f"0 entries; read up to 5 of the wire {json.loads(state.read_text())['wire']}.\n"
    )
    publisher.put("tide-0", headline="Tide 0, corrected")
    assert partner.run(*pull).stderr.startswith("1 entry; read up to 6 of")


def test_without_a_state_a_pull_prints_everything_each_time(sqlite_wire: Wire) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    publisher.put("a")
    publisher.put("b")
    for _ in range(2):
        assert [json.loads(line) for line in partner.must("pull").splitlines()] == sqlite_wire.log()
    assert [json.loads(line)["seq"] for line in partner.must("pull", "--start", "1").splitlines()] == [2]
    assert partner.must("pull", "--start", "now") == ""


def test_what_was_written_but_not_noted_before_a_crash_is_written_once(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    state, output, noted = tmp_path / "state", tmp_path / "wire.ndjson", tmp_path / "noted"
    pull = ("pull", "--state", state, "--output", output)
    for external_id in ("a", "b"):
        publisher.put(external_id)
    partner.must(*pull)
    shutil.copyfile(state, noted)
    for external_id in ("c", "d"):
        publisher.put(external_id)
    partner.must(*pull)
    whole = output.read_bytes()
    for length in (len(whole), len(whole) - 1, len(whole) - 100, json.loads(noted.read_text())["size"] + 1):
        output.write_bytes(whole[:length])
        shutil.copyfile(noted, state)
        partner.must(*pull)
        assert output.read_bytes() == whole


def test_a_file_that_somebody_else_wrote_to_is_left_alone(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    output = tmp_path / "wire.ndjson"
    pull = ("pull", "--state", tmp_path / "state", "--output", output)
    publisher.put("a")
    partner.must(*pull)
    for other in (b"a note\n", b'{"seq": 1}\n', b'{"seq": null}\n{"seq": 9}\n'):
        mixed = output.read_bytes() + other
        output.write_bytes(mixed)
        assert "holds something that this pull has not written" in partner.refused(*pull)
        assert output.read_bytes() == mixed
        output.write_bytes(mixed.removesuffix(other))


def test_a_file_that_was_moved_away_or_another_one_is_gone_on_with(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    first, second = tmp_path / "first", tmp_path / "second"
    for external_id, output in (("a", first), ("b", first), ("c", second)):
        publisher.put(external_id)
        partner.must("pull", "--state", tmp_path / "state", "--output", output)
        if external_id == "a":
            first.rename(tmp_path / "moved")
    assert [lines(tmp_path / name)[0]["seq"] for name in ("moved", "first", "second")] == [1, 2, 3]


def test_a_folder_holds_what_may_be_read_now(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    folder = tmp_path / "new" / "articles"
    for number in range(4):
        publisher.put(f"tide-{number}", headline=f"Tide {number}", body_text="High.")
    partner.must("pull", "--state", tmp_path / "state", "--directory", folder)
    assert articles(folder) == fold(sqlite_wire.log())
    publisher.put("tide-1", headline="Tide 1 again")
    publisher.kill("tide-2")
    partner.must("pull", "--state", tmp_path / "state", "--directory", folder)
    found = articles(folder)
    assert found == fold(sqlite_wire.log())
    assert sorted(article["headline"] for article in found.values()) == ["Tide 0", "Tide 1 again", "Tide 3"]
    assert [path.name for path in folder.iterdir() if path.suffix != ".json"] == []


def test_what_leaves_the_filter_leaves_the_folder(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    pull = ("pull", "--state", tmp_path / "state", "--directory", tmp_path / "world")
    only = ("--only", "section=World,Sport", "--only", "section=Arts", "--query", "tide OR moon")
    publisher.put("a", headline="Tide", section="World")
    publisher.put("b", headline="Moon", section="Arts")
    publisher.put("c", headline="Tide", section="Markets")
    publisher.put("d", headline="Sun", section="World")
    partner.must(*pull, *only)
    assert sorted(item["external_id"] for item in articles(tmp_path / "world").values()) == ["a", "b"]
    publisher.put("a", headline="Tide", section="Markets")
    partner.must(*pull, *only)
    assert [item["external_id"] for item in articles(tmp_path / "world").values()] == ["b"]


def test_an_article_in_markdown_can_be_published_again(sqlite_wire: Wire, tmp_path: Path) -> None:
    sqlite_wire.publisher().put(
        "a", headline="Tide: “high” # now", section="World", keywords=["no", "1.0"], urgency=3, byline="By Ada Lark",
        summary="Two lines:\nnot one.", authors=[{"name": "Ada Lark", "bio": "Counts ships."}],
        images=[{"url": "/a.jpg", "caption": "The quay.\nAt six.", "credit": "Desk", "width": 3}],
        body_html="<div><pre>1\n\n\n# 2</pre></div><p>High &amp; dry, <a href='/b'>see</a>.</p>\n\n<p>* end</p>",
    )  # fmt: skip
    sqlite_wire.partner().must("pull", "--directory", tmp_path / "out", "--format", "markdown")
    (file,) = (tmp_path / "out").iterdir()
    assert file.suffix == ".md"
    other = Cli(f"sqlite:///{tmp_path / 'other.db'}")
    other.must("db", "upgrade")
    with served(other) as second:
        second.publisher().must("push", file)
        (before,), (after,) = ([item["article"] for item in each.log()] for each in (sqlite_wire, second))
    own = {"id", "uri", "links", "created_at", "updated_at", "digest", "seq"}
    assert {name: before[name] for name in before.keys() - own} == {name: after[name] for name in after.keys() - own}


def test_one_state_is_for_one_filter(sqlite_wire: Wire, tmp_path: Path) -> None:
    sqlite_wire.publisher().put("a", section="World")
    partner = sqlite_wire.partner()
    pull = ("pull", "--state", tmp_path / "state", "--output", tmp_path / "out")
    partner.must(*pull, "--only", "section=World", "--only", "language=en")
    partner.must(*pull, "--only", "language=en", "--only", "section=World")
    assert "a pull with other filters" in partner.refused(*pull, "--only", "section=Sport")
    assert "a pull with other filters" in partner.refused(*pull, "--query", "x")
    partner.must(*pull, "--query", "x", "--restart")
    assert [item["seq"] for item in lines(tmp_path / "out")] == [1, 1]


def test_a_restart_wants_a_new_folder(sqlite_wire: Wire, tmp_path: Path) -> None:
    sqlite_wire.publisher().put("a")
    partner = sqlite_wire.partner()
    pull = ("pull", "--state", tmp_path / "state", "--directory")
    partner.must(*pull, tmp_path / "one")
    assert "restart into a new folder" in partner.refused(*pull, tmp_path / "one", "--restart")
    partner.must(*pull, tmp_path / "two", "--restart")
    assert articles(tmp_path / "two") == articles(tmp_path / "one")


def test_a_state_that_is_none_is_refused(sqlite_wire: Wire, tmp_path: Path) -> None:
    partner = sqlite_wire.partner()
    for content in ("", "[]", '{"after": "1"}', "no"):
        (tmp_path / "state").write_text(content)
        assert "is not the state of a pull" in partner.refused("pull", "--state", tmp_path / "state")
        assert (tmp_path / "state").read_text() == content


def test_options_that_contradict_each_other_are_wrong_usage(sqlite_wire: Wire) -> None:
    partner = sqlite_wire.partner()
    for arguments, said in (
        (("pull", "--output", "a", "--directory", "b"), "not both"),
        (("pull", "--restart"), "say which, with --state FILE"),
        (("pull", "--only", "sektion=World"), "Did you mean section?"),
        (("tail", "--only", "after=1"), "nothing that the wire can be filtered by"),
    ):
        result = partner.run(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr


def test_a_place_that_the_wire_does_not_have_is_told_with_what_to_do(sqlite_wire: Wire, tmp_path: Path) -> None:
    partner = sqlite_wire.partner()
    state = tmp_path / "state"
    said = partner.refused("pull", "--state", state, "--start", "7")
    assert "The wire ends before your position" in said
    assert "--restart" in said
    partner.must("pull", "--state", state, "--restart")
    kept = json.loads(state.read_text())
    state.write_text(json.dumps(kept | {"wire": "another"}))
    said = partner.refused("pull", "--state", state)
    assert "The wire was restored from a backup" in said
    assert "--restart" in said
    with answering(problem(410, "cursor_expired")) as (url, _):
        said = Client(url).refused("pull", "--state", state)
    assert "keeps no history as old as your position" in said
    assert "--restart" in said


def test_what_the_wire_refuses_is_told_in_its_words(sqlite_wire: Wire, tmp_path: Path) -> None:
    partner = sqlite_wire.partner()
    assert "urgency_max: Must be a whole number from 1 to 9" in partner.refused("pull", "--only", "urgency_max=12")
    assert "400 invalid_query" in partner.refused("pull", "--query", "oil OR")
    for key in ("", "nw_wrong"):
        said = Client(sqlite_wire.url, key).refused("pull")
        assert "401 unauthenticated" in said
        assert "Put a valid key into NEWSWIRE_KEY." in said


def test_the_key_can_come_out_of_a_file_and_never_from_an_option(sqlite_wire: Wire, tmp_path: Path) -> None:
    sqlite_wire.publisher().put("a")
    partner = sqlite_wire.partner()
    (tmp_path / "key").write_text(f"{partner.key}\n")
    partner.environment = {"NEWSWIRE_KEY_FILE": str(tmp_path / "key")}
    assert partner.must("pull", "--url", f"{sqlite_wire.url}/").count("\n") == 1
    partner.environment["NEWSWIRE_KEY"] = partner.key
    assert "are both set" in partner.refused("pull", "--url", sqlite_wire.url)
    assert partner.run("pull", "--key", partner.key).exit_code == 2
    assert "does not hold a key" in Client(sqlite_wire.url, "two words").refused("pull")
    assert "Where is the wire?" in Client("").refused("pull")
    assert "must be an address such as" in Client("wire.example").refused("pull")


def test_a_wire_that_is_not_there_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for command in ("pull", "tail"):
        said = Client(f"http://127.0.0.1:{port}").refused(command)
        assert said == f"Error: The wire at http://127.0.0.1:{port} cannot be reached: Connection refused.\n"
    assert "cannot be reached: the host is unknown here." in Client("http://nowhere.invalid").refused("pull")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, {"Content-Type": "text/html"}, b"<p>Hello"), "there is no Newswire: it answers 200 with text/html"),
        ((404, {}, b'{"error": "no"}'), "there is no Newswire: it answers 404"),
        ((200, {}, b'{"data": []}'), "its pages are not those of a wire"),
        (page([], page={"has_more": True, "next_after": 0}), "has more after 0 and does not send it"),
        ((200, {}, b'{"data": [7], "page": []}'), "its pages are not those of a wire"),
        ((301, {"Location": "https://wire.example/\x1b[2J"}, b""), "sends on to https://wire.example/ [2J: set"),
        ((500, {}, b'{"code": "internal", "detail": "A \\u001b[31mdefect"}'), "(500 internal): A  [31mdefect"),
        (page([entry(2), entry(1)]), "sends its entries out of order"),
        (page([entry(2)], page={"has_more": True, "next_after": 1}), "sends its entries out of order"),
    ],
)  # fmt: skip
def test_whoever_else_answers_gives_one_sentence_that_a_terminal_can_bear(
    answer: tuple[int, dict[str, str], bytes], said: str
) -> None:
    with answering(answer) as (url, _):
        sentence = Client(url).refused("pull")
    assert said in sentence
    assert "\x1b" not in sentence


@pytest.mark.slow
def test_a_busy_wire_is_asked_again_when_it_says(tmp_path: Path) -> None:
    busy = problem(503, "unavailable", **{"Retry-After": "1"})
    cut_off = (200, {"Content-Length": "1000"}, b'{"data"')
    with answering(busy, cut_off, page([entry(1)])) as (url, asked):
        began = time.monotonic()
        result = Client(url).run("pull")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == entry(1)
    assert time.monotonic() - began >= 1.0
    assert len(asked) == 3
    assert result.stderr.startswith("The wire is away: it answers 503. Trying again in 1 s ...\nThe wire is back.\n")


def test_a_wire_that_asks_for_more_patience_than_there_is_ends_the_pull() -> None:
    with answering(problem(429, "unavailable", **{"Retry-After": "3600"})) as (url, asked):
        assert "is limiting this key: it answers 429. Try again in 3600 s." in Client(url).refused("pull")
    assert len(asked) == 1


@pytest.mark.slow
def test_a_wire_that_does_not_wait_is_asked_once_a_second(tmp_path: Path) -> None:
    with answering(page([])) as (url, asked), Client(url).process("pull", "--follow") as following:
        time.sleep(3.5)
        following.kill()
        following.communicate()
    assert 2 <= len(asked) <= 5
    assert "wait=" not in asked[0]
    assert all("wait=30" in path for path in asked[1:])


def test_no_id_leads_out_of_the_folder_and_no_headline_writes_to_the_terminal(tmp_path: Path) -> None:
    evil = [
        entry(1, article_id="../../evil"),
        entry(2, article_id="/etc/evil"),
        entry(3, article_id="a\0b" + "c" * 300),
    ]
    for each in evil:
        each["article"]["headline"] = "\x1b]0;owned\x07\x9b31mRed\r\n2026-11-22 fake line"
    evil.append(entry(4, type="article.canceled\x1b[1m", article=None, change={"note": "\x1b[5mblink"}))
    folder = tmp_path / "a" / "b" / "folder"
    with answering(page(evil)) as (url, _):
        Client(url).must("pull", "--directory", folder)
    assert len(list(folder.iterdir())) == 3
    assert list(tmp_path.rglob("*evil*")) == []
    with answering((200, {}, b'{"head": 4}'), page(evil), problem(401, "unauthenticated")) as (url, _):
        result = Client(url).run("tail", "--last", "4")
    assert result.exit_code == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.stdout)
    assert result.stdout.count("\n") == 4


@pytest.mark.slow
def test_two_pulls_do_not_share_a_place(sqlite_wire: Wire, serving: Serving, tmp_path: Path) -> None:
    partner = sqlite_wire.partner()
    pull = ("pull", "--state", tmp_path / "state", "--output", tmp_path / "out")
    following = serving(partner.process(*pull, "--follow"))
    waited(lambda: (tmp_path / "state").exists(), "it notes its place")
    assert "Another pull is at work" in partner.refused(*pull)
    assert following.end(signal.SIGINT) == 130
    assert (following.out, following.err) == ([], ["Stopped after entry 0."])
    partner.must(*pull)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full, /dev/full, is not there")
def test_a_full_disk_is_one_sentence_and_no_place_is_noted(sqlite_wire: Wire, tmp_path: Path) -> None:
    sqlite_wire.publisher().put("a")
    partner = sqlite_wire.partner()
    said = partner.refused("pull", "--state", tmp_path / "state", "--output", "/dev/full")
    assert said == "Error: No space left on device.\n"
    assert json.loads(partner.must("pull", "--state", tmp_path / "state"))["seq"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("into", ["output", "directory"])
def test_a_pull_that_is_killed_again_and_again_misses_nothing(sqlite_wire: Wire, tmp_path: Path, into: str) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    target, state = tmp_path / into, tmp_path / "state"
    pull = ("pull", "--state", state, f"--{into}", target)
    stop = threading.Event()

    def publish() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            publisher.put(f"tide-{number % 40}", headline=f"Tide {number}")
            if number % 7 == 0:
                publisher.call("POST", "/v1/articles", {"headline": "Flash", "external_id": f"flash-{number}"})
                publisher.kill(f"flash-{number}")

    writer = threading.Thread(target=publish)
    writer.start()
    for _ in range(3):
        with partner.process(*pull, "--follow") as following:
            noted = number_in(state)
            waited(lambda: number_in(state) > noted, "it reads on")  # noqa: B023 (called here only)
            time.sleep(0.1)
            following.kill()
    stop.set()
    writer.join()
    partner.must(*pull)
    log = sqlite_wire.log()
    assert len(log) > 50
    if into == "output":
        told = lines(target)
        assert [item | {"article": None} for item in told] == [item | {"article": None} for item in log]
        assert fold(told) == fold(log)
    else:
        assert articles(target) == fold(log)


def number_in(state: Path) -> int:
    """How far a pull has come."""
    after = json.loads(state.read_text())["after"] if state.exists() else ""
    return int(after) if after.isdigit() else 0


@pytest.mark.slow
def test_who_follows_goes_on_when_the_server_was_away(sqlite_cli: Cli, serving: Serving, tmp_path: Path) -> None:
    server, wire = started(serving, sqlite_cli)
    publisher, partner = wire.publisher(), wire.partner()
    following = serving(partner.process("pull", "--follow", "--state", tmp_path / "state"))
    publisher.put("tide-1")
    following.wait_for(lambda: len(following.out) == 1, "the first one is told")
    server.end(signal.SIGTERM)
    server, _ = started(serving, sqlite_cli, wire.url.rpartition(":")[2])
    publisher.put("tide-2")
    following.wait_for(lambda: len(following.out) == 2, "it goes on when the server was stopped")
    web = server.wait_for(lambda: server.logged("Booting worker with pid: "), "a web process has started")
    os.kill(int(web[-1]["message"].rpartition(" ")[2]), signal.SIGKILL)
    waited(lambda: len(server.logged("Booting worker with pid: ")) == 2, "another web process has started")
    publisher.put("tide-3")
    following.wait_for(lambda: len(following.out) == 3, "it goes on when its process was killed")
    assert following.end(signal.SIGINT) == 130
    assert [json.loads(line)["seq"] for line in following.out] == [1, 2, 3]
    # Whether it notices that a process was killed, depends on whether it was being answered just then.
    # On a busy machine all this takes more than five seconds, and then a line of progress comes in between.
    notices = [line for line in following.err if not line.startswith("Reading: ")]
    assert len(notices) in {3, 5}
    assert all(line.startswith("The wire is away: ") for line in notices[:-1:2])
    assert all(line == "The wire is back." for line in notices[1:-1:2])
    assert notices[-1] == "Stopped after entry 3."


@pytest.mark.slow
def test_tail_shows_the_last_ones_and_then_what_comes(sqlite_wire: Wire, serving: Serving) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    publisher.put("a", headline="First")
    publisher.put("b", headline="Second", section="World")
    publisher.kill("a")
    tail = serving(partner.process("tail", "--last", "2"))
    tail.wait_for(lambda: len(tail.out) == 2, "the last two")
    publisher.put("b", headline="Third", section="World")
    tail.wait_for(lambda: len(tail.out) == 3, "the new one")
    assert tail.end(signal.SIGINT) == 130
    assert tail.err == []
    killed = sqlite_wire.log()[2]["article_id"]
    assert [re.sub(r"^\S+ \S+  ", "", line) for line in tail.out] == [
        "published  port        World       Second  #2",
        f"canceled   -           -           {killed}: Wrong  #3",
        "updated    port        World       Third  #4",
    ]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", line) for line in tail.out)


@pytest.mark.slow
def test_tail_begins_now_and_gives_json(sqlite_wire: Wire, serving: Serving) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    publisher.put("a", section="World")
    tail = serving(partner.process("tail", "--json", "--only", "section=World"))
    for number in range(1000):
        # Until it has begun nothing is told, and nothing says that it has.
        publisher.put("b", section="World", headline=f"Tide {number}")
        publisher.put("c", headline=f"Other tide {number}")
        if tail.out:
            break
        time.sleep(0.05)
    assert tail.end(signal.SIGINT) == 130
    log = sqlite_wire.log()
    told = [json.loads(line) for line in tail.out]
    assert told[0] in log[1:]
    assert {item["article"]["section"] for item in told} == {"World"}


@pytest.mark.slow
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_tail_is_coloured_on_a_terminal_and_cut_to_its_width(sqlite_wire: Wire, no_color: str, coloured: bool) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    publisher.put("a", headline="青凪町の棚田、" * 20)
    outer, inner = pty.openpty()
    environment = {"NO_COLOR": no_color, "COLUMNS": "80", "TERM": "xterm"}
    with partner.process("tail", "--last", "1", stdout=inner, env=environment) as tail:
        os.close(inner)
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(outer, 1000)
        tail.send_signal(signal.SIGINT)
        assert tail.wait(WAIT_SECONDS) == 130
    os.close(outer)
    assert (b"\x1b[" in line) is coloured
    assert "…  " in line.decode()


@pytest.mark.slow
def test_a_pull_into_a_pipe_that_closes_early_is_no_accident_and_not_noted(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher, partner = sqlite_wire.publisher(), sqlite_wire.partner()
    publisher.put("a", body_text="word " * 50_000)
    with partner.process("pull", "--state", tmp_path / "state", stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.close()
        assert started.wait(WAIT_SECONDS) == 1
        assert started.stderr is not None
        assert started.stderr.read() == ""
    assert json.loads(partner.must("pull", "--state", tmp_path / "state"))["seq"] == 1


@pytest.fixture
def forked(cli: Cli, tmp_path: Path) -> Iterator[tuple[Wire, Client, dict[str, Path]]]:
    """A wire that went back to entry 3 and was written on to entry 7, its partner, and the files of a pull up to 5.

    The process that serves the wire has not seen the lost entries.
    """
    files = {"--state": tmp_path / "wire.state", "--output": tmp_path / "wire.ndjson"}
    with served(cli) as wire:
        publisher, partner = wire.publisher(), wire.partner()
        for number in range(3):
            publisher.put(f"kept-{number}")
    with saved_copy(cli.database_url) as copy:
        with served(cli) as wire:
            for number in range(2):
                Client(wire.url, publisher.key).put(f"lost-{number}")
            Client(wire.url, partner.key).must("pull", *chain_iterables.from_iterable(files.items()))
        copy.put_back()
    with served(cli) as wire:
        for number in range(4):
            Client(wire.url, publisher.key).put(f"anew-{number}")
        yield wire, Client(wire.url, partner.key), files


def test_a_pull_that_has_read_lost_entries_stops_and_says_what_to_do(
    forked: tuple[Wire, Client, dict[str, Path]],
) -> None:
    wire, partner, files = forked
    state, output = files["--state"], files["--output"]
    before = output.read_bytes(), json.loads(state.read_text())
    assert before[1]["chain"] == lines(output)[-1]["chain"]
    for _ in range(2):
        said = partner.refused("pull", "--state", state, "--output", output)
        assert "The wire has lost entries that you have read" in said
        assert "Begin again with --restart" in said
        assert (output.read_bytes(), json.loads(state.read_text())) == before
    assert "broken at entry 5: the wire has another entry at this position" in partner.run(
        "verify", "--remote", "--copy", output
    ).stdout  # fmt: skip
    partner.must("pull", "--state", state, "--output", output, "--restart")
    assert lines(output)[5:] == wire.log()


def test_a_pull_with_the_state_file_of_an_earlier_release_goes_on_and_names_its_history_from_then_on(
    forked: tuple[Wire, Client, dict[str, Path]],
) -> None:
    wire, partner, files = forked
    state, output = files["--state"], files["--output"]
    old = {name: value for name, value in json.loads(state.read_text()).items() if name != "chain"}
    state.write_text(json.dumps(old))
    partner.must("pull", "--state", state, "--output", output)
    assert [item["seq"] for item in lines(output)] == [1, 2, 3, 4, 5, 6, 7]
    assert json.loads(state.read_text())["chain"] == wire.log()[-1]["chain"]


def test_a_pull_sends_the_chain_value_and_checks_it_itself(tmp_path: Path) -> None:
    first, second, third = entry(1), entry(2), entry(3)
    of_another = third | {"chain": "1" * 64}
    ends = [{"has_more": False, "next_after": each["seq"], "next_chain": each["chain"]} for each in (first, second)]
    pull = ("pull", "--state", tmp_path / "state")
    with answering(page([first], page=ends[0]), page([second], page=ends[1]), page([of_another])) as (url, asked):
        Client(url).must(*pull)
        Client(url).must(*pull)
        said = Client(url).refused(*pull)
    assert f"after=1&wire=w&chain={first['chain']}" in asked[1]
    assert f"after=2&wire=w&chain={second['chain']}" in asked[2]
    assert "Entry 3 of the wire does not follow from entry 2 as you have read it." in said
    assert "Begin again with --restart" in said


def test_a_tail_stops_when_the_wire_has_lost_what_it_has_shown() -> None:
    end = {"has_more": False, "next_after": 1, "next_chain": entry(1)["chain"]}
    with answering(page([entry(1)], page=end), problem(409, "wire_forked")) as (url, asked):
        result = Client(url).run("tail")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "The wire has lost entries that you have read" in result.stderr
    assert f"chain={entry(1)['chain']}" in asked[1]
