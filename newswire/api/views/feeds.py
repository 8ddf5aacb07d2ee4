"""Saved feeds over HTTP: a query kept under a name, and the same query read as a list, as the wire, as a document."""

from collections.abc import Mapping
from typing import Any

from flask import Response, g

from newswire.accounts import saved_feeds
from newswire.accounts.keys import hash_key
from newswire.accounts.saved_feeds import SavedFeed
from newswire.api.auth import TOKEN, unauthenticated
from newswire.api.request.bodies import MERGE_TYPES, loaded_json
from newswire.api.request.urls import base_url
from newswire.api.request.urls import parameters as sent_parameters
from newswire.api.responses import json_answer
from newswire.api.schemas.changes import ChangesParameters
from newswire.api.schemas.feeds import ARTICLES, FeedPatchSchema, FeedSchema, shown_query
from newswire.api.schemas.parameters import Parameters, load_parameters
from newswire.api.state import database
from newswire.api.views import articles, changes, lists, syndication
from newswire.api.views.lists import Clothes
from newswire.timestamps import format_instant, now

BODY_BYTES = 100_000
NEW, PATCH = FeedSchema(), FeedPatchSchema(partial=True)
CHANGES = ChangesParameters()


def list_feeds(parameters: dict[str, Any]) -> Response:
    """Your saved feeds

    All keys of a publisher or a partner share them.
    """
    with database().read() as connection:
        found = saved_feeds.list_feeds(connection, g.caller.party)
    return json_answer({"data": [shown(feed) for feed in found]})


def create_feed(parameters: dict[str, Any]) -> Response:
    """Save a query under a name

    The query takes the filters, `q` and `sort` of `GET /v1/articles`. The answer holds the token that opens
    the feed's documents to readers that cannot send headers: it is shown this once.
    """
    party, content, token = own_party(), loaded_json(NEW, BODY_BYTES), saved_feeds.new_token()
    with database().begin() as connection:
        made = saved_feeds.create_feed(
            connection, party, content["name"], content.get("title"), content["query"], token, now()
        )
    response = json_answer(shown(made) | {"token": token}, 201)
    response.headers["Location"] = f"{base_url()}/v1/feeds/{made.name}"
    return response


def read_feed(parameters: dict[str, Any], feed: str) -> Response:
    """One saved feed

    Its token is not known here: only a hash of it is stored.
    """
    return json_answer(shown(found(feed)))


def change_feed(parameters: dict[str, Any], feed: str) -> Response:
    """Change a saved feed: its name, its title or its query

    What is left out stays. Cursors of the query before are refused with `cursor_mismatch`.
    """
    party, content = own_party(), loaded_json(PATCH, BODY_BYTES, MERGE_TYPES)
    with database().begin() as connection:
        changed = saved_feeds.change_feed(connection, party, feed, content, now())
    return json_answer(shown(changed))


def delete_feed(parameters: dict[str, Any], feed: str) -> Response:
    """Delete a saved feed

    Its token opens nothing from now on.
    """
    party = own_party()
    with database().begin() as connection:
        saved_feeds.delete_feed(connection, party, feed)
    return Response(status=204)


def renew_token(parameters: dict[str, Any], feed: str) -> Response:
    """A new token for a saved feed

    The one before opens nothing from now on.
    """
    party, token = own_party(), saved_feeds.new_token()
    with database().begin() as connection:
        saved_feeds.change_feed(connection, party, feed, {"token": hash_key(token)}, now())
    return json_answer({"token": token}, 201)


def revoke_token(parameters: dict[str, Any], feed: str) -> Response:
    """Revoke the token of a saved feed

    Only your keys open it from now on.
    """
    party = own_party()
    with database().begin() as connection:
        saved_feeds.change_feed(connection, party, feed, {"token": None}, now())
    return Response(status=204)


def feed_articles(parameters: dict[str, Any], feed: str) -> Response:
    """The articles of a saved feed

    As `GET /v1/articles` gives them to the saved query.
    """
    return dressed(found(feed), articles.JSON)


def feed_changes(parameters: dict[str, Any], feed: str) -> Response:
    """The wire through a saved feed

    As `GET /v1/changes` gives it to the saved query.
    """
    query = {name: values for name, values in found(feed).query.items() if name != "sort"}
    return changes.list_changes(joined(CHANGES, query))


def feed_rss(parameters: dict[str, Any], feed: str) -> Response:
    """A saved feed as RSS 2.0

    `token` opens it to readers that cannot send headers.
    """
    return dressed(found(feed), syndication.RSS)


def feed_atom(parameters: dict[str, Any], feed: str) -> Response:
    """A saved feed as Atom

    `token` opens it to readers that cannot send headers. What was killed is told by `at:deleted-entry` (RFC 6721).
    """
    return dressed(found(feed), syndication.ATOM)


def feed_json(parameters: dict[str, Any], feed: str) -> Response:
    """A saved feed as JSON Feed 1.1

    `token` opens it to readers that cannot send headers.
    """
    return dressed(found(feed), syndication.JSON_FEED)


def dressed(feed: SavedFeed, clothes: Clothes) -> Response:
    """The list that a saved feed asks for."""
    return lists.answered(joined(ARTICLES, feed.query), clothes, feed.title)


def joined(schema: Parameters, query: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that were saved and those of this request, which never touch each other, as one query."""
    sent = {name: values for name, values in sent_parameters().items() if name != TOKEN}
    return load_parameters(schema, {**sent, **query})


def found(name: str) -> SavedFeed:
    """The caller's feed of this name; raises `not_found`."""
    with database().read() as connection:
        return saved_feeds.find_feed(connection, g.caller.party, name)


def own_party() -> str:
    """The party whose feed this is to be; nobody in particular has none."""
    if g.caller.kind == "public":
        raise unauthenticated("A feed belongs to a key: send Authorization: Bearer KEY.")
    party: str = g.caller.party
    return party


def shown(feed: SavedFeed) -> dict[str, Any]:
    """A feed as served: never its token."""
    address = f"{base_url()}/v1/feeds/{feed.name}"
    documents = {suffix: f"{address}.{suffix}" for suffix in ("rss", "atom", "json")}
    return {
        "name": feed.name,
        "title": feed.title,
        "query": shown_query(feed.query),
        "has_token": feed.token is not None,
        "created_at": format_instant(feed.created_at),
        "updated_at": format_instant(feed.updated_at),
        "links": {"self": address, "articles": f"{address}/articles", "changes": f"{address}/changes", **documents},
    }
