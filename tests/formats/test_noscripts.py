"""The content of a `noscript` arrives whole: closed or not, escaped or not."""

import time

import pytest

from newswire.formats.html.sanitise import sanitise
from newswire.formats.html.text import html_to_text

BASE = "https://example.org/news/story.html"


def test_a_noscript_without_an_end_tag_takes_no_word_of_the_article_with_it() -> None:
    html = '<p>One</p><noscript><img src="/a.jpg"> two</p> three <b>four</b> five'
    assert html_to_text(sanitise(html, BASE).html).split() == ["One", "two", "three", "four", "five"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('&lt;img height="1" width="1" src="https://count.example/tr"/&gt;', ""),
        ("&lt;p&gt;Vote &amp;amp; win&lt;/p&gt;", "<p>Vote &amp; win</p>"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;&lt;p onclick=alert(2)&gt;Vote&lt;/p&gt;", "<p>Vote</p>"),
        ("1 &lt; 2 words", "1 &lt; 2 words"),
    ],
)
def test_no_reader_sees_the_tags_of_an_escaped_noscript(content: str, expected: str) -> None:
    cleaned = sanitise(f"<p>a</p><noscript>{content}</noscript><p>b</p>", BASE).html
    assert cleaned.replace(" <p>", "<p>").replace("</p> ", "</p>") == f"<p>a</p>{expected}<p>b</p>"


def test_many_escaped_pictures_in_a_noscript_take_linear_time() -> None:
    html = f"<noscript>{'&lt;img>' * 250_000}</noscript>"
    start = time.process_time()
    sanitise(html, BASE)
    assert time.process_time() - start < 2
