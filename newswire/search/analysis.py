"""Text analysis: text to index tokens, the same for both engines and for matching in process.

Word breaking, folding and the bound on the index size of one article are here. Stemming (`newswire.search.stemming`),
the query language (`newswire.search.syntax`) and all that knows an engine are not. Every function is pure. A change to
any of them, or another release of PyStemmer, changes the tokens, so the search index must then be rebuilt
(`newswire.search.index_version`).

A *spelling* is a word as the text has it, casefolded but with its marks, or a whole *run* of a script that is
written without spaces. A *form* is the token that is indexed for it: the folded word, or each pair of neighbouring
characters (bigram) of a run. A *stem token* is a language and a folded stem, such as `en_purchas`; no form contains an
underscore, so the two cannot be confused. In a language without a stemmer each form is its own stem, under
`UNDETERMINED`. So every word that is not a run has a stem, and a search for a word needs to look up stems only.
"""

import dataclasses
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, groupby
from typing import Any, TypeAlias

from newswire.search.compounds import capital_tokens, find_variants
from newswire.search.normal_form import (
    fold_run,
    fold_word,
    is_plain,
    is_run,
    normalise_text,
    spellings_within,
)
from newswire.search.stemming import STEMS, stemming_language, word_stems

FIELDS = ("headline", "summary", "body", "caption", "byline")

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
COMPOUNDS_WITHIN = 100_000
"""Characters at the beginning of a text whose compounds are read: of 2 MiB of nothing else they took 12 seconds."""
_LARGEST_EXPANSION = 18
# Words, or characters, that are analysed at once: an ordinary article is one portion.
_PORTION = 16_384
_DIVIDED = re.compile(rf"(?s:.{{1,{_PORTION}}}[^ \t\n\r]*)")


@dataclass(frozen=True)
class Analysed:
    """The tokens of an article: for each of `FIELDS` the forms in text order and the set of stem tokens.

    `language` is the language subtag of the stem tokens. `names` has the forms of the names of section and publisher.
    """

    language: str
    forms: Mapping[str, list[str]]
    stems: Mapping[str, frozenset[str]]
    names: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)

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
    # The budget leaves room for the terms of an ordinary article; only more than these take room from the words.
    needed = sum([len(term.encode()) + _TOKEN_OVERHEAD for term in terms])
    budget = INDEX_BUDGET - max(0, needed - ROOM_FOR_TERMS)
    if budget == INDEX_BUDGET and sum(map(len, texts.values())) <= _PORTION:
        analysed = _analyse_short(texts, stemming)
        if analysed is not None:
            return analysed
    forms, stems = dict[str, list[str]](), dict[str, frozenset[str]]()
    for field in sorted(FIELDS, key=lambda name: name == "body"):
        copies = 1 if field == "body" else 2
        forms[field], stems[field], budget = _within(budget, texts.get(field, ""), stemming, copies)
    return Analysed(stemming, forms, stems)


def _analyse_short(texts: Mapping[str, str], language: str) -> Analysed | None:
    """The tokens of short texts, without the count of what they cost; None if they might exceed the budget.

    The count took a third of the time, and an ordinary article takes a twentieth of the budget.
    """
    forms, stems, most = dict[str, list[str]](), dict[str, frozenset[str]](), 0
    for field in FIELDS:
        found, tokens = list[str](), set[str]()
        for spellings, some, variants in _portions(text) if (text := texts.get(field)) else ():
            found += some
            tokens |= _stems_and_variants(spellings, variants, language)
        forms[field], stems[field] = found, frozenset(tokens)
        # As if no form recurred, and each of their characters took four bytes.
        most += 2 * (4 * len("".join([*found, *tokens])) + _TOKEN_OVERHEAD * (len(found) + len(tokens)))
        most += _PAIR_COST * len(found)
    return Analysed(language, forms, stems) if most <= INDEX_BUDGET else None


def _within(budget: int, text: str, language: str, copies: int) -> tuple[list[str], frozenset[str], int]:
    """The forms and stem tokens of as much of a text as the budget allows, and the rest of the budget."""
    if not text:
        return [], frozenset(), budget
    kept = _Kept(budget, language, copies)
    for spellings, forms, variants in _portions(text):
        if not kept.add_all(spellings, forms, variants):
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
        self.pairs = set[int]()

    def add_all(self, spellings: Sequence[str], forms: Sequence[str], variants: Collection[str]) -> bool:
        """Adds the next spellings, whose forms these are; false, and nothing is added, if the budget is too small."""
        known, stems = set(forms), _stems_and_variants(spellings, variants, self.language)
        # Hashes: tens of thousands of tuples would have the garbage collector run.
        pairs = set(map(hash, zip((self.forms[-1], *forms), forms, strict=False)))
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
            stems, pair = _stems({spelling}, self.language) - self.stems, hash((self.forms[-1], form))
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


_Portion: TypeAlias = tuple[Sequence[str], Sequence[str], Collection[str]]


def _portions(text: str) -> Iterator[_Portion]:
    """The spellings of a text, their forms and `text_variants`, some thousands at a time.

    What the budget leaves out is not analysed. A run that is longer than a portion comes as its forms alone, because it
    has no stem.
    """
    text, room = _cut_growing(text), COMPOUNDS_WITHIN
    # The text is divided before white space, across which neither a spelling nor a normal form reaches.
    for part in [text] if len(text) <= _PORTION else (found[0] for found in _DIVIDED.finditer(text)):
        normal = normalise_text(part)
        spellings = spellings_within(normal)
        variants = text_variants(part[:room], normal[:room]) if room else set[str]()
        room = max(0, room - len(part))
        for start in range(0, len(spellings), _PORTION):
            some = spellings[start : start + _PORTION]
            if len(part) <= _PORTION or is_plain(normal):
                yield some, _forms_of(some, normal), variants
            else:
                yield from ((*portion, variants) for portion in _split_runs(some))


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


def stem_tokens(text: str, language: str | None) -> frozenset[str]:
    """The stem tokens of every word of a text."""
    return _tokens(text, stemming_language(language))[1]


def query_stems(word: str, languages: Iterable[str]) -> list[str]:
    """The stem tokens of a word or of a token of `text_variants` in any of these languages, sorted; a run has none."""
    spellings = [word] if "_" in word else split_spellings(word)
    return sorted({
        token for language in languages for word in spellings for token in word_stems(word, stemming_language(language))
    })  # fmt: skip


def stem_of(token: str) -> str:
    """The stem in a stem token, without the language."""
    return token.partition("_")[2]


def split_spellings(text: str) -> list[str]:
    """The spellings of a text, in order: words casefolded with their marks, and whole runs."""
    return spellings_within(normalise_text(text))


def text_variants(text: str, normal: str) -> set[str]:
    """The tokens of compounds, sign words and capitals of a text (`search.compounds`); `normal` is its normal form."""
    return {variant.token for variant in find_variants(normal.split())}.union(capital_tokens(text))


def _tokens(text: str, language: str | None) -> tuple[list[str], frozenset[str]]:
    """The forms of a text in order, and its stem tokens."""
    normal = normalise_text(text)
    spellings = spellings_within(normal)
    forms = _forms_of(spellings, normal)
    variants = text_variants(text, normal) if language else ()
    return forms, frozenset(_stems_and_variants(spellings, variants, language) if language else ())


def _stems(spellings: Iterable[str], language: str) -> set[str]:
    """The stem tokens of some spellings; a run has none."""
    return set(chain.from_iterable(map(STEMS[language].__getitem__, spellings)))


def _stems_and_variants(spellings: Iterable[str], variants: Collection[str], language: str) -> set[str]:
    """The stem tokens of spellings and of `text_variants`, of which those with an underscore are their own stems."""
    words = set(spellings)
    if not variants:
        return _stems(words, language)
    words.update([token for token in variants if "_" not in token])
    found = _stems(words, language)
    found.update([f"{language}_{token}" for token in variants if "_" in token])
    return found


def _forms_of(spellings: list[str], normal: str) -> list[str]:
    """The forms of spellings of a text in normal form, in order."""
    # An ASCII word is its own form.
    if normal.isascii():
        return spellings
    if is_plain(normal):
        return [spelling if spelling.isascii() else fold_word(spelling) for spelling in spellings]
    return [form for spelling in spellings for form in _forms(spelling)]


def _forms(spelling: str) -> Collection[str]:
    """The one form of a word, or the bigrams of a run and its last character."""
    if not is_run(spelling):
        return (fold_word(spelling),)
    run = fold_run(spelling)
    return [run[start : start + 2] for start in range(len(run))]


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
    publisher = content.get("publisher") or {"name": "", "slug": ""}
    named = {"section": content["section"], "publisher": f"{publisher['name']} {publisher['slug']}"}
    analysed = analyse_texts(texts, content["language"], terms)
    return replace(analysed, names={kind: word_forms(name) for kind, name in named.items() if name})
