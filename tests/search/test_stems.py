"""By which stems a word is looked for, and in which languages."""

from newswire.search.stems import groups, spoken, stems
from newswire.search.syntax import parse
from newswire.visibility import Filter


def test_languages_that_agree_on_the_stems_of_all_words_are_asked_for_together() -> None:
    assert groups(parse("cocoa"), ["en", "und"]) == [("en", [])]
    assert groups(parse("prices -cocoa"), ["de", "en", "und"]) == [
        ("de", ["en", "und"]), ("en", ["de", "und"]), ("und", ["de", "en"])
    ]  # fmt: skip
    assert groups(parse("(cocoa OR died) beans*"), ["de", "en", "und"]) == [("de", ["en"]), ("en", ["de", "und"])]
    assert groups(parse('"died again" 中国 pric*'), ["en", "und"]) == [("en", [])]


def test_a_word_has_the_stems_of_every_language() -> None:
    assert stems("prices", ["en", "de", "und"]) == ["pric", "price", "prices"]
    assert stems("中国", ["en", "und"]) == []


def test_only_the_languages_that_a_filter_leaves_are_looked_for() -> None:
    present = ["de", "en", "fr", "und"]
    assert spoken(present, Filter.of({"section": ["World"]})) == present
    assert spoken(present, Filter.of({"language": ["en-GB"]})) == ["en"]
    assert spoken(present, Filter.of({"language": ["en", "he", "fr-CA"]})) == ["en", "fr", "und"]
    assert spoken(present, Filter.of({"language": ["en", "fr"]}) & Filter.of({"language": ["fr"]})) == ["fr"]
    assert spoken(present, Filter.of({}, {"language": ["en"]})) == present
    assert spoken(present, Filter.of({"language": ["es"]})) == ["und"]
