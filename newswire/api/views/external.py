"""The view that reads one article by its publisher's own id: the same answers as by our id, with the same ETag.

An `external_id` may hold slashes, and may itself end in `.html` or `/versions`. So this is one route and not one for
each end of the address: the id that an article has comes first, and only if the caller knows none by the whole, the end
asks for a format or for the history.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from flask import Response

from newswire.api.auth import check_external_id, is_external_id
from newswire.api.context import RequestContext
from newswire.api.schemas.filters import RelatedParameters
from newswire.api.schemas.parameters import load_parameters, sent_parameters
from newswire.api.views.articles import list_versions, read_article, read_version, version_before
from newswire.api.views.related import list_related
from newswire.errors import Problem
from newswire.formats import FORMATS, Format, find_format
from newswire.store import articles

RELATED = "/related"
RELATED_PARAMETERS = RelatedParameters()
HISTORY = re.compile(r"(?s:(.+))/versions(?:/([1-9][0-9]{0,8}))?")


class AddressReading(NamedTuple):
    """One way to read an address: the id of an article, the view that answers, and what follows our id for it."""

    external_id: str
    view: Callable[[str], Response]
    end: str = ""


def read_external(context: RequestContext, publisher: str, external_id: str) -> Response:
    """One article by the publisher's own id

    As `GET /v1/articles/{article_id}`, which `Content-Location` names, with the same ETag. Behind the id, `.md`,
    `.html` or `.ninjs` gives that format, `/versions` the history (to which `limit` and `cursor` belong),
    `/versions/1` one version and `/related` the stories around it, unless an article has the whole as its id.
    """
    # Before any look-up: a cursor that is refused only where there is an article would tell everyone that there is one.
    version_before(context.parameters.get("cursor"))
    if external_id.endswith(RELATED):
        load_related_parameters(context)
    readings = [AddressReading(external_id, partial(read_article, context)), *list_other_readings(context, external_id)]
    possible = [reading for reading in readings if is_external_id(reading.external_id)]
    if not possible:
        check_external_id(external_id)
    for reading in possible:
        if (response := answer_reading(context, publisher, reading)) is not None:
            return response
    raise Problem("not_found", "There is no such article, or it is not yours to read.")


def list_other_readings(context: RequestContext, address: str) -> Iterator[AddressReading]:
    """The readings of an address that is an id and an end of ours."""
    for each in FORMATS:
        end = f".{each.suffix}"
        if each.write_article and address.endswith(end):
            yield AddressReading(address.removesuffix(end), partial(read_in_format, context, each), end)
    if address.endswith(RELATED):
        yield AddressReading(address.removesuffix(RELATED), partial(read_related, context), RELATED)
    if found := HISTORY.fullmatch(address):
        external_id, version = found.groups()
        end = address.removeprefix(external_id)
        if version is None:
            yield AddressReading(external_id, partial(list_versions, context), end)
        else:
            yield AddressReading(external_id, partial(read_version, context, version=int(version)), end)


def read_related(context: RequestContext, article_id: str) -> Response:
    """The stories around an article, whose `limit` is another one."""
    context.parameters = load_related_parameters(context)
    return list_related(context, article_id)


def load_related_parameters(context: RequestContext) -> dict[str, Any]:
    return load_parameters(RELATED_PARAMETERS, sent_parameters(context.request.query_string, context.query))


def read_in_format(context: RequestContext, wanted: Format, article_id: str) -> Response:
    """One article in a format, in the version that `Accept` names, if it names one of this format."""
    if find_format(context.media_type)[0] is not wanted:
        context.media_type = wanted.media_type
    return read_article(context, article_id)


def answer_reading(context: RequestContext, publisher: str, reading: AddressReading) -> Response | None:
    """The answer to one reading of the address; None if the caller knows no such article."""
    with context.database.read(context.query_limit) as connection:
        article_id = articles.find_id_by_external_id(connection, publisher, reading.external_id)
    if article_id is None:
        return None
    try:
        response = reading.view(article_id)
    except Problem as problem:
        if problem.code != "not_found":
            raise
        return None
    response.headers["Content-Location"] = f"{context.base_url}/v1/articles/{article_id}{reading.end}"
    return response
