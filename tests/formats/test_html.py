"""The sanitiser: what may stand in a body, told by what goes in and what comes out."""

import gzip
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newswire.formats.html.sanitise import ATTRIBUTES, MOST_WARNINGS, sanitise
from newswire.formats.html.text import count_words, html_to_text
from newswire.formats.html.tokens import ELEMENTS, HOLLOWED, RAW
from newswire.urls import NoBaseError, absolute_url
from tests.support.markup import assert_harmless, assert_settled

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "html.md"
BASE = "https://example.org/news/story.html"

FORMERLY_HOLLOWED = {
    "annotation", "applet", "audio", "button", "canvas", "datalist", "embed", "frameset", "head", "iframe", "math",
    "mfrac", "mi", "noembed", "noframes", "object", "option", "select", "source", "svg", "text", "video",
}  # fmt: skip
NAMES = sorted(
    ELEMENTS | RAW | FORMERLY_HOLLOWED | {"form", "center", "main", "marquee", "rtc", "x-y", "html", "body", "nobr"}
)
PIECES = st.one_of(
    st.sampled_from(NAMES).map("<{}>".format),
    st.sampled_from(NAMES).map("</{}>".format),
    st.sampled_from(
        ["a href=/x", "a href='#y'", "img src=p.png", "p onclick=x", "td colspan=2", "b lang=he", "p dir=RTL"]
    ).map("<{}>".format),
    st.sampled_from(
        ["<!--", "-->", "<![CDATA[", "]]>", "<?", "&amp;", "&#1;", "&nbsp;", "&lt;b&gt;", "&#13;", "\n", "<", '"', "'"]
    ),
    st.text(max_size=6),
)
TAG_SOUP = st.lists(PIECES, max_size=30).map("".join)


def hostile(shared_data: Path) -> Iterator[str]:
    for name in ("hostile_text/html_payloads.jsonl", "feeds/sanitise_cases.jsonl"):
        with (shared_data / name).open(encoding="utf-8") as lines:
            for line in lines:
                yield from filter(None, [json.loads(line).get("input_html")])
    with (shared_data / "hostile_text" / "naughty_strings.jsonl").open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield json.loads(line).get("text", "")


def real_bodies(shared_data: Path, *names: str) -> Iterator[str]:
    for name in names:
        with gzip.open(shared_data / "articles" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            yield from filter(None, (json.loads(line).get("body_html") for line in lines))


@given(TAG_SOUP)
@example("<table><b><tr><td>x</b></table>")
@example("<a href=/x><table><td><a href=/y></table>")
@example("<pre>\n\n\nx</pre>")
@example("a&#13;&#13;b")
@example("<p><img src=data:,x><p>")
@example("<svg></p><style><a title='</style><img src=x onerror=y>'>")
def test_whatever_is_sent_comes_out_harmless_and_settled(html: str) -> None:
    cleaned = sanitise(html, BASE)
    assert_harmless(cleaned.html)
    assert_settled(cleaned.html)


def test_hostile_html_comes_out_harmless_and_settled(shared_data: Path) -> None:
    count = 0
    for html in hostile(shared_data):
        cleaned = sanitise(html, BASE)
        assert_harmless(cleaned.html)
        assert_settled(cleaned.html)
        count += 1
    assert count > 500


@pytest.mark.slow
def test_real_bodies_come_out_harmless_settled_and_whole(shared_data: Path) -> None:
    names = ("guardian_articles", "bbc_worldservice", "web_article_benchmark", "web_readability", "web_trafilatura")
    for html in real_bodies(shared_data, *names):
        cleaned = sanitise(html, BASE)
        assert_harmless(cleaned.html)
        assert_settled(cleaned.html)
        assert all(warning["code"] != "flattened_markup" for warning in cleaned.warnings)


def test_well_formed_news_passes_untouched() -> None:
    html = (
        '<h2>Harbour</h2>\n<p dir="ltr" lang="en">Two <em>ships</em> &amp; a <a href="https://example.org/x?a=1&amp;b=2#c">'
        'boat</a>.<br>Caf\xa0é</p>\n<figure><img src="https://example.org/p.jpg" alt="a &lt;b&gt; &quot;c&quot;">'
        '<figcaption>Quay</figcaption></figure><ol start="3"><li>x</li></ol><table><tbody><tr><td colspan="2">1</td>'
        "</tr></tbody></table><p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby> <q>q</q></p>"
    )
    assert sanitise(html, None) == (html, [], [])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("<script>alert(1)</script>a", "a"),
        ("<SCRIPT SRC=//x.example/y.js></SCRIPT>a", "a"),
        ("<style>p{}</style><noscript><p>x</p></noscript><template>y</template>a", "<p>x</p> a"),
        ("<iframe src=javascript:x></iframe><object></object><embed>a", "a"),
        ("<section><p>a</p></section>", "<section><p>a</p></section>"),
        ("<main><center>a</center></main>", "<div><div>a</div></div>"),
        ('<p class=x id=y style="color:red" onclick=z data-a=1>a</p>', "<p>a</p>"),
        ("<img src=https://x.example/a.png srcset='b.png 2x' onerror=alert(1)>", '<img src="https://x.example/a.png">'),
        ("<a href=https://x.example/ target=_blank rel=nofollow>a</a>", '<a href="https://x.example/">a</a>'),
        ("a<!-- b --><?php c ?>e", "ae"),
        ("<p>a</p><p> &nbsp;<br></p><p></p><p>b</p>", "<p>a</p><p>b</p>"),
        ("<p><img src=data:image/png,x></p>a", "a"),
        ("<td>a</td>", "a"),
        ("<p>a", "<p>a</p>"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("a&#1;b&#xD800;c&#0;d&#xFFFE;e", "ab\ufffdc\ufffdde"),
        ("a\x00b\x0bc\ud800d\ufffee", "abcde"),
        ("<p title='a&#2;b'>c</p>", '<p title="ab">c</p>'),
        ("<ol start=-1 type=a><li value=x>a</ol>", "<ol><li>a</li></ol>"),
        ("<img src=https://x.example/a.png width=100% height=20>", '<img src="https://x.example/a.png" height="20">'),
        ("<p dir=sideways lang='e n'>a</p><p dir=RTL lang=he>b</p>", '<p>a</p><p dir="rtl" lang="he">b</p>'),
        ("", ""),
    ],
)
def test_what_goes_and_what_stays(sent: str, kept: str) -> None:
    assert sanitise(sent, BASE).html == kept


@pytest.mark.parametrize(
    ("href", "kept"),
    [
        ("https://x.example/ä?q=1#f", "https://x.example/%C3%A4?q=1#f"),
        ("HTTP://X.example/", "http://x.example/"),
        ("/a", "https://example.org/a"),
        ("a b.html", "https://example.org/news/a%20b.html"),
        ("../up", "https://example.org/up"),
        ("?q=1", "https://example.org/news/story.html?q=1"),
        ("#f", "#user-content-f"),
        ("story.html#f", "https://example.org/news/story.html#f"),
        ("//cdn.example/p", "https://cdn.example/p"),
        ("\\\\cdn.example\\p", "https://cdn.example/p"),
        (" \thttps://x.ex\nample/ ", "https://x.example/"),
        ("java&#1;script:alert(1)", "https://example.org/news/java%01script:alert(1)"),
        ("", None),
        ("javascript:alert(1)", None),
        ("JaVa\nScRiPt:alert(1)", None),
        ("&#14;javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("vbscript:x", None),
        ("sms:+1", None),
        ("ftp://x.example/", None),
        ("https://", None),
        ("http://[", None),
        ("https://x.example:99999/", None),
    ],
)
def test_addresses_become_absolute_or_go(href: str, kept: str | None) -> None:
    expected = "<a>x</a>" if kept is None else f'<a href="{kept}">x</a>'
    assert sanitise(f'<a href="{href}">x</a>', BASE).html == expected


def test_relative_addresses_without_a_base_are_reported_and_not_kept() -> None:
    html = (
        "<a href=/a>1</a><img src='p q.png'><a href=/a>2</a><q cite=c>3</q><a href='#f'>4</a><a href=//x.example/>5</a>"
        "<x src=no>6</x><a href=''>7</a>"
    )
    cleaned = sanitise(html, None)
    assert cleaned.unresolved == ["/a", "p q.png", "c"]
    assert cleaned.html == (
        '<a>1</a><a>2</a><q>3</q><a href="#user-content-f">4</a><a href="https://x.example/">5</a> 6<a> 7</a>'
    )


def test_absolute_url_tells_what_is_no_address_from_what_has_no_base() -> None:
    assert absolute_url("pictures/a.png", "https://example.org") == "https://example.org/pictures/a.png"
    assert absolute_url("javascript:x", "https://example.org") is None
    assert absolute_url("https://x.example:99999/", None) is None
    assert absolute_url("ftp://x.example/", None) is None
    with pytest.raises(NoBaseError):
        absolute_url("pictures/a.png", None)


@given(st.text())
def test_absolute_url_gives_addresses_that_stay_as_they_are(url: str) -> None:
    absolute = absolute_url(url, BASE)
    assert absolute is None or absolute_url(absolute, None) == absolute


def test_warnings_count_what_was_removed() -> None:
    html = (
        "<script>document.write('<b>')</script><p onclick=a class=b>x</p><p class=c><font color=red>y</font></p>"
        "<script src=z></script><a href=javascript:x>z</a>"
    )
    assert [(warning["code"], warning["detail"]) for warning in sanitise(html, BASE).warnings] == [
        ("removed_element", "<script> removed with its content (2 times)"),
        ("removed_element", "<font> removed (1 time)"),
        ("removed_attribute", "onclick attribute removed (1 time)"),
        ("removed_attribute", "class attribute removed (2 times)"),
        ("removed_attribute", "href attribute removed (1 time)"),
    ]


def test_mending_without_loss_warns_of_nothing() -> None:
    assert sanitise("<P>a<BR/>b&eacute;<p>c<ul><li>d</ul><!-- e -->", BASE).warnings == []


def test_warnings_are_bounded_and_repeat_no_odd_names() -> None:
    html = "".join(f"<x-{number}>" for number in range(200)) + "<x\x1b[31m\u202e>"
    warnings = sanitise(html, BASE).warnings
    assert len(warnings) == MOST_WARNINGS
    assert warnings[-1]["detail"] == "152 more kinds of elements and attributes removed"
    odd = sanitise("<x\u202e y\u202e=1><p y\u202e=1>a</p>", BASE).warnings
    assert [warning["detail"] for warning in odd] == [
        "<(odd name)> removed (1 time)",
        "(odd name) attribute removed (1 time)",
    ]


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 20_000 + "x",
        "<ul><li>" * 20_000 + "x",
        "<b>" * 20_000 + "x",
        pytest.param(
            "<p>" + "".join(f"<b lang=x{number}>" for number in range(700)) + "</p>" + "<p>x</p>" * 300,
            marks=pytest.mark.slow,
        ),
        "<div><marquee></div></marquee>" * 8_000 + "x",
        "<div><!--</div>-->" * 8_000 + "x",
        "<style><!--</style>" + "<div>" * 20_000 + "x",
        "<p>x &amp; y" + " &amp; y" * 100_000,
        "<p " + " ".join(f"a{number}=1" for number in range(50_000)) + ">x",
        "<p title='" + "&" * 300_000 + "'>x",
        "<p a='" * 50_000 + "x",
        "<!--" * 50_000,
        "<" * 100_000 + "x",
        pytest.param("x" + "\xa0" * 1_000_000 + "x", marks=pytest.mark.slow),
        pytest.param("<pre>x" + "«a»" * 400_000, marks=pytest.mark.slow),
        pytest.param("<table>" + "\xa0x" * 650_000, marks=pytest.mark.slow),
        pytest.param("<table>" + "&" * 1_000_000, marks=pytest.mark.slow),
        "<table>" + ("\xa0" * 499 + "<!---->") * 2_000,
        ("\xa0x" * 249 + "</b>") * 2_500,
        "<p title='" + "\xa0" * 300_000 + "'>x",
        pytest.param("<table>" + "<br>x" * 200_000, marks=pytest.mark.slow),
        pytest.param("<TABLE><tr><td></tr>" + "<br>x" * 200_000, marks=pytest.mark.slow),
        "<table><td><table></table></td>" + "<b>x</b>" * 100_000,
        pytest.param("<br>" * 200_000 + "<table>" + "x<tr>" * 200_000, marks=pytest.mark.slow),
    ],
    ids=lambda html: html[:20],
)
def test_no_document_takes_long_or_grows_without_bounds(html: str) -> None:
    started = time.process_time()
    cleaned = sanitise(html, BASE)
    count_words(html_to_text(cleaned.html))
    assert time.process_time() - started < 4
    assert len(cleaned.html) < 6 * len(html)
    assert_settled(cleaned.html)


def test_elements_nested_too_deeply_leave_their_text() -> None:
    cleaned = sanitise("<div>" * 5_000 + "<p>One</p><script>no</script><p>Two &amp; three</p>", BASE)
    assert cleaned.html == "<p>One</p>\n<p>Two &amp; three</p>"
    assert [warning["code"] for warning in cleaned.warnings] == ["flattened_markup"]


def test_many_special_characters_stay_as_they_are() -> None:
    text = "«a»\xa0&amp; b\xad " * 20_000
    html = f'<p title="«\xa0»">{text.strip()}</p><table><tbody><tr><td>{text}</td></tr></tbody></table>'
    assert sanitise(html, None) == (html, [], [])


@pytest.mark.parametrize("text", ["\xa0x", "&amp;", "« x »"])
def test_what_stands_astray_in_a_table_is_moved_before_it_however_much_it_is(text: str) -> None:
    html = f"<table>{text * 20_000}<tr><td>x</td></tr></table>"
    moved = f"{text * 20_000}<table><tbody><tr><td>x</td></tr></tbody></table>"
    assert sanitise(html, None).html == moved.strip()


def test_a_long_table_keeps_its_markup() -> None:
    rows = "<tr><th>a</th><td>b</td></tr>" * 10_000
    html = f"<table><caption>c</caption><tbody>{rows}</tbody></table>"
    assert sanitise(html, None) == (html, [], [])


def test_a_long_flat_document_keeps_its_markup() -> None:
    html = "\n".join(f"<p>Paragraph <b>{number}</b> &amp; more</p>" for number in range(5_000))
    assert sanitise(html, None) == (html, [], [])


def test_the_text_of_a_clean_body_is_that_of_its_elements(shared_data: Path) -> None:
    for html in real_bodies(shared_data, "guardian_articles"):
        cleaned = sanitise(html, BASE).html
        void = re.sub(r"<((?:br|hr|img|col)\b[^>]*)>", r"<\1/>", cleaned)
        tree = ElementTree.fromstring(f"<body>{void}</body>")
        assert "".join(html_to_text(cleaned).split()) == "".join("".join(tree.itertext()).split())


def test_the_reference_lists_exactly_what_may_stand() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    elements, hollowed, attributes = re.split(r"\n## Attributes|\nThese elements are removed", text)[:3]
    quoted = re.compile("`([a-z0-9]+)`")
    assert set(quoted.findall(elements[elements.index("|---|") :])) == ELEMENTS
    assert set(quoted.findall(hollowed[: hollowed.index("\nOf all other")])) == HOLLOWED
    listed: dict[str, set[str]] = {}
    for line in attributes[: attributes.index("\n## Addresses")].splitlines():
        if line.startswith("| `"):
            names, allowed = line.strip("|").split("|")
            for name in quoted.findall(names):
                listed[name] = set(quoted.findall(allowed))
    assert listed == ATTRIBUTES
