"""ninjs over HTTP: its media type and versions, and articles dressed in it where the caller asks for it."""

import orjson
from flask import Response, g

from newswire.api.responses import json_answer
from newswire.formats.ninjs.write import VERSIONS, ninjs

MEDIA = "application/vnd.iptc.ninjs+json"
# Without a version it is the newest.
TYPES = (MEDIA, *(f"{MEDIA};version={version}" for version in VERSIONS))


def version() -> str | None:
    """The version of ninjs in which this request is answered; None for JSON of our own."""
    media, _, number = g.media_type.partition(";version=")
    return (number or VERSIONS[0]) if media == MEDIA else None


def representation() -> str:
    """What an ETag calls the form of the answer."""
    number = version()
    return "json" if number is None else f"ninjs{number.replace('.', '')}"


def dressed(article: bytes) -> bytes:
    """An article as served in the form in which this request is answered."""
    number = version()
    return article if number is None else orjson.dumps(ninjs(orjson.loads(article), number))


def dressed_entry(entry: bytes) -> bytes:
    """The same of an entry of the wire: its article is dressed, if it has one."""
    number = version()
    if number is None:
        return entry
    content = orjson.loads(entry)
    return orjson.dumps(content | {"article": content["article"] and ninjs(content["article"], number)})


def answer(body: bytes, tag: str | None = None) -> Response:
    """An answer of articles that are dressed already."""
    number = version()
    response = json_answer(body, tag=tag)
    if number is not None and response.status_code == 200:
        response.content_type = f"{MEDIA};version={number}"
    return response
