"""The comparison of an article as sent with the current version: what its publisher has changed, and what is kept.

Fields are compared as they were sent, because the cleaning differs between releases: a field that was sent again as it
was keeps its stored value, and is not cleaned again (decision 0026). Pure; the rows are read and written in `receive`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from newswire.article import CONTENT, Draft, Publisher
from newswire.document import BODY_FIELDS
from newswire.publishing.prepare import PreparedArticle
from newswire.visibility import terms_of

BODY_SOURCES = ("body_html", "body_text", "body_markdown", "url")
MADE_FROM: Mapping[str, tuple[str, ...]] = {
    **{field.name: (field.name,) for field in CONTENT if field.is_stored},
    **dict.fromkeys((*BODY_FIELDS, "word_count"), BODY_SOURCES),
    "images": ("images", *BODY_SOURCES),
    "authors": ("authors", "url"),
}
"""The fields as sent from which each field as served is made: addresses are relative to `url`, and a picture of the
body is one of `images`. The publisher's own address and language are left out: their edits change no version."""


def keep_unchanged_fields(
    prepared: PreparedArticle, source: bytes, before: Mapping[str, Any], publisher: Publisher
) -> PreparedArticle:
    """The prepared article with the stored value of each field whose sources were sent again as they were.

    `source` is the article as it was sent for the current version, `before` that version as served. The index words
    stay those of today's cleaning: they were made before the transaction, which must not wait for them.
    """
    draft = prepared.draft
    unchanged = list_unchanged_fields(draft.source, prepared.source, source, draft.newly_read)
    stored = {name: before[name] for name in unchanged if before[name] != draft.content[name]}
    if not stored:
        return prepared
    content = {**draft.content, **stored}
    return prepared._replace(
        draft=replace(draft, content=content),
        terms=terms_of(publisher.slug, content, publisher.subjects),
        body={name: text for name, text in prepared.body.items() if name not in stored},
    )


def list_unchanged_fields(
    sent: Mapping[str, Any], sent_bytes: bytes, source: bytes, newly_read: frozenset[str] = frozenset()
) -> list[str]:
    """The content fields, as served, whose sources are the same in both articles as sent; `source` is the earlier.

    Where nothing differs but that the earlier one has none of the `newly_read` fields, a release that did not read them
    was sent the same document: nothing has changed.
    """
    # Mostly the same request is repeated: then its bytes are equal, and the stored ones need no parsing.
    if sent_bytes == source:
        return [*MADE_FROM]
    earlier = orjson.loads(source)
    changed = {
        name
        for name in sent.keys() | earlier.keys()
        if sent.get(name) != earlier.get(name) and _known_part(sent.get(name)) != _known_part(earlier.get(name))
    }
    if changed <= newly_read and newly_read.isdisjoint(earlier):
        return [*MADE_FROM]
    return [name for name, sources in MADE_FROM.items() if changed.isdisjoint(sources)]


def _known_part(value: Any) -> Any:
    """A value as sent without what counts as absent (null, a blank text, an empty array), at any depth."""
    if isinstance(value, dict):
        return {name: known for name, item in value.items() if (known := _known_part(item)) is not None}
    if isinstance(value, list):
        return [_known_part(item) for item in value] or None
    return None if isinstance(value, str) and not value.strip() else value


def is_change_new(draft: Draft, current: Mapping[str, Any]) -> bool:
    """Whether a draft says something of its change that `current`, the `change` of the current version, does not say.

    A correction says so, and a note does; `change` absent or a bare update says nothing. A note that the version has
    already is not new in an update, even if it was that of a correction: a correction is never taken back silently.
    """
    is_correction = draft.change_type == "correction"
    if draft.change_note is None and not is_correction:
        return False
    if current["note"] not in (draft.change_note, draft.sent_note):
        return True
    # The first version is `new` whatever was sent with it, so a note that it has may have been that of a correction.
    return is_correction and (current["type"] == "update" or (current["type"] == "new" and current["note"] is None))
