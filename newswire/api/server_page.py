"""HTML of the server itself, for people: the frame of its front page, and refusals in the place of a page.

The pages of articles are a format (`newswire.formats.html.page`). A program gets a problem document (`problems`).
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from flask import Response
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from newswire.errors import CODES, Problem

FOLDER = files(__package__)
STYLE = (FOLDER / "server_page.css").read_text("utf-8")
STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PAGE_HEADERS = {
    # Our one style sheet by its digest, and nothing else: no script, no picture, no frame.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}
PAGE_ADDRESS = re.compile(r"/|/docs(/(?!assets/).*)?|/v1/articles(/[^/]+)?\.html|/(?!v1/).*\.html")
"""Addresses of pages. Others may end with .html as well: the id of a publisher's own, or the name of a consumer."""
ADVICE = {
    "unauthenticated": "Reload this page: the browser asks for a user name and a password. The password is your key,"
    " the user name may be anything. Keys are given out by the operator of this wire.",
    "not_found": "The address may be incomplete, or what is there may not be for you: a key shows what its owner"
    " may read.",
    "article_canceled": "The publisher has withdrawn this article for good. Take it down wherever you have published"
    " it.",
    "insufficient_scope": "Ask the operator of this wire for a key that may read.",
    "quota_exceeded": "Wait as long as it says, then reload this page.",
    "unavailable": "Wait a minute, then reload this page.",
    "internal": "Tell the operator of this wire the number of the request that is below.",
}
OTHER_ADVICE = "The reference says what this address takes."


class PageLink(NamedTuple):
    """A link of a page: where it leads, its text, and what is there."""

    url: str
    text: str
    about: str


def is_page_request(method: str, path: str) -> bool:
    """Whether a person is likely to look at the answer: a page was asked for, and not by a form or a program."""
    return method in ("GET", "HEAD") and PAGE_ADDRESS.fullmatch(path) is not None


def write_server_page(
    title: str,
    paragraphs: Sequence[str],
    links: Sequence[PageLink],
    note: str,
    alternates: Sequence[tuple[str, str]] = (),
) -> str:
    """The HTML of a page; `alternates` are media types and URLs of feeds that readers find by themselves."""
    return page_template().render(
        title=title, paragraphs=paragraphs, links=links, note=note, alternates=alternates, style=Markup(STYLE)
    )


@cache
def page_template() -> Template:
    """The template, compiled when the first page is written."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    return environment.from_string((FOLDER / "server_page.html").read_text("utf-8"))


def refusal_page(problem: Problem, base_url: str, request_id: str) -> Response:
    """The page that says what a problem document says, and what to do, with the status of the problem."""
    kind = CODES[problem.code]
    faults = [f"{fault.parameter}: {fault.detail}" for fault in problem.errors if fault.parameter is not None]
    reference = PageLink(f"{base_url}/docs", "The reference", "what can be asked for, and how")
    content = write_server_page(
        title=kind.title,
        paragraphs=[problem.detail, *(fault for fault in faults if fault != problem.detail),
                    ADVICE.get(problem.code, OTHER_ADVICE)],
        links=[PageLink(f"{base_url}/", "The front page", "what this is"), reference],
        note=f"{kind.status} {problem.code}, request {request_id}",
    )  # fmt: skip
    return Response(content, kind.status, headers=PAGE_HEADERS, content_type="text/html; charset=utf-8")
