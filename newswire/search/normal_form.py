"""The normal form of text and words: what the search takes for the same letters; pure.

Case, marks that readers leave out, variants of letters, and traditional and simplified Chinese are folded here. Not
here: stems and the tokens of an article (`newswire.search.analysis`).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import regex

LONGEST_WORD = 100
"""Characters of a form. Longer ones (base64, a parameter of a URL) are cut, in documents and queries alike."""

# Scripts that are written without spaces, and the characters that Unicode assigns to several of them: 々 〆 〇 ー and
# the voicing marks. Their decimal digits are excluded, because a number is a word, as 2024 is in Chinese.
UNSPACED = (
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\u3005-\u3007\u3031-\u3035\u303c\u3099\u309a\u30fc]&&[\p{L}\p{M}\p{Nl}\p{No}]]"
)
# Unicode classes these as letters, but people type them as apostrophes: Ukrainian об’єкт, Hawaiʻi, Qurʾan.
_APOSTROPHES = r"[\u02b9-\u02bf\u02ee]"
_RUN = regex.compile(UNSPACED, regex.V1)
WORD_START = rf"[[\p{{L}}\p{{N}}]--{UNSPACED}--{_APOSTROPHES}]"
WORD_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{UNSPACED}--{_APOSTROPHES}]"
SPELLING = regex.compile(rf"{UNSPACED}+|{WORD_START}{WORD_LETTER}*", regex.V1)
# Most texts have no other characters, and casefolding alone makes their normal form: ASCII, letters of Latin with their
# marks, Greek, Cyrillic, Hebrew, Arabic and Hangul; dashes, quotation marks, currencies and symbols. None is a mark or
# in a run.
_PLAIN = re.compile(
    r"[\x00-\x7f¡-§©«¬®°±µ-·»¿-įıĴ-ľŁ-ň\u014a-\u01c3\u01cd-\u01ef\u01f4-\u02af\u1ea0-\u1ef9ΆΈ-ΊΌΎΏΑ-ΡΣ-ία-ώЀ-ҁҊ-ԯ\u05be\u05d0-\u05ea\u05f3\u05f4\u060c\u061b\u061f"
    r"\u0621-\u063a\u0641-\u064a\u0660-\u066c\u0671-\u0673\u0679-\u06d5\u06f0-\u06f9가-힣"
    r"\u200c\u2010\u2012-\u2015\u2018-\u2023‰′‹›€\u2190-\u21ff\u2500-\u2767\u2794-\u27bf\U0001f300-\U0001f64f\U0001f680-\U0001f6ff]*"
)
# All of those that are neither letters nor digits, because `re` takes half as long for a set as for `[^\W_]`.
_PLAIN_SPELLING = re.compile(
    r"[^\x00-/:-@\[-`{-\x7f¡-§©«¬®°±¶·»¿×÷\u05be\u05f3\u05f4\u060c\u061b\u061f\u066a-\u066c\u06d4\u2000-\u2bff"
    r"\U0001f300-\U0001f6ff]+"
)
_ASCII_LETTERS = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalnum()})

# Soft hyphens, joiners, direction marks, variation selectors and keycaps are removed. The zero width space and the
# non-joiner (Persian) separate words and stay, but a zero width space within a run is only a hint for line breaks.
_INVISIBLE = regex.compile(r"[[\p{Default_Ignorable_Code_Point}\u20d0-\u20f0]--[\u200b\u200c]]", regex.V1)
_BREAK_WITHIN_RUN = regex.compile(rf"(?<={UNSPACED})\u200b+(?={UNSPACED})", regex.V1)
# Python's normalisation sorts consecutive marks in quadratic time: two million would take an hour. The Stream-Safe
# Text Format of UAX #15 allows 30, so further ones are dropped.
_TOO_MANY_MARKS = regex.compile(r"([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+", regex.V1)
# NFKC would join these to their neighbours (Apple™ to appletm, 2½ to 21⁄2), so they are separated first.
_TRADE_MARK = re.compile("[™℠]")
_FRACTION = re.compile("[¼-¾⅐-⅟]")
# NFKC would make these blanks common ones, as between two words. Where they divide the thousands of a number (French
# 12 500) they become the separator that Arabic has for it.
_THOUSANDS_BLANK = re.compile(r"[\u00a0\u2009\u202f](?<=\d.)(?=\d{3}(?!\d))")

# Only in these scripts are marks optional for readers. In Thai and the Indic scripts they are vowels, and must stay.
_FOLDED_MARKS = regex.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Hebrew}\p{Arabic}])\p{M}+", regex.V1)
# Variants of letters that NFD does not decompose: Latin letters with strokes, Hebrew final letters, Arabic letters
# and their Persian, Urdu, Kurdish and Pashto variants, and the decimal digits of other scripts.
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


def _read_simplified() -> dict[int, str]:
    """The simplified character for each traditional one that has another."""
    lines = Path(__file__).with_name("simplified.txt").read_text(encoding="utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    return dict(zip(map(ord, pairs[::2]), pairs[1::2], strict=True))


_SIMPLIFIED = _read_simplified()


def separate_thousands(text: str) -> str:
    """The text with a separator for each blank that divides the thousands of a number; of the same length."""
    if "\u00a0" in text or "\u2009" in text or "\u202f" in text:
        return _THOUSANDS_BLANK.sub("\u066c", text)
    return text


def normalise_text(text: str) -> str:
    """Normalises a text: NFKC, casefolded, without invisible characters, tatweel, and the dot above of a Turkish İ."""
    if text.isascii():
        return text.lower()
    text = separate_thousands(text)
    # A web page has few other characters than these two.
    common = text.replace("\u00a0", " ").replace("…", "...")
    if is_plain(common):
        return common.casefold()
    text = _TRADE_MARK.sub(" ", _FRACTION.sub(r" \g<0>", text))
    text = _BREAK_WITHIN_RUN.sub("", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFKC", _TOO_MANY_MARKS.sub(r"\1", text)).casefold()
    # Casefolding can undo the normal form, so it is made again (Unicode, section 3.13, D146).
    return unicodedata.normalize("NFKC", text).replace("\u0640", "").replace("i\u0307", "i")


def is_plain(text: str) -> bool:
    """Whether a text has only characters that casefolding alone brings into their normal form, and no run."""
    return text.isascii() or _PLAIN.fullmatch(text) is not None


def match_spellings(normal: str) -> "Iterator[re.Match[str]]":
    """The matches of the spellings of a text in normal form, in order; overlong ones too."""
    return (_PLAIN_SPELLING if is_plain(normal) else SPELLING).finditer(normal)


def spellings_within(normal: str) -> list[str]:
    """The spellings of a text in normal form, in order: words casefolded with their marks, and whole runs."""
    spellings: list[str]
    if normal.isascii():
        spellings = normal.translate(_ASCII_LETTERS).split()
    else:
        spellings = (_PLAIN_SPELLING if is_plain(normal) else SPELLING).findall(normal)
    if max(map(len, spellings), default=0) <= LONGEST_WORD:
        return spellings
    return [word if len(word) <= LONGEST_WORD or is_run(word) else fold_word(word) for word in spellings]


def is_run(spelling: str) -> bool:
    """Whether a spelling is a run of a script without spaces."""
    return not spelling.isascii() and _RUN.match(spelling) is not None


def fold_run(run: str) -> str:
    """Folds a run: traditional Chinese characters become simplified ones, one for one.

    In Japanese this folds the same characters, in documents and queries alike.
    """
    return run.translate(_SIMPLIFIED)


def _fold(spelling: str) -> str:
    """Folds a word: removes the marks of Latin, Greek, Cyrillic, Hebrew and Arabic, and unifies variants of letters."""
    if spelling.isascii():
        return spelling[:LONGEST_WORD]
    bare = _FOLDED_MARKS.sub(r"\1", unicodedata.normalize("NFD", spelling))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)[:LONGEST_WORD]


# The words of a language recur, so a cache of 16,384 of them saves most of the work of folding and stemming.
fold_word = lru_cache(maxsize=1 << 14)(_fold)
