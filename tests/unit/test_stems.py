"""By which stems a word is looked for, and in which languages."""

from newswire.query import Filter
from newswire.store.stems import spoken, stems_by_language


def test_a_stem_names_the_languages_in_which_the_word_has_another_one() -> None:
    assert stems_by_language("Cocoa", ["en", "und"]) == [("cocoa", [])]
    assert stems_by_language("prices", ["en", "de", "und"]) == [
        ("pric", ["en", "und"]), ("price", ["de", "und"]), ("prices", ["de", "en"])
    ]  # fmt: skip
    assert stems_by_language("中国", ["en", "und"]) == []
    assert stems_by_language("cocoa", []) == []


def test_only_the_languages_that_a_filter_leaves_are_looked_for() -> None:
    present = ["de", "en", "fr", "und"]
    assert spoken(present, Filter.of({"section": ["World"]})) == present
    assert spoken(present, Filter.of({"language": ["en-GB"]})) == ["en"]
    assert spoken(present, Filter.of({"language": ["en", "he", "fr-CA"]})) == ["en", "fr", "und"]
    assert spoken(present, Filter.of({"language": ["en", "fr"]}) & Filter.of({"language": ["fr"]})) == ["fr"]
    assert spoken(present, Filter.of({}, {"language": ["en"]})) == present
    assert spoken(present, Filter.of({"language": ["es"]})) == ["und"]
