"""Remains of HTML in plain text: what is read as markup, what stays text, and that a second reading changes nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.article import UNCARRIABLE
from newswire.plain_text import PlainText, read_plain_text
from tests.support.cases import case

PLAIN = {
    "Mayor&#8217;s plan &#038; budget": "Mayor’s plan & budget",
    "caf&eacute; &#233; &#xE9; &#Xe9; &#x000E9;": "café é é é é",
    "A&nbsp;B&nbsp;": "A B",
    "&quot;Yes&quot;, it&#39;s&hellip;": '"Yes", it\'s…',
    "&#128; &#146; as in windows-1252": "€ ’ as in windows-1252",
    "&#x1F600;": "😀",
    "R&amp;D": "R&D",
    "5 &lt; 6 &amp; 7 &gt; 3": "5 < 6 & 7 > 3",
    "Why &lt;script&gt; tags matter": "Why <script> tags matter",
    "Why &lt;b&gt; has no end": "Why <b> has no end",
    "<p>The ferry sails.</p>": "The ferry sails.",
    "<em>Ferry</em> sails": "Ferry sails",
    "<EM CLASS='x'>Ferry</eM > sails": "Ferry sails",
    '<a href="https://e.example/?a=1&amp;b=2" title="a > b">Ferry</a> sails': "Ferry sails",
    '<span class="x"><b><i>Ferry</b></i></span> sails': "Ferry sails",
    "Ferry<br>sails<br/>again<br />today": "Ferry sails again today",
    "<p>One</p><p>two</p>\n<div>three</div>": "One two three",
    "<ul><li>One</li><li>two</li></ul>": "One two",
    "<p>One<hr>two<img src='a.jpg'>three</p>": "One two three",
    "un<b>bold</b>ed": "unbolded",
    "<p>Why &lt;script&gt; tags matter</p>": "Why <script> tags matter",
    "<script>alert(1)</script><b>x</b>": "<script>alert(1)</script>x",
    "&lt;p&gt;The ferry&amp;#8217;s way.&lt;/p&gt;": "The ferry’s way.",
    "Sharon pushes on with Gaza &lt;b&gt;...&lt;/b&gt;": "Sharon pushes on with Gaza ...",
    "&lt;i&gt;Ferry&lt;/i&gt;&lt;br&gt;Caf&amp;eacute; &lt;script&gt;": "Ferry Café <script>",
    "<<i></i>b>bold</b>": "bold",
    "<p></p>": "",
    "&nbsp;": "",
}
TEXT = [
    "", "Ferry sails", "5 < 6 & 7 > 3", "AT&T", "AT&T; R&D;", "I <3 Berlin", "a<b", "a <b> alone", "a </b> alone",
    "</b>x<b>", "&copy 2026", "&unknown;", "&notit;", "&;", "&#;", "&#x;", "& amp;", "Why <script> tags matter",
    "<script>x</script>", "<title>x</title>", "<img src=x onerror=alert(1)>", "a <hr> b", "Ada <ada@pub.example> wrote",
    "< b>x</ b>", "<bold>x</bold>", "<!-- b -->", "&#0;", "&#x1;", "&#xD800;", "&#xFFFE;",
    "&#x110000;", "&#999999999;", "&#12;", "&#127;",
]  # fmt: skip
ABOUT_ENTITIES = {
    "The mayor&#8217;s <b>&amp;lt;</b>": "The mayor’s &amp;lt;",
    "R&amp;amp;D": "R&amp;amp;D",
    "Write &amp;lt; for it": "Write &amp;lt; for it",
    "&amp;#8217;": "&amp;#8217;",
    "&am&#112;;": "&am&#112;;",
}
LINES = {
    "<p>One.</p>\n\n<p>Two.</p>": "One.\nTwo.",
    "One<br />\r\ntwo": "One\ntwo",
    "One\n\ntwo &amp; three\r\nfour": "One\n\ntwo & three\nfour",
    "A&nbsp;B": "A\u00a0B",
    "<ul>\n  <li>One</li>\n  <li>two</li>\n</ul>": "One\ntwo",
}


def test_entities_are_decoded_and_formatting_is_removed() -> None:
    for sent, plain in PLAIN.items():
        with case(sent):
            assert read_plain_text(sent).text == plain


@pytest.mark.parametrize("lines", [False, True])
def test_text_without_markup_stays_as_it_is(lines: bool) -> None:
    for text in TEXT:
        with case(text):
            assert read_plain_text(text, lines=lines) == PlainText(text)


def test_an_entity_that_would_leave_another_one_stays() -> None:
    for sent, plain in ABOUT_ENTITIES.items():
        with case(sent):
            assert read_plain_text(sent).text == plain


def test_blocks_and_line_breaks_part_lines_where_a_field_has_lines() -> None:
    for sent, plain in LINES.items():
        with case(sent):
            assert read_plain_text(sent, lines=True).text == plain


def test_what_was_decoded_and_removed_is_told() -> None:
    assert read_plain_text("<b>Caf&eacute;</b> &copy; &amp;").entities == ("&eacute;", "&copy;", "&amp;")
    assert read_plain_text("a<br>b <i>c</i>").tags == ("<br>", "<i>", "</i>")


PIECES = st.sampled_from([
    "<", ">", "&", ";", "#", "/", "amp", "lt", "gt", "nbsp", "quot", "x3c", "60", "b", "br", "p", "script", "word", "’",
    " ", "\n", "\r", "\u00a0", '"', "'", "=", "<b>", "</b>", "<p>", "</p>", "<br/>", "<i x='>'>", "</i>", "<hr>",
    "&amp;", "&lt;", "&gt;", "&#60;", "&#x26;", "&nbsp;", "&rsquo;", "&num;", "&semi;", "&NewLine;", "&sol;", "&quot;",
])  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join), st.booleans())
def test_reading_what_was_read_changes_nothing(text: str, lines: bool) -> None:
    plain = read_plain_text(text, lines=lines).text
    assert read_plain_text(plain, lines=lines) == PlainText(plain)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_text_without_entities_and_pairs_of_tags_is_not_changed(text: str, lines: bool) -> None:
    text = text.replace(";", "").replace("</", "").replace("<br", "").replace("<wbr", "")
    assert read_plain_text(text, lines=lines) == PlainText(text)


WORDS = st.lists(st.text("abcäß漢5", min_size=1), min_size=1, max_size=6)


@given(
    WORDS,
    st.sampled_from(["p", "em", "b", "div", "li", "a", "span"]),
    st.sampled_from(["&amp;", "&#8217;", "<br>", " "]),
)
def test_every_word_survives_in_order(words: list[str], tag: str, between: str) -> None:
    sent = f" {between} ".join(f"<{tag} class='x'>{word}</{tag}>" for word in words)
    assert [word for word in read_plain_text(sent).text.split() if word not in ("&", "’")] == words


@given(st.integers(0, 0x120000))
def test_no_number_brings_in_what_xml_cannot_carry(number: int) -> None:
    for entity in (f"&#{number};", f"&#x{number:x};"):
        assert not UNCARRIABLE.search(read_plain_text(f"a {entity} b", lines=True).text)


@pytest.mark.parametrize("unit", [
    "<", "<b ", "&", "&amp;", "<b>", "<b></b>", "<a '\"", "<<i></i>b>", "<a \"'", "&lt;b&gt;", "<p> ", "<a b='", "&#",
])  # fmt: skip
def test_the_longest_texts_take_linear_time(unit: str) -> None:
    # A quadratic search takes minutes for these.
    text = unit * (400_000 // len(unit))
    began = time.process_time()
    read_plain_text(text, lines=True)
    assert time.process_time() - began < 5
