"""The parts of addresses: what each may be, and how the OpenAPI document describes it."""

from werkzeug.routing import BaseConverter, IntegerConverter, Map

from newswire.api.schemas.changes import CONSUMER
from newswire.api.schemas.feeds import FEED
from newswire.schemas.fields import ONE_LINE_PATTERN


class Ordinal(IntegerConverter):
    """A number from 1 in ASCII digits that a database can count to; anything else names nothing."""

    regex = "[1-9][0-9]{0,8}"

    def __init__(self, map: Map) -> None:
        super().__init__(map, min=1, max=999_999_999)


class ArticleId(BaseConverter):
    """Any word but `batch`, and without the suffix of a form: these have addresses of their own.

    What cannot be done there is 405, not 404.
    """

    regex = r"(?!batch\Z)[^/]+(?<!\.md)(?<!\.html)(?<!\.ninjs)"
    part_isolating = True


class ExternalId(BaseConverter):
    """A publisher's own id, slashes included: what comes as %2F reaches us as a slash."""

    regex = "(?s:.+)"
    part_isolating = False
    weight = 200


class ConsumerName(BaseConverter):
    """The name of a consumer; one that cannot be is refused with a reason."""


class FeedName(BaseConverter):
    """The name of a saved feed, without a dot: what follows one says in which form it is wanted."""

    regex = r"[^/.]+"
    part_isolating = True


CONVERTERS = {
    "ordinal": Ordinal, "article_id": ArticleId, "external_id": ExternalId, "consumer": ConsumerName, "feed": FeedName,
}  # fmt: skip
DESCRIBED = {
    ExternalId: {"type": "string", "minLength": 1, "maxLength": 250, "pattern": ONE_LINE_PATTERN},
    ConsumerName: {"type": "string", "minLength": 1, "maxLength": 100, "pattern": f"^{CONSUMER}$"},
    FeedName: {"type": "string", "minLength": 1, "maxLength": 100, "pattern": f"^{FEED}$"},
}
