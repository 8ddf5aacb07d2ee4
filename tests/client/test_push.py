"""`newswire push`: files over HTTP; a repeat does no harm, and every fault is told with its place."""

import gzip
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.support.command import Cli
from tests.support.served import Client, Wire, answering, problem, served

SAMPLES = sorted((Path(__file__).resolve().parents[2] / "newswire" / "samples").glob("*.md"))


@pytest.fixture
def wire(cli: Cli) -> Iterator[Wire]:
    with served(cli) as wire:
        yield wire


@pytest.fixture
def sqlite_wire(sqlite_cli: Cli) -> Iterator[Wire]:
    with served(sqlite_cli) as wire:
        yield wire


def test_files_are_published_and_a_repeat_changes_nothing(wire: Wire) -> None:
    publisher = wire.publisher()
    results = json.loads(publisher.must("push", "--json", *SAMPLES))
    assert [Path(result["file"]) for result in results] == SAMPLES
    assert {(result["status"], result["version"], result["problem"]) for result in results} == {("created", 1, None)}
    log = wire.log()
    assert [result["id"] for result in results] == [item["article_id"] for item in log]
    again = json.loads(publisher.must("push", "--json", *SAMPLES))
    assert {(result["status"], result["version"]) for result in again} == {("stored", 1), ("repeated", 1)}
    assert [result["id"] for result in again] == [result["id"] for result in results]
    assert wire.log() == log


def test_an_article_without_an_id_of_its_own_is_known_by_its_content(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher = sqlite_wire.publisher()
    file = tmp_path / "a story.md"
    file.write_text("The tide is high\nWet feet.\n")
    first = publisher.must("push", file)
    (told,) = sqlite_wire.log()
    assert first == f"{file}: new, version 1, {told['article_id']}\n"
    assert publisher.must("push", file) == f"{file}: sent before, version 1, {told['article_id']}\n"
    assert sqlite_wire.log() == [told]
    file.write_text("The tide is low\nDry feet.\n")
    publisher.must("push", file)
    assert [item["article"]["headline"] for item in sqlite_wire.log()] == ["The tide is high", "The tide is low"]


def test_a_number_as_external_id_is_the_id_of_its_digits(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher, file = sqlite_wire.publisher(), tmp_path / "numbers.jsonl"
    file.write_text('{"headline": "a", "external_id": 4711}\n{"headline": "b", "external_id": "4711"}\n')
    results = json.loads(publisher.must("push", "--json", file))
    assert [(result["status"], result["version"]) for result in results] == [("created", 1), ("stored", 2)]


def test_a_ninjs_file_publishes_updates_and_kills(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher, file = sqlite_wire.publisher(), tmp_path / "story.ninjs"
    story = {"uri": "urn:story:1", "type": "text", "headlines": [{"value": "Harbour opens"}]}
    said = []
    for changes in ({"version": "1"}, {"version": "2", "urgency": 1}, {"version": "3", "pubStatus": "canceled"}):
        file.write_text(json.dumps({**story, **changes}))
        (result,) = json.loads(publisher.must("push", "--json", file))
        said.append((result["status"], result["version"]))
    assert said == [("created", 1), ("stored", 2), ("stored", 3)]
    assert [item["type"] for item in sqlite_wire.log()] == [
        "article.published", "article.updated", "article.canceled",
    ]  # fmt: skip


@pytest.mark.slow
def test_all_forms_of_files_are_read_and_standard_input_too(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher = sqlite_wire.publisher()
    (tmp_path / "one.json").write_text('{\n"headline": "One", "external_id": "1"}')
    (tmp_path / "two.json").write_text('[{"headline": "Two"}, {"headline": "Three"}]')
    (tmp_path / "four.ndjson.gz").write_bytes(gzip.compress(b'{"headline": "Four"}\n\n{"headline": "Five"}\n'))
    out = publisher.must("push", tmp_path / "one.json", tmp_path / "two.json", tmp_path / "four.ndjson.gz")
    assert [line.split(": new")[0].removeprefix(f"{tmp_path}/") for line in out.splitlines()] == [
        "one.json", "two.json, article 1", "two.json, article 2", "four.ndjson.gz, line 1", "four.ndjson.gz, line 3",
    ]  # fmt: skip
    with (tmp_path / "one.json").open() as file, publisher.process("push", "-", stdin=file) as started:
        out, err = started.communicate(timeout=30)
    assert (started.returncode, err) == (0, "")
    assert out.startswith("-: stored, version 1, ")
    assert [item["article"]["headline"] for item in sqlite_wire.log()] == ["One", "Two", "Three", "Four", "Five"]


def test_every_fault_is_told_with_its_place_and_the_others_are_published(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher = sqlite_wire.publisher()
    files = {
        "good.json": '{"headline": "Good"}',
        "faulty.json": '{"headline": "", "sumary": "x", "images": [{"url": "ftp://x/a.jpg"}], "external_id": "f"}',
        "torn.json": '{"headline": "x",',
        "number.json": "7",
        "huge.json": '{"headline": 1' + "0" * 400 + "}",
        "lonely.json": '{"headline": "x", "external_id": "\\ud800"}',
        "picture.md": "![](a.jpg)\n",
        "letter.ndjson": 'Dear Madam\n{"headline": "Good too"}\n',
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    result = publisher.run("push", *(tmp_path / name for name in files))
    assert result.exit_code == 1
    refused = [line.removeprefix(f"{tmp_path}/") for line in result.stderr.splitlines()]
    for said in (
        "faulty.json, line 1: refused: /headline: Must not be blank.",
        "faulty.json, line 1: refused: /images/0/url: Must be an http or https address.",
        "faulty.json, line 1: refused: /sumary: There is no such field.",
        "number.json, line 1: refused: /: Must be an object.",
        "huge.json, line 1: refused: /headline: Must be a string.",
        "picture.md: refused: /: Line 1: The article has no headline: its first line must be one.",
    ):
        assert said in refused
    for name in ("torn.json", "lonely.json", "letter.ndjson, line 1"):
        assert any(line.startswith(f"{name}") and ": refused: " in line for line in refused), (name, refused)
    assert [item["article"]["headline"] for item in sqlite_wire.log()] == ["Good", "Good too"]
    results = json.loads(publisher.run("push", "--json", tmp_path / "faulty.json").stdout)
    assert [fault["pointer"] for fault in results[0]["problem"]["errors"]] == ["/headline", "/images/0/url", "/sumary"]
    assert results[0]["problem"]["code"] == "validation_failed"


def test_any_id_arrives_as_it_is(sqlite_wire: Wire, tmp_path: Path) -> None:
    publisher = sqlite_wire.publisher()
    file = tmp_path / "story.json"
    ids = ["..", ".", "a/../b", "https://port.example/1?x=y#z", "  two  blanks ", "ß%2F"]
    for headline, external_id in product(("First", "Second"), ids):
        file.write_text(json.dumps({"headline": headline, "external_id": external_id}))
        publisher.must("push", file)
    assert [(item["version"], item["article"]["external_id"]) for item in sqlite_wire.log()] == [
        (version, " ".join(external_id.split())) for version, external_id in product((1, 2), ids)
    ]


def test_what_the_wire_removed_is_told(sqlite_wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"headline": "x", "body_html": "<p>y</p><script>z</script>"}')
    out = sqlite_wire.publisher().must("push", tmp_path / "a.json")
    assert out.splitlines()[1] == f"{tmp_path}/a.json, line 1: warning: <script> removed with its content (1 time)"


def test_who_may_not_publish_is_told_before_anything_is_sent(sqlite_wire: Wire) -> None:
    for client in (
        sqlite_wire.partner(),
        Client(sqlite_wire.url, sqlite_wire.cli.json("key", "create", "--admin")["key"]),
    ):
        assert "To push takes the key of a publisher" in client.refused("push", SAMPLES[0])
    assert "401 unauthenticated" in Client(sqlite_wire.url, "nw_wrong").refused("push", SAMPLES[0])
    reader = sqlite_wire.publisher()
    key = sqlite_wire.cli.json("key", "create", "--publisher", "port", "--scope", "read")["key"]
    result = Client(sqlite_wire.url, key).run("push", SAMPLES[0])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "This needs a key with the scope publish." in result.stderr
    assert reader.run("push").exit_code == 2
    assert reader.run("push", "nowhere.md").exit_code == 2


def test_a_wire_that_goes_away_ends_the_push_with_one_sentence(tmp_path: Path) -> None:
    me: tuple[int, dict[str, str], bytes] = (200, {}, b'{"kind": "publisher", "slug": "port"}')
    with answering(me, problem(503, "unavailable", **{"Retry-After": "3600"})) as (url, asked):
        result = Client(url).run("push", SAMPLES[0], SAMPLES[1])
    assert result.exit_code == 1
    assert result.stderr.endswith("is away: it answers 503. Try again in 3600 s.\n")
    assert len(asked) == 2
