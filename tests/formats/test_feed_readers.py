"""Feed readers as people use them, against a server as it is run: they subscribe, poll, and see what became of it."""

import json
import shutil
import sqlite3
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import feedparser
import pytest
from reader import Entry, make_reader

from tests.support.command import Cli, Server, waited

pytestmark = pytest.mark.slow
Serving = Callable[["subprocess.Popen[str]"], Server]
PICTURE = "https://p.example/lead.jpg"
STORY: dict[str, Any] = {
    "headline": "Ten dead in AT&T fire", "body_html": "<p>Ten people died.</p>", "authors": [{"name": "Ana Pérez"}],
    "images": [{"url": PICTURE, "caption": "The mast", "width": 9, "height": 6}], "section": "World",
}  # fmt: skip
CORRECTION = {"body_html": "<p>Nine people died.</p>", "change": {"type": "correction", "note": "Nine, not ten."}}


class Site:
    """A server with one article; a partner's key, and a feed with its token."""

    def __init__(self, cli: Cli, serving: Serving) -> None:
        cli.must("publisher", "add", "reuters", "--name", "Reuters")
        cli.must("partner", "add", "paper", "--name", "Paper")
        self.publisher = cli.must("key", "create", "--publisher", "reuters").strip()
        self.partner = cli.must("key", "create", "--partner", "paper").strip()
        self.server = server = serving(cli.process("serve", "--port", "0", "--json"))
        server.wait_for(lambda: "}" in server.out, "it says where it listens")
        self.url: str = json.loads("\n".join(server.out))["url"]
        self.article = self.send("POST", "/v1/articles", STORY)
        feed = self.send("POST", "/v1/feeds", {"name": "world", "title": "World desk", "query": "section=world"},
                         key=self.partner)  # fmt: skip
        self.token = feed["token"]

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {key or self.publisher}", "Content-Type": "application/json",
                   "If-Match": "*"}  # fmt: skip
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def wait_for_answers(self, form: str, statuses: list[int]) -> None:
        """Until the last answers to whoever asked for a document of this form had these statuses."""

        def answers() -> list[int]:
            return [line["status"] for line in self.server.logged("request") if line["path"].endswith(f".{form}")]

        waited(lambda: answers()[-len(statuses) :] == statuses, f"the last polls are answered by {statuses}")

    def addresses(self, *forms: str) -> Iterator[tuple[str, str]]:
        """In each form a feed with its token, and the list with the key as a password."""
        basic = self.url.replace("//", f"//reader:{self.partner}@")
        for form in forms:
            yield form, f"{self.url}/v1/feeds/world.{form}?token={self.token}"
            yield form, f"{basic}/v1/articles.{form}"

    def correct(self) -> None:
        self.send("PATCH", f"/v1/articles/{self.article['id']}", CORRECTION)

    def kill(self) -> None:
        self.send("DELETE", f"/v1/articles/{self.article['id']}?reason=Not+so")


@pytest.fixture
def site(sqlite_cli: Cli, serving: Serving) -> Site:
    """The documents are the same on both engines, as `test_syndication.py` shows."""
    return Site(sqlite_cli, serving)


def test_feedparser_shows_the_story_polls_for_nothing_and_sees_what_became_of_it(site: Site) -> None:
    for form, address in site.addresses("rss", "atom"):
        feed = feedparser.parse(address)
        assert (feed.status, feed.bozo) == (200, False)
        (entry,) = feed.entries
        assert (entry.id, entry.title) == (site.article["uri"], STORY["headline"])
        assert entry.author == "Ana Pérez"
        assert "Ten people died." in entry.content[0].value
        assert PICTURE in entry.content[0].value
        told = entry.media_content if form == "rss" else [link for link in entry.links if link.rel == "enclosure"]
        assert PICTURE in json.dumps(told)
        assert feedparser.parse(address, etag=feed.etag).status == 304
    site.correct()
    for _, address in site.addresses("rss", "atom"):
        (entry,) = feedparser.parse(address).entries
        assert entry.id == site.article["uri"]
        assert "Nine people died." in entry.content[0].value
    site.kill()
    for _, address in site.addresses("rss", "atom"):
        assert feedparser.parse(address).entries == []


def test_the_library_reader_shows_the_story_once_its_correction_and_its_end(site: Site) -> None:
    addresses = list(site.addresses("rss", "atom", "json"))
    for form, address in addresses:
        with closing(make_reader(":memory:")) as reader:
            reader.add_feed(address)
            assert reader.update_feed(address) is not None
            entry = only(reader.get_entries())
            assert (entry.id, entry.title, entry.authors_str) == (site.article["uri"], STORY["headline"], "Ana Pérez")
            assert PICTURE in (entry.get_content() or entry.content[0]).value
            # What was not modified is no update.
            assert reader.update_feed(address) is None
            site.wait_for_answers(form, [200, 304])
    with closing(make_reader(":memory:")) as reader:
        for _, address in addresses:
            reader.add_feed(address)
            reader.update_feed(address)
        site.correct()
        for _, address in addresses:
            reader.update_feed(address)
        found = [*reader.get_entries()]
        assert len(found) == len(addresses)
        assert all("Nine people died." in entry.content[0].value for entry in found)
    site.kill()
    for _, address in addresses:
        with closing(make_reader(":memory:")) as reader:
            reader.add_feed(address)
            reader.update_feed(address)
            assert [*reader.get_entries()] == []


def only(entries: Any) -> Entry:
    (entry,) = entries
    assert isinstance(entry, Entry)
    return entry


def test_newsboat_shows_the_story_its_correction_and_its_end_and_polls_for_nothing(site: Site, tmp_path: Path) -> None:
    newsboat = shutil.which("newsboat")
    if newsboat is None:
        pytest.skip("newsboat is not installed")
    addresses = list(site.addresses("rss", "atom"))
    for number, (form, address) in enumerate(addresses):
        home = tmp_path / str(number)
        home.mkdir()
        (home / "urls").write_text(address + "\n")
        # It keeps no tag of a feed that it did not have yet, of any server: its third poll asks for what is new.
        for _ in range(3):
            reload(newsboat, home)
            ((guid, title, author, content),) = stored(home)
            assert (guid, title, author) == (site.article["uri"], STORY["headline"], "Ana Pérez")
            assert "Ten people died." in content
            assert PICTURE in content
        site.wait_for_answers(form, [200, 200, 304])
    site.correct()
    for number in range(len(addresses)):
        reload(newsboat, tmp_path / str(number))
        ((guid, _, _, content),) = stored(tmp_path / str(number))
        assert guid == site.article["uri"]
        assert "Nine people died." in content
    site.kill()
    # Whoever stored it keeps it; whoever comes now finds nothing.
    for number in range(len(addresses)):
        (tmp_path / str(number) / "cache.db").unlink()
        reload(newsboat, tmp_path / str(number))
        assert stored(tmp_path / str(number)) == []


def reload(newsboat: str, home: Path) -> None:
    """Newsboat without a terminal, with a cache of its own."""
    files = ("-u", home / "urls", "-c", home / "cache.db", "-C", "/dev/null")
    subprocess.run([newsboat, *files, "-x", "reload"], check=True, timeout=60, capture_output=True,
                   env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})  # fmt: skip


def stored(home: Path) -> list[tuple[str, ...]]:
    """What newsboat has of the feed."""
    with closing(sqlite3.connect(home / "cache.db")) as connection:
        return connection.execute("SELECT guid, title, author, content FROM rss_item").fetchall()
