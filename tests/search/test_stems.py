"""By which stems a word is looked for, and in which languages."""

from newswire.search.languages import languages_for, stem_groups, stems_in_languages
from newswire.search.syntax import parse_query
from newswire.visibility import Filter


def groups_of(text: str, languages: list[str]) -> list[tuple[str, list[str]]]:
    """The first language of each group, and those that are foreign to it."""
    groups = stem_groups(parse_query(text), languages)
    assert all(sorted([*each.own, *each.foreign]) == languages and each.language == each.own[0] for each in groups)
    return [(each.language, each.foreign) for each in groups]


def test_languages_that_agree_on_the_stems_of_all_words_are_asked_for_together() -> None:
    assert groups_of("cocoa", ["en", "und"]) == [("en", [])]
    assert groups_of("prices -cocoa", ["de", "en", "und"]) == [
        ("de", ["en", "und"]), ("en", ["de", "und"]), ("und", ["de", "en"])
    ]  # fmt: skip
    assert groups_of("(cocoa OR died) beans*", ["de", "en", "und"]) == [
        ("de", ["en"]),
        ("en", ["de", "und"]),
    ]
    assert groups_of('"died again" 中国 pric*', ["en", "und"]) == [("en", [])]


def test_a_word_has_the_stems_of_every_language() -> None:
    assert stems_in_languages("prices", ["en", "de", "und"]) == ["pric", "price", "prices"]
    assert stems_in_languages("中国", ["en", "und"]) == []


def test_only_the_languages_that_a_filter_leaves_are_looked_for() -> None:
    present = ["de", "en", "fr", "und"]
    assert languages_for(present, Filter.of({"section": ["World"]})) == present
    assert languages_for(present, Filter.of({"language": ["en-GB"]})) == ["en"]
    assert languages_for(present, Filter.of({"language": ["en", "he", "fr-CA"]})) == ["en", "fr", "und"]
    assert languages_for(present, Filter.of({"language": ["en", "fr"]}) & Filter.of({"language": ["fr"]})) == ["fr"]
    assert languages_for(present, Filter.of({}, {"language": ["en"]})) == present
    assert languages_for(present, Filter.of({"language": ["es"]})) == ["und"]
