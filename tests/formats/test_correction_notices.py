"""Every format tells of a correction, and what can be sent back loses nothing of it and adds nothing to the body."""

import re
from typing import Any

import pytest
from lxml import etree

from newswire.formats.markdown.read import parse_markdown
from newswire.formats.ninjs.read import read_ninjs
from tests.support.wire import Caller, Wire

NOTE = "It was <b>Tuesday & *not*\nMonday: `a_b` [c](d) | ~e~ \\ ]]> &copy"
LABEL = r"Correction, [0-9]{4}-[0-9]{2}-[0-9]{2}:"
SENT: dict[str, Any] = {
    "headline": "Ferry", "body_html": "<p>On Tuesday.</p>", "summary": "Late <again>", "editor_note": "Mind the gap.",
    "change": {"type": "correction", "note": NOTE},
}  # fmt: skip
NAMES = {"a": "http://www.w3.org/2005/Atom", "c": "http://purl.org/rss/1.0/modules/content/"}
ROOT = "/v1/publishers/reuters/articles/"
NINJS = "application/vnd.iptc.ninjs+json"


def corrected(publisher: Caller, name: str, **fields: Any) -> dict[str, Any]:
    sent = {**SENT, **fields}
    assert publisher.put(ROOT + name, json={**sent, "change": None}).status_code == 201
    response = publisher.put(ROOT + name, json=sent)
    assert (response.status_code, response.get_json()["change"]["type"]) == (200, "correction")
    article: dict[str, Any] = response.get_json()
    return article


def text_of(html: str) -> str:
    """The text of HTML, its white space collapsed."""
    return " ".join("".join(etree.fromstring(html, etree.HTMLParser()).itertext()).split())


def test_feeds_and_pages_show_the_note_as_text(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = corrected(publisher, "a")
    shown = " ".join(NOTE.split())
    rss = etree.fromstring(publisher.get("/v1/articles.rss").data)
    (item,) = rss.iter("item")
    names = [child.tag for child in item]
    assert names.index("description") < names.index(f"{{{NAMES['c']}}}encoded")
    assert item.findtext("a:updated", None, NAMES) == article["updated_at"]
    for html in (item.findtext("description"), item.findtext("c:encoded", None, NAMES)):
        assert re.match(rf"{LABEL} {re.escape(shown)}", text_of(html or ""))
    assert text_of(item.findtext("description") or "").endswith("Late <again>")
    entry = etree.fromstring(publisher.get("/v1/articles.atom").data).find("a:entry", NAMES)
    assert entry is not None
    assert re.match(rf"{LABEL} {re.escape(shown)}", text_of(entry.findtext("a:content", None, NAMES) or ""))
    assert re.match(rf"{LABEL} {re.escape(NOTE)}\nLate <again>", entry.findtext("a:summary", None, NAMES) or "")
    (feed_item,) = publisher.get("/v1/articles.json").get_json()["items"]
    assert feed_item["date_modified"] == article["updated_at"]
    assert feed_item["_newswire"]["change"] == article["change"]
    assert re.match(rf"{LABEL} {re.escape(shown)}", text_of(feed_item["content_html"]))
    assert re.match(rf"{LABEL} {re.escape(NOTE)}\n\nOn Tuesday.", feed_item["content_text"])
    page = publisher.get(f"{ROOT}a.html").text
    assert re.search(rf"{LABEL} {re.escape(shown)}", text_of(page))
    for address in ("/v1/articles.rss", "/v1/articles.atom", f"{ROOT}a.html"):
        assert "<b>Tuesday" not in publisher.get(address).text


@pytest.mark.parametrize("body", [
    {"body_html": "<p>On Tuesday.</p>"}, {"body_html": None}, {"body_html": "<p>a\n<!-- --></p>* b"},
    {"body_html": "<p><strong>Correction, 2026-01-01:</strong> none</p>"},
    {"body_html": "<pre>a\n\n  b</pre>"}, {"body_text": "Long. " * 10_000, "body_html": None},
])  # fmt: skip
def test_markdown_and_ninjs_that_are_sent_back_change_nothing(shared_publisher: Caller, body: dict[str, Any]) -> None:
    name = f"back-{abs(hash(str(body)))}"
    article = corrected(shared_publisher, name, **body)
    markdown = shared_publisher.get(f"{ROOT}{name}.md").data
    assert re.search(rf"^\*\*{LABEL}\*\* It was ", markdown.decode(), re.MULTILINE)
    again = shared_publisher.put(ROOT + name, data=markdown, content_type="text/markdown")
    assert (again.status_code, again.get_json()["version"]) == (200, article["version"])
    assert parse_markdown(markdown)["change"] == SENT["change"]
    for version in ("3.1", "2.1"):
        document = shared_publisher.get(f"{ROOT}{name}.ninjs", headers={"Accept": f"{NINJS};version={version}"})
        read = read_ninjs(document.get_json()).article
        assert (read["change"], read["editor_note"]) == (SENT["change"], SENT["editor_note"])
        assert "subjects" not in read
        told = document.get_json().get("edNote") or document.get_json()["ednote"]
        assert told == f"Correction: {NOTE}\n\nMind the gap."
        back = shared_publisher.put(ROOT + name, json=document.get_json())
        assert (back.status_code, back.get_json()["version"]) == (200, article["version"]), back.text
    # At another address, as on another wire, it is the same article with the same note.
    moved = shared_publisher.put(f"{ROOT}{name}-copy", data=markdown.replace(name.encode(), name.encode() + b"-copy"),
                                 content_type="text/markdown")  # fmt: skip
    assert (moved.status_code, moved.get_json()["change"]["note"]) == (201, NOTE)
    assert moved.get_json()["body_html"] == article["body_html"]


def test_a_line_that_is_no_notice_of_this_change_stays_in_the_body(shared_publisher: Caller) -> None:
    line = "**Correction, 2026-01-01:** A"
    for front in ("", "---\nchange: {type: correction, note: B}\n---\n", "---\nchange: {type: update, note: A}\n---\n"):
        read = parse_markdown(f"{front}# Ferry\n\n{line}\n\nOn Tuesday.\n".encode())
        assert "Correction, 2026-01-01" in read["body_html"]
    read = parse_markdown(f"---\nchange: {{type: correction, note: A}}\n---\n# Ferry\n\n{line}\n\nThen.\n".encode())
    assert read["body_html"] == "<p>Then.</p>\n"


@pytest.mark.parametrize("signal", [
    {"signal": [{"code": "correction", "name": "Correction", "scheme": "http://cv.iptc.org/newscodes/signal/"}]},
    {"signal": [{"qcode": "sig:correction"}]}, {"signal": "correction"}, {"signal": ["Correction"]},
    {"signal": {"name": "Correction"}}, {"signals": [{"uri": "http://cv.iptc.org/newscodes/signal/correction"}]},
    {"signals": [{"name": "Update", "code": "update"}, {"literal": "correction"}]}, {"Signal": "sig:correction"},
])  # fmt: skip
def test_a_signal_of_a_correction_is_read_in_every_spelling(signal: dict[str, Any]) -> None:
    document = {"uri": "urn:n:1", "type": "text", "headline": "Ferry", "ednote": "Not Monday.", **signal}
    read = read_ninjs(document)
    assert read.article["change"] == {"type": "correction", "note": "Not Monday."}
    assert read.article["editor_note"] == "Not Monday."
    assert read.warnings == []


def test_the_note_of_an_update_is_for_editors_and_not_shown(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.put(f"{ROOT}a", json={"headline": "Ferry", "change": {"note": "More to come"}})
    publisher.put(f"{ROOT}a", json={"headline": "Ferry late", "change": {"note": "Adds the hour"}})
    for address in ("/v1/articles.rss", "/v1/articles.atom", f"{ROOT}a.html", f"{ROOT}a.md"):
        assert "Adds the hour" not in publisher.get(address).text
    assert "Adds the hour" in publisher.get(f"{ROOT}a.ninjs").text


def test_the_entries_of_a_batch_differ_in_the_order_of_the_wire(wire: Wire) -> None:
    publisher = wire.as_publisher()
    first = publisher.publish("Alone", external_id="alone")
    publisher.post("/v1/articles/batch", json=[{"headline": f"S {n}", "external_id": f"s{n}"} for n in range(30)])

    def times(path: str) -> dict[str, str]:
        root = etree.fromstring(publisher.get(path).data)
        entries = {
            e.findtext("a:id", "", NAMES): e.findtext("a:updated", "", NAMES)
            for e in root.iter(f"{{{NAMES['a']}}}entry")
        }
        assert root.findtext("a:updated", None, NAMES) == max(entries.values(), key=lambda text: text[:-1])
        return entries

    found = times("/v1/articles.atom?limit=100")
    assert len(set(found.values())) == len(found) == 31
    assert found[first["uri"]] == first["updated_at"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\d{3})?Z", text) for text in found.values())
    listed = publisher.get("/v1/articles?limit=100").get_json()["data"]
    by_seq = [found[each["uri"]] for each in sorted(listed, key=lambda each: each["seq"])]
    assert by_seq == sorted(by_seq, key=lambda text: text[:-1])
    assert [found[each["uri"]][:23] for each in listed] == [each["updated_at"][:23] for each in listed]
    # On any page, and after later articles, an entry has the same time.
    publisher.publish("Later")
    page = times("/v1/articles.atom?limit=7")
    assert {uri: page[uri] for uri in page if uri in found} == {uri: found[uri] for uri in page if uri in found}
