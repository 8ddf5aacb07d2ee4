"""`newswire import`: what a file says is stored, once, whatever happens in between."""

import gzip
import json
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from newswire.store.database import Database
from newswire.store.tables import article
from tests.support.command import WAIT_SECONDS, Cli, api, waited

MANY = 2000
HARBOUR = """# The harbour opens again
![The harbour at dawn. (Photo: Port Authority)](pictures/harbour.png)
After two years the harbour of Port Selwick opened again on Monday.
"""


def stories(number: int) -> list[dict[str, Any]]:
    return [
        {
            "external_id": f"story-{count}",
            "headline": f"Tide report {count} from the harbour",
            "body_text": f"The water stood at {count} centimetres.\n\nIt will fall again tonight.",
            "keywords": ["tide"],
            "published_at": f"2026-03-{count % 28 + 1:02}T{count % 24:02}:00:00Z",
        }
        for count in range(number)
    ]


def ndjson(articles: Iterable[Any]) -> str:
    return "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in articles)


def loaded(cli: Cli, file: Path) -> dict[str, Any]:
    """What the command counted; it need not have taken everything."""
    counts: dict[str, Any] = json.loads(cli.run("import", str(file), "--publisher", "port", "--json").stdout)
    return counts


def state(cli: Cli) -> dict[str, Any]:
    """Everything that must not depend on how the articles came in, and the proof that the wire is whole."""
    entries = [json.loads(line) for line in cli.must("export").splitlines()]
    proof = cli.json("verify")
    assert proof["whole"]
    contents = sorted((entry["article"]["external_id"], entry["version"], entry["article"]["headline"])
                      for entry in entries)  # fmt: skip
    return {"contents": contents, "head": proof["head"], "articles": cli.json("stats")["articles"]["usable"]}


def test_an_import_stores_every_article_and_repeating_it_changes_nothing(port: Cli, tmp_path: Path) -> None:
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson(stories(450)))
    first = loaded(port, file)
    assert (first["created"], first["refused"], first["head"]) == (450, 0, 450)
    chain = port.json("verify")["chain"]
    again = loaded(port, file)
    assert (again["created"], again["unchanged"], again["head"]) == (0, 450, 450)
    assert port.json("verify")["chain"] == chain
    said = port.must("import", str(file), "--publisher", "port")
    assert said.startswith("450 articles: 0 new, 0 updated, 450 unchanged, 0 refused;")
    assert said.endswith("The wire stands at 450.\n")


def test_a_changed_file_updates_what_changed_only(port: Cli, tmp_path: Path) -> None:
    articles = stories(20)
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson(articles))
    loaded(port, file)
    articles[7]["headline"] = "Tide report 7, corrected"
    file.write_text(ndjson(articles))
    counts = loaded(port, file)
    assert (counts["created"], counts["updated"], counts["unchanged"]) == (0, 1, 19)
    assert counts["head"] == 21


def test_a_file_that_holds_an_article_in_several_versions_ends_with_the_last_however_often(
    port: Cli, tmp_path: Path
) -> None:
    first, second, third = ({"external_id": "tide", "headline": f"Version {number}"} for number in (1, 2, 3))
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson([first, second, third]))
    counts = loaded(port, file)
    assert (counts["created"], counts["updated"], counts["head"]) == (1, 2, 3)
    again = loaded(port, file)
    assert (again["updated"], again["unchanged"], again["head"]) == (0, 3, 3)
    assert state(port)["contents"][-1] == ("tide", 3, "Version 3")


def test_a_correction_of_a_text_that_was_sent_before_is_stored_once(sqlite_port: Cli, tmp_path: Path) -> None:
    def counts_of(cli: Cli, file: Path) -> tuple[int, int]:
        counts = loaded(cli, file)
        return counts["updated"], counts["unchanged"]

    first = {"external_id": "a", "headline": "Ferry on Tuesday"}
    second = {**first, "headline": "Ferry on Monday"}
    third = {**first, "change": {"type": "correction", "note": "It was Tuesday after all."}}
    path = tmp_path / "history.jsonl"
    path.write_text(ndjson([first, second, third]))
    assert loaded(sqlite_port, path)["updated"] == 2
    assert counts_of(sqlite_port, path) == (0, 3)
    path.write_text(ndjson([first, second, third, {**second, "change": {"note": "No, Monday."}}]))
    assert counts_of(sqlite_port, path) == (1, 3)
    assert counts_of(sqlite_port, path) == (0, 4)


def test_an_older_source_version_is_left_alone(sqlite_port: Cli, tmp_path: Path) -> None:
    newer, older = (
        {"external_id": "tide", "headline": f"Version {number}", "source_version": number} for number in (2, 1)
    )
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson([newer, older]))
    counts = loaded(sqlite_port, file)
    assert (counts["created"], counts["unchanged"], counts["refused"], counts["head"]) == (1, 1, 0, 1)


def test_articles_without_an_id_are_known_again_by_their_content(port: Cli, tmp_path: Path) -> None:
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson([{"headline": "High water"}, {"headline": "Low water"}, {"headline": "High water"}]))
    assert loaded(port, file)["created"] == 2
    again = loaded(port, file)
    assert (again["created"], again["unchanged"], again["head"]) == (0, 3, 2)


@pytest.mark.parametrize(
    ("name", "content", "headlines"),
    [
        ("array.json", json.dumps(stories(3), indent=2), 3),
        ("short-array.json", json.dumps(stories(3)), 3),
        ("object.json", json.dumps(stories(1)[0], indent=4), 1),
        ("short-object.json", json.dumps(stories(1)[0]), 1),
        ("lines.jsonl", "\n\n" + ndjson(stories(3)).replace("\n", "\r\n"), 3),
        ("lines.txt", "\ufeff" + ndjson(stories(3)), 3),
        ("no-last-line-feed.ndjson", ndjson(stories(2)).rstrip("\n"), 2),
        ("story.md", HARBOUR, 1),
        ("empty.ndjson", "", 0),
    ],
)
def test_json_ndjson_and_markdown_are_read_also_gzipped(
    sqlite_port: Cli, tmp_path: Path, name: str, content: str, headlines: int
) -> None:
    plain, packed = tmp_path / name, tmp_path / f"{name}.gz"
    plain.write_bytes(content.encode())
    packed.write_bytes(gzip.compress(content.encode()))
    assert loaded(sqlite_port, plain) | {"seconds": 0} == {
        "read": headlines, "created": headlines, "updated": 0, "unchanged": 0, "refused": 0, "skipped": 0,
        "undated": headlines if name == "story.md" else 0, "head": headlines, "seconds": 0,
    }  # fmt: skip
    assert loaded(sqlite_port, packed)["unchanged"] == headlines


def test_a_markdown_article_is_stored_with_its_picture_under_the_publishers_address(
    sqlite_port: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "harbour.md"
    file.write_text(HARBOUR)
    loaded(sqlite_port, file)
    stored = json.loads(sqlite_port.must("export"))["article"]
    assert stored["headline"] == "The harbour opens again"
    assert stored["images"][0]["url"] == "https://port.example/pictures/harbour.png"
    assert stored["images"][0]["credit"] == "Port Authority"


def test_bad_lines_are_told_with_place_and_reason_and_harm_no_other(port: Cli, tmp_path: Path) -> None:
    good = stories(3)
    file = tmp_path / "stories.ndjson"
    lines = ['{"headline": \n', good[0], "\n", {"body_text": "No headline"}, good[1], '{"headline": "Caf\n',
             {"headline": "X", "headlin": "Y"}, "[]\n", '{"headline": NaN}\n', good[2]]  # fmt: skip
    file.write_text(ndjson(lines))
    with file.open("ab") as binary:
        binary.write(b'{"headline": "Caf\xe9"}\n' + b'{"headline": "' + b"x" * (8 * 1024 * 1024) + b'"}\n')
        binary.write(json.dumps({"external_id": "last", "headline": "The last one"}).encode())
    result = port.run("import", str(file), "--publisher", "port")
    assert result.exit_code == 1
    assert "13 articles" not in result.stdout
    assert result.stdout.startswith("12 articles: 4 new, 0 updated, 0 unchanged, 8 refused;")
    told = [line.split(": ", 2) for line in result.stderr.splitlines()]
    assert [place for place, *_ in told] == [f"line {number}" for number in (1, 4, 6, 7, 8, 9, 11, 12)]
    reasons = [" ".join(rest) for _, *rest in told]
    for reason, said in zip(
        reasons,
        ("not valid JSON", "/headline", "not valid JSON", "/headlin", "JSON object", "NaN", "not valid UTF-8", "8 MiB"),
        strict=True,
    ):
        assert said in reason


def test_bad_articles_of_an_array_are_told_by_their_number(sqlite_port: Cli, tmp_path: Path) -> None:
    file = tmp_path / "stories.json"
    file.write_text(json.dumps([{"headline": "Good"}, {"headline": 7}, "no object"]))
    result = sqlite_port.run("import", str(file), "--publisher", "port")
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.startswith("article 2: /headline: ")
    assert second.startswith("article 3: ")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("story.md", b"\n\n", "the article: Line 1: "),
        ("story.md", b"Caf\xe9\n", "the article: The body is not valid UTF-8"),
        ("broken.json", b'[{"headline": "x"},', "the file: The body is not valid JSON"),
        ("broken.json", b'\n{\n"headline": x}', "Expecting value at line 3, column 13"),
        (
            "cut.ndjson.gz",
            gzip.compress(ndjson(stories(1)).encode(), mtime=0)[:-9],
            "the end: The gzip data is damaged",
        ),
        ("odd.ndjson.gz", gzip.compress(b"{}", mtime=0)[:12] + b"garbage", "the end: The gzip data is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(
    sqlite_port: Cli, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    result = sqlite_port.run("import", str(file), "--publisher", "port")
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_ninjs_is_imported_and_a_canceled_one_kills(port: Cli, tmp_path: Path) -> None:
    story = {"uri": "urn:story:1", "type": "text", "headlines": [{"value": "Harbour opens"}], "version": "2"}
    file = tmp_path / "stories.ninjs"
    file.write_text(json.dumps(story, indent=1))
    counts = [loaded(port, file) for _ in range(2)]
    assert [(count["created"], count["unchanged"]) for count in counts] == [(1, 0), (0, 1)]
    file.write_text(ndjson([{**story, "pubStatus": "canceled"}, {**story, "version": "3"}, {**story, "uri": 5}]))
    count = loaded(port, file)
    assert (count["updated"], count["refused"]) == (1, 2)


def test_what_cannot_be_imported_at_all_is_one_sentence(sqlite_port: Cli, tmp_path: Path) -> None:
    file = tmp_path / "story.json"
    file.write_text("{}")
    assert "There is no publisher 'sea'" in sqlite_port.refused("import", str(file), "--publisher", "sea")
    missing = sqlite_port.run("import", str(tmp_path / "nowhere.json"), "--publisher", "port")
    assert missing.exit_code == 2
    assert "does not exist" in missing.stderr


def test_a_killed_article_stays_dead_and_is_told(sqlite_port: Cli, tmp_path: Path) -> None:
    key = sqlite_port.json("key", "create", "--publisher", "port")["key"]
    with api(sqlite_port) as client:
        killed = client.delete("/v1/publishers/port/articles/story-1", headers={"Authorization": f"Bearer {key}"})
    assert killed.status_code == 200
    file = tmp_path / "stories.ndjson"
    file.write_text(ndjson(stories(3)))
    result = sqlite_port.run("import", str(file), "--publisher", "port")
    assert result.exit_code == 1
    assert result.stderr.startswith("line 2: This article was killed")
    assert len(state(sqlite_port)["contents"]) == 2


@pytest.mark.slow
def test_standard_input_is_read_as_it_comes(port: Cli) -> None:
    articles = stories(401)
    with port.process("import", "-", "--publisher", "port", "--json", stdin=subprocess.PIPE) as started:
        assert started.stdin is not None
        started.stdin.write(ndjson(articles[:-1]))
        started.stdin.flush()
        waited(lambda: stored(port) == 400, "two batches are stored while the input is still open")
        out, _ = started.communicate(ndjson(articles[-1:]), timeout=WAIT_SECONDS)
    assert json.loads(out)["created"] == 401


@pytest.mark.slow
def test_an_import_that_is_killed_and_started_again_ends_like_one_that_was_not(port: Cli, tmp_path: Path) -> None:
    whole = ndjson(stories(MANY))
    with halfway(port, whole) as started:
        started.kill()
        started.wait(WAIT_SECONDS)
    assert 0 < stored(port) < MANY
    assert port.json("verify")["whole"]
    file = tmp_path / "stories.ndjson"
    file.write_text(whole)
    loaded(port, file)
    after = state(port)
    assert after["head"] == after["articles"] == MANY
    assert after["contents"] == sorted((story["external_id"], 1, story["headline"]) for story in stories(MANY))
    assert loaded(port, file)["unchanged"] == MANY


@pytest.mark.slow
def test_ctrl_c_ends_an_import_between_two_batches_and_says_what_is_stored(port: Cli) -> None:
    with halfway(port, ndjson(stories(MANY))) as started:
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=WAIT_SECONDS)
    assert started.returncode == 130
    count = stored(port)
    assert f"Stopped. Stored so far: {count:,} articles: {count:,} new, 0 updated" in err
    assert "Traceback" not in err
    assert port.json("verify")["entries"] == count


def halfway(cli: Cli, content: str) -> "subprocess.Popen[str]":
    """An import of half of `content` that has stored something and waits for the rest."""
    started = cli.process("import", "-", "--publisher", "port", stdin=subprocess.PIPE)
    assert started.stdin is not None
    started.stdin.write(content[: len(content) // 2])
    started.stdin.flush()
    waited(lambda: stored(cli) >= 400, "some batches are stored")
    return started


def stored(cli: Cli) -> int:
    database = Database(cli.database_url)
    with database.read() as connection:
        count: int = connection.execute(select(func.count()).select_from(article)).scalar_one()
    database.dispose()
    return count


@pytest.fixture
def reuters(sqlite_cli: Cli, shared_data: Path) -> tuple[Cli, Path]:
    """A wire for real stories, and the file that they are in."""
    sqlite_cli.must("publisher", "add", "reuters", "--name", "Reuters")
    return sqlite_cli, shared_data / "articles" / "reuters21578.jsonl.gz"


@pytest.mark.slow
def test_fourteen_thousand_real_stories_are_imported_searched_and_imported_again(reuters: tuple[Cli, Path]) -> None:
    cli, file = reuters
    first = cli.json("import", str(file), "--publisher", "reuters")
    assert (first["created"], first["refused"], first["head"]) == (14_293, 0, 14_293)
    chain = cli.json("verify")["chain"]
    key = cli.json("key", "create", "--admin")["key"]
    with api(cli) as client:
        page = client.get("/v1/articles?q=cocoa&limit=100", headers={"Authorization": f"Bearer {key}"}).get_json()
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        wanted = {story["external_id"] for story in map(json.loads, lines) if "cocoa" in story["headline"].lower()}
    assert len(wanted) > 20
    found = {story["external_id"] for story in page["data"]}
    dates = [story["published_at"] for story in page["data"]]
    assert dates == sorted(dates, reverse=True)
    assert len(found & wanted) > 20
    assert cli.json("import", str(file), "--publisher", "reuters")["unchanged"] == 14_293
    assert cli.json("verify")["chain"] == chain
