"""Werkzeug URL converters of the path parameters in the route table, and their OpenAPI schemas."""

from typing import Any

from werkzeug.routing import BaseConverter, IntegerConverter, Map

from newswire.api.schemas.changes import CONSUMER
from newswire.api.schemas.feeds import FEED
from newswire.formats import FORMATS
from newswire.schemas.fields import ONE_LINE_PATTERN

LARGEST_ORDINAL = 999_999_999


class Ordinal(IntegerConverter):
    """A whole number from 1 in ASCII digits that fits a 32-bit column; anything else is 404."""

    regex = "[1-9][0-9]{0,8}"

    def __init__(self, map: Map) -> None:
        super().__init__(map, min=1, max=LARGEST_ORDINAL)


class ArticleId(BaseConverter):
    """The id of an article: any path segment but `batch` that does not end with the suffix of a format.

    `batch` and the suffixes have routes of their own. If they matched here too, a wrong method on one of them would
    be answered with 404 (no such article) instead of 405.
    """

    regex = r"(?!batch\Z)[^/]+" + "".join(rf"(?<!\.{each.suffix})" for each in FORMATS if each.write_article)
    part_isolating = True


class ExternalId(BaseConverter):
    """A publisher's own id, slashes included: WSGI unescapes %2F before the router sees the path."""

    regex = "(?s:.+)"
    part_isolating = False
    # Werkzeug tries routes with a lower weight first: this converter matches everything, so it comes last.
    weight = 200


class ConsumerName(BaseConverter):
    """The name of a consumer: any path segment. The views check its form, to answer with a reason instead of 404."""


class FeedName(BaseConverter):
    """The name of a saved feed: a path segment without a dot, which separates the suffix of a format."""

    regex = r"[^/.]+"
    part_isolating = True


CONVERTERS = {
    "ordinal": Ordinal, "article_id": ArticleId, "external_id": ExternalId, "consumer": ConsumerName, "feed": FeedName,
}  # fmt: skip
PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "string": {"type": "string", "minLength": 1},
    "ordinal": {"type": "integer", "minimum": 1, "maximum": LARGEST_ORDINAL},
    "article_id": {"type": "string"},
    "external_id": {"type": "string", "minLength": 1, "maxLength": 250, "pattern": ONE_LINE_PATTERN},
    "consumer": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": f"^{CONSUMER}$"},
    "feed": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": f"^{FEED}$"},
}
"""The OpenAPI schema of a path parameter, by the name of its converter in the route table."""
