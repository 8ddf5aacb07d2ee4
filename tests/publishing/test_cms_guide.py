"""The guide's functions for posts of WordPress and Ghost and items of JSON Feeds run, and the wire takes the result."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.wire import Caller, Wire

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "publish-from-a-cms.md"
BODY = '<p>The <strong>ferry</strong> sails.</p>\n<script>track()</script><img src="/wp-content/a.jpg" alt="Harbour">'
WORDPRESS: dict[str, Any] = {
    "id": 4711, "date": "2026-11-22T10:30:00", "date_gmt": "2026-11-22T09:30:00", "modified_gmt": "2026-11-22T09:31:05",
    "slug": "ferry", "status": "publish", "type": "post", "link": "https://w.example/2026/ferry/",
    "title": {"rendered": "Mayor&#8217;s ferry &#038; budget"}, "content": {"rendered": BODY, "protected": False},
    "excerpt": {"rendered": "<p>The ferry sails again&hellip;</p>\n", "protected": False}, "author": 3,
    "_embedded": {
        "author": [{"id": 3, "name": "Ann Lee", "url": ""}, {"code": "rest_user_invalid_id", "message": "Invalid."}],
        "wp:featuredmedia": [{"id": 9, "source_url": "https://w.example/lead.jpg", "alt_text": "A ferry"}],
        "wp:term": [[{"name": "Arts &amp; Culture", "taxonomy": "category"}], [{"name": "Ferries"}], []],
    },
}  # fmt: skip
GHOST: dict[str, Any] = {
    "id": "5ddc9063c35e7700383b27e0", "uuid": "5bf68e1f", "title": "Ferry sails", "html": BODY, "custom_excerpt": None,
    "url": "https://g.example/ferry/", "published_at": "2026-11-22T09:30:00.000+00:00",
    "updated_at": "2026-11-22T09:31:05.000+00:00", "feature_image": "https://g.example/lead.jpg",
    "feature_image_alt": "A ferry", "feature_image_caption": '<span>Photo by <a href="https://u.example">Jo</a></span>',
    "authors": [{"name": "Ann Lee", "profile_image": None}], "tags": [{"name": "Ferries"}],
}  # fmt: skip
ITEM: dict[str, Any] = {
    "id": "https://j.example/1", "url": "https://j.example/1", "title": "Ferry sails", "content_html": BODY,
    "summary": "The ferry sails again.", "date_published": "2026-11-22T09:30:00Z", "tags": ["Ferries"],
    "image": "https://j.example/lead.jpg", "language": "en-US",
    "authors": [{"name": "Ann Lee", "url": "https://j.example/ann", "avatar": "https://j.example/ann.png"}, {}],
}  # fmt: skip
BARE_ITEM: dict[str, Any] = {
    "id": "2",
    "title": "",
    "content_html": "",
    "content_text": "A note about the ferry.",
}
BARE_POST = {name: WORDPRESS[name] for name in WORDPRESS if name != "_embedded"} | {"id": 4712}
BARE_GHOST = {name: GHOST[name] for name in ("id", "title", "html", "url", "published_at", "updated_at")} | {"id": "b"}
POSTS = [
    ("from_wordpress", WORDPRESS), ("from_wordpress", BARE_POST), ("from_ghost", GHOST), ("from_ghost", BARE_GHOST),
    ("from_json_feed", ITEM), ("from_json_feed", BARE_ITEM),
]  # fmt: skip


def example(language: str) -> str:
    """The code of the guide in this language; it has one block of each."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return str(found)


def made_in_python() -> list[dict[str, Any]]:
    functions: dict[str, Any] = {}
    exec(compile(example("python"), GUIDE.name, "exec"), functions)
    return [functions[name](post) for name, post in POSTS]


def test_what_the_functions_of_the_guide_make_is_taken_whole(wire: Wire) -> None:
    publisher = wire.as_publisher()
    stored = []
    for sent in made_in_python():
        address = f"/v1/publishers/reuters/articles/{str(sent['external_id']).replace('/', '%2F')}"
        answer = publisher.put(address, json=sent)
        assert answer.status_code == 201, answer.text
        stored.append(answer.get_json())
    assert [article["headline"] for article in stored] == [
        "Mayor’s ferry & budget", "Mayor’s ferry & budget", "Ferry sails", "Ferry sails", "Ferry sails",
        "A note about the ferry.",
    ]  # fmt: skip
    post, _, ghost, _, item, note = stored
    assert (post["external_id"], post["summary"]) == ("4711", "The ferry sails again…")
    assert (post["keywords"], post["published_at"]) == (["Arts & Culture", "Ferries"], "2026-11-22T09:30:00.000Z")
    assert (ghost["images"][0]["caption"], ghost["keywords"]) == ("Photo by Jo", ["Ferries"])
    assert (item["summary"], item["language"]) == ("The ferry sails again.", "en-US")
    for article in (post, ghost, item):
        assert article["body_html"].startswith("<p>The <strong>ferry</strong> sails.</p>")
        assert article["images"][0]["url"].endswith("/lead.jpg")
        assert [author["name"] for author in article["authors"]] == ["Ann Lee"]
    assert note["body_text"] == note["headline"]
    assert_late_is_refused(publisher, made_in_python()[0])


def assert_late_is_refused(publisher: Caller, article: dict[str, Any]) -> None:
    """A retry of an older save loses, because the time of the save is the version."""
    late = {**article, "source_version": article["source_version"] - 1}
    assert publisher.put("/v1/publishers/reuters/articles/4711", json=late).status_code == 409


def test_the_functions_in_php_make_the_same(tmp_path: Path) -> None:
    if (php := shutil.which("php")) is None:
        pytest.skip("there is no php on the path: the guide's functions in PHP are not run")
    file = tmp_path / "guide.php"
    driver = "foreach (json_decode(file_get_contents('php://stdin'), true) as [$name, $post]) $made[] = $name($post);"
    file.write_text(f"{example('php')}\n{driver}\necho json_encode($made);\n", encoding="utf-8")
    done = subprocess.run(
        [php, str(file)], input=json.dumps(POSTS), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert json.loads(done.stdout) == made_in_python()
