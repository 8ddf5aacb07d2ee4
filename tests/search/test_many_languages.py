"""Articles in many languages are found however their words are typed, and by nothing that does not stand there.

The first test is over sentences written for it, all on one wire, so that every language is in the way of every
other. The rest is over real articles: which words to ask for is worked out from their texts by plain Python.
"""

import gzip
import json
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import regex

from tests.support.lists import finds, missing, post
from tests.support.wire import Caller, Wire


class Sample(NamedTuple):
    """A headline, queries that find it and queries that do not."""

    language: str
    headline: str
    found: list[str]
    absent: list[str]


SAMPLES = [
    Sample(
        "en-GB",
        "Two children’s newspapers say the factories closed: Zoë’s café sold 20 ＡＰＰＬＥＳ",
        ["newspaper", "factory", "FACTORIES", '"the factories closed"', "“the factories closed”", "closing", "cafe",
         "„two children's newspapers“", "zoe", "apple", "apples", "ｆａｃｔｏｒｙ", "２０", "children’s", "newsp*"],
        ['"newspaper"', '"factory"', '"closed factories"', '"apple"', "factor", "close -closed", "ewspapers"],
    ),
    Sample(
        "he",
        "שרי הממשלה נפגשו בירושלים; דובר צה\"ל מסר: שָׁלוֹם לכל העיתונאים",
        ["הממשלה", "הַמֶּמְשָׁלָה", "בירושלים", "בירושלימ", "בִּירוּשָׁלַיִם", "שלום", "שָׁלוֹם", 'צה"ל', "צה״ל", "צה”ל",
         "ממשלה", "ירושלים", "צהל", '"דובר צה"ל מסר"', "“שרי הממשלה”", "העיתונ*"],
        ['"הממשלה שרי"', "ממש", "שלו", '"צה מסר"'],
    ),
    Sample(
        "ar",
        "اشترت الحكومةُ سُفُناً جديدةً للشركات في القاهرة إلى عام ٢٠٢٤",
        ["الحكومة", "الحكومه", "الحُكُومَة", "الحـكـومة", "سفنا", "القاهره", "شركة", "الى", "إلي", "الی", "2024",
         "«في القاهرة»", "“الحكومة سفنا”"],
        ['"شركة"', '"القاهرة في"', '"حكوم"', "2025"],
    ),
    Sample(
        "fa",
        "روزنامه‌ها می‌نویسند: نرخ بهره در تهران ۱۴۰۳ کاهش یافت",
        ["روزنامه‌ها", "روزنامه", "می‌نویسند", "«نرخ بهره»", "كاهش", "يافت", "1403", "١٤٠٣", "بهره*"],
        ['"بهره نرخ"', "1404", '"تهر"'],
    ),
    Sample(
        "fr",
        "Les élections à l’Assemblée : « au cœur du débat », disent les journaux",
        ["election", "élection", "ÉLECTION", "l'assemblee", "«cœur du débat»", "coeur", "journal", "débats"],
        ['"election"', '"élection"', '"journal"', '"débat du cœur"', "cur"],
    ),
    Sample(
        "de",
        "Die Häuser in den Straßen von Łódź gehören „Müller & Söhnen“",
        ["Haus", "Häuser", "hauser", "STRASSEN", "Straße", "strasse", "lodz", "„Müller & Söhnen“", "sohn", "mueller"],
        ['"Haus"', '"Straße"', '"Söhnen Müller"'],
    ),
    Sample(
        "es",
        "Las naciones firmaron los acuerdos en Bogotá; ¿qué pasó con el niño?",
        ["nacion", "nación", "acuerdo", "bogota", "BOGOTÁ", "nino", "niños", "¿qué", "“que paso”"],
        ['"acuerdo"', '"nación"', '"pasó qué"'],
    ),
    Sample(
        "ru",
        "Русские самолёты пролетели над Москвой, пишут газеты",
        ["самолет", "самолёт", "САМОЛЁТЫ", "«над Москвой»", "„над москвой“", "москва", "газета", "русский", "русскии"],
        ['"самолёт"', '"газета"', '"Москвой над"', "само"],
    ),
    Sample(
        "zh-Hans",
        "中国人民银行宣布下调利率，ＡＩ技术公司受益",
        ["中国", "国人", "民银", "人民银行", "AI", "ＡＩ技术", "ai技术", "「银行宣布」", "“下调利率”", "利"],
        ["中人", "国中", "行银", "银行下调", "「中国银行」", "利率AI术"],
    ),
    Sample(
        "ja",
        "東京都で開かれた国際会議、テレビ局が「協力」と報じた",
        ["東京", "京都", "国際会議", "会議", "テレビ", "ﾃﾚﾋﾞ", "『開かれた』", "「協力」", "局が"],
        ["都京", "テビ", "会議国際", "てれび", "東都"],
    ),
    Sample(
        "th",
        "น้ำท่วมใหญ่ในเชียงใหม่",
        ["น้ำ", "ท่วม", "น้ำท่วม", "เชียงใหม่", "“ใหญ่ใน”"],
        ["นำ", "ทวม", "ใหญใน", "เชยงใหม่", "ท่วมน้ำ"],
    ),
    Sample(
        "el",
        "Οι κυβερνήσεις συναντήθηκαν στην Αθήνα: «κοινός τόπος»",
        ["κυβέρνηση", "ΚΥΒΕΡΝΗΣΕΙΣ", "κυβερνησεις", "αθηνα", "ΑΘΉΝΑ", "κοινοσ", "“κοινός τόπος”"],
        ['"κυβέρνηση"', '"τόπος κοινός"', '"αθην"'],
    ),
    Sample(
        "tr",
        "İstanbul’da öğrenciler kitapları taşıdı, IŞIKLAR söndü",
        ["istanbul", "İSTANBUL", "Istanbul", "ogrenci", "öğrenci", "kitap", "ışıklar", "isiklar", "“IŞIKLAR söndü”"],
        ['"kitap"', '"söndü ışıklar"', "istan"],
    ),
    Sample(
        "hi",
        "सरकारी स्कूलों में हिन्दी की नई किताबें २०२४",
        ["हिन्दी", "स्कूल", "किताब", "2024", "“हिन्दी की”", "सरकारी"],
        ["हिनदी", "हनद", '"किताब"', "सकल", '"की हिन्दी"'],
    ),
]  # fmt: skip


def test_a_sample_of_every_language_is_found_however_it_is_typed(wire: Wire) -> None:
    ids = post(wire.as_publisher(), [{"headline": said.headline, "language": said.language} for said in SAMPLES])
    partner = wire.as_partner()
    for sample, number in zip(SAMPLES, ids, strict=True):
        typed = [variant for query in sample.found for variant in typings(query)]
        assert missing(partner, {number: typed}) == []
        assert [query for query in sample.absent if finds(partner, query, number)] == []


def typings(query: str) -> set[str]:
    """A query as other keyboards and habits give it: composed, decomposed, in capitals."""
    return {query, unicodedata.normalize("NFC", query), unicodedata.normalize("NFD", query), query.upper()}


# Real articles.

NEWSPAPERS = {
    "en": "reuters21578", "fr": "french_headlines", "de": "gnad10k_test", "es": "conll2002_es_nl",
    "nl": "conll2002_es_nl", "eo": "globalvoices_eo", "he": "hebrew_headlines", "ar": "saudinewsnet",
    "zh": "lctt_zh", "ja": "wikinews_ja",
}  # fmt: skip
SENTENCES = ("ru", "th", "tr", "hi")
MANY, SOME = 25, 6
PLURALS = {
    "en": ["prices price", "companies company", "banks bank"],
    "fr": ["projets projet", "villages village", "salles salle"],
    "de": ["Jahre Jahr", "Frauen Frau", "Länder Land"],
    "es": ["países país", "acuerdos acuerdo", "autoridades autoridad"],
    "nl": ["scholen school", "landen land", "maanden maand"],
    "eo": ["homoj homo", "landoj lando", "lingvoj lingvo"],
    "ar": ["الشركات شركة", "الحوثيين الحوثي", "المقاتلين مقاتل"],
    "ru": ["фирмы фирма", "страны страна", "телефоны телефон"],
    "tr": ["şirketler şirket", "öğrenciler öğrenci", "olaylar olay"],
    "hi": ["वर्षों वर्ष", "वेबसाइटों वेबसाइट", "लोगों लोग"],
}
UNSPACED = ("zh", "ja", "th")
MARKED = (*UNSPACED, "hi")
POINTS = {"he": "\N{HEBREW POINT PATAH}", "ar": "\N{ARABIC FATHA}"}
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
RUN = regex.compile(r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー々]&&[\p{L}\p{M}]]{2,}", regex.V1)
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
OPERATORS = ("OR", "AND", "NOT")


class Printed(NamedTuple):
    """A real article on the wire; `text` is the longest of its texts, `whole` is all of it."""

    number: str
    language: str
    text: str
    whole: str


def printed(publisher: Caller, language: str, articles: Iterable[dict[str, Any]]) -> list[Printed]:
    """Publishes real articles in a language."""
    sent = list(articles)
    return [
        Printed(number, language, text_of(article), whole_of(article))
        for number, article in zip(post(publisher, sent), sent, strict=True)
    ]


def newspaper(folder: Path, language: str) -> Iterator[dict[str, Any]]:
    """Real articles in a language; sentences where there are no articles."""
    if language in NEWSPAPERS:
        with gzip.open(folder / "articles" / f"{NEWSPAPERS[language]}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for article in map(json.loads, lines):
                if article["language"].startswith(language):
                    yield {**article, "external_id": None}
    else:
        with (folder / "pud_parallel" / "sentences.jsonl").open(encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                yield {"headline": record["parallel"][language]["text"], "language": language}


def whole_of(article: dict[str, Any]) -> str:
    return "\n".join(map(str, article.values()))


def text_of(article: dict[str, Any]) -> str:
    return max((article.get(name) or "" for name in ("body_text", "summary", "headline")), key=len)


@pytest.mark.slow
def test_real_articles_are_found_by_what_stands_in_them_and_by_nothing_else(wire: Wire, shared_data: Path) -> None:
    publisher, partner, random = wire.as_publisher(), wire.as_partner(), Random(5)
    languages = (*NEWSPAPERS, *SENTENCES)
    articles = [printed(publisher, language, islice(newspaper(shared_data, language), MANY)) for language in languages]
    for article in (article for some in articles for article in random.sample(some, SOME)):
        inside = random.choices(pieces(article), k=4)
        typed = [variant for piece in inside for variant in habits(piece, article.language)]
        assert missing(partner, {article.number: typed}) == []
        for query in random.choices(strangers(article), k=3):
            assert not finds(partner, query, article.number), query


def pieces(article: Printed) -> list[str]:
    """The words of a text; of a script without spaces every piece of two to four characters."""
    if article.language not in UNSPACED:
        return [word for word in WORD.findall(article.text) if word.upper() not in OPERATORS]
    return [
        run[start : start + length]
        for run in RUN.findall(article.text)
        for length in (2, 3, 4)
        for start in range(len(run) - length + 1)
    ]


def habits(word: str, language: str) -> list[str]:
    """A word as it may be typed: quoted, in capitals, in full width, without its marks, with vowel points."""
    typed = [*typings(word), f'"{word}"', f"“{word}”", f"「{word}」", word.translate(FULL_WIDTH), without_marks(word)]
    if language in POINTS:
        typed.append(regex.sub(r"(\p{L})", rf"\1{POINTS[language]}", word))
    return typed


def strangers(article: Printed) -> list[str]:
    """What looks like an article's text and does not stand in it.

    Words or characters of it in the wrong order, and words without marks that count.
    """
    bare = [bared(piece) for piece in pieces(article) if article.language in MARKED]
    if article.language in UNSPACED:
        runs = RUN.findall(article.text)
        swapped = [second + first for run in runs for first, second in pairwise(run)]
        text = plain(article.whole)
        return [f'"{query}"' for query in bare + swapped if plain(query) not in text]
    swapped = [f"{second} {first}" for first, second in pairwise(WORD.findall(article.text))]
    text = f" {' '.join(WORD.findall(plain(article.whole)))} "
    return [f'"{query}"' for query in bare + swapped if f" {plain(query)} " not in text]


def bared(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if unicodedata.category(letter) != "Mn")


def plain(text: str) -> str:
    """A text blind to case, to width and to marks that do not count."""
    return without_marks(unicodedata.normalize("NFKC", text).casefold())


def without_marks(text: str) -> str:
    """Without the marks that do not count: those of five scripts."""
    decomposed = unicodedata.normalize("NFD", text)
    bare: str = regex.sub(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}])\p{Mn}+", r"\1", decomposed)
    return unicodedata.normalize("NFC", bare)


@pytest.mark.slow
def test_a_plural_is_found_by_its_singular_unless_that_is_quoted(wire: Wire, shared_data: Path) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for language, pairs in PLURALS.items():
        for plural, singular in map(str.split, pairs):
            articles = (
                article
                for article in newspaper(shared_data, language)
                if says(text_of(article), plural) and not says(whole_of(article), singular)
            )
            some = printed(publisher, language, islice(articles, SOME))
            assert some, plural
            for article in some:
                assert finds(partner, singular, article.number), singular
                assert not finds(partner, f'"{singular}"', article.number), singular


def says(text: str, word: str) -> bool:
    return plain(word) in WORD.findall(plain(text))
