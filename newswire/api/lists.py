"""A list of articles in any clothes: one look-up, one ETag, one transaction; what differs is how it is written."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, g, request

from newswire import wire
from newswire.api.address import base_url
from newswire.api.answers import unchanged
from newswire.api.conditional import not_modified
from newswire.api.schemas.query import facets_of, query_of
from newswire.api.state import database
from newswire.instant import now
from newswire.query import Query, Visibility
from newswire.readers import facets, listing, relevance
from newswire.store.rows import AnyRow


@dataclass(frozen=True)
class Found:
    """A page of a list: its rows, the cursor behind it, and how the whole list stands.

    `asked` are the parameters as loaded; `tag` is its ETag without quotes; `killed` are articles of this list
    that were killed lately, where the clothes tell of them.
    """

    asked: Mapping[str, Any]
    query: Query
    head: wire.Head
    rows: Sequence[AnyRow]
    next_cursor: str | None
    meta: Mapping[str, Any]
    tag: str


@dataclass(frozen=True)
class Clothes:
    """How a list is dressed: `write` makes the answer. With `bodies` its rows have them."""

    write: Callable[[Found], Response]
    bodies: bool = False


def answered(parameters: Mapping[str, Any], clothes: Clothes) -> Response:
    """The list that `parameters` (as `ArticleParameters` loads them) ask for, or 304 where the caller holds it."""
    moment = now()
    query, kinds = query_of(parameters, moment), facets_of(parameters)
    query = replace(query, include_body=query.include_body or clothes.bodies)
    visibility = g.caller.visibility
    with database().read() as connection:
        head = wire.position(connection)
        # Asked for in the address or saved in a feed: the same words are another list by another time.
        asked = (sorted(parameters.items()), *query.times, query.ranked_at, listing.last_expiry(connection, moment))
        tag = list_tag(head, visibility, asked)
        if not_modified(tag):
            return unchanged(tag)
        page = (listing if query.ranked_at is None else relevance).page(connection, query, visibility, moment)
        meta: dict[str, Any] = {"head": head.seq}
        if parameters.get("count") == "true":
            meta["count"] = listing.count(connection, query, visibility, moment)._asdict()
        if kinds:
            meta["facets"] = facets.counted(connection, query, visibility, moment, kinds)
    return clothes.write(Found(parameters, query, head, page.rows, page.next_cursor, meta, tag))


def list_tag(head: wire.Head, visibility: Visibility, asked: Sequence[object]) -> str:
    """A list's ETag: it depends on what is asked for, in which form, by whom, and on where the wire stands."""
    parts = [request.path, g.media_type, sorted(request.args.items(multi=True)), asked, base_url(),
             visibility.fingerprint(), head.wire, head.seq, head.revision]  # fmt: skip
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
