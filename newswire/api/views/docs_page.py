"""The reference: the OpenAPI document, its page /docs with its files; and the pictures of the demo.

/docs is Swagger UI, whose files are in `swagger_ui/`. People type keys there, so the page loads nothing from elsewhere,
runs no script but those files, sends requests to this server only, and is shown in no frame.
"""

import mimetypes
from functools import cache, lru_cache
from pathlib import Path

import orjson
from flask import Response, send_from_directory
from werkzeug.exceptions import NotFound

from newswire.api.context import RequestContext
from newswire.api.openapi import openapi_document
from newswire.api.responses import DAY_LONG, NAMES_OF_A_WIRE, FixedDocument, document_response
from newswire.api.routes import ROUTES

FOLDER = Path(__file__).parent
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
"""The base of our own URLs in the document as it is made; each answer has that of its request instead."""
DOCS_HEADERS = {
    "Content-Security-Policy": POLICY,
    # Its forms send requests to this server, which a page without a referrer would send with `Origin: null`.
    "Referrer-Policy": "same-origin",
    # For browsers that know no `frame-ancestors`.
    "X-Frame-Options": "DENY",
}
SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def read_openapi_document(context: RequestContext) -> Response:
    """The description of this interface, OpenAPI."""
    return document_response(context, openapi_json(context.base_url))


@lru_cache(NAMES_OF_A_WIRE)
def openapi_json(base_url: str) -> FixedDocument:
    """The OpenAPI document in JSON, for the address under which it is served."""
    own = orjson.dumps(base_url)[1:-1]
    return FixedDocument.of(made_document().replace(BASE_URL.encode(), own), "application/json")


@cache
def made_document() -> bytes:
    """The document under `BASE_URL`, which takes a quarter of a second: made at the first request, and only once."""
    return orjson.dumps(openapi_document(ROUTES, BASE_URL), option=orjson.OPT_INDENT_2)


def read_docs_page(context: RequestContext) -> Response:
    """The reference as a page."""
    response = document_response(context, docs_document("docs_page.html", FOLDER))
    response.headers.update(DOCS_HEADERS)
    return response


def read_docs_asset(context: RequestContext, name: str) -> Response:
    """A file of the reference."""
    if name not in ASSETS:
        raise NotFound
    response = document_response(context, docs_document(name, ASSETS[name]))
    response.headers["Cache-Control"] = DAY_LONG
    return response


@cache
def docs_document(name: str, folder: Path) -> FixedDocument:
    """A file of the reference, read and compressed at its first request; only those that there are get here."""
    media_type, _ = mimetypes.guess_type(name)
    return FixedDocument.of((folder / name).read_bytes(), f"{media_type}; charset=utf-8")


def read_sample_picture(context: RequestContext, name: str) -> Response:
    """A picture of the demo."""
    response = send_from_directory(SAMPLES, name)
    response.headers["Cache-Control"] = DAY_LONG
    return response
