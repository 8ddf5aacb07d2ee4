"""Saved feeds: named queries of a party, each with a token for feed readers that cannot send headers.

A query is stored as URL parameters and parsed again at each request, in the grammar in which its `q` was saved, so that
it keeps its meaning. A token gives access to its feed only, and only its SHA-256 is stored. Every edit bumps the head's
revision, which invalidates the page cache.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, update

from newswire import wire
from newswire.accounts.callers import Caller, party_caller
from newswire.accounts.keys import check_key_in_use, has_reading_key, hash_key
from newswire.errors import Problem, invalid_at
from newswire.search.tokens import GRAMMAR
from newswire.store.articles import insert_unless_there
from newswire.store.tables import feed

MOST_FEEDS = 1000


class SavedFeed(NamedTuple):
    """A named query of a party: `query` maps URL parameters to their values; `token` is a SHA-256, or None.

    `grammar` is the one in which its `q` was saved.
    """

    party: str
    name: str
    title: str | None
    query: Mapping[str, Sequence[str]]
    token: str | None
    created_at: int
    updated_at: int
    grammar: int = GRAMMAR


COLUMNS = tuple(feed.c[name] for name in SavedFeed._fields)


def new_token() -> str:
    """A new token: 256 random bits, in characters that a URL need not escape."""
    return "nwf_" + secrets.token_urlsafe(32)


def create_feed(
    connection: Connection, caller: Caller, name: str, title: str | None, query: Mapping[str, Sequence[str]],
    token: str, now: int,
) -> SavedFeed:  # fmt: skip
    """Creates a feed of the caller's party with a token.

    Raises `validation_failed` if the name is taken or there are too many feeds, and `unauthenticated` if the caller's
    key was revoked meanwhile.
    """
    made = SavedFeed(caller.party, name, title, query, hash_key(token), now, now)
    # The bump locks the head row, so concurrent requests cannot exceed the maximum together.
    wire.bump_revision(connection)
    check_key_in_use(connection, caller.key_id, now)
    if insert_unless_there(connection, feed, made._asdict(), feed.c.id) is None:
        raise _name_taken(name)
    if len(list_feeds(connection, caller.party)) > MOST_FEEDS:
        raise Problem("validation_failed", f"There are {MOST_FEEDS} feeds already; delete one that is not used.")
    return made


def renew_token(connection: Connection, caller: Caller, name: str, token: str, now: int) -> None:
    """Gives a feed of the caller's party a token in place of the one it had; raises as `create_feed`, or `not_found`.

    Deleting a token is `change_feed` with `token` None.
    """
    wire.bump_revision(connection)
    check_key_in_use(connection, caller.key_id, now)
    change_feed(connection, caller.party, name, {"token": hash_key(token)}, now)


def change_feed(connection: Connection, party: str, name: str, changes: Mapping[str, Any], now: int) -> SavedFeed:
    """Changes the name, title, query or token (a SHA-256, or None) of a feed; raises `not_found`.

    A query that is saved anew is read in today's grammar.
    """
    if "query" in changes:
        changes = {**changes, "grammar": GRAMMAR}
    stored = find_feed(connection, party, name)
    if stored == stored._replace(**changes):
        # A new revision would have everybody's access resolved again, for nothing.
        return stored
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


def list_feeds(connection: Connection, party: str | None = None) -> Sequence[SavedFeed]:
    """All feeds of a party, or of all parties, by party and name."""
    chosen = select(*COLUMNS) if party is None else select(*COLUMNS).where(feed.c.party == party)
    return sorted((SavedFeed(*row) for row in connection.execute(chosen)), key=lambda found: found[:2])


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

    A token is refused while its party has no key that may read. It never shows what only an owner may see.
    """
    row = connection.execute(select(feed.c.party, feed.c.name).where(feed.c.token == hash_key(token))).one_or_none()
    if row is None:
        return None
    kind, _, slug = row.party.partition(":")
    if not has_reading_key(connection, kind, slug, now):
        return None
    caller = party_caller(connection, kind, slug or None, scopes=frozenset({"read"}), feed=row.name)
    # A URL with its token is easily passed on: it must not show withheld or expired articles.
    return replace(caller, visibility=replace(caller.visibility, owner=False))


def _is_feed(party: str, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return feed.c.party == party, feed.c.name == name


def _name_taken(name: str) -> Problem:
    return invalid_at(
        "/name", "taken", f"There is a feed {name!r} of yours already; PATCH /v1/feeds/{name} changes it."
    )


def _no_such_feed(name: str) -> Problem:
    return Problem("not_found", f"There is no feed {name!r} of yours; POST /v1/feeds makes one.")
