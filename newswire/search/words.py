"""The table `word`: the distinct words of the search index, from which a mistyped word of a query is corrected.

A word carries no access rule: show one only to a reader who may see an article with it (`newswire.reading.suggestions`
asks the index). The words of articles that were killed or have changed stay.

One edit (a letter left out, added, replaced, or two exchanged) leaves at least one half of a word as it is, and two
edits often a third. So the words near to a typed one are found in ranges of two sorted keys: the word, and the word
reversed (docs/decisions/0038).
"""

from collections.abc import Collection, Iterator
from itertools import islice

import regex
from rapidfuzz.distance import OSA, JaroWinkler
from sqlalchemy import ColumnElement, Connection, bindparam, select

from newswire.search.analysis import Analysed
from newswire.search.index import search_backend
from newswire.store.statements import Statement
from newswire.store.tables import word

SHORTEST, LONGEST = 4, 30
"""Characters of the words that are kept."""
SHORTEST_TWICE = 8
"""Characters of a typed word from which two edits are looked for: nearly every shorter word is two edits from many."""
SHORTEST_PART = 3
"""Characters of either part into which two words that were written as one are split."""
MOST_NEW = 5_000
"""Words of one article that are added. Real articles have fewer; all that 2 MiB hold would take half a second."""
MOST_NEARBY = 2_000
"""Words of one range that are compared with the typed one."""
KNOWN_WORDS = "newswire.words"
"""The key in a connection's `info` for the words that an earlier transaction found in the table."""
MAX_KNOWN = 50_000
"""Words that a connection caches, in 5 MB; at more the cache is emptied."""
_LETTERS = regex.compile(r"[\p{L}\p{M}]+", regex.V1)
_LAST = "\U0010ffff"


def range_statement(key: ColumnElement[str]) -> Statement:
    """The words of one length whose `key` lies between `low` and `high`."""
    found = select(word.c.word).where(
        word.c.length == bindparam("length"), key >= bindparam("low"), key < bindparam("high")
    )
    return Statement(found.order_by(key).limit(bindparam("most")))


BY_BEGINNING, BY_END = range_statement(word.c.word), range_statement(word.c.reversed)


def is_correctable(form: str) -> bool:
    """Whether a form is a word of letters, of a length in which an error can be told from another word."""
    return SHORTEST <= len(form) <= LONGEST and (form.isalpha() or _LETTERS.fullmatch(form) is not None)


def unknown_words(connection: Connection, analysed: Analysed) -> Iterator[str]:
    """The words of an article that may be missing in the table, `MOST_NEW` at most."""
    forms = set[str]().union(*analysed.forms.values())
    missing = forms - connection.info.get(KNOWN_WORDS, set())
    return islice(filter(is_correctable, missing), MOST_NEW)


def add_words(connection: Connection, words: Collection[str]) -> None:
    """Adds the words that are missing. Call it at most once in a transaction.

    It inserts in alphabetical order, so that two transactions with the same new words do not deadlock.
    """
    if not words:
        return
    known = connection.info.setdefault(KNOWN_WORDS, set())
    backend = search_backend(connection)
    # As with labels (`names.add_labels`): rows are only added, so a word that was found once stays. Those added
    # here are not cached yet, because this transaction may still be rolled back.
    found = backend.find_words(connection, words)
    if len(known) > MAX_KNOWN:
        known.clear()
    known |= found
    if new := sorted({*words} - found):
        backend.add_words(connection, new)


def words_one_edit_away(connection: Connection, typed: str) -> list[str]:
    """The words that are one edit from `typed`, the closest first."""
    # A letter too many, or two exchanged: these few are looked up. The latter may leave no half as it was.
    guesses = {typed[:at] + typed[at + 1 :] for at in range(len(typed))}
    guesses |= {typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :] for at in range(len(typed) - 1)}
    found = search_backend(connection).find_words(connection, guesses)
    half = len(typed) // 2
    return closest_words(typed, found | words_in_ranges(connection, typed, half, half, (0, 1)), 1)


def words_two_edits_away(connection: Connection, typed: str) -> list[str]:
    """The words that are up to two edits from `typed` and share its first third or its last half, the closest first."""
    if len(typed) < SHORTEST_TWICE:
        return []
    third, half = max(SHORTEST_PART, len(typed) // 3), len(typed) // 2
    return closest_words(typed, words_in_ranges(connection, typed, third, half, (-2, -1, 0, 1, 2)), 2)


def words_in_ranges(connection: Connection, typed: str, beginning: int, end: int, longer: Collection[int]) -> set[str]:
    """The words that share so many characters at the beginning or the end, and are so many characters longer."""
    found = set[str]()
    for length in (len(typed) + more for more in longer):
        for statement, part in (BY_BEGINNING, typed[:beginning]), (BY_END, typed[::-1][:end]):
            values = {"length": length, "low": part, "high": part + _LAST, "most": MOST_NEARBY}
            found.update(near for (near,) in statement.execute(connection, values))
    return found


def closest_words(typed: str, words: Collection[str], most: int) -> list[str]:
    """Those of the words that are 1 to `most` edits from `typed`, the closest first."""
    near = [each for each in words if each != typed and OSA.distance(typed, each, score_cutoff=most) <= most]
    return sorted(near, key=lambda each: (-JaroWinkler.similarity(typed, each), each))


def two_words(typed: str) -> list[str]:
    """The ways to read `typed` as two words that were written as one, with a blank between them."""
    return [f"{typed[:at]} {typed[at:]}" for at in range(SHORTEST_PART, len(typed) - SHORTEST_PART + 1)]
