"""Stemming: the stem tokens of a word in a language (Snowball), and the cache of them; pure.

Which words and forms a text has is in `newswire.search.analysis`, which also says what a stem token is. A change here,
or another release of PyStemmer, changes the tokens, so the search index must then be rebuilt
(`newswire.search.index_version`).
"""

import re
import threading
from typing import Any

import Stemmer

from newswire.language_tags import canonical_tag
from newswire.search.english import british_stem
from newswire.search.normal_form import fold_word, is_run
from newswire.search.scripts import bare_words

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


def stemming_language(language: str | None) -> str:
    """The primary subtag of a BCP 47 tag (en of en-GB) if it has a stemmer, else `UNDETERMINED`."""
    subtag = canonical_tag(language or "").partition("-")[0].lower()
    return subtag if subtag in _ALGORITHMS else UNDETERMINED


def stemmer_for(language: str) -> Any:
    """The stemmer of the current thread for a language."""
    # A stemmer is not thread-safe, and a lock would cost more than one stemmer for each thread.
    stemmer = getattr(_thread, language, None)
    if stemmer is None:
        setattr(_thread, language, stemmer := Stemmer.Stemmer(_ALGORITHMS[language]))
    return stemmer


def word_stems(spelling: str, language: str) -> tuple[str, ...]:
    """The stem tokens of a word: more than one where a stem depends on marks that readers leave out (Russian й, French
    é), for American spelling, and for what a script writes onto a word. A run has none.

    The token of a sign word, or of a compound and its neighbour, is its own stem in every language.
    """
    return (f"{language}_{spelling}",) if "_" in spelling else STEMS[language][spelling]


class _StemCache(dict[str, tuple[str, ...]]):
    """The stem tokens of words in one language, each made when it is first looked up.

    The words of a language recur. A dictionary takes half the time of `lru_cache`, and needs no order of use: once it
    is full it begins anew, and the common words are back after a few articles.
    """

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language

    def __missing__(self, spelling: str) -> tuple[str, ...]:
        if is_run(spelling):
            # Runs do not recur, and may be long.
            return ()
        if sum(map(len, STEMS.values())) >= MOST_STEMMED:
            for cache in STEMS.values():
                cache.clear()
        self[spelling] = stems = _make_stems(spelling, self.language)
        return stems


MOST_STEMMED = 1 << 14
"""Words whose stems are cached, in all languages together: at most some 10 MB, of overlong words only."""
STEMS = {language: _StemCache(language) for language in (*_ALGORITHMS, UNDETERMINED)}
"""The cache of each language, in which a word is looked up without a call."""


def _make_stems(spelling: str, language: str) -> tuple[str, ...]:
    form = fold_word(spelling)
    bare = () if form.isascii() else bare_words(form, language)
    if language == UNDETERMINED:
        return (*{f"{UNDETERMINED}_{word}" for word in (form, *bare)},)
    stem_word = stemmer_for(language).stemWord
    stem = stem_word(form)
    british = british_stem(form, stem, stem_word) if language == "en" else None
    # Most words of English are done here.
    if british is None and spelling == form and form.isascii() and stem.isascii():
        return (f"{language}_{stem or form}",)
    stems = {fold_word(stem) or form, *(fold_word(stem_word(word)) or form for word in {spelling, *bare} - {form})}
    if british:
        stems.add(british)
    return tuple([f"{language}_{each}" for each in stems])
