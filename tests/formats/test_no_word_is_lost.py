"""Every word of a body arrives: what a real parser reads in it is in the result, or a warning names it."""

import gzip
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newswire.formats.html.sanitise import Sanitised, sanitise

BASE = "https://example.org/news/story.html"
UNSEEN = frozenset({"script", "style", "template"})
# The parser takes their content for text, and they hold markup for programs that cannot show them.
MARKUP_WITHIN = re.compile(r"</?(?:iframe|noembed|noframes|noscript)(?=[\s/>])[^>]*>", re.IGNORECASE)
OUR_WORD = re.compile("w[0-9]+")
WORD = re.compile(r"[^\W_]+")


def text_nodes(element: Element) -> Iterator[str]:
    """The text nodes below an element, without what no reader sees and without comments."""
    # The tag of a comment is a function.
    name = str(element.tag).rpartition("}")[2]
    if name not in UNSEEN and not name.startswith("<"):
        yield element.text or ""
        for child in element:
            yield from text_nodes(child)
            yield child.tail or ""


def words_of(html: str) -> list[str]:
    """The words in a body, as a browser's parser reads it; CDATA sections are markup for us."""
    plain = MARKUP_WITHIN.sub("<span>", re.sub(r"<!\[CDATA\[|\]\]>", "", html))
    root = html5lib.parse(plain, treebuilder="etree", namespaceHTMLElements=False)
    return [word for text in text_nodes(root) for word in WORD.findall(text)]


def lost_words(html: str, cleaned: Sanitised) -> list[str]:
    """The words of a body that neither the result nor a warning has."""
    left = " ".join([unescape(re.sub("<[^>]*>", "", cleaned.html)), *(each["detail"] for each in cleaned.warnings)])
    # The second notation of a formula is named as a whole.
    if any("<annotation" in each["detail"] for each in cleaned.warnings):
        return []
    kept = set(WORD.findall(left))
    return [word for word in words_of(html) if word not in kept and word not in left]


def real_bodies(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from filter(None, (json.loads(line).get("body_html") for line in lines))


SPELLED = """
    p div a b span em blockquote li ul td tr table section figure figcaption pre h2 br
    address article button canvas center custom-card datalist details dialog fieldset form font iframe label legend
    main marquee math mfrac mi menu mn nav noscript noembed noframes o:p object option paragraph select summary svg text
    textarea title tspan video audio applet xmp listing foreignobject desc g use path semantics ms
"""
NAMES = sorted(SPELLED.split())
PIECES = st.one_of(
    st.sampled_from(NAMES).map("<{}>".format),
    st.sampled_from(NAMES).map("</{}>".format),
    st.sampled_from(NAMES).map("<{}/>".format),
    st.sampled_from(["<![CDATA[", "]]>", "<iframe src=/v title='A storm'>", "<img src=/p.png>", "&amp;", "&lt;p&gt;",
                     "<!-- no -->", "<script>no</script>", "<embed src=//v.example/e>"]),
    st.integers(0, 999).map("w{}".format),
    st.integers(0, 999).map(" w{} ".format),
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
@example("<iframe src=/v>w1<p>w2")
@example("<textarea>w1<b>w2</b>")
@example("<svg><title>w1</title><text>w2</text><style/>w3</svg>w4")
@example("<select><option>w1<option>w2</select>w3")
@example("<![CDATA[<p title='w]]> w1")
def test_every_word_is_in_the_result_or_named_in_a_warning(html: str) -> None:
    # The name of a tag is a word where its element was left open in raw text; of ours it is none.
    assert [word for word in lost_words(html, sanitise(html, BASE)) if OUR_WORD.fullmatch(word)] == []


@pytest.mark.slow
def test_no_word_of_a_real_body_is_lost_silently(shared_data: Path) -> None:
    number = 0
    for html in real_bodies(shared_data / "articles"):
        assert lost_words(html, sanitise(html, BASE)) == []
        number += 1
    assert number > 600
