"""`highlight=true`: what is marked, that nothing else is markup, and how much of an article is looked at."""

import re
from html import unescape
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newswire.search.analysis import analyse_texts
from newswire.search.expression import And, Or
from newswire.search.highlight import LOOKED_AT, highlight_article
from newswire.search.matching import match_texts, matches_article
from newswire.search.syntax import ExpressionError, parse_query
from tests.support.lists import page, read
from tests.support.wire import Wire


def highlighted(wire: Wire, q: str, article: dict[str, Any], **parameters: Any) -> dict[str, list[str]]:
    """The highlights of the one article that is found."""
    wire.as_publisher().publish(**article)
    (shown,) = read(wire.as_partner(), q=q, highlight="true", **parameters)
    found: dict[str, list[str]] = shown["highlights"]
    return found


@pytest.mark.parametrize(
    ("q", "text", "marked"),
    [
        ("purchase", "He purchases; she purchased", "He <mark>purchases</mark>; she <mark>purchased</mark>"),
        ("COCOA price", "Cocoa, the price, cocoa", "<mark>Cocoa</mark>, the <mark>price</mark>, <mark>cocoa</mark>"),
        ('"cocoa price"', "Price cocoa: the cocoa price", "Price cocoa: the <mark>cocoa price</mark>"),
        ('"cocoa price"', "A cocoa, Price", "A <mark>cocoa, Price</mark>"),
        ('"purchase"', "A purchase and purchases", "A <mark>purchase</mark> and purchases"),
        ("U.S.", "In the U.S. and US", "In the <mark>U.S</mark>. and <mark>US</mark>"),
        ("coc*", "Coconut and cacao", "<mark>Coconut</mark> and cacao"),
        ('"cocoa pri"*', "Cocoa prize, cocoa", "<mark>Cocoa prize</mark>, cocoa"),
        ("cocoa -coffee", "Cocoa, not tea", "<mark>Cocoa</mark>, not tea"),
        ("cocoa OR (tea -coffee)", "Cocoa and coffee", "<mark>Cocoa</mark> and coffee"),
        ("etude", "Une étude, des Études", "Une <mark>étude</mark>, des <mark>Études</mark>"),
        ("office", "The oﬃce and the of\u00adfice", "The <mark>oﬃce</mark> and the <mark>of\u00adfice</mark>"),
        ("strasse", "Die Straße", "Die <mark>Straße</mark>"),
        ("cafe", "The cafe\u0301s", "The <mark>cafe\u0301s</mark>"),
        ("ａｂｃ", "ABC, ＡＢＣ", "<mark>ABC</mark>, <mark>ＡＢＣ</mark>"),
        ("股市", "东京股市上涨", "东京<mark>股市</mark>上涨"),
        ("京股市", "东京股市上涨", "东<mark>京股市</mark>上涨"),
        ("股", "东京股市上涨", "东京<mark>股</mark>市上涨"),
        ("東京 株式", "東京株式", "<mark>東京株式</mark>"),
        ("กรุง", "ใน\u200bกรุง\u200bเทพ", "ใน\u200b<mark>กรุง\u200b</mark>เทพ"),
        ("שלום", "אמר שָׁלוֹם לכולם", "אמר <mark>שָׁלוֹם</mark> לכולם"),
        ("כתב", "הוא כָּתַב, כתב", "הוא <mark>כָּתַב</mark>, <mark>כתב</mark>"),
        ("محمد", "قال مُحَمَّد", "قال <mark>مُحَمَّد</mark>"),
        ("зелёный", "зеленый лес", "<mark>зеленый</mark> лес"),
        ("cocoa", "Cocoa <script a='&'>", "<mark>Cocoa</mark> &lt;script a=&#x27;&amp;&#x27;&gt;"),
        ("script", 'A <mark>"script"', "A &lt;mark&gt;&quot;<mark>script</mark>&quot;"),
    ],
)  # fmt: skip
def test_what_matches_is_marked_and_all_else_is_escaped(q: str, text: str, marked: str) -> None:
    found = highlight_article(parse_query(q), {"headline": text, "body_text": text, "language": "en"})
    assert found == {"headline": [marked], "body": [marked]}


def test_hostile_articles_are_harmless_on_the_wire(wire: Wire) -> None:
    article = {"headline": "<script>alert(1)</script> purchases", "body_html": "<p>1 &lt; 2 &amp; purchased</p>"}
    assert highlighted(wire, "purchase script", article) == {
        "headline": ["&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt; <mark>purchases</mark>"],
        "body": ["1 &lt; 2 &amp; <mark>purchased</mark>"],
    }


def test_only_where_was_looked_is_marked(wire: Wire) -> None:
    article = {"headline": "Cocoa rises", "body_text": "Cocoa fell.", "summary": "Cocoa"}
    marked_headline, marked_body = ["<mark>Cocoa</mark> rises"], ["<mark>Cocoa</mark> fell."]
    assert highlighted(wire, "cocoa", article) == {"headline": marked_headline, "body": marked_body}
    partner = wire.as_partner("other")
    for asked, headline, body in (
        ({"q": "cocoa", "search_in": "headline"}, marked_headline, []),
        ({"q": "body:cocoa"}, [], marked_body),
        ({"q": "summary:cocoa"}, [], []),
        ({"q": "summary:cocoa body:fell"}, [], ["Cocoa <mark>fell</mark>."]),
    ):
        (shown,) = read(partner, highlight="true", **asked)
        assert shown["highlights"] == {"headline": headline, "body": body}, asked


def test_the_language_of_the_article_decides_its_stems(wire: Wire) -> None:
    wire.as_publisher().publish("Des nations", language="fr", body_text="Un national, la nation, nationalité.")
    wire.as_publisher().publish("Nation", body_text="In English", language="en")
    shown = read(wire.as_partner(), q="nationality OR nations", highlight="true")
    assert shown[1]["highlights"]["headline"] == ["Des <mark>nations</mark>"]
    assert "<mark>nation</mark>" in shown[1]["highlights"]["body"][0]


def test_highlights_come_beside_whichever_fields_are_asked_for(wire: Wire) -> None:
    wire.as_publisher().publish("Cocoa", body_text="Much cocoa.")
    partner = wire.as_partner()
    for sort in ("-published_at", "relevance"):
        (sparse,) = page(partner, q="cocoa", highlight="true", fields="headline", sort=sort)["data"]
        assert [*sparse] == ["id", "headline", "highlights"]
        (listed,) = page(partner, q="cocoa", highlight="true", sort=sort)["data"]
        assert listed["highlights"] == sparse["highlights"]
        assert "body_text" not in listed
        (whole,) = page(partner, q="cocoa", highlight="true", include="body", sort=sort)["data"]
        assert (whole["body_text"], whole["highlights"]) == ("Much cocoa.", sparse["highlights"])
    assert "highlights" not in page(partner, q="cocoa", highlight="false")["data"][0]


def test_at_most_three_short_fragments_are_shown_from_word_to_word(wire: Wire) -> None:
    filler = "the boats lay at anchor while the town slept on " * 12
    body = f"{filler}one cocoa {filler}two cocoa {filler}three cocoa and cocoa {filler}four cocoa {filler}"
    found = highlighted(wire, "cocoa", {"headline": "Boats", "body_text": body})
    assert found["headline"] == []
    assert [re.findall(r"(\w+) <mark>cocoa</mark>", fragment) for fragment in found["body"]] == [
        ["one"], ["two"], ["three", "and"],
    ]  # fmt: skip
    for fragment in found["body"]:
        plain = re.sub("</?mark>", "", fragment)
        assert plain[0] == plain[-1] == "…"
        assert f" {plain[1:-1]} " in body
        assert 120 < len(plain) <= 202


def test_a_text_without_spaces_is_cut_anywhere(wire: Wire) -> None:
    body = "东京股市上涨" * 100 + "可可" + "东京股市上涨" * 100
    (fragment,) = highlighted(wire, "可可", {"headline": "x", "body_text": body})["body"]
    assert fragment.count("<mark>可可</mark>") == 1
    assert len(fragment) == 202 + len("<mark></mark>")


def test_a_long_phrase_makes_a_longer_fragment_and_no_endless_one() -> None:
    phrase = " ".join(f"w{number}" for number in range(150))
    (fragment,) = highlight_article(parse_query(f'"{phrase}"'), {"body_text": phrase})["body"]
    assert fragment == f"<mark>{phrase[:400]}</mark>…"
    apart = "a" + "." * 50_000 + "b"
    assert len(highlight_article(parse_query('"a b"'), {"body_text": apart})["body"][0]) < 500


def test_a_huge_body_is_looked_at_up_to_a_bound() -> None:
    filler = "boats " * (LOOKED_AT // 6)
    assert highlight_article(parse_query("cocoa"), {"body_text": f"{filler}cocoa"})["body"] != []
    assert highlight_article(parse_query("cocoa"), {"body_text": f"{filler}boats boats cocoa"})["body"] == []
    assert highlight_article(parse_query("coco"), {"body_text": f"{filler}a cocoa cola"})["body"] == []


@pytest.mark.slow
def test_a_page_of_huge_bodies_is_short_and_answered(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for number in range(6):
        publisher.publish("Boats", body_text="boats " * (2 * 1024 * 1024 // 6), external_id=str(number))
    first = page(partner, q="boats", highlight="true")
    assert 0 < len(first["data"]) < 6
    assert all(len(article["highlights"]["body"]) == 3 for article in first["data"])
    names = [article["external_id"] for article in read(partner, q="boats", highlight="true")]
    assert names == ["5", "4", "3", "2", "1", "0"]


LETTERS = st.sampled_from(
    [*"aAbs zZ é ß ﬁ İ <>&\"' .,-_/\n\t½™ｶﾞガ東京กำשלמ…２ё각", "\u0301", "\u00ad", "\u200b", "\u200d", "\u200f",
     "\u05c1", "\u0645", "\u0651", "\u0640", "\u1100", "\u1161", "\u11a8", "<mark>", "</mark>", "&amp;"]
)  # fmt: skip
TEXTS = st.lists(LETTERS | st.characters(exclude_categories=["Cs", "Cc"]), max_size=60).map("".join)
QUERIES = st.builds(
    lambda words, form: form.format(*words),
    st.tuples(TEXTS, TEXTS),
    st.sampled_from(['"{0}"', "{0}", "{0}*", "{0} {1}", "{0} OR {1}", '"{0}" -"{1}"', "body:{0}"]),
)


def plain(fragment: str) -> str:
    return unescape(fragment.replace("<mark>", "").replace("</mark>", ""))


@pytest.mark.slow
@settings(max_examples=500)
@given(text=TEXTS, around=TEXTS, q=QUERIES)
def test_without_its_marks_a_highlight_is_a_part_of_the_original(text: str, around: str, q: str) -> None:
    try:
        expression = parse_query(q)
    except ExpressionError:
        return
    for body in (text, f"{around}{q}{around} {text * 10}"):
        found = highlight_article(expression, {"headline": body, "body_text": body, "language": "fr"})
        assert [plain(headline) for headline in found["headline"]] in ([], [body])
        for fragment in found["body"]:
            assert "<mark>" in fragment
            shown = plain(fragment)
            assert shown.removeprefix("…").removesuffix("…") in body or shown in body
        rest = "".join(found["headline"] + found["body"]).replace("<mark>", "").replace("</mark>", "")
        assert not {*rest} & {*"<>\"'"}


@pytest.mark.slow
@settings(max_examples=500)
@given(before=TEXTS, text=TEXTS, behind=TEXTS)
@example(before="ก", text="ข", behind="\u200b")
@example(before="", text="e\u00ad\u0301", behind="")
def test_a_word_is_marked_exactly_where_the_article_is_found_by_it(before: str, text: str, behind: str) -> None:
    for q in (f'"{text}"', f'"{text}"*', text):
        try:
            expression = parse_query(q)
        except ExpressionError:
            continue
        if isinstance(expression, And | Or):
            continue
        body = f"{before} {text} {behind}"
        found = highlight_article(expression, {"body_text": body, "language": "fr"})
        assert bool(found["body"]) == matches_article(expression, match_texts(analyse_texts({"body": body}, "fr")))
