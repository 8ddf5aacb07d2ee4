"""A new format is one file and one row of the table: then every door has it.

The file and the row are written into a copy of the source, and what that copy answers is asked in a process of its own.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FILE = '''"""Cards: a headline and who sent it, in JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from newswire.formats.feeds.channel import Channel


def parse_card(body: bytes) -> dict[str, Any]:
    return {"headline": orjson.loads(body)["card"]}


def write_card(article: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"card": article["headline"]})


def write_cards(channel: Channel, articles: Sequence[Mapping[str, Any]]) -> bytes:
    return orjson.dumps({"title": channel.title, "cards": [article["headline"] for article in articles]})
'''
ROW = """
    Format("card", "card", "application/vnd.example.card+json", "as a card", "A headline on a card.",
           read=cards.parse_card, write_article=cards.write_card, write_list=cards.write_cards,
           file_suffixes=(".card",)),
"""
MEDIA = "application/vnd.example.card+json"
CARD = {"card": "Cocoa rises"}
ASKED = """
import json, sys
from docs.generate import formats
from tests.support.wire import Caller, Wire

wire = Wire(sys.argv[1])
publisher, partner = wire.as_publisher(), wire.as_partner()
media, card = sys.argv[2], sys.argv[3]
posted = publisher.post("/v1/articles", data=card, content_type=media)
token = partner.post("/v1/feeds", json={"name": "desk", "title": "Desk", "query": "q=cocoa"}).get_json()["token"]
nobody = Caller(wire.client, "")
one = "/v1/articles/" + posted.get_json()["id"]
answers = {
    "post": posted,
    "put": publisher.put("/v1/publishers/reuters/articles/1", data=card, content_type=media),
    "wrong type": publisher.post("/v1/articles", data=card, content_type="text/plain"),
    "suffix": partner.get(one + ".card"),
    "accept": partner.get(one, headers={"Accept": media}),
    "list": partner.get("/v1/articles.card?section=none"),
    "full list": partner.get("/v1/articles.card?limit=1"),
    "feed": wire.client.get("/v1/feeds/desk.card?token=" + token),
    "feed without token": wire.client.get("/v1/feeds/desk.card"),
    "links": partner.get("/v1/feeds/desk"),
    "changes": partner.get("/v1/changes.card?limit=1"),
    "changes by accept": partner.get("/v1/changes?limit=1", headers={"Accept": media}),
    "not acceptable": partner.get(one, headers={"Accept": "image/png"}),
    "wrong method": partner.post(one + ".card"),
    "openapi": wire.client.get("/v1/openapi.json"),
}
print(json.dumps({
    "docs": formats(),
    **{name: [each.status_code, [*each.headers], each.get_json(force=True)] for name, each in answers.items()},
}))
"""


class Doors:
    """What the copy answered, by the name of the request."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.docs: str = told.pop("docs")
        self.told = told

    def body(self, name: str, status: int = 200) -> Any:
        assert self.told[name][0] == status, self.told[name]
        return self.told[name][2]

    def header(self, name: str, header: str) -> str | None:
        found: str | None = dict(self.told[name][1]).get(header)
        return found


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source with the new format."""
    folder = tmp_path_factory.mktemp("source")
    shutil.copytree(REPOSITORY / "newswire", folder / "newswire", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "migrations").symlink_to(REPOSITORY / "migrations")
    formats = folder / "newswire" / "formats"
    (formats / "cards.py").write_text(FILE, encoding="utf-8")
    table = (formats / "__init__.py").read_text(encoding="utf-8")
    head, found, rows = table.partition("FORMATS = (\n")
    assert found
    head = head.replace("\nfrom newswire", "\nfrom newswire.formats import cards\nfrom newswire", 1)
    (formats / "__init__.py").write_text(f"{head}{found}{ROW}{rows}", encoding="utf-8")
    return folder


def run(source: Path, *arguments: str, **environment: str) -> str:
    """The output of Python that runs the copy."""
    path = os.pathsep.join([str(source), str(REPOSITORY)])
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, check=False, cwd=source,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def doors(source: Path, tmp_path_factory: pytest.TempPathFactory, sqlite_template: str) -> Doors:
    database = tmp_path_factory.mktemp("wire") / "newswire.db"
    shutil.copy(sqlite_template.removeprefix("sqlite:///"), database)
    return Doors(json.loads(run(source, "-c", ASKED, f"sqlite:///{database}", MEDIA, json.dumps(CARD))))


def test_an_article_is_read_in_it_by_suffix_and_by_accept(doors: Doors) -> None:
    assert doors.body("suffix") == doors.body("accept") == CARD
    for name in ("suffix", "accept"):
        assert doors.header(name, "Content-Type") == MEDIA
        assert (doors.header(name, "ETag") or "").endswith('.usable.card"')
    assert "Accept" in (doors.header("accept", "Vary") or "").split(", ")


def test_a_list_is_read_in_it(doors: Doors) -> None:
    assert doors.body("list") == {"title": "Newswire: section: none", "cards": []}
    assert doors.body("full list")["cards"] == ["Cocoa rises"]
    assert 'rel="next"' in (doors.header("full list", "Link") or "")


def test_a_saved_feed_is_read_in_it_with_its_token(doors: Doors) -> None:
    assert doors.body("feed") == {"title": "Desk", "cards": ["Cocoa rises", "Cocoa rises"]}
    assert doors.body("feed without token", 401)["code"] == "unauthenticated"
    assert doors.body("links")["links"]["card"].endswith("/v1/feeds/desk.card")


def test_changes_are_read_in_it(doors: Doors) -> None:
    assert doors.body("changes") == doors.body("changes by accept")
    assert [entry["article"] for entry in doors.body("changes")["data"]] == [CARD]
    assert doors.header("changes", "Content-Type") == MEDIA


def test_articles_are_sent_in_it(doors: Doors) -> None:
    assert doors.body("post", 201)["headline"] == doors.body("put", 201)["headline"] == "Cocoa rises"
    assert MEDIA in doors.body("wrong type", 415)["detail"]


def test_files_in_it_are_imported(source: Path, tmp_path: Path, sqlite_template: str) -> None:
    database = tmp_path / "newswire.db"
    shutil.copy(sqlite_template.removeprefix("sqlite:///"), database)
    (tmp_path / "story.card").write_text(json.dumps(CARD), encoding="utf-8")
    url = {"NEWSWIRE_DATABASE_URL": f"sqlite:///{database}"}
    run(source, "-m", "newswire", "publisher", "add", "port", "--name", "Port", **url)
    run(source, "-m", "newswire", "import", "--publisher", "port", str(tmp_path / "story.card"), **url)
    (line,) = run(source, "-m", "newswire", "export", **url).splitlines()
    assert json.loads(line)["article"]["headline"] == "Cocoa rises"


def test_who_accepts_nothing_else_is_told_of_it(doors: Doors) -> None:
    assert MEDIA in doors.body("not acceptable", 406)["detail"]
    assert doors.body("wrong method", 405)["code"] == "method_not_allowed"


def test_the_openapi_document_describes_it(doors: Doors) -> None:
    document = doors.body("openapi")
    operations = {
        operation["operationId"]: operation["responses"]["200"]["content"].keys()
        for path, methods in document["paths"].items() if path.endswith(".card")
        for operation in methods.values() if isinstance(operation, dict)
    }  # fmt: skip
    assert operations == {name: {MEDIA} for name in ("read_card", "articles_card", "feed_card", "list_changes_card")}
    article = document["paths"]["/v1/articles/{article_id}"]
    assert MEDIA in article["get"]["responses"]["200"]["content"]
    assert article["put"]["requestBody"]["content"][MEDIA] == {"schema": {"type": "object"}}
    assert "card" in document["components"]["schemas"]["FeedLinks"]["properties"]


def test_the_documentation_lists_it(doors: Doors) -> None:
    for told in (f"| `.card` | `{MEDIA}` | yes |", "| `GET /v1/feeds/{feed}.card` | read or token |"):
        assert told in doors.docs
