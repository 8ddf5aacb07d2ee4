"""Who publishes: the publisher of a key, of an address, or of an article, if the caller may write for it."""

from flask import g

from newswire.accounts.publishers import find_publisher, read_publisher
from newswire.api.state import database
from newswire.article import UNCARRIABLE, Publisher
from newswire.errors import Fault, Problem
from newswire.store import articles


def own_publisher() -> Publisher:
    """The publisher whose key this is."""
    publisher: Publisher | None = g.caller.publisher
    if publisher is None:
        raise Problem(
            "insufficient_scope",
            "This key belongs to no publisher; use a publisher's key, or PUT /v1/publishers/{publisher}/articles/{id}.",
        )
    return publisher


def named_publisher(slug: str) -> Publisher:
    """The publisher in the address: the caller's own, or any for an admin; else `not_found`."""
    own: Publisher | None = g.caller.publisher
    if own is not None and own.slug == slug:
        return own
    with database().read() as connection:
        found = find_publisher(connection, slug) if g.caller.kind == "admin" else None
    if found is None:
        raise Problem("not_found", "There is no such publisher, or it is not yours.")
    return found


def publisher_of(article_id: str) -> Publisher:
    """The publisher of an article that the caller may change; else `not_found`."""
    own: Publisher | None = g.caller.publisher
    with database().read() as connection:
        owner = articles.owner_of(connection, article_id)
        if owner is None or (own is not None and own.id != owner) or (own is None and g.caller.kind != "admin"):
            raise Problem("not_found", "There is no such article, or it is not yours.")
        return own or read_publisher(connection, owner)


def check_external_id(external_id: str) -> None:
    if (
        not 1 <= len(external_id) <= 250
        or UNCARRIABLE.search(external_id)
        or external_id != " ".join(external_id.split())
    ):
        detail = (
            "The external_id in the address must have 1 to 250 characters that XML can carry, and no blanks but"
            " single ones between them."
        )
        raise Problem("validation_failed", detail, [Fault("invalid", detail, parameter="external_id")])
