"""Feeds of real and of awkward articles before judges that are no part of this project.

One command runs them all: `make test ARGS="tests/cli/test_feed_judges.py"`. The judges lie in `../shared/judges`;
what they need lies in the folder that `JUDGES_TOOLS` names, else in its `tools`: what its `install.sh` puts there,
and in `feedvalidator` a clone of https://github.com/w3c/feedvalidator. What is missing is skipped, and said.
"""

import gzip
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from shutil import copyfile
from typing import Any
from urllib.parse import urlencode

import pytest
from lxml import etree
from sqlalchemy import make_url

from tests.support.command import REPOSITORY, Cli, Server, process, waited

pytestmark = pytest.mark.slow
JUDGES = REPOSITORY.parent / "shared" / "judges"
TOOLS = Path(os.environ.get("JUDGES_TOOLS", JUDGES / "tools"))
OF_EACH = 12
MOST_PAGES = 50
SECONDS = 300.0
NEXT = "{http://www.w3.org/2005/Atom}link[@rel='next']"
PICTURES: list[dict[str, Any]] = [
    {"url": "https://p.example/nothing-known"}, {"url": "https://p.example/a%20b.webp?w=1&h=2", "alt_text": "A <mast>"},
    {"url": "https://p.example/c.jpg", "role": "lead", "caption": "C & ]]>", "credit": "A/B", "width": 9, "height": 6},
]  # fmt: skip
AWKWARD: list[dict[str, Any]] = [
    {"headline": "]]> <![CDATA[ &amp; <b>AT&T</b> 😀 &#x3c;", "summary": "a ]]> b <c>", "body_text": "x ]]> y & z <p>"},
    {"headline": "\u202bعنوان\u202c", "language": "ar", "body_html": "<p dir='rtl'>نص</p>", "byline": "ا ف ب"},
    {"headline": "כותרת", "language": "he", "summary": "תקציר"},
    {"headline": "A gallery", "images": PICTURES},
    {"headline": "A flash that nobody wrote"},
    {"headline": "Fifty", "authors": [{"name": f"A {n}", "url": f"https://p.example/{n}"} for n in range(50)]},
    {"headline": "A byline", "byline": "By A and B", "copyright_notice": "© A & B", "usage_terms": "None <b>"},
    {"headline": "Long ago", "published_at": "1800-01-02T03:04:05Z", "language": "zh-Hant-TW"},
    {"headline": "Addresses", "url": "/é ü?q=a b&c=d#f", "body_html": "<p><a href='/x y?é=1'>é</a><img src='/ü.png'>"},
    {"headline": "Subjects", "keywords": ["]]>", "&"], "section": "<i>", "subjects": [
        {"code": "medtop:04000000", "name": "economy", "scheme": "http://cv.iptc.org/newscodes/mediatopic/"},
        {"name": "trade", "scheme": "no scheme of anybody"}, {"name": "a", "scheme": "urn:a:b"}]},
]  # fmt: skip
# The validator is no package: it is run out of its clone. Warnings are told and do not count.
W3C = """
import collections, sys, urllib.request
sys.path.insert(0, sys.argv[1])
import feedvalidator
from feedvalidator import logging
events = feedvalidator.validateURL(sys.argv[2], firstOccurrenceOnly=0)["loggedEvents"]
assert any(type(event).__name__ == "ValidElement" for event in events), "it has read nothing"
warned = collections.Counter(type(event).__name__ for event in events if isinstance(event, logging.Warning))
print("warnings:", dict(warned))
errors = [f"{type(event).__name__} {event.params}" for event in events if isinstance(event, logging.Error)]
print(*errors, sep="\\n")
sys.exit(bool(errors))
"""


@pytest.fixture(scope="module")
def wire(sqlite_template: str, tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[str]:
    """The address of a server of real and awkward articles, which anybody may read. What it writes is the same on
    both engines, as `tests/api/test_syndication.py` shows."""
    folder = tmp_path_factory.mktemp("judged")
    cli = Cli(f"sqlite:///{copyfile(str(make_url(sqlite_template).database), folder / 'newswire.db')}")
    cli.must("publisher", "add", "reuters", "--name", "Reuters & Co", "--url", "https://news.example/")
    articles = folder / "articles.jsonl"
    articles.write_text("\n".join(map(json.dumps, AWKWARD)) + "\n" + real(shared_data), encoding="utf-8")
    # A few of the real ones hold what XML cannot carry, and are refused.
    assert "new" in cli.run("import", str(articles), "--publisher", "reuters").stdout
    key = cli.must("key", "create", "--publisher", "reuters").strip()
    started = process(("serve", "--port", "0", "--json"), cli.database_url, env={"NEWSWIRE_PUBLIC_READ": "true"})
    server = Server(started)
    try:
        server.wait_for(lambda: "}" in server.out, "it says where it listens")
        url = json.loads("\n".join(server.out))["url"]
        killed(url, key)
        waited(lambda: dated(url), "the wire has been still long enough for a date")
        yield url
    finally:
        server.end(signal.SIGTERM)
        for stream in (started.stdout, started.stderr):
            assert stream is not None
            stream.close()


def real(shared_data: Path) -> str:
    """The first articles of every collection, as NDJSON."""
    found: list[str] = []
    for path in sorted((shared_data / "articles").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += islice(lines, OF_EACH)
    return "".join(found)


def killed(url: str, key: str) -> None:
    """Publishes an article and kills it, so that there is something to tell of."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    sent = urllib.request.Request(f"{url}/v1/articles", b'{"headline":"Not so"}', headers)
    with urllib.request.urlopen(sent, timeout=10) as response:
        article = json.load(response)["id"]
    address = f"{url}/v1/articles/{article}?reason=Made+up+%3Cby%3E+nobody"
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers, method="DELETE"), timeout=10):
        pass


def dated(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/v1/articles.rss?limit=1", timeout=10) as response:
        return "Last-Modified" in response.headers


def judged(*command: str | Path, **environment: str) -> None:
    """Runs a judge, whose exit status is 0 when it finds no fault; what it says is printed."""
    for needed in command[:2]:
        if not Path(needed).exists() and "/" in str(needed):
            pytest.skip(f"{needed} is not there: see the beginning of this file")
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=SECONDS, env={**os.environ, **environment}
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr


def pages(address: str) -> Iterator[str]:
    """The addresses of a feed's pages, by their links."""
    for _ in range(MOST_PAGES):
        yield address
        with urllib.request.urlopen(address, timeout=30) as response:
            link = etree.fromstring(response.read()).find(f".//{NEXT}")
        if link is None:
            return
        address = link.attrib["href"]
    raise AssertionError("it has no end")


@pytest.fixture
def python() -> Path:
    """The interpreter with what the judges of feeds need."""
    return TOOLS / "feeds" / "bin" / "python"


def test_atom_keeps_to_the_grammar_of_rfc_4287(wire: str, shared_data: Path, python: Path) -> None:
    grammar = shared_data / "schemas" / "atom-rfc4287.rnc"
    judged(python, JUDGES / "judge_atom_schema.py", grammar, *pages(f"{wire}/v1/articles.atom?limit=50"))


def test_json_feed_keeps_to_its_schema_page_after_page(wire: str, shared_data: Path, python: Path) -> None:
    address = f"{wire}/v1/articles.json?limit=50"
    judged(python, JUDGES / "judge_jsonfeed.py", shared_data / "schemas", address, "--walk", str(MOST_PAGES))


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_the_validator_of_the_w3c_finds_no_error(wire: str, python: Path, form: str) -> None:
    source = TOOLS / "feedvalidator" / "src"
    if not source.is_dir():
        pytest.skip(f"{source} is not there: see the beginning of this file")
    for query in ({"limit": "100"}, {"limit": "20", "language": "ar,he,ja,zh"}, {"q": "picture", "sort": "relevance"}):
        for page in pages(f"{wire}/v1/articles.{form}?{urlencode(query)}"):
            judged(python, "-c", W3C, source, page)


def test_redbot_finds_feeds_that_caches_and_clients_understand(wire: str) -> None:
    addresses = [f"{wire}/v1/articles.{form}" for form in ("rss", "atom", "json")]
    wanted = ("--warn", "--want", "INM_304,IMS_304")
    judged(TOOLS / "redbot" / "bin" / "python", JUDGES / "judge_redbot.py", *wanted, *addresses)


def test_dompurify_finds_nothing_active_in_what_is_shown(wire: str) -> None:
    libraries = TOOLS / "libs"
    if not (libraries / "node_modules" / "dompurify").is_dir():
        pytest.skip(f"{libraries} has no dompurify: see the beginning of this file")
    judge, address = JUDGES / "judge_sanitized_html.mjs", f"{wire}/v1/articles.json?limit=50"
    judged("node", judge, address, NODE_LIBS=str(libraries))
