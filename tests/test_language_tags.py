"""Language tags in their canonical form, and the ranges that match them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from newswire.language_tags import EXTENDED, LANGUAGES, REGIONS, TAG, WHOLE_TAGS, canonical_tag, matching_ranges
from tests.support.cases import case

CANONICAL = {
    "EN": "en", "en_US": "en-US", "EN-us": "en-US", "pt_br": "pt-BR", "zh_hant_tw": "zh-Hant-TW", "ja-JPAN": "ja-Jpan",
    "sr-latn-RS": "sr-Latn-RS", "es-419": "es-419", "de-CH-1996": "de-CH-1996", "de-1ABC": "de-1abc",
    "iw": "he", "iw-IL": "he-IL", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro", "adp": "dz",
    "i-klingon": "tlh", "I_LUX": "lb", "zh-min-nan": "nan", "zh-guoyu": "cmn", "zh-hakka": "hak", "art-lojban": "jbo",
    "no-bok": "nb", "en-GB-oed": "en-GB-oxendict", "sgn-BE-FR": "sfb", "sgn-US": "ase", "sgn-UK": "bfi",
    "zh-yue": "yue", "zh-yue-HK": "yue-HK", "zh-cmn-Hans-CN": "cmn-Hans-CN", "ar-arb": "arb", "zho_yue": "yue",
    "en-UK": "en-GB", "my-BU": "my-MM", "de-DD": "de-DE", "fr-FX": "fr-FR", "pt-TP": "pt-TL", "fr-ZR": "fr-CD",
    "eng": "en", "ger-AT": "de-AT", "fre": "fr", "zho-Hans": "zh-Hans",
    "ja-Latn-hepburn-heploc": "ja-Latn-hepburn-alalc97",
    "en-b-foo-A-BAR": "en-a-bar-b-foo", "DE-x-Zz-a-de": "de-x-zz-a-de", "x-Whatever": "x-whatever",
    # Nothing is guessed, and no script is left out.
    "sh": "sh", "tl": "tl", "zh-TW": "zh-TW", "en-Latn-US": "en-Latn-US", "no": "no", "und": "und",
    "i-default": "i-default", "cel-gaulish": "cel-gaulish", "zh-min": "zh-min",
    # A filter may have any text, which matches nothing.
    "": "", "*": "*", "english language": "english language", "en-": "en-", "x": "x", "\u0435n": "\u0435n",
}  # fmt: skip


def test_a_tag_has_one_canonical_form() -> None:
    for tag, wanted in CANONICAL.items():
        with case(tag):
            assert canonical_tag(tag) == wanted


def test_no_replacement_is_replaced_again() -> None:
    tags = [*WHOLE_TAGS.values(), *LANGUAGES.values(), *EXTENDED, *(f"en-{region}" for region in REGIONS.values())]
    for tag in tags:
        with case(tag):
            assert canonical_tag(tag).lower() == LANGUAGES.get(tag, tag).lower()
            assert canonical_tag(canonical_tag(tag)) == canonical_tag(tag)


PARTS = [
    "zh",
    "yue",
    "hant",
    "cn",
    "sgn",
    "uk",
    "fx",
    "iw",
    "eng",
    "gb",
    "oed",
    "min",
    "nan",
    "x",
    "a",
    "u",
    "1994",
    "bok",
]
tags = st.one_of(
    st.from_regex(TAG, fullmatch=True), st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map("-".join)
)


@given(tag=tags)
def test_the_canonical_form_is_a_fixed_point_in_any_spelling(tag: str) -> None:
    canonical = canonical_tag(tag)
    assert canonical_tag(canonical) == canonical
    if TAG.fullmatch(tag):
        assert TAG.fullmatch(canonical)
        assert "_" not in canonical
        for spelled in (tag.upper(), tag.lower(), tag.swapcase(), tag.replace("-", "_")):
            assert canonical_tag(spelled) == canonical


@given(tag=tags)
def test_a_tag_is_matched_by_itself_and_by_what_it_begins_with(tag: str) -> None:
    canonical, ranges = canonical_tag(tag), matching_ranges(tag)
    assert canonical in ranges
    beginnings = {canonical[: found.start()] for found in re.finditer("-", canonical)}
    assert beginnings <= ranges
    # The rest is the prefix of an extended language.
    rest = ranges - beginnings - {canonical}
    assert rest == {EXTENDED[language] for language in [canonical.split("-")[0]] if language in EXTENDED}
