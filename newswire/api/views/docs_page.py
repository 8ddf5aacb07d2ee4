"""Public pages outside of the route table: the OpenAPI document, its page /docs, and the pictures of the demo.

/docs is Swagger UI, whose files are in `swagger_ui/`. People type keys there, so the page loads nothing from elsewhere,
runs no script but those files, sends requests to this server only, and is shown in no frame.
"""

from functools import cache
from pathlib import Path

import orjson
from flask import Flask, Response, send_from_directory
from werkzeug.exceptions import NotFound

from newswire.api.context import RequestContext
from newswire.api.openapi import openapi_document
from newswire.api.pipeline import make_page
from newswire.api.routes import ROUTES

FOLDER = Path(__file__).parent
PAGE = FOLDER / "docs_page.html"
ASSETS = {
    "swagger-ui.css": FOLDER / "swagger_ui",
    "swagger-ui-bundle.js": FOLDER / "swagger_ui",
    "docs_page.js": FOLDER,
}
"""The files of the page, and the folders that they are in."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
BASE_URL = "https://wire.invalid"
"""The base of our own URLs in the document as it is kept; each answer has that of its request instead."""
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
OPEN_ENDPOINTS = frozenset({"read_openapi_document", "read_docs_page", "read_docs_asset", "read_sample_picture"})
"""Endpoints outside the route table; all of them are open to everyone."""


def register_pages(app: Flask, *, samples: bool) -> None:
    """Adds /v1/openapi.json, its page at /docs with its files, and for the demo the pictures at /samples."""
    app.add_url_rule("/v1/openapi.json", view_func=make_page(read_openapi_document))
    app.add_url_rule("/docs", view_func=read_docs_page)
    app.add_url_rule("/docs/assets/<path:name>", view_func=read_docs_asset)
    if samples:
        app.add_url_rule("/samples/<path:name>", view_func=read_sample_picture)


def read_openapi_document(context: RequestContext) -> Response:
    base_url = orjson.dumps(context.base_url)[1:-1]
    return Response(openapi_json().replace(BASE_URL.encode(), base_url), content_type="application/json")


@cache
def openapi_json() -> bytes:
    """The OpenAPI document in JSON, served under `BASE_URL`.

    It is made at the first request, so that it does not delay the start of a server.
    """
    return orjson.dumps(openapi_document(ROUTES, BASE_URL), option=orjson.OPT_INDENT_2)


def read_docs_page() -> Response:
    response = Response(PAGE.read_bytes(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    # Its forms send requests to this server, which a page without a referrer would send with `Origin: null`.
    response.headers["Referrer-Policy"] = "same-origin"
    # For browsers that know no `frame-ancestors`.
    response.headers["X-Frame-Options"] = "DENY"
    return response


def read_docs_asset(name: str) -> Response:
    if name not in ASSETS:
        raise NotFound
    return cacheable(send_from_directory(ASSETS[name], name))


def read_sample_picture(name: str) -> Response:
    return cacheable(send_from_directory(SAMPLES, name))


def cacheable(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
