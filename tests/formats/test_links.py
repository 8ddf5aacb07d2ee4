"""Links of a body and addresses of fields: one reading of them, jumps, contacts, and footnotes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.article import Publisher
from newswire.errors import Problem
from newswire.formats.html.sanitise import sanitise
from newswire.formats.html.text import html_to_text
from newswire.formats.markdown.read import markdown_to_html, read_markdown
from newswire.schemas.article import load_draft
from newswire.urls import absolute_url, contact_url, has_credentials

PUBLISHER = Publisher(1, "pub", "Pub", "https://pub.example", "en")
OWN = "https://pub.example/news/story"


def link_of(href: str, base: str | None = OWN, own: str | None = OWN) -> str | None:
    html = sanitise(f'<a href="{href}">x</a>', base, own).html
    return html.removeprefix('<a href="').removesuffix('">x</a>').replace("&amp;", "&") if "href" in html else None


@pytest.mark.parametrize(
    ("sent", "host"),
    [
        ("straße.example", "xn--strae-oqa.example"),
        ("STRASSE.example", "strasse.example"),
        ("stra%C3%9Fe.example", "xn--strae-oqa.example"),
        ("münchen。example", "xn--mnchen-3ya.example"),
        ("ｅｘ.example", "ex.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("نامه\u200cای.example", "xn--mgba3gch31f060k.example"),
        ("xn--strae-oqa.example", "xn--strae-oqa.example"),
        ("a_b.example", "a_b.example"),
        ("r3---sn-4g5.example:8080", "r3---sn-4g5.example:8080"),
        ("[2001:db8::1]", "[2001:db8::1]"),
    ],
)
def test_a_host_stays_the_host_in_fields_and_bodies(sent: str, host: str) -> None:
    fields = {
        "headline": "x",
        "images": [{"url": f"https://{sent}/a"}],
        "body_html": f'<a href="https://{sent}/a">x</a>',
    }
    content = load_draft(fields, PUBLISHER).content
    assert content["images"][0]["url"] == f"https://{host}/a"
    assert content["body_html"] == f'<a href="https://{host}/a">x</a>'


@pytest.mark.parametrize("host", ["i❤.example", "a\u200db.example", "ä" * 70 + ".example", "a b.example", "%"])
def test_a_host_that_is_none_is_refused_in_a_field_and_goes_from_a_link(host: str) -> None:
    with pytest.raises(Problem) as refused:
        load_draft({"headline": "x", "images": [{"url": f"https://{host}/"}]}, PUBLISHER)
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [("/images/0/url", "invalid_url")]
    cleaned = sanitise(f'<a href="https://{host}/">x</a>', OWN)
    assert cleaned.html == "<a>x</a>"
    assert [each["detail"] for each in cleaned.warnings] == ["href attribute removed (1 time)"]


@given(st.text(max_size=20), st.text(max_size=20))
def test_an_address_that_was_read_once_stays_as_it_is(host: str, rest: str) -> None:
    url = absolute_url(f"https://{host}/{rest}", None)
    assert url is None or (url.isascii() and absolute_url(url, None) == url and not has_credentials(url))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://user:secret@h.example/a", "https://h.example/a"),
        ("https://user@h.example/a", "https://h.example/a"),
        ("https:\\\\user:secret@h.example\\a", "https://h.example/a"),
        ("//u:p@h.example:81/a", "https://h.example:81/a"),
        ("https://a:b@c:d@h.example/", "https://h.example/"),
    ],
)
def test_credentials_go_with_a_warning(sent: str, kept: str) -> None:
    fields = {"headline": "x", "url": sent, "authors": [{"name": "A", "url": sent}], "body_html": f'<img src="{sent}">'}
    draft = load_draft(fields, PUBLISHER)
    assert (draft.content["url"], draft.content["authors"][0]["url"]) == (kept, kept)
    assert f'src="{kept}"' in draft.content["body_html"]
    told = [each["pointer"] for each in draft.warnings if each["code"] == "removed_credentials"]
    assert told == ["/url", "/authors/0/url", "/body_html"]


@pytest.mark.parametrize("url", ["https://h.example/@user", "https://h.example/?q=a@b", "https://@h.example/", "a@b"])
def test_an_at_sign_elsewhere_is_no_credential(url: str) -> None:
    assert not has_credentials(url)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("mailto:press@pub.example", "mailto:press@pub.example"),
        ("MAILTO:a@x.example?subject=Hi there&body=a%0D%0Ab", "mailto:a@x.example?subject=Hi%20there&body=a%0D%0Ab"),
        ("mailto:?subject=x", "mailto:?subject=x"),
        ("mailto:jörg@x.example", "mailto:j%C3%B6rg@x.example"),
        ("mailto:a@x.example?subject=x%0D%0ABcc:b@x.example", None),
        ("mailto:a@x.example%0ABcc:b@x.example", None),
        ("mailto:a@x.example?attach=/etc/passwd", None),
        ("mailto:a@x.example?from=b@x.example", None),
        ("mailto:", None),
        ("mailto:" + "a" * 3_000, None),
        ("tel:+47 555-12", "tel:+47555-12"),
        ("tel:*100%23", "tel:*100%23"),
        ("tel:0800-FLOWERS;ext=1", "tel:0800-FLOWERS;ext=1"),
        ('tel:"onclick', None),
        ("tel:", None),
        ("sms:+47", None),
        ("facetime:a@x.example", None),
        ("mailtojavascript:alert(1)", None),
    ],
)
def test_links_for_mail_and_telephone_stay_where_they_are_safe(sent: str, kept: str | None) -> None:
    html = sent.replace('"', "&quot;").replace("&b", "&amp;b")
    assert link_of(html) == kept
    assert kept is None or contact_url(kept) == kept
    assert "mailto" not in sanitise(f'<img src="{html}"><q cite="{html}">x</q>', OWN).html


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('<a href="#n">1</a><p id="n">x</p>', '<a href="#user-content-n">1</a><p id="user-content-n">x</p>'),
        ('<p id="n">x</p><a href="#n">1</a>', '<p id="user-content-n">x</p><a href="#user-content-n">1</a>'),
        ('<a name="n">x</a><a href="#n">1</a>', '<a id="user-content-n">x</a><a href="#user-content-n">1</a>'),
        ('<a id="n" name="n">x</a><a href=#n>1</a>', '<a id="user-content-n">x</a><a href="#user-content-n">1</a>'),
        ('<p id="n">x</p>', "<p>x</p>"),
        (
            '<p id="注 1">x</p><a href="#%E6%B3%A8%201">1</a>',
            '<p id="user-content-注_1">x</p><a href="#user-content-注_1">1</a>',
        ),
        (f'<a href="{OWN}#n">1</a><p id=n>x</p>', '<a href="#user-content-n">1</a><p id="user-content-n">x</p>'),
        ('<a href="story#n">1</a><p id=n>x</p>', '<a href="#user-content-n">1</a><p id="user-content-n">x</p>'),
        (f'<a href="{OWN}#comments">1</a>', f'<a href="{OWN}#comments">1</a>'),
        ('<a href="https://other.example/#n">1</a><p id=n>x</p>', '<a href="https://other.example/#n">1</a><p>x</p>'),
        ('<a href="#">1</a>', "<a>1</a>"),
        ('<a href="#n">1</a><b id="user-content-n"></b>', '<a href="#user-content-n">1</a><b id="user-content-n"></b>'),
    ],
)  # fmt: skip
def test_a_jump_stays_within_the_article(sent: str, kept: str) -> None:
    assert sanitise(sent, OWN, OWN).html == kept
    assert sanitise(kept, OWN, OWN) == (kept, [], [])
    assert sanitise(kept, None) == (kept, [], [])


def test_footnotes_of_markdown_lead_to_their_notes_and_back() -> None:
    notes = "[^1]: The *source*.\n[^x]: Two.\n\n    More.\n[^lost]: Unused.\n[^1]: Twice."
    markdown = f"Claim[^1], again[^1], other[^x].\n\n{notes}"
    cleaned = sanitise(markdown_to_html(markdown), None)
    assert cleaned.warnings == []
    assert '<a href="#user-content-fn1" id="user-content-fnref1">[1]</a>' in cleaned.html
    assert '<li id="user-content-fn1"><p>The <em>source</em>. <a href="#user-content-fnref1">' in cleaned.html
    text = html_to_text(cleaned.html)
    assert all(word in text for word in ("Claim[1]", "More.", "Unused.", "Twice."))
    assert "[^" not in text


@pytest.mark.parametrize("markdown", ["a[^1]", "x^[2]", "`[^1]`\n\n    [^1]: code"])
def test_what_is_no_footnote_stays_text(markdown: str) -> None:
    assert "<section>" not in markdown_to_html(markdown)


def test_markdown_as_an_article_is_read_as_before() -> None:
    read: Any = read_markdown("# Head\n\nClaim[^1] text.\n\n[^1]: The source is here.")
    assert read["body_html"] == "<p>Claim[^1] text.</p>\n<p>[^1]: The source is here.</p>\n"
