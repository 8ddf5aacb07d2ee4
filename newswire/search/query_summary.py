"""How a query was understood, as `meta.query` tells it: words, phrases, fields, exclusions, what was left out; pure.

A person sees here why `foo:bar` found nothing, or that `-5` excluded nothing. The size is bounded by that of `q`. Not
here: the parser, which decides it (`syntax`).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from newswire.search.expression import And, Expression, Leaf, Named, Near, Not, Or, Phrase, Prefix, Spellings, Term
from newswire.search.normal_form import is_run

MOST_LEFT_OUT, LONGEST_LEFT_OUT = 20, 50
"""Parts of a query without meaning that are told, and the most characters of each."""


class SummaryPart(NamedTuple):
    """A leaf of an expression, and whether it is excluded."""

    leaf: Leaf | Named
    excluded: bool


def summarize_query(
    expression: Expression | None, left_out: Sequence[str], unknown_fields: Sequence[str],
    search_in: frozenset[str] | None, synonyms: Sequence[tuple[str, Sequence[str]]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The summary of a query. Words of a field and excluded ones stand under these only, as one would type them.

    `synonyms` are what the operator's dictionary has added, by the member of `q`.
    """
    parts = [] if expression is None else [*_quotations_once(_parts(expression, excluded=False))]
    own = [leaf for leaf, excluded in parts if not excluded and not limited_fields(leaf, search_in)]
    in_fields = [(field, leaf) for leaf, excluded in parts if not excluded for field in limited_fields(leaf, search_in)]
    shown = [typed_form(leaf) for leaf in own if isinstance(leaf, Term | Phrase) and not is_open(leaf)]
    named = sorted((field, typed_form(leaf)) for field, leaf in in_fields)
    return {
        "words": [typed for typed in shown if not typed.startswith('"')],
        "phrases": [typed[1:-1] for typed in shown if typed.startswith('"')],
        "near": [near_text(leaf) for leaf in own if isinstance(leaf, Near)],
        "prefixes": [
            leaf.form if isinstance(leaf, Prefix) else phrase_text(leaf.forms)
            for leaf in own
            if isinstance(leaf, Prefix) or (isinstance(leaf, Phrase) and is_open(leaf))
        ],
        "fields": {field: [typed for _, typed in group] for field, group in groupby(named, lambda pair: pair[0])},
        "excluded": [excluded_form(leaf, search_in) for leaf, excluded in parts if excluded],
        "left_out": [part[:LONGEST_LEFT_OUT] for part in dict.fromkeys(left_out)][:MOST_LEFT_OUT],
        "synonyms": {member: [*others] for member, others in synonyms},
        "unknown_fields": [name[:LONGEST_LEFT_OUT] for name in unknown_fields][:MOST_LEFT_OUT],
    }


def _parts(expression: Expression, *, excluded: bool) -> Iterator[SummaryPart]:
    """The leaves from left to right. Of the spellings of one word the first stands for all: it is the one typed."""
    match expression:
        case Spellings(operands):
            yield from _parts(operands[0], excluded=excluded)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _parts(operand, excluded=excluded)
        case Not(operand):
            yield from _parts(operand, excluded=not excluded)
        case leaf:
            yield SummaryPart(leaf, excluded)


def _quotations_once(parts: Iterator[SummaryPart]) -> Iterator[SummaryPart]:
    """The parts, each quotation once: one with a compound or sign word has several leaves."""
    before = None
    for part in parts:
        leaf = part.leaf
        here = (leaf.start, leaf.written) if isinstance(leaf, Term | Phrase) and leaf.written else None
        if here is None or here != before:
            yield part
        before = here


def is_open(leaf: Term | Phrase) -> bool:
    """Whether the last word is only a prefix."""
    return isinstance(leaf, Phrase) and leaf.prefix


def limited_fields(leaf: Leaf | Named, search_in: frozenset[str] | None) -> list[str]:
    """The fields to which a leaf is limited in `q`, and not by `search_in`."""
    if isinstance(leaf, Named):
        return [leaf.kind]
    return [] if leaf.fields in (None, search_in) else sorted(leaf.fields or ())


def typed_form(leaf: Leaf | Named) -> str:
    """A leaf in the syntax of `q`, without its field."""
    match leaf:
        case Near():
            return near_text(leaf)
        case Named(_, words, prefix):
            every = [*words, *([] if prefix is None else [f"{prefix}*"])]
            return every[0] if len(every) == 1 else f"({' '.join(every)})"
        case Term(written=written) | Phrase(prefix=False, written=written) if written:
            return written
        case Term():
            return leaf.spelling
        case Prefix(form):
            return f"{form}*"
        case Phrase(forms, prefix):
            return f'"{phrase_text(forms)}"' + ("*" if prefix else "")


def near_text(near: Near) -> str:
    return f'"{phrase_text(near.forms)}"~{near.distance}'


def excluded_form(leaf: Leaf | Named, search_in: frozenset[str] | None) -> str:
    fields = limited_fields(leaf, search_in)
    return f"{fields[0]}:{typed_form(leaf)}" if len(fields) == 1 else typed_form(leaf)


def phrase_text(forms: Sequence[str]) -> str:
    """The text of a phrase. Neighbouring pairs of a script without spaces (中国 国人) are joined again to 中国人."""
    text = ""
    for form in forms:
        if text and is_run(form) and is_run(text[-1]) and text.endswith(form[0]):
            text += form[1:]
        else:
            text += f" {form}" if text else form
    return text
