"""Text analysis: text to index tokens, the same for both engines and for matching in process.

Word breaking, folding, stemming (Snowball) and the bound on the index size of one article are here. The query
language (`newswire.search.syntax`) and all that knows an engine are not. Every function is pure. A change to any of
them, or another release of PyStemmer, changes the tokens, so the search index must then be rebuilt
(`newswire.search.index_version`).

A *spelling* is a word as the text has it, casefolded but with its marks, or a whole *run* of a script that is
written without spaces. A *form* is the token that is indexed for it: the folded word, or each pair of neighbouring
characters (bigram) of a run. A *stem token* is a language and a folded stem, such as `en_purchas`; no form contains an
underscore, so the two cannot be confused. In a language without a stemmer each form is its own stem, under
`UNDETERMINED`. So every word that is not a run has a stem, and a search for a word needs to look up stems only.
"""

import re
import threading
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any

import regex
import Stemmer

from newswire.language_tags import canonical_tag

FIELDS = ("headline", "summary", "body", "caption", "byline")

LONGEST_WORD = 100
"""Characters of a form. Longer ones (base64, a parameter of a URL) are cut, in documents and queries alike."""

INDEX_BUDGET = 900_000
ROOM_FOR_TERMS = 120_000
"""Bytes that one article may take in the index: a PostgreSQL tsvector holds at most 1 MiB.

They are counted field by field: each distinct form and stem token with its UTF-8 bytes and 16 more, twice outside the
body, because PostgreSQL stores these again under their field; each distinct pair of neighbouring forms with 16, because
it is stored as a hash of 12 characters. Measured, 320,000 characters of any real article fit, and 60,000 in the densest
script (Japanese).
"""
_TOKEN_OVERHEAD = 16
_PAIR_COST = 12 + 4

MOST_GROWTH = 512 * 1024
"""Characters by which the normal form of a text may be longer than the text: where it exceeds them, the text is cut.

NFKC makes 18 letters of U+FDFA: 2 MiB of it took 4 seconds. Text in any language grows by less than a twentieth.
"""
_LARGEST_EXPANSION = 18
# Words, or characters, that are analysed at once: an ordinary article is one portion.
_PORTION = 16_384
_DIVIDED = re.compile(rf"(?s:.{{1,{_PORTION}}}[^ \t\n\r]*)")

UNDETERMINED = "und"
"""The language code (ISO 639-2) of stem tokens in languages without a stemmer."""

# The Snowball algorithm for each primary subtag of BCP 47.
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

# The stemmers of each thread, by language.
_thread = threading.local()

# Scripts that are written without spaces, and the characters that Unicode assigns to several of them: 々 〆 〇 ー and
# the voicing marks. Their decimal digits are excluded, because a number is a word, as 2024 is in Chinese.
UNSPACED = (
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\u3005-\u3007\u3031-\u3035\u303c\u3099\u309a\u30fc]&&[\p{L}\p{M}\p{Nl}\p{No}]]"
)
# Unicode classes these as letters, but people type them as apostrophes: Ukrainian об’єкт, Hawaiʻi, Qurʾan.
_APOSTROPHES = r"[\u02b9-\u02bf\u02ee]"
_RUN = regex.compile(UNSPACED, regex.V1)
SPELLING = regex.compile(
    rf"{UNSPACED}+"
    rf"|[[\p{{L}}\p{{N}}]--{UNSPACED}--{_APOSTROPHES}]"
    rf"[[\p{{L}}\p{{M}}\p{{N}}]--{UNSPACED}--{_APOSTROPHES}]*",
    regex.V1,
)
_ASCII_SPELLING = re.compile(r"[a-z0-9]+")

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


@dataclass(frozen=True)
class Analysed:
    """The tokens of an article: for each of `FIELDS` the forms in text order and the set of stem tokens.

    `language` is the language subtag of the stem tokens.
    """

    language: str
    forms: Mapping[str, list[str]]
    stems: Mapping[str, frozenset[str]]

    def bare_stems(self, field: str, mark: str) -> list[str]:
        """The stems of a field, each with the prefix `mark` in place of its language."""
        prefix_length = len(self.language) + 1
        return [mark + token[prefix_length:] for token in self.stems[field]]

    @property
    def spoken(self) -> set[str]:
        """The language of the stems; empty if the article has no stem."""
        return {self.language} if any(self.stems.values()) else set()


def analyse_texts(texts: Mapping[str, str], language: str | None, terms: Iterable[str] = ()) -> Analysed:
    """Analyses the texts of an article, given by field; a missing field counts as empty.

    Text beyond `INDEX_BUDGET` is left out. Fields are taken in order but the body last, so that the byline of a very
    long body can still be found; within a field the end is cut off. `terms`, the filter terms of the article, share
    the index with its words and are never cut.
    """
    stemming = stemming_language(language)
    forms, stems = dict[str, list[str]](), dict[str, frozenset[str]]()
    # The budget leaves room for the terms of an ordinary article; only more than these take room from the words.
    needed = sum(len(term.encode()) + _TOKEN_OVERHEAD for term in terms)
    budget = INDEX_BUDGET - max(0, needed - ROOM_FOR_TERMS)
    for field in sorted(FIELDS, key=lambda name: name == "body"):
        copies = 1 if field == "body" else 2
        forms[field], stems[field], budget = _within(budget, texts.get(field, ""), stemming, copies)
    return Analysed(stemming, forms, stems)


def _within(budget: int, text: str, language: str, copies: int) -> tuple[list[str], frozenset[str], int]:
    """The forms and stem tokens of as much of a text as the budget allows, and the rest of the budget."""
    if not text:
        return [], frozenset(), budget
    kept = _Kept(budget, language, copies)
    for spellings, forms in _portions(text):
        if not kept.add_all(spellings, forms):
            kept.add_first(spellings, forms)
            break
    return kept.forms[1:], frozenset(kept.stems), kept.budget


class _Kept:
    """The forms and stem tokens of the beginning of a text, and the rest of the budget for it."""

    __slots__ = ("budget", "copies", "forms", "known", "language", "pairs", "stems")

    def __init__(self, budget: int, language: str, copies: int) -> None:
        self.budget, self.language, self.copies = budget, language, copies
        # Before the first form stands an empty one, so that each form makes a pair with the one before it.
        self.forms, self.known, self.stems = [""], set[str](), set[str]()
        self.pairs = set[tuple[str, str]]()

    def add_all(self, spellings: Sequence[str], forms: Sequence[str]) -> bool:
        """Adds the next spellings, whose forms these are; false, and nothing is added, if the budget is too small."""
        known, stems = set(forms), _stems(set(spellings), self.language)
        pairs = set(zip((self.forms[-1], *forms), forms, strict=False))
        if self.known:
            known, stems, pairs = known - self.known, stems - self.stems, pairs - self.pairs
        cost = self._cost({*known, *stems}, len(pairs))
        if cost > self.budget:
            return False
        self.budget -= cost
        self.forms += forms
        self.known |= known
        self.stems |= stems
        self.pairs |= pairs
        return True

    def add_first(self, spellings: Sequence[str], forms: Sequence[str]) -> None:
        """Adds the first of these forms, until the budget is used up."""
        # Without spellings these are forms of a long run, which have no stems.
        words = ((whole, part) for whole in spellings for part in _forms(whole))
        for spelling, form in words if spellings else zip(forms, forms, strict=True):
            stems, pair = _stems({spelling}, self.language) - self.stems, (self.forms[-1], form)
            cost = self._cost({form, *stems} - self.known, pair not in self.pairs)
            if cost > self.budget:
                break
            self.budget -= cost
            self.forms.append(form)
            self.known.add(form)
            self.stems |= stems
            self.pairs.add(pair)
        self.budget = 0

    def _cost(self, tokens: Collection[str], pairs: int) -> int:
        return self.copies * (len("".join(tokens).encode()) + _TOKEN_OVERHEAD * len(tokens)) + _PAIR_COST * pairs


def _portions(text: str) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """The spellings of a text and their forms, some thousands at a time: what the budget leaves out is not analysed.

    A run that is longer than a portion comes as its forms alone, because it has no stem.
    """
    text = _cut_growing(text)
    # The text is divided before white space, across which neither a spelling nor a normal form reaches.
    for part in [text] if len(text) <= _PORTION else (found[0] for found in _DIVIDED.finditer(text)):
        spellings = split_spellings(part)
        for start in range(0, len(spellings), _PORTION):
            some = spellings[start : start + _PORTION]
            if part.isascii():
                # An ASCII word is its own form.
                yield some, some
            elif len(part) <= _PORTION:
                yield some, [form for spelling in some for form in _forms(spelling)]
            else:
                yield from _split_runs(some)


def _split_runs(spellings: Sequence[str]) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """The portions of these spellings, in order; each long run becomes portions of its own."""
    for is_long, group in groupby(spellings, lambda spelling: len(spelling) > _PORTION):
        some = [*group]
        forms = [form for spelling in some for form in _forms(spelling)]
        if is_long:
            yield from (((), forms[start : start + _PORTION]) for start in range(0, len(forms), _PORTION))
        else:
            yield some, forms


def _cut_growing(text: str) -> str:
    """The beginning of a text whose normal form is at most `MOST_GROWTH` characters longer than itself.

    It is measured letter by letter, before it is normalised.
    """
    if text.isascii() or len(text) * (_LARGEST_EXPANSION - 1) <= MOST_GROWTH:
        return text
    growth = {letter: len(unicodedata.normalize("NFKC", letter)) - 1 for letter in set(text)}
    if len(text) * max(growth.values()) <= MOST_GROWTH:
        return text
    return text[: bisect_right([*accumulate(map(growth.__getitem__, text))], MOST_GROWTH)]


def word_forms(text: str) -> list[str]:
    """The forms of a text, in order: letters, marks and digits only, 1 to `LONGEST_WORD` characters each.

    A run of a script without spaces gives its bigrams and its last character alone (abc: ab, bc, c). So two or more
    of its characters can be found as a phrase of forms, and a single one as the prefix of a form.
    """
    return _tokens(text, None)[0]


def query_forms(text: str, *, open_ended: bool = False) -> tuple[tuple[str, ...], bool]:
    """The consecutive forms by which `text` is found in a document, and whether the last of them is only a prefix.

    It is a prefix if `open_ended` is true, and if the text ends in a single character of a script without spaces.
    """
    spellings, forms = split_spellings(text), tuple(word_forms(text))
    if not spellings or not is_run(spellings[-1]):
        return forms, open_ended
    if len(spellings[-1]) == 1:
        return forms, True
    # The last form is the last character alone. In a document the run may continue, so it would not be found there.
    return forms[:-1], False


def stem_tokens(text: str, language: str | None) -> frozenset[str]:
    """The stem tokens of every word of a text."""
    return _tokens(text, stemming_language(language))[1]


def query_stems(word: str, languages: Iterable[str]) -> list[str]:
    """The stem tokens of a word in any of these languages, sorted; a run has none."""
    return sorted({token for language in languages for token in stem_tokens(word, language)})


def stem_of(token: str) -> str:
    """The stem in a stem token, without the language."""
    return token.partition("_")[2]


def split_spellings(text: str) -> list[str]:
    """The spellings of a text, in order: words casefolded with their marks, and whole runs."""
    spellings: list[str] = (
        _ASCII_SPELLING.findall(text.lower()) if text.isascii() else SPELLING.findall(normalise_text(text))
    )
    return [word if len(word) <= LONGEST_WORD or is_run(word) else _fold(word) for word in spellings]


def _tokens(text: str, language: str | None) -> tuple[list[str], frozenset[str]]:
    """The forms of a text in order, and its stem tokens."""
    spellings = split_spellings(text)
    # An ASCII word is its own form.
    forms = spellings if text.isascii() else [form for spelling in spellings for form in _forms(spelling)]
    return forms, _stems(set(spellings), language)


def _stems(spellings: Collection[str], language: str | None) -> frozenset[str]:
    """The stem tokens of some spellings; a run has none."""
    return frozenset().union(*[word_stems(word, language) for word in spellings if language and not is_run(word)])


def _forms(spelling: str) -> Collection[str]:
    """The one form of a word, or the bigrams of a run and its last character."""
    run = is_run(spelling)
    return [spelling[start : start + 2] for start in range(len(spelling))] if run else (fold_word(spelling),)


def normalise_text(text: str) -> str:
    """Normalises a text: NFKC, casefolded, without invisible characters, tatweel, and the dot above of a Turkish İ."""
    text = _TRADE_MARK.sub(" ", _FRACTION.sub(r" \g<0>", text))
    text = _BREAK_WITHIN_RUN.sub("", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFKC", _TOO_MANY_MARKS.sub(r"\1", text)).casefold()
    # Casefolding can undo the normal form, so it is made again (Unicode, section 3.13, D146).
    return unicodedata.normalize("NFKC", text).replace("\u0640", "").replace("i\u0307", "i")


def is_run(spelling: str) -> bool:
    """Whether a spelling is a run of a script without spaces."""
    return not spelling.isascii() and _RUN.match(spelling) is not None


def _fold(spelling: str) -> str:
    """Folds a word: removes the marks of Latin, Greek, Cyrillic, Hebrew and Arabic, and unifies variants of letters."""
    if spelling.isascii():
        return spelling[:LONGEST_WORD]
    bare = _FOLDED_MARKS.sub(r"\1", unicodedata.normalize("NFD", spelling))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)[:LONGEST_WORD]


# The words of a language recur, so a cache of 16,384 of them saves most of the work of folding and stemming.
fold_word = lru_cache(maxsize=1 << 14)(_fold)


def stemming_language(language: str | None) -> str:
    """The primary subtag of a BCP 47 tag (en of en-GB) if it has a stemmer, else `UNDETERMINED`."""
    subtag = canonical_tag(language or "").partition("-")[0].lower()
    return subtag if subtag in _ALGORITHMS else UNDETERMINED


def stemmer_for(language: str) -> Any:
    """The stemmer of the current thread for a language."""
    # A stemmer is not thread-safe, and a lock would cost more than one stemmer for each thread.
    if not hasattr(_thread, language):
        setattr(_thread, language, Stemmer.Stemmer(_ALGORITHMS[language]))
    return getattr(_thread, language)


@lru_cache(maxsize=1 << 14)
def word_stems(spelling: str, language: str) -> frozenset[str]:
    """The stem token of a word, or two where its stem depends on marks that readers leave out (Russian й, French é)."""
    form = fold_word(spelling)
    if language == UNDETERMINED:
        return frozenset((f"{UNDETERMINED}_{form}",))
    stem = stemmer_for(language).stemWord
    return frozenset(f"{language}_{_fold(stem(word)) or form}" for word in (spelling, form))


def analyse_article(content: Mapping[str, Any], terms: Iterable[str] = ()) -> Analysed:
    """Analyses the texts of an article that `q` searches; `terms` are its filter terms, which share the budget."""
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
