"""The scripts in `examples`: they publish real articles, correct, kill and retry, against a wire that is served."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from newswire.formats.markdown.read import parse_markdown
from tests.support.command import REPOSITORY, Cli
from tests.support.served import Client, Wire, answering, problem, served

EXAMPLES = REPOSITORY / "examples"
ARTICLES = REPOSITORY.parent / "shared" / "data" / "articles"
SAMPLES = REPOSITORY / "newswire" / "samples"
NODE = shutil.which("node")
SCRIPTS = [
    pytest.param([sys.executable, "publish.py"], id="python"),
    pytest.param(
        [str(NODE), "publish.mjs"], id="node",
        marks=pytest.mark.skipif(NODE is None, reason="runs a script in Node, which is not installed here"),
    ),
]  # fmt: skip


def twenty_articles() -> list[dict[str, Any]]:
    """Real articles in four languages where the shared data lie beside the checkout, else the samples of the demo."""
    if not ARTICLES.is_dir():
        samples = [parse_markdown(file.read_bytes()) for file in sorted(SAMPLES.glob("*.md"))]
        return [dict(sample) | {"external_id": f"sample-{number}"} for number, sample in enumerate(samples, 1)]
    found: list[dict[str, Any]] = []
    for name in ("guardian_articles", "wikinews_ja", "saudinewsnet", "web_readability"):
        with gzip.open(ARTICLES / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            found += [json.loads(line) for line in islice(lines, 5)]
    return found


@pytest.fixture
def wire(sqlite_cli: Cli) -> Iterator[Wire]:
    with served(sqlite_cli) as wire:
        yield wire


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "articles.ndjson"
    file.write_text("".join(json.dumps(article) + "\n" for article in twenty_articles()))
    return file


def run_script(script: list[str], client: Client, file: Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"NEWSWIRE_URL": client.url, "NEWSWIRE_KEY": str(client.key), "no_proxy": "127.0.0.1"}
    return subprocess.run([*script, "port", str(file)], cwd=EXAMPLES, env=environment, capture_output=True, text=True,
                          timeout=60)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_publishes_corrects_kills_and_retries(script: list[str], wire: Wire, file: Path) -> None:
    articles, publisher = twenty_articles(), wire.publisher()
    done = run_script(script, publisher, file)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"201 version 1: {' '.join(articles[0]['headline'].split())}"
    assert [line[:3] for line in lines[: len(articles)]] == ["201"] * len(articles)
    assert lines[len(articles)] == "200 corrected, version 2"
    assert lines[-1].lower() == "201 sent twice, stored once: true"
    log = wire.log()
    types = [entry["type"] for entry in log]
    published = ["article.published"] * len(articles)
    assert types == [*published, "article.corrected", "article.canceled", "article.published"]
    assert log[len(articles)]["article"]["change"]["note"] == "The headline named another place."
    again = run_script(script, publisher, file)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines()[1].startswith("410 This article was killed")
    assert [entry["article_id"] for entry in wire.log()[len(log) :]] == [log[0]["article_id"]] * 2


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_sends_again_what_a_busy_wire_refuses(script: list[str], file: Path) -> None:
    file.write_text("".join(json.dumps({"headline": "x", "external_id": name}) + "\n" for name in ("a", 7)))
    stored: tuple[int, dict[str, str], bytes] = (
        200,
        {},
        b'{"id": "1", "version": 1, "headline": "x", "status": "usable"}',
    )
    refused = problem(503, "unavailable", **{"Retry-After": "1"})
    with answering(refused, stored) as (url, asked):
        done = run_script(script, Client(url, "nw_key"), file)
    assert (done.returncode, done.stderr) == (0, "")
    first = "PUT /v1/publishers/port/articles/a"
    assert asked[:3] == [first, first, first.removesuffix("a") + "7"]
    assert asked[3:] == [first, "DELETE /v1/publishers/port/articles/7?reason=Published%20by%20mistake.",
                         "POST /v1/articles", "POST /v1/articles"]  # fmt: skip
