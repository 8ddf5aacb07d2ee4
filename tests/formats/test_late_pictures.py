"""Pictures that a page loads late: the body shows the address from which each is really loaded, and each once."""

import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from newswire.formats.html.picture_urls import picture_key, read_candidates
from newswire.formats.html.sanitise import sanitise
from tests.support.cases import case

BASE = "https://pub.example/news/"


def shown(html: str, base: str | None = BASE) -> list[str]:
    """The addresses of the pictures in the sanitised body."""
    return re.findall(r'<img[^>]* ?src="([^"]*)"', sanitise(html, base).html)


GIF = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


@pytest.mark.parametrize(
    "html",
    [
        f'<img src="{GIF}" data-src="/p/a.jpg">',
        '<img src="/blank.gif" data-original="/p/a.jpg">',
        '<img src="/img/lazy_placeholder.gif" data-lazy-src="/p/a.jpg">',
        '<img data-lazy="/p/a.jpg">',
        '<IMG SRC="" DATA-SRC="/p/a.jpg">',
        "<img src=/p/preview-of-it.jpg data-src=/p/a.jpg>",
        f'<img src="{GIF}" data-hi-res-src="/p/a.jpg">',
        f'<img src="{GIF}" data-large-file="/p/a.jpg" data-thumb="/p/t.jpg">',
        f"""<img src="{GIF}" data-src='{{"default":{{"w":"80","src":"/p/a.jpg"}}}}'>""",
        '<img srcset="/p/s.jpg 400w, /p/a.jpg 1600w, /p/m.jpg 800w">',
        '<img src="/p/s.jpg" srcset="/p/s.jpg 400w, /p/a.jpg 1600w">',
        '<img srcset="/p/s.jpg, /p/a.jpg 2x, javascript:alert(1) 3x, data:image/png;base64,AA 4x">',
        f'<img src="{GIF}" data-srcset="/p/s.jpg 1x,/p/a.jpg 1.5x">',
        '<picture><source srcset="/p/a.avif" type="image/avif"><source srcset="/p/a.jpg" type="image/jpeg"></picture>',
        f'<picture><source data-srcset="/p/s.jpg 400w,/p/a.jpg 800w"><img src="{GIF}"></picture>',
        '<noscript><img src="/p/a.jpg"></noscript>',
        '<noscript>&lt;img src="/p/a.jpg"&gt;</noscript>',
        '<noscript><picture><source srcset="/p/a.jpg 2x"></picture></noscript>',
        f'<img src="{GIF}" class="lazy"><noscript><img src="/p/a.jpg"></noscript>',
        '<img data-src="/p/a.jpg"><noscript><img src="/p/a.jpg?w=300"></noscript>',
        '<img src="/loading.gif"><noscript><img src="/p/a.jpg"></noscript>',
        '<noscript><img src="/p/a.jpg"></noscript><img class="lazy" data-src="/p/a.jpg">',
        '<img src="/p/a.jpg"><noscript><img width=1 height=1 src="https://count.example/tr?id=1"></noscript>',
        '<amp-img src="/p/a.jpg" width=4 height=3></amp-img>',
        '<amp-img src="/p/a.jpg"><amp-img fallback src="/p/b.jpg"></amp-img>'
        '<noscript><img src="/p/c.jpg"></noscript></amp-img>',
        f'<a href="/p/a.jpg"><img src="{GIF}"></a>',
        '<a href="/p/large.jpg"><img src="/p/a.jpg" srcset="/p/s.jpg 90w"></a>',
        '<img src="/p/a.jpg" data-caption="x">',
        '<img src="/p/a.jpg?x=1&amp;y=2" data-src="/p/a.jpg" alt="a > b">',
        '<img alt="a < b > c" data-src="/p/a.jpg">',
    ],
)
def test_a_picture_is_shown_once_from_its_real_address(html: str) -> None:
    assert shown(html) == ["https://pub.example/p/a.jpg"]
    assert picture_key(shown(html)[0]) == "//pub.example/p/a.jpg"


def test_a_source_that_all_pictures_share_is_a_placeholder() -> None:
    shared = "".join(f'<img src="/x/e1.gif" data-q="/p/{name}.jpg">' for name in "ab")
    assert shown(f"{shared}<img src=/p/c.jpg data-q=/p/d.jpg>") == [
        f"https://pub.example/p/{name}.jpg" for name in "abc"
    ]


@pytest.mark.parametrize(
    ("srcset", "urls"),
    [
        ("a,b.jpg 2x, c.jpg", ["a,b.jpg", "c.jpg"]),
        ("a.jpg, b.jpg,, ,c.jpg 100w 50h", ["a.jpg", "b.jpg", "c.jpg"]),
        ("/c_fill,w_80/a.jpg 80w,/c_fill,w_160/a.jpg 160w", ["/c_fill,w_80/a.jpg", "/c_fill,w_160/a.jpg"]),
        ("a.jpg (x, 2x, b.jpg 3x", ["a.jpg"]),
        ("\t a.jpg\n2x\n,\nb.jpg\n", ["a.jpg", "b.jpg"]),
        (" , ", []),
    ],
)
def test_a_srcset_is_read_as_browsers_read_it(srcset: str, urls: list[str]) -> None:
    assert [each.url for each in read_candidates(srcset)] == urls


@pytest.mark.parametrize(
    ("html", "addresses"),
    [
        ('<img src="/p/pixel-6-phone.jpg"><img src="/p/blank-check.png">', ["pixel-6-phone.jpg", "blank-check.png"]),
        ('<img src="/p/a.jpg"><img src="/p/a.jpg">', ["a.jpg", "a.jpg"]),
        ('<img src="/p/a.jpg"><noscript><img src="/p/b.jpg"></noscript>', ["a.jpg", "b.jpg"]),
        ('<img src="/p/loading.gif">', ["loading.gif"]),
        ('<img src="/p/a.jpg" srcset="/p/b.jpg 2x">', ["a.jpg"]),
        ('<picture><source srcset="/p/crop.webp"><img src="/p/a.jpg"></picture>', ["a.jpg"]),
        ('<p title="<img data-src=/p/x.jpg>"><img src=/p/a.jpg></p>', ["a.jpg"]),
        (
            '<script>"<img data-src=/p/x.jpg>"</script><!-- <img data-src=/p/y.jpg> --><img data-src=/p/a.jpg>',
            ["a.jpg"],
        ),
    ],
)
def test_what_is_no_late_picture_stays_as_it_is(html: str, addresses: list[str]) -> None:
    assert shown(html) == [f"https://pub.example/p/{name}" for name in addresses]


@pytest.mark.parametrize(
    "html",
    [
        '<img src="/1x1.gif">',
        '<img src="/spacer.png" width=100>',
        '<img src="https://count.example/x" width=1 height=1>',
        '<img src="javascript:alert(1)" data-src="JavaScript:alert(1)" srcset="vbscript:x 2x">',
        '<img data-src="lazy">',
        '<img width="0" height="1" data-x="" src="//count.example/y">',
        '<noscript><img src="data:image/png,x"></noscript>',
    ],
)
def test_a_picture_that_shows_nothing_goes_with_a_warning(html: str) -> None:
    done = sanitise(f"<p>Text</p>{html}", BASE)
    assert done.html == "<p>Text</p>"
    assert done.warnings


def test_without_a_base_only_an_absolute_address_takes_the_place_of_a_placeholder() -> None:
    assert shown(f'<img src="{GIF}" data-src="/p/a.jpg" data-original="https://pub.example/p/b.jpg">', None) == [
        "https://pub.example/p/b.jpg"
    ]
    assert sanitise(f'x<img src="{GIF}" data-src="/p/a.jpg">', None).unresolved == []


def test_an_address_that_the_article_lists_is_preferred() -> None:
    html = '<img srcset="/p/s.jpg 400w, /p/l.jpg 1600w">'
    done = sanitise(html, BASE, None, ["https://pub.example/p/s.jpg"])
    assert done.html == '<img src="https://pub.example/p/s.jpg">'


def test_the_captions_of_wordpress_become_those_of_figures() -> None:
    html = (
        '<div id="attachment_1" class="wp-caption alignnone" style="width: 310px"><div><a href="/a">'
        '<img src="/p/a.jpg"></a></div><p id="x" class="wp-caption-text">A kite</p></div>'
        "<div class=other><p>Text</p></div>"
        '<dl class="wp-caption"><dt class="wp-caption-dt"><img src="/p/b.jpg"></dt>'
        '<dd class="wp-caption-dd">A boat</dd></dl>'
    )
    assert sanitise(html, BASE).html == (
        '<figure><div><a href="https://pub.example/a"><img src="https://pub.example/p/a.jpg"></a></div>'
        "<figcaption>A kite</figcaption></figure><div><p>Text</p></div>"
        '<figure><div><img src="https://pub.example/p/b.jpg"></div><figcaption>A boat</figcaption></figure>'
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/p.jpg", "http://A.example/p.jpg?w=300&s=abc", True),
        ("https://a.example/p-300x200.jpg", "https://a.example/p-1024x683.jpg", True),
        ("https://a.example/c_fill,h_80,w_80/p.jpg", "https://a.example/w_1600/p.jpg", True),
        ("https://a.example/p.php?id=1&w=20", "https://a.example/p.php?w=90&id=1", True),
        ("https://a.example/p.php?id=1&w=20", "https://a.example/p.php?id=2&w=20", False),
        ("https://a.example/find?q=kite", "https://a.example/find?q=boat", False),
        ("https://a.example/p-1.jpg", "https://a.example/p-2.jpg", False),
        ("https://a.example/p.jpg", "https://b.example/p.jpg", False),
        ("https://[a.example/p.jpg", "https://a.example/p.jpg", False),
    ],
)
def test_two_sizes_of_a_picture_are_one(one: str, other: str, same: bool) -> None:
    assert (picture_key(one) == picture_key(other)) is same


ADDRESSES = st.sampled_from(["/p/a.jpg", "/p/b.jpg", "https://c.example/c.png", GIF, "", "/blank.gif", "javascript:x"])
ATTRIBUTE = st.builds(
    "{}={}".format,
    st.sampled_from(["src", "data-src", "data-lazy-src", "srcset", "data-srcset", "data-x", "width", "height", "alt"]),
    ADDRESSES.map(json.dumps) | st.sampled_from(["1", '"/p/d.jpg 2x, /p/e.jpg 400w"', "'/p/\"f.jpg'", '"', "a>b"]),
)
TAG = st.builds(
    "<{}{} {}>".format,
    st.sampled_from(["", "/"]),
    st.sampled_from(
        [
            "img",
            "picture",
            "source",
            "noscript",
            "amp-img",
            "a",
            "figure",
            "figcaption",
            "p",
            "svg",
            "table",
            "td",
            "template",
            "select",
            "IMG",
            "image",
        ]
    ),
    st.lists(ATTRIBUTE, max_size=4).map(" ".join),
)
CAPTIONED = st.sampled_from(
    ['<div class="wp-caption">', '<p class="wp-caption-text">', "</div>", "</p>", "text", "<!--"]
)


@given(st.lists(TAG | CAPTIONED, max_size=12).map("".join))
def test_a_body_with_pictures_is_settled_and_safe(html: str) -> None:
    once = sanitise(html, BASE)
    again = sanitise(once.html, BASE)
    assert (again.html, again.warnings) == (once.html, [])
    assert all(url.startswith(("https://pub.example/", "https://c.example/")) for url in shown(once.html))
    assert "blank.gif" not in once.html


@given(
    st.lists(
        st.tuples(st.sampled_from(["data-src", "data-original", "srcset", "noscript", "src"]), st.booleans()),
        max_size=8,
    )
)
def test_no_picture_is_lost_and_none_is_shown_twice(kinds: list[tuple[str, bool]]) -> None:
    html, expected = "", []
    for number, (kind, is_repeated) in enumerate(kinds):
        url = f"https://c.example/{number}.jpg"
        expected.append(url)
        copy = f"<noscript><img src={url}></noscript>"
        html += "<p>x</p>" + (copy if kind == "noscript" else f'<img src="{GIF}" {kind}="{url}">' if kind != "src" else
                              f"<img src={url}>")  # fmt: skip
        html += copy if is_repeated else ""
    assert shown(html) == expected


@pytest.mark.parametrize(
    "html",
    [
        "<img " + "data-src=x " * 180_000 + ">",
        "<img data-src" * 150_000,
        '<img data-src="',
        f"<img srcset='{'a.jpg 1w, ' * 10_000}'>" * 20,
        f"<img srcset='{',' * 1_900_000}'>",
        f"<img srcset='{'(' * 1_900_000}'>",
        "<noscript><img>" * 130_000,
        "<noscript><img src=/a.jpg></noscript>" * 50_000,
        "<picture><source srcset=/a.jpg>" * 60_000,
        '<div class="wp-caption">' * 80_000,
        "<img src='" + "data:," * 300_000,
        "<figure>" * 100_000 + "<img src=/a.jpg>",
        "<a href=/x.jpg><img data-x=/>" * 60_000,
    ],
    ids=lambda html: html[:24],
)
@pytest.mark.slow
def test_two_megabytes_of_hostile_pictures_take_seconds_at_most(html: str) -> None:
    begun = time.process_time()
    sanitise(html, BASE)
    # Most take half a second; anything quadratic takes minutes.
    assert time.process_time() - begun < 10


ELSEWHERE = ("noscript", "svg", "template", "script")
NOT_ADDRESSES = re.compile("alt|title|href|style|class|on.*")
PLACEHOLDER = re.compile(r"/(?:(?:1x1|blank|spacer|pixel)(?![a-z])|[\w-]*placeholder)[\w.-]*\.(?:gif|png|jpg)$")


def addresses_of(image: lxml_html.HtmlElement, base: str) -> list[str]:
    """All addresses in the attributes of a picture, absolute, by a rule of this test: what begins like an address."""
    found = []
    for name, value in image.attrib.items():
        if not NOT_ADDRESSES.fullmatch(name) and not value.startswith("data:"):
            for part in [value, *re.split(r"\s+|,(?=https?:|/|\.\.)", value)]:
                if re.match(r"(https?:)?//|\.{0,2}/|[\w-]+/", part.strip(), re.IGNORECASE):
                    found.append(unquote(urljoin(base, part.strip(", \t\n"))))
    return found


def read_bodies(shared_data: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((shared_data / "articles").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                article = json.loads(line)
                if "<img" in (article.get("body_html") or ""):
                    yield article["body_html"], article.get("url") or BASE


@pytest.mark.slow
def test_no_picture_of_a_real_body_is_lost_or_shown_twice(shared_data: Path) -> None:
    """What is a picture here: an `img` that lxml finds, outside of elements that are removed with their content, with
    an address in one of its attributes; not those of at most one pixel, and not those of a placeholder alone.

    It is lost if none of its addresses is that of a picture in the result.
    """
    pictures, lost, late = 0, [], 0
    for html, base in read_bodies(shared_data):
        with case(base):
            after = [
                unquote(image.get("src", ""))
                for image in lxml_html.fromstring(f"<div>{sanitise(html, base).html}</div>").iter("img")
            ]
            everywhere: Counter[str] = Counter()
            for image in lxml_html.fromstring(f"<div>{html}</div>").iter("img"):
                found = addresses_of(image, base)
                if not found or any(parent.tag in ELSEWHERE for parent in image.iterancestors()):
                    continue
                everywhere.update(set(found))
                pictures += 1
                if {image.get("width"), image.get("height")} <= {"0", "1"} or all(map(PLACEHOLDER.search, found)):
                    continue
                if not set(found) & set(after):
                    # MSN's real address is within JSON, beside a GIF that all its pictures share.
                    lost += [] if image.get("data-src", "").startswith("{") else [found]
                late += not set(addresses_of_src(image, base)) & set(after)
            assert not [url for url in after if url.startswith("data:") or PLACEHOLDER.search(url)]
            assert all(times <= max(1, everywhere[url]) for url, times in Counter(after).items())
    assert lost == []
    assert pictures > 2_000
    assert late > 200


def addresses_of_src(image: lxml_html.HtmlElement, base: str) -> list[str]:
    return [unquote(urljoin(base, image.get("src", "").strip()))]
