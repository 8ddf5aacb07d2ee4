"""One article in other clothes: Markdown as it is accepted, and a page for people."""

import gzip
import json
import re
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
SENT = ("headline", "slugline", "summary", "body_html", "body_text", "byline", "dateline", "language", "section",
        "keywords", "subjects", "places", "urgency", "authors", "images", "url", "copyright_notice", "usage_terms",
        "editor_note", "published_at")  # fmt: skip
needs_articles = pytest.mark.skipif(not (SHARED / "articles").is_dir(), reason="needs ../shared/data/articles")
FULL: dict[str, Any] = {
    "headline": 'Cocoa <rises> & "falls"', "summary": "A summary: with a colon, and # a hash", "dateline": "ABIDJAN",
    "slugline": "cocoa-rises", "byline": "By Jane Doe", "section": "world", "keywords": ["cocoa", "a: b", "no"],
    "subjects": [{"code": "medtop:20000349", "name": "commodity market", "scheme": "http://cv.iptc.org/"}],
    "places": [{"name": "Abidjan", "country": "CI"}], "urgency": 3, "language": "en-GB", "external_id": "full-1",
    "source_version": 7, "copyright_notice": "© Example", "usage_terms": "Not for sale", "editor_note": "Hold photos",
    "authors": [{"name": "Jane Doe", "role": "Reporter", "bio": "Writes.", "url": "https://x.example/jane",
                 "avatar_url": "https://x.example/jane.jpg", "organization": "Example"}],
    "images": [{"url": "https://x.example/a.jpg", "role": "lead", "caption": "A <ship>", "alt_text": "ship",
                "credit": "Jo", "width": 1600, "height": 900, "mime_type": "image/jpeg"},
               {"url": "https://x.example/b.jpg", "role": "gallery"}],
    "url": "https://x.example/story", "expires_at": "2199-01-01T00:00:00Z",
}  # fmt: skip
BODIES = {
    "body_markdown": "First *line*, 3 * 4 and snake_case.\n\n## A heading\n\n- one\n- two\n\n> quoted\n\n"
    "A [link](https://x.example/) and `code`.\n\n1. first\n2. second\n\nEnd\\\nof it.",
    "body_html": "<p>One</p>\n<p>Two<br>lines &amp; <b>more</b></p><ul><li>x</li></ul><pre>a\n\n  b</pre>",
    "body_text": "One.\n\n# Not a heading\n\n1. Not a list\n\nBy Somebody Else\n\n![not a picture](x)",
}


def form(caller: Caller, article: dict[str, Any], suffix: str = "md") -> str:
    response = caller.get(f"/v1/articles/{article['id']}.{suffix}")
    assert response.status_code == 200, response.text
    return response.get_data(as_text=True)


def sent_back(caller: Caller, article: dict[str, Any], markdown: str) -> dict[str, Any]:
    response = caller.put(
        f"/v1/articles/{article['id']}", data=markdown.encode(), headers={"If-Match": "*"}, content_type="text/markdown"
    )
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def in_markdown(caller: Caller, markdown: str) -> dict[str, Any]:
    response = caller.post("/v1/articles", data=markdown.encode(), content_type="text/markdown")
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.get_json()
    return found


def bare(text: str | None) -> str:
    return "".join((text or "").split())


def real_articles(of_each: int) -> Iterator[dict[str, Any]]:
    for path in sorted((SHARED / "articles").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in islice(lines, of_each):
                yield {name: value for name, value in json.loads(line).items() if name in SENT and value}


@pytest.mark.parametrize("body", BODIES)
def test_what_is_read_as_markdown_changes_nothing_when_it_is_sent_back(wire: Wire, body: str) -> None:
    publisher = wire.as_publisher()
    for fields in (FULL, {"headline": "--- #"}, {"headline": "Ünï: 'quoted' — “curly” 你好 🙂"}):
        fields = {**fields, body: BODIES[body]}
        article = publisher.publish(**{**fields, "external_id": f"{fields['headline']}-{body}"})
        again = sent_back(publisher, article, form(publisher, article))
        changed = (
            {} if again["version"] == 1 else {name: (article[name], again[name]) for name in again["change"]["fields"]}
        )
        # Plain text has spaces that its HTML does not keep.
        assert changed.keys() <= {"body_text"}
        assert bare(article["body_text"]) == bare(again["body_text"])


def test_the_seed_article_comes_back_as_it_was_pushed(wire: Wire) -> None:
    seed = SHARED / "seed-article.md"
    if not seed.exists():
        pytest.skip("needs ../shared/data/seed-article.md")
    publisher = wire.as_publisher()
    article = in_markdown(publisher, seed.read_text("utf-8"))
    markdown = form(publisher, article)
    assert sent_back(publisher, article, markdown)["version"] == 1
    assert "<p>" not in markdown
    assert "\n\nMorocco has decided to acquire 36 Atmos 2000" in markdown


@pytest.mark.parametrize("body", [
    "By Jane Doe", "---", "a *b* c", "Just text.", "<p>x</p>\n\n# no heading", "<b>bold</b> and <i>not</i>",
    "<p>x" + " " * 3000 + "y</p>", "<ol>" + "<li>x</li>" * 2000 + "</ol>",
])  # fmt: skip
def test_a_body_that_markdown_would_take_for_something_else_comes_back_as_it_was(wire: Wire, body: str) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish("x", body_html=body, summary="a\x85b\u2028c")
    began = time.process_time()
    assert sent_back(publisher, article, form(publisher, article))["version"] == 1
    assert time.process_time() - began < 3


@needs_articles
@pytest.mark.slow
def test_real_articles_pushed_as_markdown_come_back_equivalent(wire: Wire) -> None:
    publisher = wire.as_publisher()
    tried = 0
    for fields in real_articles(6):
        markdown = form(publisher, publisher.publish(**fields))
        article = in_markdown(publisher, markdown)
        again = form(publisher, article)
        assert sent_back(publisher, article, again)["version"] == 1, again
        tried += 1
    assert tried > 80


def test_a_form_is_asked_for_by_suffix_or_by_accept_and_has_a_tag_of_its_own(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("Cocoa rises", body_text="It rises.")
    address = f"/v1/articles/{article['id']}"
    tags = {partner.get(address).headers["ETag"]}
    for suffix, media in (("md", "text/markdown"), ("html", "text/html")):
        found = partner.get(f"{address}.{suffix}")
        asked = partner.get(address, headers={"Accept": media})
        assert (asked.data, asked.content_type, asked.mimetype) == (found.data, found.content_type, media)
        assert "Accept" in asked.headers["Vary"]
        for path in (address, f"{address}.{suffix}"):
            held = {"If-None-Match": found.headers["ETag"], "Accept": media}
            assert partner.get(path, headers=held).status_code == 304
        whatever = partner.get(f"{address}.{suffix}", headers={"Accept": "image/png"})
        assert (whatever.status_code, whatever.mimetype) == (200, media)
        tags.add(found.headers["ETag"])
        kept = publisher.patch(
            address, json={"urgency": 1}, headers={"If-Match": found.headers["ETag"]}, query_string={"dry_run": "true"}
        )
        assert kept.status_code == 200
    assert len(tags) == 3
    assert partner.get(address, headers={"Accept": "*/*"}).mimetype == "application/json"
    assert partner.get(address, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}).mimetype == "text/html"
    publisher.delete(address)
    for suffix in ("md", "html"):
        problem_of(partner.get(f"{address}.{suffix}"), "article_canceled")


def test_the_page_shows_everything_and_tells_machines(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish(**FULL, body_html="<p>It <b>rises</b>.</p>")
    response = publisher.get(f"/v1/articles/{article['id']}.html")
    page = html.fromstring(response.data)
    assert page.xpath("//h1/text()") == [FULL["headline"]]
    text = page.text_content()
    for shown in ("By Jane Doe", "A <ship>", "Writes.", "Hold photos", "ABIDJAN", "© Example", "Not for sale"):
        assert shown in text
    assert page.xpath("//figure/img/@src") == ["https://x.example/a.jpg", "https://x.example/b.jpg"]
    assert page.xpath("//b/text()") == ["rises"]
    meta = {each.get("property"): each.get("content") for each in page.xpath("//meta[@property]")}
    expected = {"og:title": FULL["headline"], "og:image": "https://x.example/b.jpg", "og:locale": "en_GB"}
    assert expected.items() <= meta.items()
    assert meta["og:url"] == page.xpath("//link[@rel='canonical']/@href")[0]
    described = json.loads(page.xpath("//script[@type='application/ld+json']/text()")[0])
    assert (described["@type"], described["headline"]) == ("NewsArticle", FULL["headline"])
    assert (described["author"][0]["name"], described["image"][0]["caption"]) == ("Jane Doe", "A <ship>")
    assert described["dateModified"] == article["updated_at"]


def test_nothing_that_is_published_runs_on_the_page(wire: Wire) -> None:
    publisher = wire.as_publisher()
    nasty = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onload='x' {{ 7*7 }}"
    article = publisher.publish(
        nasty, summary=nasty, byline=nasty, keywords=[nasty[:60]], section=nasty[:90], body_html=f"<p>{nasty}</p>",
        authors=[{"name": nasty, "bio": nasty}], images=[{"url": "https://x.example/?a=\"><script>", "caption": nasty}],
    )  # fmt: skip
    response = publisher.get(f"/v1/articles/{article['id']}.html")
    page = html.fromstring(response.data)
    assert [script.get("type") for script in page.iter("script")] == ["application/ld+json"]
    assert not [name for each in page.iter() for name in each.attrib if str(name).startswith("on")]
    assert json.loads(page.xpath("//script/text()")[0])["headline"] == " ".join(nasty.split())
    assert "49" not in page.xpath("//h1")[0].text_content()
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]{44}'", policy)


def test_the_page_reads_in_the_direction_of_its_language(wire: Wire) -> None:
    publisher = wire.as_publisher()
    for language, direction in (("he", "rtl"), ("ar-EG", "rtl"), ("fa", "rtl"), ("en", "ltr"), ("ja", "ltr")):
        article = publisher.publish("x", language=language)
        page = html.fromstring(form(publisher, article, "html"))
        assert (page.get("lang"), page.get("dir")) == (language, direction)


def test_an_embargoed_article_says_so_to_its_publisher(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("Later", embargoed_until="2199-01-01T00:00:00Z")
    assert "Embargoed until 2199-01-01" in form(publisher, article, "html")
    problem_of(partner.get(f"/v1/articles/{article['id']}.html"), "not_found")
    problem_of(partner.get(f"/v1/articles/{article['id']}.md"), "not_found")


@pytest.mark.parametrize("url", [None, "https://x.example/story"])
def test_jumps_and_contacts_are_in_every_form_of_an_article(wire: Wire, url: str | None) -> None:
    publisher = wire.as_publisher()
    body = '<p>A<a href="#n">1</a> <a href="mailto:a@x.example">m</a> <a href="tel:+1">t</a></p><p id="n">Note</p>'
    article = publisher.publish(body_html=body, headline="Linked", url=url)
    assert sent_back(publisher, article, form(publisher, article))["version"] == 1
    links = ["#user-content-n", "mailto:a@x.example", "tel:+1"]
    partner = wire.as_partner()
    for address in (
        *(f"/v1/articles/{article['id']}{suffix}" for suffix in ("", ".html", ".md", ".ninjs")),
        *(f"/v1/articles{suffix}" for suffix in (".rss", ".atom", ".json")),
    ):
        response = partner.get(address)
        assert response.status_code == 200, address
        text = response.get_data(as_text=True).replace('\\"', '"').replace("&lt;", "<").replace("&gt;", ">")
        assert re.findall(r'href="(#[^"]*|mailto:[^"]*|tel:[^"]*)"', text) == links, address
