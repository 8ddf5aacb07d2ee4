"""Views of the front door: the page at `/`, the index at `/v1/`, and addresses that lead to where people expect."""

from functools import lru_cache

from flask import Response

from newswire import __version__
from newswire.api.context import RequestContext
from newswire.api.problems import dump_json
from newswire.api.responses import DAY_LONG, NAMES_OF_A_WIRE, FixedDocument, document_response
from newswire.api.server_page import PAGE_HEADERS, PageLink, write_server_page
from newswire.formats import LISTS

ENTRANCES = {
    "docs": "/docs", "openapi": "/v1/openapi.json", "articles": "/v1/articles", "changes": "/v1/changes",
    "wire": "/v1/wire", "feeds": "/v1/feeds", "publishers": "/v1/publishers", "authors": "/v1/authors",
    "sections": "/v1/sections", "keywords": "/v1/keywords", "me": "/v1/me", "problems": "/v1/problems",
    "health": "/healthz", "readiness": "/readyz",
}  # fmt: skip
"""What the index links, by its name there; the documents for feed readers come after it, by their suffixes."""
ABOUT = (
    "Newswire is a wire of news: publishers push their articles to it, and partners list, search and follow them over"
    " HTTP."
)
OPEN = "Everyone may read this wire without a key."
CLOSED = (
    "Reading it needs a key, which its operator gives out. A program sends it as Authorization: Bearer KEY; a browser"
    " or a feed reader as the password, with any user name."
)


def read_index(context: RequestContext) -> Response:
    """Where everything is

    The main addresses of this wire, its version, and whether everyone may read it. Needs no key.
    """
    return document_response(context, index_document(context.base_url, context.state.settings.public_read))


@lru_cache(NAMES_OF_A_WIRE)
def index_document(base_url: str, public_read: bool) -> FixedDocument:
    """The index, for the base of our own URLs."""
    suffixes = {each.suffix: f"/v1/articles.{each.suffix}" for each in LISTS}
    links = {name: base_url + path for name, path in {"self": "/v1/", **ENTRANCES, **suffixes}.items()}
    index = {"name": "Newswire", "version": __version__, "public_read": public_read, "links": links}
    return FixedDocument.of(dump_json(index), "application/json")


def read_front_page(context: RequestContext) -> Response:
    """The front page, or for programs the index."""
    if context.media_type == "application/json":
        return read_index(context)
    is_open, base = context.state.settings.public_read, context.base_url
    # Readers of feeds find these by themselves; without a key they would find a refusal.
    feeds = [(each.media_type, f"{base}/v1/articles.{each.suffix}") for each in LISTS] if is_open else []
    content = write_server_page(
        title="Newswire",
        paragraphs=[ABOUT, OPEN if is_open else CLOSED],
        links=[
            PageLink(f"{base}/docs", "The reference", "every call, to read and to try out"),
            PageLink(f"{base}/v1/", "The index for programs", "the main addresses in JSON"),
            PageLink(f"{base}/v1/openapi.json", "The OpenAPI document", "for generated clients"),
            *(PageLink(url, f"Articles as {media_type}", "for feed readers") for media_type, url in feeds),
            PageLink(f"{base}/healthz", "Health", "whether the server is alive; /readyz asks the database too"),
        ],
        note=f"Version {__version__}",
        alternates=feeds,
    )
    return Response(content, headers=PAGE_HEADERS, content_type="text/html; charset=utf-8")


def lead_to_docs(context: RequestContext) -> Response:
    """Leads to the reference; its files are at addresses relative to /docs."""
    return redirect_response(context, "/docs")


def lead_to_openapi(context: RequestContext) -> Response:
    """Leads to the OpenAPI document."""
    return redirect_response(context, "/v1/openapi.json")


def redirect_response(context: RequestContext, path: str) -> Response:
    """308 to a path of ours: an absolute URL, under the public address of the wire."""
    return Response(status=308, headers={"Location": context.base_url + path})


def read_icon(context: RequestContext) -> Response:
    """No icon, which browsers ask for by themselves; they remember that there is none."""
    response = Response(status=204, headers={"Cache-Control": DAY_LONG})
    del response.headers["Content-Type"]
    return response
