"""Text to index tokens: the one analysis of both search engines and of matching in process.

Here live word breaking, folding, stemming and the size one article may take in an index. Not
here: the query language (`newswire.search.syntax`) and anything that knows an engine. Every
function is pure. A change to any of them, or another release of PyStemmer, changes what should
be stored, so the search index of an existing wire must then be built again.

A *spelling* is a word as it stands in a text, casefolded but with its marks, or a whole run of
a script that is written without spaces. A *form* is what is indexed of it: the folded word, or
each pair of neighbouring characters of the run. A *stem token* is a language and a folded stem,
`en_purchas`; the underscore, which no form holds, keeps the two apart. Where a language has no
stemmer the form is its own stem, under `UNDETERMINED`: so every word but a run has a stem, and
whoever looks for a word looks for stems only.
"""

import re
import threading
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex
import Stemmer

FIELDS = ("headline", "summary", "body", "caption", "byline")

LONGEST_WORD = 100
"""Characters of a form; what is longer (base64, a URL's parameter) is cut, alike in document and query."""

INDEX_BUDGET = 900_000
ROOM_FOR_TERMS = 120_000
"""Bytes of index that one article may take, so that a PostgreSQL tsvector (1 MiB) can hold it.

Counted field by field: each different form and stem token with its UTF-8 bytes and 16 more, twice
outside the body (PostgreSQL stores these again, under their field); each
different pair of neighbouring forms with 16, for it is stored as a hash of 12 characters. There is room
for 320,000 characters of any real article measured, in the densest case (Japanese) for 60,000.
"""
_TOKEN_OVERHEAD = 16
_PAIR_COST = 12 + 4

UNDETERMINED = "und"
"""The language (ISO 639-2) of stem tokens where there is no stemmer."""

# Primary subtags of BCP 47 and the Snowball algorithms for them.
_ALGORITHMS: dict[str, str] = dict(
    re.findall(
        r"(\w+)=(\w+)",
        "ar=arabic ca=catalan cs=czech da=danish de=german el=greek en=english eo=esperanto es=spanish "
        "et=estonian eu=basque fa=persian fi=finnish fr=french ga=irish hi=hindi hu=hungarian hy=armenian "
        "id=indonesian it=italian lt=lithuanian nb=norwegian ne=nepali nl=dutch nn=norwegian no=norwegian "
        "pl=polish pt=portuguese ro=romanian ru=russian sr=serbian st=sesotho sv=swedish ta=tamil "
        "tr=turkish yi=yiddish",
    )
)

_thread = threading.local()

# Scripts written without spaces, with what Unicode counts to several scripts: 々 〆 〇 ー and the
# voicing marks. Their decimal digits stay outside: a number is a word, as 2024 is in Chinese.
UNSPACED = (
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\u3005-\u3007\u3031-\u3035\u303c\u3099\u309a\u30fc]&&[\p{L}\p{M}\p{Nl}\p{No}]]"
)
# Letters to Unicode, apostrophes to those who type them: Ukrainian об’єкт, Hawaiʻi, Qurʾan.
_APOSTROPHES = r"[\u02b9-\u02bf\u02ee]"
_RUN = regex.compile(UNSPACED, regex.V1)
SPELLING = regex.compile(
    rf"{UNSPACED}+"
    rf"|[[\p{{L}}\p{{N}}]--{UNSPACED}--{_APOSTROPHES}]"
    rf"[[\p{{L}}\p{{M}}\p{{N}}]--{UNSPACED}--{_APOSTROPHES}]*",
    regex.V1,
)
_ASCII_SPELLING = re.compile(r"[a-z0-9]+")

# Soft hyphens, joiners, direction marks, variation selectors, keycaps. The zero width space and
# the non-joiner (Persian) separate words, but a zero width space within a run says nothing.
_INVISIBLE = regex.compile(r"[[\p{Default_Ignorable_Code_Point}\u20d0-\u20f0]--[\u200b\u200c]]", regex.V1)
_BREAK_WITHIN_RUN = regex.compile(rf"(?<={UNSPACED})\u200b+(?={UNSPACED})", regex.V1)
# Python sorts a row of marks in quadratic time: two million would take an hour. UAX #15 allows 30.
_TOO_MANY_MARKS = regex.compile(r"([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+", regex.V1)
# NFKC would glue these to their neighbours: Apple™ to appletm, 2½ to 21⁄2.
_TRADE_MARK = re.compile("[™℠]")
_FRACTION = re.compile("[¼-¾⅐-⅟]")

_FOLDED_MARKS = regex.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}])\p{M}+", regex.V1)
_LETTERS = str.maketrans(
    dict(zip("łøđðħŧıŋ", "loddhtin", strict=True))
    | {"æ": "ae", "œ": "oe", "þ": "th"}
    | dict(zip("ךםןףץ", "כמנפצ", strict=True))
    | dict.fromkeys("ٱ", "ا")
    | dict.fromkeys("ىیېےۍ", "ي")
    | dict.fromkeys("ةہھەۃ", "ه")
    | dict.fromkeys("کڪ", "ك")
    | dict.fromkeys("ګ", "گ")
    | {chr(ord(zero) + n): str(n) for zero in "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐" for n in range(10)}
)


@dataclass(frozen=True)
class Analysed:
    """An article as an index holds it: for each of `FIELDS` the forms in text order and the stem tokens.

    `language` is the subtag that the stem tokens carry.
    """

    language: str
    forms: Mapping[str, list[str]]
    stems: Mapping[str, frozenset[str]]

    def bare_stems(self, field: str, mark: str) -> list[str]:
        """The stems of a field, each with `mark` instead of its language."""
        behind = len(self.language) + 1
        return [mark + token[behind:] for token in self.stems[field]]

    @property
    def spoken(self) -> set[str]:
        """The language, where there are stems of it."""
        return {self.language} if any(self.stems.values()) else set()


def analyse_texts(texts: Mapping[str, str], language: str | None, terms: Iterable[str] = ()) -> Analysed:
    """The tokens of an article's texts, by field; a missing field is an empty one.

    What exceeds `INDEX_BUDGET` is left out: the fields are taken in order but the body last, so that a
    book in the body does not hide its byline; within a field the end is cut off. `terms`, the filters
    that the article answers to, share the index with its words and are never cut.
    """
    stemming = stemming_language(language)
    forms, stems = dict[str, list[str]](), dict[str, frozenset[str]]()
    needed = sum(len(term.encode()) + _TOKEN_OVERHEAD for term in terms)
    budget = INDEX_BUDGET - max(0, needed - ROOM_FOR_TERMS)
    for field in sorted(FIELDS, key=lambda name: name == "body"):
        copies = 1 if field == "body" else 2
        forms[field], stems[field], budget = _within(budget, texts.get(field, ""), stemming, copies)
    return Analysed(stemming, forms, stems)


def _within(budget: int, text: str, language: str, copies: int) -> tuple[list[str], frozenset[str], int]:
    """The forms and stem tokens of as much of a text as the budget has room for; what is left of it."""
    forms, stems = _tokens(text, language)
    tokens, pairs = {*forms, *stems}, set(zip(("", *forms), forms, strict=False))
    cost = copies * (len("".join(tokens).encode()) + _TOKEN_OVERHEAD * len(tokens)) + _PAIR_COST * len(pairs)
    return (forms, stems, budget - cost) if cost <= budget else (*_beginning(budget, text, language, copies), 0)


def _beginning(budget: int, text: str, language: str, copies: int) -> tuple[list[str], frozenset[str]]:
    """The forms and stem tokens of a text that is too long for the budget, until that is used up."""
    forms, known, pairs = [""], set[str](), set[tuple[str, str]]()
    for spelling, form in ((whole, part) for whole in split_spellings(text) for part in _forms(whole)):
        new, pair = {form, *_stems({spelling}, language)} - known, (forms[-1], form)
        budget -= copies * sum(len(token.encode()) + _TOKEN_OVERHEAD for token in new)
        budget -= _PAIR_COST * (pair not in pairs)
        if budget < 0:
            break
        known |= new
        pairs.add(pair)
        forms.append(form)
    return forms[1:], frozenset(token for token in known if "_" in token)


def word_forms(text: str) -> list[str]:
    """The forms of a text, in order: letters, marks and digits only, 1 to `LONGEST_WORD` characters each.

    A run of a script without spaces gives the pair of characters at each place and its last one alone
    (abc: ab, bc, c). So two characters or more, anywhere in it, are a phrase of forms, and a single one
    is the beginning of a form.
    """
    return _tokens(text, None)[0]


def query_forms(text: str, *, open_ended: bool = False) -> tuple[tuple[str, ...], bool]:
    """The forms that stand side by side wherever `text` does; whether the last is but a form's beginning.

    It is when `open_ended` asks for it, and when the text ends in a single character of a script without
    spaces. Of a longer run at the end the last character is not looked for: the document's may go on.
    """
    found, forms = split_spellings(text), tuple(word_forms(text))
    if not found or not is_run(found[-1]):
        return forms, open_ended
    if len(found[-1]) == 1:
        return forms, True
    return forms[:-1], False


def stem_tokens(text: str, language: str | None) -> frozenset[str]:
    """The stem tokens of every word of a text."""
    return _tokens(text, stemming_language(language))[1]


def query_stems(word: str, languages: Iterable[str]) -> list[str]:
    """The stem tokens under which an article in any of these languages holds a word, sorted; a run has none."""
    return sorted({token for language in languages for token in stem_tokens(word, language)})


def stem_of(token: str) -> str:
    """A stem token without its language."""
    return token.partition("_")[2]


def split_spellings(text: str) -> list[str]:
    """The words of a text casefolded, with their marks; a run of a script without spaces is one."""
    found: list[str] = (
        _ASCII_SPELLING.findall(text.lower()) if text.isascii() else SPELLING.findall(normalise_text(text))
    )
    return [word if len(word) <= LONGEST_WORD or is_run(word) else _fold(word) for word in found]


def _tokens(text: str, language: str | None) -> tuple[list[str], frozenset[str]]:
    """The forms of a text in order, and its stem tokens."""
    found = split_spellings(text)
    forms = found if text.isascii() else [form for spelling in found for form in _forms(spelling)]
    return forms, _stems(set(found), language)


def _stems(found: Collection[str], language: str | None) -> frozenset[str]:
    """The stem tokens of some spellings; a run has none."""
    return frozenset().union(*[word_stems(each, language) for each in found if language and not is_run(each)])


def _forms(spelling: str) -> Collection[str]:
    """The forms of a word, which is one, or of a run."""
    run = is_run(spelling)
    return [spelling[start : start + 2] for start in range(len(spelling))] if run else (fold_word(spelling),)


def normalise_text(text: str) -> str:
    """NFKC, casefolded, without what nobody sees, tatweel, and the dot casefolding leaves of a Turkish İ."""
    text = _TRADE_MARK.sub(" ", _FRACTION.sub(r" \g<0>", text))
    text = _BREAK_WITHIN_RUN.sub("", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFKC", _TOO_MANY_MARKS.sub(r"\1", text)).casefold()
    return unicodedata.normalize("NFKC", text).replace("\u0640", "").replace("i\u0307", "i")


def is_run(spelling: str) -> bool:
    """Whether a spelling is of a script without spaces."""
    return not spelling.isascii() and _RUN.match(spelling) is not None


def _fold(spelling: str) -> str:
    """A word without the marks of Latin, Greek, Cyrillic, Hebrew and Arabic, its letter variants made one."""
    if spelling.isascii():
        return spelling[:LONGEST_WORD]
    bare = _FOLDED_MARKS.sub(r"\1", unicodedata.normalize("NFD", spelling))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)[:LONGEST_WORD]


fold_word = lru_cache(maxsize=1 << 14)(_fold)


def stemming_language(language: str | None) -> str:
    """The primary subtag of a BCP 47 tag (en of en-GB) when there is a stemmer for it, else `UNDETERMINED`."""
    subtag = (language or "").partition("-")[0].lower()
    return subtag if subtag in _ALGORITHMS else UNDETERMINED


def stemmer_for(language: str) -> Any:
    """This thread's stemmer: they may not be shared, and a lock costs more than one for each thread."""
    if not hasattr(_thread, language):
        setattr(_thread, language, Stemmer.Stemmer(_ALGORITHMS[language]))
    return getattr(_thread, language)


@lru_cache(maxsize=1 << 14)
def word_stems(spelling: str, language: str) -> frozenset[str]:
    """One stem token, or two where stemmers heed marks that readers leave out: Russian й, French é."""
    form = fold_word(spelling)
    if language == UNDETERMINED:
        return frozenset((f"{UNDETERMINED}_{form}",))
    stem = stemmer_for(language).stemWord
    return frozenset(f"{language}_{_fold(stem(word)) or form}" for word in (spelling, form))


def analyse_article(content: Mapping[str, Any], terms: Iterable[str] = ()) -> Analysed:
    """The texts of an article that `q` looks at, analysed; `terms` go into the same index."""
    pictures = content["images"]
    names = [item["name"] for item in content["authors"]]
    texts = {
        "headline": content["headline"],
        "summary": content["summary"] or "",
        "body": content["body_text"] or "",
        "caption": "\n".join(text for item in pictures for text in (item["caption"], item["alt_text"]) if text),
        "byline": "\n".join([content["byline"] or "", *names]),
    }
    return analyse_texts(texts, content["language"], terms)
