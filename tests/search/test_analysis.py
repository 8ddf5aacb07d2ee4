"""What a word is: breaking, folding, stemming and the size of one article's index."""

import gzip
import json
import random
import re
import time
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from newswire.search.analysis import FIELDS, INDEX_BUDGET, analyse_texts, query_stems, stem_tokens, word_forms
from newswire.search.normal_form import LONGEST_WORD
from newswire.search.stemming import stemming_language

LANGUAGES = re.findall(
    r"\w+",
    "ar ca cs da de el en eo es et eu fa fi fr ga hi hu hy id it lt nb ne nl nn no pl pt ro ru sr st sv ta tr yi",
)
LETTERS = regex.compile(r"[\p{L}\p{M}\p{N}]+")
UNSPACED = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}々〆〇ー〱-〵〼\u3099\u309a]"
)
# Half of the characters from the scripts and signs that are treated in a way of their own.
SPECIAL = (
    "aAzß ŒœæŁøđıİiIéñçüïơ\u0301\u0307ΆάςйЁїґ'’ʼ\"״׳שםִאةىيیکـًأآؤ٣۴कि़२ไทยน้ำ๑中国人々ーカﾞｶがkg½²™①ﬁＡ１_-."
    "\u00ad\u200b\u200c\u200d\ufe0f"
)
texts = st.text(st.one_of(st.sampled_from(SPECIAL), st.characters()), max_size=60)


INDIC = st.characters(categories=["Lo", "Mn", "Mc"], min_codepoint=0x900, max_codepoint=0xDFF)
many = settings(max_examples=200)


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("The HOWITZER, 155-mm_gun", "the howitzer 155 mm gun"),
        ("Israel's U.S. e-mail", "israel s u s e mail"),
        ("L’été à Nîmes, cœur et garçon", "l ete a nimes coeur et garcon"),
        ("Straße GROẞ Ärger", "strasse gross arger"),
        ("El Niño, ¿qué pasó?", "el nino que paso"),
        ("Łódź, Ørsted, Đà Nẵng, Þór, Æsir", "lodz orsted da nang thor aesir"),
        ("İstanbul ISTANBUL ılık", "istanbul istanbul ilik"),
        ("Ещё Горбачёв, йод", "еще горбачев иод"),
        ("Ἀθῆναι, ΆΣΟΣ άσος", "αθηναι ασοσ ασοσ"),
        ("שָׁלוֹם ירושלים צה״ל", "שלומ ירושלימ צה ל"),
        ("القُدْس إلى مدرســة آخر أمة", "القدس الي مدرسه اخر امه"),
        ("کتاب یک ۱۲۳ ٤٥", "كتاب يك 123 45"),
        ("می‌خواهم", "مي خواهم"),
        ("हिन्दी २०२४ ভাষা", "हिन्दी 2024 ভাষা"),
        ("ＦＵＬＬ ｗｉｄｔｈ １２３ ﬁne", "full width 123 fine"),
        ("soft\u00adhyphen zero\u200bwidth \u2067right\u2069 1️⃣ ❤️", "softhyphen zero width right 1"),
        ("об’єкт обʼєкт об'єкт", "об єкт об єкт об єкт"),
        ("Apple™ Watch 2½", "apple watch 2 1 2"),
        ("1인당 최대 5,000달러", "1인당 최대 5 000달러"),
        ("中国人", "中国 国人 人"),
        ("中", "中"),
        ("日本語のテスト、AI技術new", "日本 本语 语の のテ テス スト ト ai 技术 术 new"),
        ("ﾃﾚﾋﾞ ラーメン 佐々木", "テレ レビ ビ ラー ーメ メン ン 佐々 々木 木"),
        ("2024年", "2024 年"),
        ("ไทย๑๒ น้ำ", "ไท ทย ย 12 น้ ้ํ ํา า"),
        ("葛\U000e0100城", "葛城 城"),
        ("ខ្មែរ\u200bខ", "ខ្ ្ម មែ ែរ រខ ខ"),
        ("!!! & 😀 _ \u0301 \u0000", ""),
    ],
)
def test_a_text_becomes_these_forms(text: str, forms: str) -> None:
    assert word_forms(text) == forms.split()


@many
@given(texts)
def test_forms_hold_letters_marks_and_digits_only(text: str) -> None:
    for form in word_forms(text):
        assert LETTERS.fullmatch(form)
        assert len(form) <= LONGEST_WORD


@many
@given(texts)
def test_forms_of_scripts_with_spaces_are_their_own_forms(text: str) -> None:
    forms = word_forms(text)
    assume(not any(UNSPACED.search(form) for form in forms))
    assert word_forms(" ".join(forms)) == forms


@many
@given(texts)
def test_composed_and_decomposed_texts_have_the_same_forms(text: str) -> None:
    assert word_forms(unicodedata.normalize("NFD", text)) == word_forms(unicodedata.normalize("NFC", text))


@many
@given(st.text(INDIC, max_size=50))
def test_marks_of_indic_scripts_are_never_lost(text: str) -> None:
    assert word_forms(f"क{text}") == [unicodedata.normalize("NFKC", f"क{text}")]


def test_a_long_word_is_cut_the_same_way_however_it_is_spelled() -> None:
    assert word_forms("x\u0302" * 150) == word_forms("x" * 5000) == ["x" * LONGEST_WORD]
    assert word_forms("æ" * 99) == word_forms("ae" * 99) == ["ae" * (LONGEST_WORD // 2)]
    assert stem_tokens("ŷ" * 300, "en") == stem_tokens("y" * 300, "en")


def test_a_million_marks_in_a_row_take_no_time() -> None:
    start = time.process_time()
    assert word_forms("a" + "\u0301\u0316" * 500_000) == ["a"]
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("language", "stored", "typed"),
    [
        ("en-GB", "purchased purchases", "purchase purchasing PURCHASE"),
        ("fr", "étudiants élections", "étudiant etudiant election élection"),
        ("de-DE", "Häuser Straßen", "Haus hauser häuser Straße strassen"),
        ("es", "canciones", "canción cancion"),
        ("ru", "русский русская", "русского русскии русские"),
        ("ar", "مدرسة المدارس", "مدرسه مدرسة"),
        ("tr", "kitapları", "kitap kitaplari"),
        ("nb", "husene", "hus huset"),
    ],
)
def test_a_word_is_found_by_its_stem_with_and_without_marks(language: str, stored: str, typed: str) -> None:
    tokens = stem_tokens(stored, language)
    missed = [word for word in typed.split() if tokens.isdisjoint(query_stems(word, ["en", language]))]
    assert missed == []


def test_stems_carry_their_language() -> None:
    assert stem_tokens("Purchases", "en-US") == {"en_purchas"}
    assert stem_tokens("Purchases", "EN") == {"en_purchas"}
    assert query_stems("nation", ["fr", "en", "he", "en-GB"]) == ["en_nation", "fr_nation", "und_nation"]


@pytest.mark.parametrize("language", [None, "", "he", "zh-Hant", "ja", "und", "english", "e"])
def test_where_there_is_no_stemmer_each_form_is_its_own_stem(language: str | None) -> None:
    assert stemming_language(language) == "und"
    assert stem_tokens("Words of Any kïnd", language) == {"und_words", "und_of", "und_any", "und_kind"}


def test_scripts_without_spaces_are_not_stemmed() -> None:
    assert stem_tokens("中国 and ไทย", "en") == {"en_and"}


@many
@given(texts, st.sampled_from(LANGUAGES))
def test_every_word_has_a_stem_by_which_it_is_found(text: str, language: str) -> None:
    tokens = stem_tokens(text, language)
    for token in tokens:
        subtag, _, stem = token.partition("_")
        assert subtag == language
        assert LETTERS.fullmatch(stem.replace("_", ""))
    for form in word_forms(text):
        assert UNSPACED.search(form) or not tokens.isdisjoint(query_stems(form, [language]))


def test_threads_stem_alike() -> None:
    endings = ("s", "ing", "ed", "al", "ation", "izing")
    texts = [" ".join(f"relat{ending} x{number}nation{ending}" for ending in endings) for number in range(300)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: stem_tokens(text, "en"), texts))
    assert together == [stem_tokens(text, "en") for text in texts]


def test_an_article_is_analysed_by_field() -> None:
    analysed = analyse_texts(
        {"headline": "Howitzers bought", "body": "One\nTwo", "caption": "", "byline": "Ann Lee"}, "en-GB"
    )
    assert analysed.language == "en"
    assert {field: forms for field, forms in analysed.forms.items() if forms} == {
        "headline": ["howitzers", "bought"],
        "body": ["one", "two"],
        "byline": ["ann", "lee"],
    }
    assert analysed.stems["headline"] == {"en_howitz", "en_bought"}
    assert set(analysed.forms) == set(analysed.stems) == set(FIELDS)


@many
@given(st.dictionaries(st.sampled_from(FIELDS), texts), st.sampled_from([None, "he", *LANGUAGES]))
def test_a_short_article_is_analysed_whole(texts: dict[str, str], language: str | None) -> None:
    analysed = analyse_texts(texts, language)
    for field in FIELDS:
        assert analysed.forms[field] == word_forms(texts.get(field, ""))
        assert analysed.stems[field] == stem_tokens(texts.get(field, ""), language)


def index_size(forms: list[str], stems: Iterable[str], copies: int) -> int:
    tokens = {*forms, *stems}
    return sum(len(token.encode()) + 16 for token in tokens) * copies + 16 * (len(set(pairwise(forms))))


@pytest.mark.slow
@pytest.mark.parametrize("letters", ["abcdefgh", "абвгдежз", "".join(map(chr, range(0x4E00, 0x5200)))])
def test_an_endless_article_is_cut_to_the_budget(letters: str) -> None:
    chance = random.Random(2)

    def noise(length: int) -> str:
        return " ".join("".join(chance.choices(letters, k=chance.randint(3, 12))) for _ in range(length))

    texts = {"headline": "Endless", "caption": noise(2_000), "byline": "Ann Lee", "body": noise(100_000)}
    analysed = analyse_texts(texts, "en")
    size = sum(
        index_size(analysed.forms[field], analysed.stems[field], 2 if field in ("caption", "byline") else 1)
        for field in FIELDS
    )
    assert INDEX_BUDGET * 0.99 < size < INDEX_BUDGET
    for field in ("headline", "caption", "byline"):
        assert analysed.forms[field] == word_forms(texts[field])
    kept = len(analysed.forms["body"])
    assert analysed.forms["body"] == word_forms(texts["body"])[:kept]
    assert 0 < kept < len(word_forms(texts["body"]))
    assert analyse_texts(texts, "en") == analysed


@pytest.mark.slow
def test_the_longest_real_articles_fit_whole(shared_data: Path) -> None:
    lengths = []
    for name in ("bbc_worldservice", "web_readability", "wikinews_en"):
        with gzip.open(shared_data / "articles" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                article = json.loads(line)
                text = article.get("body_text") or regex.sub(r"<[^>]*>", " ", article.get("body_html") or "")
                if len(text) > 100_000:
                    lengths.append(len(text))
                    assert analyse_texts({"body": text}, article["language"]).forms["body"] == word_forms(text)
    assert max(lengths) > 320_000
