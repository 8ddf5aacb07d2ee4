"""The price of a query, known before it runs: what a search costs in the worst case, by its parts alone; pure.

A prefix costs most: SQLite merges the postings of all words that begin so before it returns one match. The points were
measured with 50,000 articles (decision 0023), where `MOST_POINTS` take up to one second of processor time. Not here:
the deadline, which bounds the rest (`store.query_watch`), and `GET /v1/changes`, where a prefix costs what a word does.
"""

from collections.abc import Iterator

from newswire.search.expression import And, Expression, Leaf, Named, Near, Not, Or, Phrase, Prefix, Term
from newswire.search.normal_form import is_run
from newswire.search.syntax import ExpressionError

MOST_POINTS = 45
WORD, NEIGHBOURS = 0.2, 0.02
"""Points of a word, and of the token of a compound and its neighbour, which few articles have."""
PHRASE_WORD, REPEATED_WORD = 0.04, 0.3
"""Points of a word within a phrase, and of one that stands in the same phrase before: a phrase of the ten commonest
words, ninety times over, takes five seconds of processor time."""
PREFIX, LONG_PREFIX = {1: 10.0, 2: 2.0, 3: 0.5}, 0.2
"""Points of a prefix by its letters, and of a longer one."""
NEAR, NEAR_WORD = 2.0, 0.3
"""Points of proximity, and of each word of it: their places are read in every article that has all words."""
REPEATED_PREFIX, LONG_REPEATED_PREFIX = 10.0, 1.0
"""Points of a prefix at the end of a phrase, and of one that stands in the query before: of up to three letters, and of
more. Different prefixes of the same length share the words of the wire among them, which bounds their sum."""
OVER = "The query costs too much to search."


def check_price(expression: Expression, readings: int) -> None:
    """Raises `ExpressionError` at the part that costs most, if all parts cost too much in so many `readings`."""
    known: set[str] = set()
    priced = [(leaf_points(leaf, known), leaf) for leaf in all_leaves(expression)]
    if readings * sum(points for points, _ in priced) <= MOST_POINTS:
        return
    _, costly = max(priced, key=lambda each: each[0])
    if isinstance(costly, Prefix) or (isinstance(costly, Phrase) and costly.prefix):
        form = costly.form if isinstance(costly, Prefix) else costly.forms[-1]
        advice = f"Most of it is for all words that begin with {form[:20]!r}: write more letters, or fewer such words"
    elif isinstance(costly, Phrase):
        advice = "Write shorter phrases, or fewer"
    else:
        advice = "Write fewer words"
    rest = ", or leave out count or facets, each of which searches once more." if readings > 1 else "."
    raise ExpressionError(f"{OVER} {advice}{rest}", costly.start)


def leaf_points(leaf: Leaf | Named, known: set[str]) -> float:
    """The points of one leaf; `known` are the prefixes before it."""
    match leaf:
        case Term(_, spelling):
            return NEIGHBOURS if "__" in spelling else WORD
        case Prefix(form):
            if form in known:
                return repeated_prefix_points(form)
            known.add(form)
            # One character of a script without spaces begins about as many pairs as three letters begin words.
            return PREFIX.get(len(form) + 2 if is_run(form) else len(form), LONG_PREFIX)
        case Near(forms):
            return NEAR + NEAR_WORD * len(forms)
        case Named(_, words, beginning):
            points = WORD * len(words)
            return points if beginning is None else points + PREFIX.get(len(beginning), LONG_PREFIX)
        case Phrase(forms, prefix):
            distinct = len(set(forms))
            points = PHRASE_WORD * distinct + REPEATED_WORD * (len(forms) - distinct)
            return points + repeated_prefix_points(forms[-1]) if prefix else points


def repeated_prefix_points(form: str) -> float:
    return LONG_REPEATED_PREFIX if is_run(form) or len(form) > len(PREFIX) else REPEATED_PREFIX


def all_leaves(expression: Expression) -> Iterator[Leaf | Named]:
    """The words, prefixes, phrases and names of an expression from left to right, the excluded ones too."""
    match expression:
        case And(operands) | Or(operands):
            for operand in operands:
                yield from all_leaves(operand)
        case Not(operand):
            yield from all_leaves(operand)
        case leaf:
            yield leaf
