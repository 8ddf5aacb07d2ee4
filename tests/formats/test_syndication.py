"""RSS, Atom and JSON Feed: what stands in them, their pages, conditional requests, and what a kill does to them."""

import gzip
import json
from html import escape
from itertools import product
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from lxml import etree
from sqlalchemy import select, update
from werkzeug.http import http_date
from werkzeug.test import TestResponse

from newswire.changes import recent_kills
from newswire.store.tables import article as article_table
from newswire.store.tables import head
from newswire.store.tables import version as version_table
from newswire.timestamps import EPOCH, now
from tests.support.wire import Caller, Wire

NAMES = {
    "a": "http://www.w3.org/2005/Atom", "at": "http://purl.org/atompub/tombstones/1.0",
    "content": "http://purl.org/rss/1.0/modules/content/", "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
}  # fmt: skip
FORMS = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
RICH: dict[str, Any] = {
    "headline": "AT&T rises, R&D <script>falls</script> &lt", "summary": "Less < more & so on", "section": "Markets",
    "body_html": "<p>It “rose” ]]&gt; by 3 &amp; fell.</p>", "language": "en-GB", "keywords": ["phones", "Markets"],
    "url": "https://news.example/2026/11/at-and-t?a=1&b=2",
    "subjects": [{"code": "medtop:04000000", "name": "economy", "scheme": "http://cv.iptc.org/newscodes/mediatopic/"},
                 {"name": "Line of trade", "scheme": "our own"}],
    "authors": [{"name": "Ana Pérez", "url": "https://news.example/ana", "avatar_url": "https://news.example/ana.png"},
                {"name": "Bo Li"}],
    "images": [{"url": "https://p.example/a.jpg?w=900", "caption": "A mast & a sky", "credit": "Ann Lee/Wire <3",
                "copyright_notice": "© Wire", "width": 900, "height": 600},
               {"url": "https://p.example/b", "role": "lead", "mime_type": "image/webp", "alt_text": "A phone"},
               {"url": "https://p.example/c"}],
    "published_at": "2026-11-01T10:20:30.5+02:00", "copyright_notice": "© 2026 News", "usage_terms": "Not for sale",
}  # fmt: skip
# The lead picture before the body, the others behind it: most readers show what stands in the content only.
SHOWN = (
    '<figure><img src="https://p.example/b" alt="A phone"></figure>'
    "<p>It “rose” ]]&gt; by 3 &amp; fell.</p>"
    '<figure><img src="https://p.example/a.jpg?w=900" alt="" width="900" height="600">'
    "<figcaption>A mast &amp; a sky Ann Lee/Wire &lt;3</figcaption></figure>"
    '<figure><img src="https://p.example/c" alt=""></figure>'
)


def xml(caller: Caller, address: str) -> etree._Element:
    response = caller.get(address)
    assert response.status_code == 200, response.text
    return etree.fromstring(response.data)


def texts(node: etree._Element, path: str) -> list[str]:
    found = node.xpath(path, namespaces=NAMES)
    assert isinstance(found, list)
    return [str(each) for each in found]


def test_rss_is_complete_with_authors_and_pictures(wire: Wire) -> None:
    article = wire.as_publisher().publish(**RICH)
    feed = xml(wire.as_partner(), "/v1/articles.rss?section=Markets")
    assert texts(feed, "channel/title/text()") == ["Newswire: section: Markets"]
    assert texts(feed, "channel/language/text()") == ["en-GB"]
    assert texts(feed, "channel/a:link[@rel='self']/@href") == ["http://localhost/v1/articles.rss?section=Markets"]
    (item,) = feed.findall("channel/item")
    assert item.findtext("title") == RICH["headline"]
    assert item.findtext("description") == "Less &lt; more &amp; so on"
    assert texts(item, "guid[@isPermaLink='false']/text()") == [article["uri"]]
    assert item.findtext("link") == RICH["url"]
    assert item.findtext("pubDate") == "Sun, 01 Nov 2026 08:20:30 GMT"
    assert texts(item, "content:encoded/text()") == [SHOWN]
    assert texts(item, "dc:creator/text()") == ["Ana Pérez", "Bo Li"]
    assert texts(item, "category/text()") == ["Markets", "phones", "economy", "Line of trade"]
    assert texts(item, "dc:rights/text()") == ["© 2026 News Not for sale"]
    pictures = [dict(each.attrib) for each in item.findall("media:content", NAMES)]
    assert pictures == [
        {"url": "https://p.example/a.jpg?w=900", "type": "image/jpeg", "medium": "image", "width": "900",
         "height": "600"},
        {"url": "https://p.example/b", "type": "image/webp", "medium": "image", "isDefault": "true"},
        {"url": "https://p.example/c", "medium": "image"},
    ]  # fmt: skip
    assert texts(item, "media:content/media:description/text()") == ["A mast & a sky", "A phone"]
    assert texts(item, "media:content/media:credit/text()") == ["Ann Lee/Wire <3"]
    assert texts(item, "media:content/media:copyright/text()") == ["© Wire"]


def test_markup_characters_in_a_title_of_rss_are_written_as_numbers(wire: Wire) -> None:
    wire.as_publisher().publish(**RICH)
    answer = wire.as_partner().get("/v1/articles.rss").data
    assert b"<title>AT&#x26;T rises, R&#x26;D &#x3C;script&gt;falls&#x3C;/script&gt; &#x26;lt</title>" in answer


def test_atom_is_complete_with_authors_and_pictures(wire: Wire) -> None:
    article = wire.as_publisher().publish(**RICH)
    answer = wire.as_partner().get("/v1/articles.atom")
    # Some readers know Atom without a prefix only.
    assert b"<feed xmlns=" in answer.data
    (entry,) = etree.fromstring(answer.data).findall("a:entry", NAMES)
    assert entry.findtext("a:id", None, NAMES) == article["uri"]
    assert entry.findtext("a:title", None, NAMES) == RICH["headline"]
    assert entry.findtext("a:updated", None, NAMES) == article["updated_at"]
    assert entry.findtext("a:published", None, NAMES) == "2026-11-01T08:20:30.500Z"
    assert texts(entry, "a:author/a:name/text()") == ["Ana Pérez", "Bo Li"]
    assert texts(entry, "a:author/a:uri/text()") == ["https://news.example/ana"]
    assert texts(entry, "a:content[@type='html']/text()") == [SHOWN]
    assert entry.findtext("a:summary", None, NAMES) == RICH["summary"]
    assert texts(entry, "a:link[@rel='alternate']/@href") == [RICH["url"]]
    assert texts(entry, "@xml:lang") == ["en-GB"]
    categories = [dict(each.attrib) for each in entry.findall("a:category", NAMES)]
    assert categories[2:] == [
        {"term": "medtop:04000000", "scheme": "http://cv.iptc.org/newscodes/mediatopic/", "label": "economy"},
        {"term": "Line of trade", "label": "Line of trade"},
    ]
    pictures = [dict(each.attrib) for each in entry.findall("a:link[@rel='enclosure']", NAMES)]
    assert pictures == [
        {"rel": "enclosure", "type": "image/jpeg", "href": "https://p.example/a.jpg?w=900",
         "title": "A mast & a sky / Ann Lee/Wire <3"},
        {"rel": "enclosure", "type": "image/webp", "href": "https://p.example/b", "title": "A phone"},
        {"rel": "enclosure", "href": "https://p.example/c"},
    ]  # fmt: skip


def test_json_feed_is_complete_with_authors_and_pictures(wire: Wire) -> None:
    article = wire.as_publisher().publish(**RICH)
    feed = wire.as_partner().get("/v1/articles.json?limit=5").get_json(force=True)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == "http://localhost/v1/articles.json?limit=5"
    assert "next_url" not in feed
    (item,) = feed["items"]
    ours = item.pop("_newswire")
    assert ours["images"] == article["images"]
    assert ours["publisher"]["name"] == "Reuters"
    assert item == {
        "id": article["uri"], "url": RICH["url"], "title": RICH["headline"], "content_html": SHOWN,
        "content_text": article["body_text"], "summary": RICH["summary"], "image": "https://p.example/b",
        "date_published": "2026-11-01T08:20:30.500Z", "date_modified": article["updated_at"], "language": "en-GB",
        "authors": [{"name": "Ana Pérez", "url": "https://news.example/ana", "avatar": "https://news.example/ana.png"},
                    {"name": "Bo Li"}],
        "tags": ["Markets", "phones", "economy", "Line of trade"],
        "attachments": [
            {"url": "https://p.example/a.jpg?w=900", "mime_type": "image/jpeg", "title": "A mast & a sky"},
            {"url": "https://p.example/b", "mime_type": "image/webp", "title": "A phone"},
        ],
    }  # fmt: skip


def test_a_flash_is_whole_in_every_form(wire: Wire) -> None:
    flash = wire.as_publisher().publish("Quake off Chile")
    partner = wire.as_partner()
    ours = f"http://localhost/v1/articles/{flash['id']}.html"
    (item,) = xml(partner, "/v1/articles.rss").findall("channel/item")
    assert (item.findtext("link"), item.find("dc:creator", NAMES)) == (ours, None)
    (entry,) = xml(partner, "/v1/articles.atom").findall("a:entry", NAMES)
    # RFC 4287 wants an author: who sent it is one.
    assert texts(entry, "a:author/a:name/text()") == ["Reuters"]
    (item,) = partner.get("/v1/articles.json").get_json(force=True)["items"]
    assert (item["url"], item["content_text"], "authors" in item) == (ours, "Quake off Chile", False)


def test_a_picture_that_stands_in_the_body_is_not_shown_twice(wire: Wire) -> None:
    address = "https://p.example/a.png?x=1&y=2"
    body = '<p>One.</p><img src="https://p.example/a.png?x=1&amp;y=2" alt=""><p>Two.</p>'
    article = wire.as_publisher().publish(body_html=body, images=[{"url": address}, {"url": address + "3"}])
    (item,) = wire.as_partner().get("/v1/articles.json").get_json(force=True)["items"]
    more = '<figure><img src="https://p.example/a.png?x=1&amp;y=23" alt=""></figure>'
    assert item["content_html"] == article["body_html"] + more


def test_a_byline_stands_where_no_author_is_known(wire: Wire) -> None:
    wire.as_publisher().publish("Quake", byline="By our correspondents")
    partner = wire.as_partner()
    assert texts(xml(partner, "/v1/articles.rss"), "//dc:creator/text()") == ["By our correspondents"]
    assert texts(xml(partner, "/v1/articles.atom"), "//a:author/a:name/text()") == ["By our correspondents"]


AWKWARD = (
    "]]> <![CDATA[", "😀 👩‍👩‍👧", "ا ف ب: \u202bعربي\u202c", "עברית", "\x7f\x85\x9f tail", "&amp;lt;script>",
    "a\u2028b\ufffdc", "<?xml?>", "𝒳 \U0010fffd", "<!-- --><x/>",
)  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_comes_through_unharmed(shared_publisher: Caller, shared_partner: Caller, text: str) -> None:
    said = shared_publisher.publish(
        f"x {text} y", summary=f"x {text} y", section=text, keywords=[text], authors=[{"name": text}],
        body_html=f"<p>{escape(text)}</p><img src='https://p.example/a.png'>",
        images=[{"url": "https://p.example/a.png", "caption": text, "credit": text}],
    )  # fmt: skip
    name, only = said["authors"][0]["name"], f"?ids={said['id']}"
    (item,) = shared_partner.get(f"/v1/articles.json{only}").get_json(force=True)["items"]
    assert (item["title"], item["content_text"]) == (said["headline"], said["body_text"])
    assert item["authors"] == [{"name": name}]
    (entry,) = xml(shared_partner, f"/v1/articles.atom{only}").findall("a:entry", NAMES)
    assert texts(entry, "a:title/text() | a:summary/text()") == [said["headline"], said["summary"]]
    assert texts(entry, "a:content/text() | a:author/a:name/text()") == [name, said["body_html"]]
    (item,) = xml(shared_partner, f"/v1/articles.rss{only}").findall("channel/item")
    assert texts(item, "title/text() | content:encoded/text()") == [said["headline"], said["body_html"]]
    (picture,) = said["images"]
    assert texts(item, "dc:creator/text()") == [name]
    assert texts(item, "media:content/*/text()") == [picture["caption"], picture["credit"]]


def test_text_that_xml_cannot_carry_breaks_no_feed(wire: Wire) -> None:
    """It is refused on the way in; nothing that got past by another way may shut a reader out."""
    article = wire.as_publisher().publish("Before HERE after", body_text="HERE")
    with wire.database.begin() as connection:
        row = connection.execute(select(version_table.c.rendered, version_table.c.body)).one()
        control = rb"\u0000\u0001\ufffe\uffff"
        connection.execute(
            update(version_table).values(
                rendered=row.rendered.replace(b"HERE", control), body=row.body.replace(b"HERE", control)
            )
        )
    partner = wire.as_partner()
    assert xml(partner, "/v1/articles.rss").findtext("channel/item/title") == "Before \ufffd\ufffd\ufffd\ufffd after"
    assert xml(partner, "/v1/articles.atom").findtext("a:entry/a:id", None, NAMES) == article["uri"]


def test_an_article_with_fifty_authors_names_them_all(wire: Wire) -> None:
    names = [f"Author {number}" for number in range(50)]
    wire.as_publisher().publish(authors=[{"name": name} for name in names])
    partner = wire.as_partner()
    assert texts(xml(partner, "/v1/articles.rss"), "//dc:creator/text()") == names
    assert texts(xml(partner, "/v1/articles.atom"), "//a:author/a:name/text()") == names


def ids(answer: TestResponse) -> list[str]:
    """The ids of what is shown, in any form."""
    if answer.mimetype == FORMS["json"]:
        return [item["id"] for item in json.loads(answer.data)["items"]]
    return texts(etree.fromstring(answer.data), "//item/guid/text() | //a:entry/a:id/text()")


def following(answer: TestResponse) -> str | None:
    """The address of the next page, as the document itself tells."""
    if answer.mimetype == FORMS["json"]:
        found: str | None = json.loads(answer.data).get("next_url")
    else:
        found = next(iter(texts(etree.fromstring(answer.data), "//a:link[@rel='next']/@href")), None)
    assert answer.headers.get("Link") == (found and f'<{found}>; rel="next"')
    return found and urlsplit(found)._replace(scheme="", netloc="").geturl()


def test_every_feed_pages_back_to_the_first_article(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    batch = [{"headline": f"Story {number}", "published_at": "2026-05-05T05:05:05Z"} for number in range(60)]
    results = publisher.post("/v1/articles/batch", json=batch).get_json()["results"]
    for form, query in product(FORMS, ("", "q=story&language=en")):
        found: list[str] = []
        names = set()
        address: str | None = f"/v1/articles.{form}?limit=25&{query}"
        while address:
            page = partner.get(address)
            found += ids(page)
            names |= set(texts(etree.fromstring(page.data), "/a:feed/a:id/text()")) if form == "atom" else set()
            address = following(page)
        assert found == [f"urn:uuid:{result['id']}" for result in reversed(results)]
        assert len(names) == (form == "atom")


def test_every_filter_of_the_list_works_and_what_trims_articles_is_refused(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    wanted = publisher.publish("Cocoa up", section="Markets")
    publisher.publish("Cocoa down", section="World")
    publisher.publish("Rain", section="Markets")
    for form in FORMS:
        address = f"/v1/articles.{form}"
        assert ids(partner.get(f"{address}?q=cocoa&not_section=World&sort=relevance")) == [wanted["uri"]]
        for refused in ("fields=headline", "count=true", "include=body", "token=nwf_x", "limit=101", "status=canceled"):
            assert partner.get(f"{address}?{refused}").status_code == 400, refused
        assert partner.get(f"{address}?q=OR").get_json()["code"] == "invalid_query"


@pytest.mark.parametrize("form", FORMS)
def test_a_correction_moves_the_date_and_keeps_the_id_and_a_kill_leaves_at_once(
    shared_publisher: Caller, shared_partner: Caller, form: str
) -> None:
    publisher, partner = shared_publisher, shared_partner
    article = publisher.publish("Ten dead", body_text="Ten.", section=form)
    address, stored = f"/v1/articles.{form}?section={form}", f"/v1/articles/{article['id']}"
    before = partner.get(address)
    changed = {"headline": "Nine dead", "change": {"type": "correction", "note": "Nine, not ten."}}
    assert publisher.patch(stored, json=changed, headers={"If-Match": "*"}).status_code == 200
    after = partner.get(address)
    assert ids(after) == ids(before) == [article["uri"]]
    assert "Nine dead" in after.text
    assert "Ten dead" not in after.text
    if form == "atom":
        first, second = (texts(etree.fromstring(page.data), "//a:entry/a:updated/text()") for page in (before, after))
        assert first < second
        assert texts(etree.fromstring(after.data), "/a:feed/a:updated/text()") == second
    assert publisher.delete(f"{stored}?reason=Not+so").status_code == 200
    killed_page = partner.get(address, headers={"If-None-Match": after.headers["ETag"]})
    assert (killed_page.status_code, ids(killed_page)) == (200, [])
    assert "Nine dead" not in killed_page.text


def tombstones(caller: Caller, query: str = "") -> dict[str, str | None]:
    """What is told of kills: the comment for each id."""
    feed = xml(caller, f"/v1/articles.atom?{query}")
    found = feed.findall("at:deleted-entry", NAMES)
    assert all(each.get("when", "").endswith("Z") for each in found)
    return {each.get("ref", ""): each.findtext("at:comment", None, NAMES) for each in found}


def test_a_kill_is_told_in_atom_to_those_who_were_told_of_the_article(wire: Wire) -> None:
    publisher, other = wire.as_publisher(), wire.as_publisher("afp")
    everyone, markets, cut = wire.as_partner(), wire.as_partner("m", section=["Markets"]), wire.as_partner("cut")
    gone = publisher.publish("Cocoa rises", section="World", published_at="2026-05-01T00:00:00Z")
    publisher.publish("Cocoa stays", section="World")
    hidden = publisher.publish("Never shown", embargoed_until="2199-01-01T00:00:00Z")
    wire.set_partner("cut", section=["Markets"])
    for article, reason in ((gone, "Wrong"), (hidden, "x")):
        publisher.delete(f"/v1/articles/{article['id']}?reason={reason}")
    told = {gone["uri"]: "Wrong"}
    assert tombstones(everyone) == tombstones(publisher) == tombstones(cut) == told
    assert tombstones(markets) == tombstones(other) == {}
    # Only where it would have stood: by its filters, its words and its times.
    for query in ("section=world", "q=cocoa", "q=rises+-stays", "published_to=2026-05-02"):
        assert tombstones(everyone, query) == told, query
    for query in ("section=markets", "q=coffee", "q=-cocoa+rises", "published_from=2026-05-02", "language=fr"):
        assert tombstones(everyone, query) == {}, query
    for form in ("rss", "json"):
        assert gone["id"] not in everyone.get(f"/v1/articles.{form}").text


def test_the_newest_fifty_kills_are_told_on_the_first_page_only(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    batch = [{"headline": f"Story {number}", "external_id": str(number)} for number in range(recent_kills.SHOWN + 5)]
    results = publisher.post("/v1/articles/batch", json=batch).get_json()["results"]
    for result in results[:-3]:
        publisher.delete(f"/v1/articles/{result['id']}")
    told = tombstones(partner, "limit=2")
    assert list(told) == [f"urn:uuid:{result['id']}" for result in reversed(results[2:-3])]
    assert len(told) == recent_kills.SHOWN
    second = following(partner.get("/v1/articles.atom?limit=2"))
    assert second is not None
    assert tombstones(partner, urlsplit(second).query) == {}


def aged(wire: Wire, seconds: int) -> str:
    """Moves the last change of the wire into the past; its date in HTTP."""
    changed_at = now() - seconds * 1000
    with wire.database.begin() as connection:
        connection.execute(update(head).values(changed_at=changed_at))
    return http_date(changed_at / 1000)


@pytest.mark.parametrize("form", FORMS)
def test_an_unchanged_feed_is_304_by_its_tag_or_by_its_date(
    shared_wire: Wire, shared_publisher: Caller, shared_partner: Caller, form: str
) -> None:
    publisher, partner = shared_publisher, shared_partner
    publisher.publish()
    date = aged(shared_wire, 6)
    answer = partner.get(f"/v1/articles.{form}")
    tag = answer.headers["ETag"]
    assert answer.headers["Last-Modified"] == date

    def asked(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        found = partner.get(f"/v1/articles.{form}", headers=named)
        assert (found.status_code == 200) == bool(found.data)
        return found.status_code

    assert asked(If_None_Match=tag) == asked(If_Modified_Since=date) == 304
    assert asked(If_None_Match=tag, If_Modified_Since=date) == 304
    assert asked(If_None_Match=tag, If_Modified_Since=http_date(0)) == 304
    # The tag is exact, so it wins; a date must be the very one, for clocks may be put back.
    assert asked(If_None_Match='"other"', If_Modified_Since=date) == 200
    assert asked(If_Modified_Since=http_date(0)) == asked(If_Modified_Since="Sun, 01 Jan 2198 00:00:00 GMT") == 200
    assert asked(If_Modified_Since="nonsense") == 200
    publisher.publish("Another")
    assert asked(If_Modified_Since=date) == asked(If_None_Match=tag) == 200


def test_a_date_is_given_only_when_nothing_else_can_have_happened_in_its_second(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish()
    fresh = partner.get("/v1/articles.rss")
    assert "Last-Modified" not in fresh.headers
    assert "ETag" in fresh.headers
    today = http_date(now() / 1000)
    assert partner.get("/v1/articles.rss", headers={"If-Modified-Since": today}).status_code == 200


def test_what_expires_or_depends_on_the_hour_has_the_date_of_that(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Gone in the meantime", expires_at=f"{EPOCH.year}-01-01T00:00:00Z")
    expired_at = now() - 60_000
    with wire.database.begin() as connection:
        connection.execute(update(article_table).values(expires_at=expired_at))
    aged(wire, 3600)
    assert partner.get("/v1/articles.rss").headers["Last-Modified"] == http_date(expired_at / 1000)
    minute = now() // 60_000 * 60
    relative = partner.get("/v1/articles.rss?published_from=now-1d").headers.get("Last-Modified")
    # In the first seconds of a minute there is no date yet.
    assert relative in (None, http_date(minute), http_date(minute + 60))


def test_what_is_not_on_the_wire_is_never_304(wire: Wire) -> None:
    """An embargoed article makes no entry, so nothing tells whether a copy of such a list is still good."""
    publisher = wire.as_publisher()
    publisher.publish("One", embargoed_until="2199-01-01T00:00:00Z")
    aged(wire, 10)
    for address in ("/v1/articles.json?status=withheld", "/v1/articles?status=withheld"):
        answer = publisher.get(address)
        assert {"ETag", "Last-Modified"}.isdisjoint(answer.headers)
        assert publisher.get(address, headers={"If-None-Match": "*"}).status_code == 200


@pytest.mark.parametrize(("form", "media_type"), FORMS.items())
def test_a_feed_answers_as_http_says(
    shared_wire: Wire, shared_publisher: Caller, shared_partner: Caller, form: str, media_type: str
) -> None:
    wire, partner = shared_wire, shared_partner
    shared_publisher.publish(body_text="A long story. " * 200)
    address = f"/v1/articles.{form}"
    answer = partner.get(address)
    assert answer.content_type == media_type + ("" if form == "json" else "; charset=utf-8")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in answer.headers["Vary"]
    small = partner.get(address, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(small.data) == answer.data
    top = partner.call("HEAD", address)
    assert (top.status_code, top.data, top.headers["ETag"]) == (200, b"", answer.headers["ETag"])
    assert wire.client.get(address).status_code == 401
    basic = wire.client.get(address, auth=("anyone", partner.key))
    assert basic.status_code == 200
    assert partner.post(address).status_code == 405


@pytest.mark.parametrize(
    "accept",
    [
        "application/rss+xml, application/xml;q=0.9, */*", "text/html,application/xhtml+xml,*/*;q=0.8", "text/xml", "",
        "application/json", "application/atom+xml;type=feed", "text/html", "application/rss+xml;q=0",
    ],
)  # fmt: skip
def test_every_reader_gets_the_feed_whatever_it_accepts(shared_partner: Caller, accept: str) -> None:
    for form, media_type in FORMS.items():
        answer = shared_partner.get(f"/v1/articles.{form}", headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (200, media_type), form


def test_a_feed_is_called_by_what_it_asks_for(wire: Wire) -> None:
    partner = wire.as_partner()

    def title(query: str) -> str:
        found: str = partner.get(f"/v1/articles.json?{query}").get_json(force=True)["title"]
        return found

    assert title("") == title("published_from=now-1d&limit=3") == "Newswire"
    assert title("q=cocoa&section=World,UK&not_language=fr") == "Newswire: cocoa; section: World, UK; not language: fr"
    assert title("q=" + quote("R&D <b>")) == "Newswire: R&D <b>"
    assert title("urgency_max=2&has_image=true") == "Newswire: urgency max: 2; has image: true"
