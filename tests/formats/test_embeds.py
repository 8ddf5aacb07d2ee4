"""What a page embeds leaves a link, and what it hides from a parser leaves its text: input and output, side by side."""

import pytest

from newswire.formats.html.sanitise import sanitise
from newswire.formats.html.text import html_to_text
from tests.support.markup import assert_harmless, assert_settled

BASE = "https://pub.example/news/story"
V_LINK = '<p><a href="https://v.example/1">v.example</a></p>'


def link(path: str, text: str = "pub.example") -> str:
    return f'<p><a href="https://pub.example/{path}">{text}</a></p>'


HOSTILE = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "&#14;javascript:x", "data:text/html,<b>x",
    "about:blank", "blob:https://pub.example/1", "vbscript:x", "file:///etc/passwd", "//", "https://", "",
)  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('<iframe src="//v.example/1" title="Storm"></iframe>', '<p><a href="https://v.example/1">Storm</a></p>'),
        ("<iframe src='/v/1'></iframe>", '<p><a href="https://pub.example/v/1">pub.example</a></p>'),
        ("<p>See <iframe src=//v.example/1></iframe></p>", '<p>See  <a href="https://v.example/1">v.example</a> </p>'),
        ("<iframe src=about:blank data-src=//v.example/1></iframe>", V_LINK),
        ("<iframe src=//v.example/1 />after", V_LINK + "after"),
        ("<video><source src=/a.mp4><source src=/a.ogv>No video.</video>", link("a.mp4") + "No video."),
        ("<audio src=/a.mp3 aria-label='The <b> side'></audio>", link("a.mp3", "The &lt;b&gt; side")),
        ("<object data=/r.pdf><p><a href=/r.pdf>The report</a></p></object>", link("r.pdf", "The report")),
        ("<object><param name=movie value=//v.example/f><embed src=//v.example/f></object>", '<p><a href="https://v.example/f">v.example</a></p>'),
        ("<amp-youtube data-videoid=a_b></amp-youtube>", '<p><a href="https://www.youtube.com/watch?v=a_b">www.youtube.com</a></p>'),
        ("<amp-iframe src=//v.example/1><p placeholder>Wait</p></amp-iframe>", '<p><a href="https://v.example/1">v.example</a></p><p>Wait</p>'),
        (
            "<figure><figcaption>The storm</figcaption><iframe src=//v.example/1></iframe></figure>",
            '<figure><p><a href="https://v.example/1">The storm</a></p><figcaption>The storm</figcaption></figure>',
        ),
        (
            "<figure><iframe src=//v.example/1></iframe><figcaption>The <b>storm</b></figcaption></figure>",
            '<figure><p><a href="https://v.example/1">The storm</a></p><figcaption>The <b>storm</b></figcaption>'
            "</figure>",
        ),
        ("<iframe src=//v.example/1></iframe><iframe src=//v.example/1></iframe>", V_LINK),
        ("<iframe src=//c.example/1 width=1 height=1></iframe>x", "x"),
        ("<iframe src=//c.example/2 style='display: none'></iframe>x", "x"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_leaves_a_link_and_its_own_content(sent: str, kept: str) -> None:
    assert sanitise(sent, BASE).html == kept


@pytest.mark.parametrize("address", HOSTILE)
@pytest.mark.parametrize("element", ["iframe src", "object data", "embed src", "video src", "amp-facebook data-href"])
def test_an_embed_with_a_hostile_address_leaves_no_link(element: str, address: str) -> None:
    assert "<a" not in sanitise(f'<{element}="{address}">x', None).html


def test_a_relative_embed_without_a_base_leaves_no_link_and_refuses_nothing() -> None:
    cleaned = sanitise("<iframe src=/v></iframe>x", None)
    assert (cleaned.html, cleaned.unresolved) == ("x", [])
    assert [each["code"] for each in cleaned.warnings] == ["removed_element"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("<![CDATA[The ferry sails.]]>", "The ferry sails."),
        ("<![CDATA[<p>One</p>]]><![CDATA[<p>Two]]>", "One\n\nTwo"),
        ("<p>a</p><![CDATA[b", "a\n\nb"),
        ("<svg><text><![CDATA[a<b]]></text></svg>", "a<b"),
        ("<address>Quay 1</address><address>Saltmarsh</address>", "Quay 1\n\nSaltmarsh"),
        ("<fieldset>a</fieldset>b<form>c</form><center>d</center>", "a\n\nb\n\nc\n\nd"),
        ("<x-card>One</x-card><x-card>Two</x-card>, <x-y>three</x-y>.", "One Two, three."),
        ("<paragraph>One</paragraph><paragraph>Two</paragraph>", "One Two"),
        ("<x-term>東京</x-term>では", "東京では"),
        ("un<font color=red>break</font>able su<wbr>per", "unbreakable super"),
        ("<p>One<img src=/p.png>Two</p>", "One Two"),
        ("<select><option>Mon<option>Tue</select>", "Mon\n\nTue"),
        ("<button>More</button><label>Name</label><input>x", "More Name x"),
        ("<math><mfrac><mn>1</mn><mn>2</mn></mfrac><annotation>\\frac12</annotation></math>", "1 / 2"),
        ("<math><annotation>a+b</annotation></math>", "a+b"),
        ("<svg><style>x{}</style><title>Chart</title><text>10</text><text>20</text></svg>", "Chart 10 20"),
        ("<svg><style/><text>a</text></svg><p>b</p>", "a\n\nb"),
        ("<textarea>a <b>c</textarea>", "a <b>c"),
        ("<xmp><b>a</b></xmp>", "<b>a</b>"),
        ("<noframes><p>a</p></noframes><canvas>b</canvas>", "a\n\nb"),
        ("<text>a</text><desc>b</desc><g>c</g>", "a b c"),
        ("<iframe>a", "a"),
        ("<textarea>a<p>b</p>", "a\n\nb"),
    ],
)
def test_text_that_a_parser_would_drop_or_join_survives(sent: str, text: str) -> None:
    assert html_to_text(sanitise(sent, BASE).html) == text


def test_the_title_of_a_page_is_quoted_in_a_warning() -> None:
    cleaned = sanitise("<head><title>The &amp; ferry</title></head><p>x</p>", BASE)
    assert cleaned.html == "<p>x</p>"
    assert [each["detail"] for each in cleaned.warnings if "title" in each["detail"]] == [
        "<title> removed: The & ferry"
    ]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("&lt;p&gt;The ferry.&lt;/p&gt;&lt;p&gt;Monday.&lt;/p&gt;", "<p>The ferry.</p><p>Monday.</p>"),
        ("&lt;p class=&quot;x&quot;&gt;a &amp;amp; b&lt;/p&gt;", "<p>a &amp; b</p>"),
        ("<font>&lt;p&gt;The ferry.&lt;/p&gt;</font>", "<p>The ferry.</p>"),
        ("&lt;p&gt;a&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;", "<p>a</p>"),
        ("&lt;div&gt;&lt;img src=x onerror=alert(1)&gt;a&lt;/div&gt;", '<div><img src="https://pub.example/news/x">a</div>'),
    ],
)  # fmt: skip
def test_a_body_that_was_escaped_twice_is_unescaped_once(sent: str, kept: str) -> None:
    cleaned = sanitise(sent, BASE)
    assert cleaned.html == kept
    assert "unescaped_markup" in [each["code"] for each in cleaned.warnings]
    assert sanitise(kept, BASE) == (kept, [], [])


@pytest.mark.parametrize(
    "html",
    [
        "Use &lt;p&gt; for a paragraph.",
        "&lt;p&gt; begins a paragraph, which ends with &lt;/p&gt;",
        "&lt;p&gt;a&lt;/p&gt; is how a paragraph is written",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;b&gt;bold&lt;/b&gt;",
        "<p>&lt;p&gt;a&lt;/p&gt;</p>",
        "&amp;lt;p&amp;gt;a&amp;lt;/p&amp;gt;",
        "&lt;p&gt;never closed",
        "1 &lt; 2",
    ],
)
def test_an_article_about_markup_stays_as_it_is(html: str) -> None:
    assert sanitise(html, BASE) == (html, [], [])


@pytest.mark.parametrize(
    "html",
    [
        "<![CDATA[<script>alert(1)</script>]]>",
        "<![CDATA[<]]>script>alert(1)</script>",
        "<<![CDATA[script>alert(1)//]]>",
        "<![CDATA[<p title='x]]>' onclick=alert(1)>",
        "<svg><![CDATA[><img src=x onerror=alert(1)>]]></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<math><annotation-xml encoding=text/html><img src=x onerror=alert(1)></annotation-xml></math>",
        "<svg></p><foreignObject><iframe srcdoc='<script>alert(1)</script>'></iframe></foreignObject></svg>",
        "<iframe src=//v.example title='\"><img src=x onerror=alert(1)>'></iframe>",
        "<iframe src='//v.example/\"onmouseover=alert(1) x=\"'></iframe>",
        "<figure><embed src=//v.example><figcaption>&lt;img src=x onerror=alert(1)&gt;</figcaption></figure>",
        "<textarea></textarea><img src=x onerror=alert(1)>",
        "<xmp><img src=x onerror=alert(1)></xmp><plaintext></plaintext><img src=x onerror=alert(1)>",
        "<title><img src=x onerror=alert(1)></title>" + "<title>y</title>" * 20,
        "<ifr<iframe></iframe>ame src=javascript:alert(1)>",
        "<form><math><mtext></form><form><mglyph><svg><mtext><style><path id='</style><img onerror=alert(1) src>'>",
        "&lt;div&gt;&lt;svg/onload=alert(1)&gt;x&lt;/div&gt;",
        "<a name='x onclick=alert(1)'>y</a><a href='#x onclick=alert(1)'>z</a>",
        "<a id='\"><script>alert(1)</script>' href='#\"><script>alert(1)</script>'>x</a>",
        "<noembed><img title='</noembed><script>alert(1)</script>'></noembed>",
        "<option><style></option></select><img src=x onerror=alert(1)></style>",
        "<amp-youtube data-videoid='\" onclick=\"alert(1)'></amp-youtube>",
        "<param name=movie value=javascript:alert(1)><object><param name=movie value=javascript:alert(1)></object>",
    ],
)
def test_no_way_through_the_pass_lets_code_in(html: str) -> None:
    cleaned = sanitise(html, BASE)
    assert_harmless(cleaned.html)
    assert_settled(cleaned.html)
