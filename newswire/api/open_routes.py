"""The table of the routes outside of the OpenAPI document: for browsers and people, and open to everyone.

They are rows of the same form as those in `routes` and take the same steps, but have no scope, and ignore parameters.
"""

from collections.abc import Callable

from flask import Response

from newswire.api.routes import Route
from newswire.api.schemas.parameters import AnyParameters
from newswire.api.views import docs_page, front_page

HTML, JSON, ANY = "text/html", "application/json", "*/*"


def open_route(path: str, view: Callable[..., Response], *media: str, name: str = "") -> Route:
    """A row of this table; `media` are the types of its answers, the default first."""
    return Route("GET", path, view, None, AnyParameters, {200: None}, media=media, name=name)


OPEN_ROUTES = (
    open_route("/", front_page.read_front_page, HTML, JSON),
    # As /v1/, which is in the document: people leave the slash out.
    open_route("/v1", front_page.read_index, JSON, name="read_index_without_slash"),
    open_route("/v1/openapi.json", docs_page.read_openapi_document, JSON),
    open_route("/openapi.json", front_page.lead_to_openapi, JSON),
    open_route("/docs", docs_page.read_docs_page, HTML),
    open_route("/docs/", front_page.lead_to_docs, HTML),
    open_route("/docs/assets/<path:name>", docs_page.read_docs_asset, ANY),
    open_route("/favicon.ico", front_page.read_icon, ANY),
)
SAMPLE_ROUTES = (open_route("/samples/<path:name>", docs_page.read_sample_picture, ANY),)
"""Of the demo only."""
