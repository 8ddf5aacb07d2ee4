"""The doors that are tried first: `/`, `/v1/`, /docs/, /openapi.json, /favicon.ico; and pages that refuse as pages."""

import gzip
import html
import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from werkzeug.test import TestResponse

from newswire import __version__
from newswire.api import responses
from newswire.config import Settings
from tests.support.databases import ENGINES
from tests.support.site import Site, opened, problem_of
from tests.support.wire import Wire

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FIXED = ("/docs", "/v1/openapi.json", "/docs/assets/swagger-ui.css", "/docs/assets/swagger-ui-bundle.js",
         "/docs/assets/docs_page.js", "/v1/", "/v1", "/v1/problems")  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


def check_page(response: TestResponse) -> str:
    """A page that runs nothing, loads nothing and fits a telephone."""
    assert response.content_type == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in response.text
    assert not re.search(r"<script|\son\w+=|\ssrc=", response.text)
    return response.text


def links_of(text: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'<a href="([^"]+)"', text)]


@pytest.mark.parametrize("accept", [*BROWSER.values(), "*/*", "", "image/png", "text/html, *; q=.2"])
def test_the_front_page_says_what_this_is_and_its_links_lead_somewhere(site: Site, accept: str) -> None:
    response = site.wire.client.get("/?utm_source=x&ref=y", headers={"Accept": accept})
    assert response.status_code == 200
    text = check_page(response)
    assert f"Version {__version__}" in text
    assert "Authorization: Bearer KEY" in text
    found = links_of(text)
    assert {"http://localhost/docs", "http://localhost/v1/", "http://localhost/healthz"} <= {*found}
    for link in found:
        assert site.wire.client.get(link.removeprefix("http://localhost")).status_code == 200, link
    assert "Accept" in response.headers["Vary"].split(", ")


def test_the_index_leads_to_every_main_address(site: Site) -> None:
    client = site.wire.client
    index = client.get("/v1/").get_json()
    assert (index["name"], index["version"], index["public_read"]) == ("Newswire", __version__, False)
    assert client.get("/v1").get_json() == index
    assert client.get("/", headers={"Accept": "application/json"}).get_json() == index
    assert index["links"].keys() >= {"self", "docs", "openapi", "articles", "changes", "rss", "atom", "json", "me"}
    for link in index["links"].values():
        assert site.publisher.get(link.removeprefix("http://localhost"), buffered=True).status_code == 200, link
    problem_of(client.get("/v1/?limit=2"), "unknown_parameter")


def test_links_begin_with_the_public_address(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, base_url="https://news.example/wire")) as wire:
        assert wire.client.get("/v1/").get_json()["links"]["docs"] == "https://news.example/wire/docs"
        assert "https://news.example/wire/docs" in links_of(wire.client.get("/").text)
        assert wire.client.get("/docs/").headers["Location"] == "https://news.example/wire/docs"


def test_a_public_wire_offers_its_feeds_to_readers(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, public_read=True)) as wire:
        text = check_page(wire.client.get("/"))
        found = dict(re.findall(r'<link rel="alternate" type="([^"]+)" href="http://localhost([^"]+)">', text))
        assert found.keys() == {"application/rss+xml", "application/atom+xml", "application/feed+json"}
        for media_type, path in found.items():
            assert wire.client.get(path).mimetype == media_type
        assert wire.client.get("/v1/").get_json()["public_read"] is True
        assert "Bearer" not in text


@pytest.mark.parametrize(
    ("path", "target"), [("/docs/", "/docs"), ("/openapi.json", "/v1/openapi.json"), ("/docs/?x=1", "/docs")]
)
def test_other_spellings_lead_to_where_one_expects(site: Site, path: str, target: str) -> None:
    response = site.wire.client.get(path)
    assert (response.status_code, response.headers["Location"]) == (308, f"http://localhost{target}")
    followed = site.wire.client.get(path, follow_redirects=True)
    assert followed.status_code == 200


def test_the_icon_that_browsers_ask_for_is_remembered_as_absent(site: Site) -> None:
    response = site.wire.client.get("/favicon.ico")
    assert (response.status_code, response.data) == (204, b"")
    assert "max-age" in response.headers["Cache-Control"]
    assert "Content-Type" not in response.headers


@pytest.mark.parametrize("path", FIXED)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_open_documents_have_strong_etags_and_are_compressed_once(
    site: Site, path: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, headers = site.wire.client, {"Accept-Encoding": encoding}
    first = client.get(path, headers=headers)
    whole = client.get(path, headers={"Accept-Encoding": "identity"})
    # From now on nothing can be compressed.
    monkeypatch.setattr(responses, "gzip", None)
    again = client.get(path, headers=headers)
    assert (again.status_code, again.data, again.headers["ETag"]) == (200, first.data, first.headers["ETag"])
    assert re.fullmatch('"[0-9a-f]{32}([.]gz)?"', first.headers["ETag"])
    if first.headers.get("Content-Encoding") == "gzip":
        assert encoding == "gzip"
        assert gzip.decompress(first.data) == whole.data
        assert first.headers["ETag"] != whole.headers["ETag"]
    else:
        assert encoding == "identity" or len(whole.data) < 1000
    tag = first.headers["ETag"]
    for held in (tag, f"W/{tag}", f'"x", {tag}', f'{tag[:-1]}-gzip"'):
        unchanged = client.get(path, headers={**headers, "If-None-Match": held})
        assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", tag)
        assert unchanged.headers["Vary"] == first.headers["Vary"]
        assert unchanged.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert client.get(path, headers={**headers, "If-None-Match": '"x"'}).status_code == 200
    assert "Accept-Encoding" in first.headers["Vary"]


def test_pages_of_articles_refuse_as_pages_that_say_what_to_do(site: Site) -> None:
    page = f"{site.address}.html"
    refused = site.wire.client.get(page, headers=BROWSER)
    problem_of(refused, "unauthenticated")
    assert "password is your key" in check_page(refused)
    assert any("Basic" in line for line in refused.headers.getlist("WWW-Authenticate"))
    assert refused.headers["Cache-Control"] == "no-store"
    # Whatever is accepted: the address says that a person looks.
    problem_of(site.partner.get("/v1/articles/none.html", headers={"Accept": "application/json"}), "not_found")
    unknown = site.partner.get(f"{page}?colour=<b>red")
    problem_of(unknown, "unknown_parameter")
    assert "colour" in check_page(unknown)
    killed = site.publisher.publish("Wrong")["id"]
    assert site.partner.get(f"/v1/articles/{killed}.html").status_code == 200
    site.publisher.delete(f"/v1/articles/{killed}?reason=Wrong")
    gone = site.partner.get(f"/v1/articles/{killed}.html")
    problem_of(gone, "article_canceled")
    assert "Take it down" in check_page(gone)
    head = site.partner.call("HEAD", f"/v1/articles/{killed}.html")
    assert (head.status_code, head.content_type, head.data) == (410, "text/html; charset=utf-8", b"")
    for link in links_of(gone.text):
        assert site.wire.client.get(link.removeprefix("http://localhost")).status_code == 200


def test_what_a_client_sent_is_shown_as_text(site: Site) -> None:
    for path in ("/v1/articles/x.html?<script>alert(1)</script>=1", "/<script>alert(1)</script>.html",
                 '/v1/articles/"><img src=x onerror=alert(1)>.html'):  # fmt: skip
        response = site.partner.get(path, headers={"X-Request-Id": "<b>"})
        assert response.status_code in (400, 404)
        check_page(response)
        assert "<img" not in response.text
        assert "<b>" not in response.text


def test_addresses_of_programs_refuse_with_a_problem_document_whatever_their_ending(site: Site) -> None:
    tried = [("GET", "/v1/consumers/desk.html"), ("PUT", "/v1/publishers/baseless/articles/a/story.html"),
             ("GET", "/v1/publishers/reuters/articles/a/story.html"), ("GET", "/v1/feeds/x.html"), ("GET", "/nowhere"),
             ("GET", "/docs/assets/x.js"), ("GET", "/v1/articles/x"),
             ("POST", "/"), ("DELETE", "/v1/articles/x.html"), ("GET", f"{site.address}/versions/9.html")]  # fmt: skip
    for method, path in tried:
        response = site.partner.call(method, path, json={"headline": "x"} if method == "PUT" else None)
        assert response.status_code >= 400
        assert response.content_type == "application/problem+json", (method, path)
    for page in ("/nowhere.html", "/docs/nothing"):
        assert site.wire.client.get(page).mimetype == "text/html"


def test_a_page_is_refused_under_a_foreign_name_without_a_link_to_it(fresh_sqlite: str) -> None:
    assert Settings().allowed_hosts is None
    with closing(Wire(fresh_sqlite, allowed_hosts=("wire.example",))) as wire:
        refused = wire.client.get("/", headers={"Host": "evil.example"})
        problem_of(refused, "invalid_parameter")
        assert links_of(check_page(refused)) == ["/", "/docs"]
