"""Text and HTML, one from the other: plain text, words, and bodies made of plain text."""

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.formats.html.sanitise import sanitise
from newswire.formats.html.text import count_words, html_to_text, text_to_html

PIECES = st.text(max_size=8) | st.sampled_from(["\n", "\n    ", "\r\n\r\n", " ", "wörd", "   ", "\t", "\ud800", "\x85"])
TEXTS = st.lists(PIECES, max_size=60).map("".join)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<h2>Head</h2>\n<p>One<br>Two</p>", "Head\n\nOne\nTwo"),
        ("<p>a &amp; b &lt;c&gt; \xa0d</p>", "a & b <c> \xa0d"),
        ("<p>  a\n   <b> b</b>\tc </p>", "a b c"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "a\n\nb\n\nc"),
        ("<pre>a\n  b</pre><p>c</p>", "a\n  b\n\nc"),
        ('<figure><img src="https://x.example/p.png" alt="not this"><figcaption>this</figcaption></figure>', "this"),
        ("<table><tbody><tr><th>a</th><td>b</td></tr><tr><td>c</td><td>d</td></tr></tbody></table>", "a\tb\n\nc\td"),
        ("<p><ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp>京<rt>きょう</rt></ruby>で</p>", "東京で"),
        ("loose<div>text</div>", "loose\n\ntext"),
        ("", ""),
    ],
)
def test_plain_text_is_what_a_reader_sees(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("— … !", 0),
        ("one two\nthree", 3),
        ("don't, well-known; 1,000.5 at 10:30", 5),
        ("End.Next", 2),
        ('צה"ל הודיע', 2),
        ("شؤون الثقافة والتعليم", 3),
        ("अखबार पढ़ना", 2),
        ("東京タワー", 5),
        ("東京でNews 24を", 6),
        ("ภาษาไทย", 2),
        ("서울 시청", 2),
    ],
)
def test_words_are_counted_as_each_script_counts_them(text: str, count: int) -> None:
    assert count_words(text) == count


@given(st.lists(st.from_regex(r"[a-zé]{1,8}", fullmatch=True)))
def test_spaced_words_are_counted_one_each(words: list[str]) -> None:
    assert count_words(" ".join(words)) == len(words)


def test_wire_text_is_joined_at_its_line_ends_and_parted_at_its_indents() -> None:
    text = (
        "Showers continued throughout the week in\nthe cocoa zone, the\nexchange said.\n"
        "    The dry period means the harvest\nwill be late.\n       \n Reuter"
    )
    assert text_to_html(text) == (
        "<p>Showers continued throughout the week in the cocoa zone, the exchange said.</p>\n"
        "<p>The dry period means the harvest will be late.</p>\n<p>Reuter</p>"
    )


def test_tables_on_the_wire_keep_their_columns() -> None:
    text = (
        "Prices in sterling per tonne, unless\nstated.\n"
        "            1MTH      3MTHS\n COPPER     15-19     24-28\n    Traders said"
    )
    assert text_to_html(text) == (
        "<p>Prices in sterling per tonne, unless stated.</p>\n"
        "<pre>            1MTH      3MTHS\n COPPER     15-19     24-28</pre>\n<p>Traders said</p>"
    )


@pytest.mark.parametrize(
    "text",
    [
        "気象庁は同日、地震の規模を示すマグニチュードは7.4と発表した。\nUSGSではM 7.1などとしている。\n震度6強。",
        "A first paragraph, all of it on one line however long it may be, as most systems send it.\nB.\n\nC.",
        "FICHA DEL FESTEJO.\nLos seis, nobles, con fijeza.\nCuadrillas.",
    ],
)
def test_other_text_has_a_paragraph_a_line(text: str) -> None:
    lines = [line for line in text.split("\n") if line]
    assert text_to_html(text) == "\n".join(f"<p>{line}</p>" for line in lines)


def test_wrapped_text_without_spaces_is_joined_without_them() -> None:
    assert (
        text_to_html("    東京で行われた会議\nは、三十日、\n    閉会した。")
        == "<p>東京で行われた会議は、三十日、</p>\n<p>閉会した。</p>"
    )


def test_text_is_escaped_and_stripped_of_what_xml_cannot_carry() -> None:
    assert text_to_html("a <b> & \x01c\r\nd") == "<p>a &lt;b&gt; &amp; c</p>\n<p>d</p>"


def test_a_line_end_after_another_is_kept_and_the_space_before_it_is_not() -> None:
    assert html_to_text("<p>a <b> </b><br> <br>b <br></p>") == "a\n\nb"


@pytest.mark.parametrize("line", ["-", "> a", "   a", "a   b", "気"])
def test_text_of_too_many_paragraphs_stays_as_it_is(line: str) -> None:
    text = f"x\n{line}\n\n" * 20_000
    assert text_to_html(text[: len(text) // 4]).count("<p>") > 1_000
    html = text_to_html(text)
    assert html == f"<pre>{text.strip().replace('>', '&gt;')}</pre>"
    assert html_to_text(html) == text.strip()
    assert sanitise(html, None) == (html, [], [])


@given(TEXTS)
def test_a_body_made_of_text_is_clean_and_loses_nothing(text: str) -> None:
    html = text_to_html(text)
    carriable = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
    assert "".join(html_to_text(html).split()) == "".join(carriable.split())
    assert html_to_text(sanitise(html, None).html) == html_to_text(html)
    assert all(warning["detail"].startswith("<p>") for warning in sanitise(html, None).warnings)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reuters21578", "ieer_newswire", "wikinews_ja", "conll2002_es_nl"])
def test_real_texts_make_clean_bodies_and_lose_nothing(shared_data: Path, name: str) -> None:
    with gzip.open(shared_data / "articles" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [text for line in lines if (text := json.loads(line).get("body_text"))][:2_000]
    for text in texts:
        html = text_to_html(text)
        assert "".join(html_to_text(html).split()) == "".join(text.split())
        assert sanitise(html, None) == (html, [], [])
