"""Suggestions for mistyped words of a query: `meta.did_you_mean`.

For a word of `q` that at most two articles have, the texts that are one or two edits from it (`newswire.search.edits`)
are looked up in the index, and those that are words of it are counted by the search itself, within what the caller may
see. So an article that the caller may not see gives no suggestion, and its words change neither the others nor their
order: up to `MOST_VERIFIED` words are counted, far more than are near to one (docs/decisions/0038).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import regex
from sqlalchemy import Connection

from newswire.reading.lists import Count, count_articles, list_statement
from newswire.search import index
from newswire.search.analysis import word_forms
from newswire.search.edits import is_correctable, texts_one_edit_away, texts_two_edits_away, two_words
from newswire.search.expression import And, Expression, Named, Or, Phrase, Spellings, Term
from newswire.search.name_fields import name_term
from newswire.search.price import check_price
from newswire.search.query import Query
from newswire.search.syntax import ExpressionError
from newswire.store.articles import NUMBERS
from newswire.visibility import AccessRule, Visibility

RARE = 2
"""A word that more articles have is not taken for a mistyped one."""
MOST_SUGGESTED = 3
MOST_CHECKED = 8
"""Words of a query that are counted."""
MOST_TRIED = 5
"""Corrected queries that are counted."""
MOST_CORRECTED = 4
"""Rare words of a query for which others are looked up."""
MOST_VERIFIED = 100
"""Words near to a typed one that are counted, those by the likeliest errors first. Five are usual."""
COUNTED_TO = 1_000
"""Articles to which the matches of a word or of a corrected query are counted."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+", regex.V1)

ReadQuery = Callable[[str], Query | None]
"""Parses another `q` with the other parameters of the same request; None if it cannot be searched for."""


class Suggestion(NamedTuple):
    """A corrected `q`, how many articles of the caller it finds within the other parameters, and what was replaced."""

    q: str
    found: Count
    chosen: Mapping[str, str]


class SoughtWord(NamedTuple):
    """A word of a query: its form as it is typed, and the part of the expression that finds the word.

    `always` is false where an article can match without it. `kind` is that of the name that has the word, section or
    publisher; None: it is a word of the texts.
    """

    form: str
    expression: Expression
    always: bool
    kind: str | None = None


def suggest_queries(
    connection: Connection, query: Query, visibility: Visibility, now: int, found: int, read_query: ReadQuery
) -> list[Suggestion]:
    """The corrections of `q` that find more than its `found` articles, those that find most first.

    `found` is the length of the first page. The list is empty where no word of `q` is rare, and for a query that is too
    costly to be searched for several times.
    """
    if query.text is None or query.expression is None:
        return []
    try:
        check_price(query.expression, 1 + MOST_TRIED)
    except ExpressionError:
        return []
    suggestions = list[Suggestion]()
    for chosen in combinations(find_corrections(connection, query, visibility, now, found)):
        # Where two words are rare and only one is mistyped, the correction of both may find nothing.
        if suggestions and len(chosen) < len(suggestions[0].chosen):
            break
        corrected = read_query(replace_words(query.text, chosen))
        if corrected is not None:
            count = count_articles(connection, corrected, visibility, now, COUNTED_TO)
            if count.value > found:
                suggestions.append(Suggestion(corrected.text or "", count, chosen))
    suggestions.sort(key=lambda each: -each.found.value)
    return suggestions[:MOST_SUGGESTED]


def find_corrections(
    connection: Connection, query: Query, visibility: Visibility, now: int, found: int
) -> dict[str, list[str]]:
    """The rare words of a query that have better ones near to them, with these, the commonest first."""
    assert query.text is not None
    assert query.expression is not None
    typed = {form for span in _WORD.findall(query.text) for form in word_forms(span)}
    # What every match has, so many matches have: of an ordinary query no word needs to be counted.
    unsure = {
        sought.form: sought
        for sought in sought_words(query.expression)
        if sought.form in typed and is_correctable(sought.form) and not (sought.always and found > RARE)
    }
    few = {each: count_few(connection, each.expression, visibility, now) for each in [*unsure.values()][:MOST_CHECKED]}
    rare = {each.form: matches for each, matches in few.items() if matches <= RARE}
    better = {
        form: better_words(connection, unsure[form], matches, visibility, now)
        for form, matches in [*rare.items()][:MOST_CORRECTED]
    }
    return {form: words for form, words in better.items() if words}


def sought_words(expression: Expression, always: bool = True) -> Iterator[SoughtWord]:
    """The words that an expression asks for, those of phrases too, without excluded ones."""
    match expression:
        case Term(form):
            yield SoughtWord(form, expression, always)
        case Phrase(forms, prefix):
            for form in forms[:-1] if prefix else forms:
                yield SoughtWord(form, Term(form, form), always)
        case Named(kind, words):
            for word in words:
                yield SoughtWord(word, Named(kind, (word,)), always, kind)
        case Spellings(operands):
            # Only one of the spellings is typed. It is rare if all of them together are.
            for sought in (each for operand in operands for each in sought_words(operand, always)):
                yield sought._replace(expression=expression)
        case Or(operands):
            for operand in operands:
                yield from sought_words(operand, always=False)
        case And(operands):
            for operand in operands:
                yield from sought_words(operand, always)


def count_few(connection: Connection, expression: Expression, visibility: Visibility, now: int) -> int:
    """The number of articles that the caller may see with a word, counted up to one more than `RARE`.

    The newest are taken as for a page, which is quick for a common word too.
    """
    asked = Query(expression=expression)
    statement, values = list_statement(connection, NUMBERS, asked, visibility, now, None, RARE + 1)
    return len(statement.execute(connection, values).fetchall())


def better_words(
    connection: Connection, sought: SoughtWord, matches: int, visibility: Visibility, now: int
) -> list[str]:
    """The `MOST_SUGGESTED` commonest words near to `sought` that more articles of the caller have."""
    better: dict[str, int] = {}
    for texts in nearby_texts(sought.form, is_known=matches > 0):
        counts = count_texts(connection, sought.kind, texts, visibility.rule_at(now))
        better |= {word: count for word, count in counts.items() if count > matches}
        # A word that is rare as well may be mistyped too, so that one is not enough.
        if any(count > RARE for count in better.values()):
            break
    return sorted(better, key=lambda word: -better[word])[:MOST_SUGGESTED]


def count_texts(connection: Connection, kind: str | None, texts: Sequence[str], rule: AccessRule) -> dict[str, int]:
    """How many articles have each of the texts as a word, or in a name of `kind`; those that none has are left out."""
    if kind is not None:
        terms = {text: name_term(kind, text) for text in texts if " " not in text}
        counts = index.count_by_term(connection, terms.values(), rule.filter, rule.times, COUNTED_TO)
        return {text: counts[term] for text, term in terms.items() if term in counts}
    # Nearly all of the texts are no words at all, which is seen much sooner than how many articles have one.
    known = index.find_forms(connection, texts)
    candidates = [text for text in texts if text in known][:MOST_VERIFIED]
    if not candidates:
        return {}
    counts = index.count_by_phrase(connection, candidates, rule.filter, rule.times, COUNTED_TO)
    return {text: counts[text] for text in candidates if text in counts}


def nearby_texts(form: str, *, is_known: bool) -> Iterator[list[str]]:
    """What `form` may be meant for, the likeliest errors first; two errors only for one that is in no article."""
    yield from texts_one_edit_away(form)
    yield [*two_words(form), *([] if is_known else texts_two_edits_away(form))]


def combinations(corrections: Mapping[str, list[str]]) -> Iterable[Mapping[str, str]]:
    """What to replace by what, `MOST_TRIED` times at most: every word by its best or one by another, then one alone."""
    if not corrections:
        return []
    best = {form: words[0] for form, words in corrections.items()}
    others = [
        best | {form: words[rank]}
        for rank in range(1, MOST_SUGGESTED)
        for form, words in corrections.items()
        if len(words) > rank
    ]
    alone = [{form: word} for form, word in best.items()] if len(best) > 1 else []
    return [best, *others[: MOST_TRIED - 1 - len(alone)], *alone][:MOST_TRIED]


def replace_words(text: str, chosen: Mapping[str, str]) -> str:
    """A query with words replaced wherever they stand, and everything else as it is typed."""

    def replacement(found: regex.Match[str]) -> str:
        forms = word_forms(found[0])
        return chosen.get(forms[0], found[0]) if len(forms) == 1 else found[0]

    return str(_WORD.sub(replacement, text))
