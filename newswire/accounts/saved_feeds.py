"""Saved feeds: named queries of a party, each with a token for feed readers that cannot send headers.

A query is stored as URL parameters and parsed again at each request. A token gives access to its feed only, and only
its SHA-256 is stored. Every edit bumps the head's revision, which invalidates the page cache.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from newswire import wire
from newswire.accounts.callers import Caller, party_caller
from newswire.accounts.keys import KEYS_WITH_OWNERS, hash_key
from newswire.errors import Problem, invalid_at
from newswire.store.articles import insert_unless_there
from newswire.store.tables import api_key, feed, partner, publisher

MOST_FEEDS = 1000


class SavedFeed(NamedTuple):
    """A named query of a party: `query` maps URL parameters to their values; `token` is a SHA-256, or None."""

    party: str
    name: str
    title: str | None
    query: Mapping[str, Sequence[str]]
    token: str | None
    created_at: int
    updated_at: int


COLUMNS = tuple(feed.c[name] for name in SavedFeed._fields)


def new_token() -> str:
    """A new token: 256 random bits, in characters that a URL need not escape."""
    return "nwf_" + secrets.token_urlsafe(32)


def create_feed(
    connection: Connection, party: str, name: str, title: str | None, query: Mapping[str, Sequence[str]], token: str,
    now: int,
) -> SavedFeed:  # fmt: skip
    """Creates a feed with a token; raises `validation_failed` if the name is taken or there are too many feeds."""
    made = SavedFeed(party, name, title, query, hash_key(token), now, now)
    # The bump locks the head row, so concurrent requests cannot exceed the maximum together.
    wire.bump_revision(connection)
    if insert_unless_there(connection, feed, made._asdict(), feed.c.id) is None:
        raise _name_taken(name)
    if len(list_feeds(connection, party)) > MOST_FEEDS:
        raise Problem("validation_failed", f"There are {MOST_FEEDS} feeds already; delete one that is not used.")
    return made


def change_feed(connection: Connection, party: str, name: str, changes: Mapping[str, Any], now: int) -> SavedFeed:
    """Changes the name, title, query or token (a SHA-256, or None) of a feed; raises `not_found`."""
    # The bump of the revision locks the head row, so no other transaction can change the feed, or take the new name,
    # between the select and the update.
    wire.bump_revision(connection)
    stored = find_feed(connection, party, name)
    new = stored._replace(**changes, updated_at=now)
    if new.name != stored.name and _find_feed_or_none(connection, party, new.name) is not None:
        raise _name_taken(new.name)
    connection.execute(update(feed).where(*_is_feed(party, stored.name)).values(**changes, updated_at=now))
    return new


def delete_feed(connection: Connection, party: str, name: str) -> None:
    """Deletes a feed together with its token; raises `not_found`."""
    wire.bump_revision(connection)
    if connection.execute(delete(feed).where(*_is_feed(party, name))).rowcount != 1:
        raise _no_such_feed(name)


def list_feeds(connection: Connection, party: str) -> Sequence[SavedFeed]:
    """All feeds of a party, by name."""
    rows = connection.execute(select(*COLUMNS).where(feed.c.party == party))
    return sorted((SavedFeed(*row) for row in rows), key=lambda found: found.name)


def find_feed(connection: Connection, party: str, name: str) -> SavedFeed:
    """One feed of a party; raises `not_found`."""
    found = _find_feed_or_none(connection, party, name)
    if found is None:
        raise _no_such_feed(name)
    return found


def _find_feed_or_none(connection: Connection, party: str, name: str) -> SavedFeed | None:
    row = connection.execute(select(*COLUMNS).where(*_is_feed(party, name))).one_or_none()
    return None if row is None else SavedFeed(*row)


def find_token_caller(connection: Connection, token: str, now: int) -> Caller | None:
    """The caller that a token authenticates, with the name of its feed in `feed`; None for an unknown token.

    Tokens end with the last key of their party that may read. They never show what only an owner may see.
    """
    row = connection.execute(select(feed.c.party, feed.c.name).where(feed.c.token == hash_key(token))).one_or_none()
    if row is None:
        return None
    kind, _, slug = row.party.partition(":")
    if not _has_reading_key(connection, kind, slug, now):
        return None
    caller = party_caller(connection, kind, slug or None, scopes=frozenset({"read"}), feed=row.name)
    # A URL with its token is easily passed on: it must not show withheld or expired articles.
    return replace(caller, visibility=replace(caller.visibility, owner=False))


def _has_reading_key(connection: Connection, kind: str, slug: str, now: int) -> bool:
    """Whether a party has a valid bearer key with the scope `read`."""
    owner = {"publisher": publisher.c.slug == slug, "partner": partner.c.slug == slug}.get(kind, api_key.c.admin)
    scopes = connection.scalars(
        select(api_key.c.scopes).select_from(KEYS_WITH_OWNERS).where(
            owner, api_key.c.revoked_at.is_(None), api_key.c.nonce.is_(None),
            or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now),
        )
    )  # fmt: skip
    return any("read" in each.split() for each in scopes)


def _is_feed(party: str, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return feed.c.party == party, feed.c.name == name


def _name_taken(name: str) -> Problem:
    return invalid_at(
        "/name", "taken", f"There is a feed {name!r} of yours already; PATCH /v1/feeds/{name} changes it."
    )


def _no_such_feed(name: str) -> Problem:
    return Problem("not_found", f"There is no feed {name!r} of yours; POST /v1/feeds makes one.")
