"""Words that a comment or a tag without an end swallows, as in a browser, are named in a warning."""

import pytest

from newswire.formats.html.sanitise import sanitise

BASE = "https://example.org/news/story.html"


@pytest.mark.parametrize("before", ["<p>a</p>", "<p>a</p><iframe src=/v></iframe>", "<CENTER>a</CENTER>"])
@pytest.mark.parametrize(
    "swallowed", ["<!-- note > and words", "<y then words", '<p title="a quote> and words</p>', "<! and words"]
)
def test_swallowed_words_are_named_in_a_warning(before: str, swallowed: str) -> None:
    cleaned = sanitise(before + swallowed, BASE)
    assert "words" not in cleaned.html
    assert [each["detail"] for each in cleaned.warnings if each["detail"].endswith(f"removed: {swallowed}")]


@pytest.mark.parametrize(
    "html", ["<p>a</p><!-- x -->", '<p>5" <b>a</b></p class="x">', "<p>a</p><!--> ", "<i>a <x></i>"]
)
def test_markup_that_ends_gives_no_such_warning(html: str) -> None:
    assert not any("does not end" in each["detail"] for each in sanitise(html, BASE).warnings)


def test_the_words_in_the_warning_are_bounded() -> None:
    warnings = sanitise("<p>a</p><!-- " + "word " * 100_000, BASE).warnings
    assert len(warnings) == 1
    assert len(warnings[0]["detail"]) < 400
