"""The preparation of a draft for the wire: its terms, index tokens and JSON, as far as they depend on nothing else.

This takes nearly all of the processor time of publishing, up to a second for 2 MiB, and it needs no lock, so it is done
before the transaction. Pure: nothing here reads a clock, a request or the database. What depends on the stored article
(its id, version, times and digest) is added in `receive`.
"""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from newswire.article import NIL, Draft, Publisher
from newswire.document import BODY_FIELDS
from newswire.search.analysis import Analysed, analyse_article
from newswire.search.signatures import story_terms
from newswire.visibility import identity_terms, terms_of


class PreparedArticle(NamedTuple):
    """A draft with all that is costly to compute from it.

    `terms` are those of its content, without `identity_terms`; `story_terms` those by which its copies are found.
    `body` is the JSON of the body fields, `source` that of the article as sent.
    """

    draft: Draft
    terms: frozenset[str]
    analysed: Analysed
    story_terms: frozenset[str]
    body: Mapping[str, orjson.Fragment]
    source: bytes


def prepare_article(draft: Draft, publisher: Publisher, external_id: str | None = None) -> PreparedArticle:
    """Prepares a draft; `external_id` is that of the stored article if the draft itself does not name it."""
    content = draft.content
    terms = terms_of(publisher.slug, content, publisher.subjects)
    # The terms share the budget of the index with the words. Every id is as long as this one.
    identity = identity_terms(NIL, external_id or draft.external_id)
    named = {"slug": publisher.slug, "name": publisher.name}
    analysed = analyse_article({**content, "publisher": named}, terms | identity)
    return PreparedArticle(
        draft,
        terms,
        analysed,
        story_terms(analysed),
        {name: orjson.Fragment(orjson.dumps(content[name])) for name in BODY_FIELDS},
        orjson.dumps(draft.source),
    )
