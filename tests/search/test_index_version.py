"""The version of the analysis is raised whenever what it makes of an article is another thing than before."""

import hashlib

import orjson

from newswire.search.analysis import FIELDS, analyse_texts
from newswire.search.index_version import ANALYSIS_VERSION, INDEX_VERSION
from newswire.search.postgres.writer import word_columns
from newswire.search.sqlite.writer import COLUMNS
from newswire.visibility import terms_of

TEXTS = {
    "headline": "Straße, naïve Ünïted OʼBrien’s 3.5 % x² ½",
    "summary": "Зелёный йод; об’єкт — ΆΈΉ",
    "body": "東京都の株式市場 กรุงเทพ שָׁלוֹם شَرَاء ۱۲۳ İstanbul Łódź co-operate U.S. a\u200bb",
    "caption": "e\u0301tude " + "long" * 40,
    "byline": "Ann Example",
}
ARTICLE = {
    "id": "01a22c5d-8539-7534-a25a-30a625fcea02", "external_id": "ä/1", "section": "World  News", "urgency": 4,
    "language": "en-GB", "keywords": ["Zürich", "a_b"], "images": [{}],
    "authors": [{"id": "0" * 32, "name": "Ann", "role": "x", "bio": None, "url": None, "avatar_url": None,
                 "organization": None}],
    "subjects": [{"code": "c:1", "name": "Arts"}], "places": [{"name": "Haifa"}],
}  # fmt: skip
DIGESTS = {1: "18371141e88ee4ac", 2: "e70560f5a3e32f0c", 3: "0476250c3a9e1adb", 4: "a4025360b609a0a9"}
"""By version of the analysis: what it makes of the above. An entry is added with each version and never changed."""


def test_the_version_of_the_analysis_is_raised_with_what_it_makes_of_an_article() -> None:
    """Without a language every word is its own stem, so that the release of the stemmer has no part in it."""
    analysed, terms = analyse_texts(TEXTS, None), terms_of("gazette", ARTICLE)
    # A tag of three parts was added with version 2.
    terms |= terms_of("gazette", {"language": "zh_Hant-TW"})
    made = [[analysed.forms[field] for field in FIELDS], sorted(terms), COLUMNS]
    columns = word_columns(1_790_000_000_000, terms, analysed)
    made.append([sorted(columns["words"].split()), columns["forms"], columns["pairs"].hex()])
    assert hashlib.sha256(orjson.dumps(made)).hexdigest()[:16] == DIGESTS[ANALYSIS_VERSION], "raise ANALYSIS_VERSION"


def test_the_version_of_the_index_names_analysis_and_stemmer() -> None:
    analysis, _, stemmer = INDEX_VERSION.partition("/")
    assert analysis == str(ANALYSIS_VERSION)
    assert all(part.isdigit() for part in stemmer.split("."))
