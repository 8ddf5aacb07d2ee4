"""Views of saved feeds, which are queries stored under a name: their CRUD, and reading through them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response
from sqlalchemy import Connection

from newswire.accounts import saved_feeds
from newswire.accounts.saved_feeds import SavedFeed
from newswire.api.auth import TOKEN, party_of_key
from newswire.api.context import RequestContext
from newswire.api.request.bodies import MERGE_TYPES, load_json_body
from newswire.api.responses import json_response
from newswire.api.schemas.changes import ChangesParameters
from newswire.api.schemas.feeds import ARTICLES, FeedPatchSchema, FeedSchema, query_document
from newswire.api.schemas.filters import GRAMMAR_OF_FEED
from newswire.api.schemas.parameters import Parameters, load_parameters, sent_parameters
from newswire.api.views import changes
from newswire.api.views.lists import list_response
from newswire.formats import LISTS
from newswire.timestamps import format_instant, now

BODY_BYTES = 100_000
NEW, PATCH = FeedSchema(), FeedPatchSchema(partial=True)
CHANGES = ChangesParameters()


def list_feeds(context: RequestContext) -> Response:
    """Your saved feeds

    All keys of a publisher or a partner share them.
    """
    with context.database.read() as connection:
        found = saved_feeds.list_feeds(connection, context.caller.party)
    return json_response(context, {"data": [feed_document(feed, context.base_url) for feed in found]})


def create_feed(context: RequestContext) -> Response:
    """Save a query under a name

    The query takes the filters, `q` and `sort` of `GET /v1/articles`. The answer holds the token that opens
    the feed's documents to readers that cannot send headers: it is shown this once.
    """
    party_of_key(context.caller, "A feed")
    content, token = load_json_body(context.request, NEW, BODY_BYTES), saved_feeds.new_token()
    with begin_edit(context) as connection:
        made = saved_feeds.create_feed(
            connection, context.caller, content["name"], content.get("title"), content["query"], token, now()
        )
    response = json_response(context, feed_document(made, context.base_url) | {"token": token}, 201)
    response.headers["Location"] = f"{context.base_url}/v1/feeds/{made.name}"
    return response


@contextmanager
def begin_edit(context: RequestContext) -> Iterator[Connection]:
    """A transaction that edits a feed. It counts at its end, and is rolled back for a party with too many edits."""
    with context.begin() as connection:
        yield connection
        context.state.quotas.count_edit(context.caller.party)


def read_feed(context: RequestContext, feed: str) -> Response:
    """One saved feed

    Its token is not known here: only a hash of it is stored.
    """
    return json_response(context, feed_document(find_feed(context, feed), context.base_url))


def change_feed(context: RequestContext, feed: str) -> Response:
    """Change a saved feed: its name, its title or its query

    What is left out stays. Cursors of the query before are refused with `cursor_mismatch`.
    """
    party, content = (
        party_of_key(context.caller, "A feed"),
        load_json_body(context.request, PATCH, BODY_BYTES, MERGE_TYPES),
    )
    with begin_edit(context) as connection:
        changed = saved_feeds.change_feed(connection, party, feed, content, now())
    return json_response(context, feed_document(changed, context.base_url))


def delete_feed(context: RequestContext, feed: str) -> Response:
    """Delete a saved feed

    Its token opens nothing from now on.
    """
    party = party_of_key(context.caller, "A feed")
    with begin_edit(context) as connection:
        saved_feeds.delete_feed(connection, party, feed)
    return Response(status=204)


def renew_token(context: RequestContext, feed: str) -> Response:
    """A new token for a saved feed

    It is shown this once. The one before opens nothing from now on. Also for a feed that has none, as after the
    last key of its owner that may read was revoked, which deletes the tokens of all its feeds.
    """
    party_of_key(context.caller, "A feed")
    token = saved_feeds.new_token()
    with begin_edit(context) as connection:
        saved_feeds.renew_token(connection, context.caller, feed, token, now())
    return json_response(context, {"token": token}, 201)


def revoke_token(context: RequestContext, feed: str) -> Response:
    """Revoke the token of a saved feed

    Only your keys open it from now on.
    """
    party = party_of_key(context.caller, "A feed")
    with begin_edit(context) as connection:
        saved_feeds.change_feed(connection, party, feed, {"token": None}, now())
    return Response(status=204)


def feed_articles(context: RequestContext, feed: str) -> Response:
    """The articles of a saved feed

    As `GET /v1/articles` gives them to the saved query.
    """
    found = find_feed(context, feed)
    return list_response(context, join_parameters(context, ARTICLES, found), found.title)


def feed_changes(context: RequestContext, feed: str) -> Response:
    """The wire through a saved feed

    As `GET /v1/changes` gives it to the saved query.
    """
    found = find_feed(context, feed)
    query = {name: values for name, values in found.query.items() if name != "sort"}
    return changes.changes_response(context, join_parameters(context, CHANGES, found._replace(query=query)))


def join_parameters(context: RequestContext, schema: Parameters, feed: SavedFeed) -> dict[str, Any]:
    """Loads the saved parameters and those of this request together; no name can be in both."""
    sent = sent_parameters(context.request.query_string, context.query)
    sent.pop(TOKEN, None)
    return load_parameters(schema, {**sent, **feed.query}) | {GRAMMAR_OF_FEED: feed.grammar}


def find_feed(context: RequestContext, name: str) -> SavedFeed:
    """The caller's feed of this name; raises `not_found`."""
    with context.database.read() as connection:
        return saved_feeds.find_feed(connection, context.caller.party, name)


def feed_document(feed: SavedFeed, base_url: str) -> dict[str, Any]:
    """A feed as served, without its token."""
    address = f"{base_url}/v1/feeds/{feed.name}"
    documents = {each.suffix: f"{address}.{each.suffix}" for each in LISTS}
    return {
        "name": feed.name,
        "title": feed.title,
        "query": query_document(feed.query),
        "has_token": feed.token is not None,
        "created_at": format_instant(feed.created_at),
        "updated_at": format_instant(feed.updated_at),
        "links": {"self": address, "articles": f"{address}/articles", "changes": f"{address}/changes", **documents},
    }
