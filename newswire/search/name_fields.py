"""The fields of `q` that are names and no texts: `section:` and `publisher:` match words of a name of the article.

The words of a name are filter terms of the article, so that both engines find them in
the index that they search anyway, and a name counts in neither relevance nor highlights. Not here: the filters by whole
names (`section=`), and the names of authors, which are part of the byline.
"""

from newswire.search.analysis import Analysed, split_spellings, word_forms
from newswire.search.expression import Named
from newswire.search.normal_form import is_run

NAME_FIELDS = frozenset({"section", "publisher"})


def name_terms(analysed: Analysed) -> set[str]:
    """The words of an article's names as filter terms. No parameter and no entitlement can ask for them."""
    return {name_term(kind, form) for kind, forms in analysed.names.items() for form in forms}


def name_term(kind: str, form: str) -> str:
    """The filter term of a word, or of the beginning of a word, in the name of a section or publisher."""
    return f"{kind}word_{form}"


def name_condition(kind: str, text: str, start: int, *, open_ended: bool) -> Named | None:
    """The condition that a name has all words of `text`, in any order; None for a text without words.

    The last word is a prefix if `open_ended`, and if it is a single character of a script without spaces.
    """
    spellings = split_spellings(text)
    words = dict.fromkeys(form for spelling in spellings for form in _forms_within(spelling))
    if not words:
        return None
    is_single = is_run(spellings[-1]) and len(spellings[-1]) == 1
    prefix = _forms_within(spellings[-1])[-1] if open_ended or is_single else None
    return Named(kind, tuple(word for word in words if word != prefix), prefix, start)


def _forms_within(spelling: str) -> list[str]:
    """The forms of a word that a longer run in a name has too: not the last character of a run, which may go on."""
    forms = word_forms(spelling)
    return forms[:-1] if is_run(spelling) and len(forms) > 1 else forms
