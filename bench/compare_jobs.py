"""The jobs of `bench compare`, and the requests that they are for each application.

Every request but those for the latest page has a number of its own in its address, which no
application looks at: none finds the answer among those that it has kept.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any
from urllib.parse import quote, urlsplit

from bench.clients import Client
from bench.compare_load import MARK, Load
from bench.corpus import article
from bench.planting import plan
from bench.vocabulary import vocabulary

JOBS: Mapping[str, str] = {
    "latest": "latest page of 50",
    "unchanged": "the same, If-None-Match",
    "deep": "page of 50 at 90 % of the depth",
    "one": "one article with its body",
    "common": "search, a common word",
    "rare": "search, a rare word",
    "phrase": "search, a phrase",
    "changes": "100 changes with bodies",
    "publish": "publish one, 1 client",
    "publish 8": "publish one, 8 clients",
    "batch": "publish 100 in a batch",
}
WRITING = ("publish", "publish 8", "batch")
PAGE, TOGETHER = 50, 100
MANY, SOME = 400, 20
CLIENTS = 8
HOST = "wire.example"


@dataclass(frozen=True)
class Material:
    """What the same requests are made from for all: words to search for, and articles to publish."""

    common: Sequence[str]
    rare: Sequence[str]
    phrases: Sequence[str]
    contents: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Door:
    """How one application is asked: addresses, those of a job in turn; None where it has nothing of the kind.

    `search` ends where the words begin; `tag` is the ETag of the latest page, and `unchanged` the status for
    whoever holds it.
    """

    latest: str
    deep: Sequence[str] = ()
    one: Sequence[str] = ()
    search: str | None = None
    changes: Sequence[str] = ()
    publish: str | None = None
    batch: str | None = None
    tag: str | None = None
    unchanged: int = 304
    reader: str = ""
    publisher: str = ""


def material(size: int) -> Material:
    """For a corpus of `size`: a common word is in about every tenth article, a rare one in about twenty of them.

    The words are those of the vocabulary whose rank makes them so; a phrase is how an article's headline begins.
    """
    invented = (each.content for each in (article(plan(size), index) for index in count()) if not each.real)
    plain = list(islice((each for each in invented if "body_text" in each), min(MANY, size // 4)))
    phrases = [" ".join(each["headline"].split()[:2]).lower() for each in plain]
    contents = [{name: value for name, value in each.items() if name != "published_at"} for each in plain[:SOME]]
    start = min(size * 6 // 10, len(vocabulary()) - MANY)
    return Material(
        vocabulary()[60:140], vocabulary()[start : start + MANY], [f'"{each}"' for each in phrases], contents
    )


def loads(door: Door, given: Material) -> dict[str, Load]:
    """The load of every job that the application has."""
    found = {"latest": Load([get(door.latest, door.reader)])}
    if door.tag is not None:
        held = get(door.latest, f"{door.reader}If-None-Match: {door.tag}\r\n")
        found["unchanged"] = Load([held], door.unchanged)
    found["deep"] = asked(door, door.deep)
    found["one"] = asked(door, door.one)
    found["changes"] = asked(door, door.changes)
    for name, words in (("common", given.common), ("rare", given.rare), ("phrase", given.phrases)):
        found[name] = asked(door, [] if door.search is None else [door.search + quote(each) for each in words])
    if door.publish is not None:
        single = [post(door.publish, door.publisher, numbered(each, "n")) for each in given.contents]
        found["publish"] = Load(single, 201, 1)
        found["publish 8"] = Load(single, 201, CLIENTS)
    if door.batch is not None:
        contents = [numbered(given.contents[turn % len(given.contents)], f"b{turn}-") for turn in range(TOGETHER)]
        found["batch"] = Load([post(door.batch, door.publisher, contents)], 200, 1)
    return {name: load for name, load in found.items() if load.requests}


def asked(door: Door, addresses: Sequence[str]) -> Load:
    """Addresses with a number that nobody looks at."""
    marks = (f"{each}{'&' if '?' in each else '?'}_={MARK.decode()}" for each in addresses)
    return Load([get(each, door.reader) for each in marks])


def numbered(content: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {**content, "external_id": prefix + MARK.decode()}


def get(address: str, headers: str) -> bytes:
    return f"GET {address} HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n".encode()


def post(address: str, headers: str, content: Any) -> bytes:
    """The number that comes in the place of the mark is as long as the mark."""
    body = json.dumps(content).encode()
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"POST {address} HTTP/1.1\r\nHost: {HOST}\r\n{headers}{kind}\r\n".encode() + body


def walked(client: Client, address: str, size: int) -> list[str]:
    """The addresses of pages from 90 % of the depth on, found by going there from the latest page by page."""
    found = []
    for _ in range(deep(size).stop):
        found.append(address)
        answer = client.get(address)
        place = urlsplit(answer.get("links", answer)["next"] or "")
        address = f"{place.path}?{place.query}"
    return found[deep(size).start :]


def deep(size: int) -> range:
    """The numbers of the pages at depth; 0 is the latest."""
    before = size * 9 // 10 // PAGE
    return range(before, min(before + SOME, size // PAGE))


def spread(size: int, most: int) -> range:
    """Numbers from 1 to about `size`, evenly spread."""
    return range(1, size, max(1, size // most))


def newswire_door(client: Client, publisher: str, ids: Sequence[str], size: int) -> Door:
    return Door(
        latest=(latest := f"/v1/articles?limit={PAGE}"),
        deep=walked(client, latest, size),
        one=[f"/v1/articles/{each}" for each in ids],
        search=f"{latest}&q=",
        changes=[f"/v1/changes?limit={TOGETHER}&after={each}" for each in spread(size - TOGETHER, MANY)],
        publish="/v1/articles",
        batch="/v1/articles/batch",
        tag=tag(client, latest),
        reader=f"Authorization: Bearer {client.key}\r\n",
        publisher=f"Authorization: Bearer {publisher}\r\n",
    )


def null_door() -> Door:
    """The view that does nothing answers whatever is read, and always the same."""
    nothing = ["/"]
    return Door("/", nothing, nothing, "/?q=", nothing, tag='""', unchanged=200)


def floor_door(client: Client, ids: Sequence[str], size: int) -> Door:
    return Door(
        latest="/articles",
        deep=walked(client, "/articles", size),
        one=[f"/articles/{each}" for each in ids],
        search="/search?q=",
        changes=[f"/changes?after={each}" for each in spread(size - TOGETHER, MANY)],
        publish="/articles",
        batch="/batch",
        tag=tag(client, "/articles"),
    )


def peer_door(name: str, client: Client, size: int) -> Door:
    """A page at depth is a page number, an offset or a cursor, as the peer has it."""
    latest, pages = {
        "tutorial": (f"/articles?page_size={PAGE}", [f"&page={each + 1}" for each in deep(size)]),
        "FastAPI": (f"/articles?limit={PAGE}", [f"&offset={each * PAGE}" for each in deep(size)]),
        "DRF": ("/articles", []),
    }[name]
    return Door(
        latest=latest,
        deep=[latest + each for each in pages] or walked(client, latest, size),
        one=[f"/articles/{each}" for each in spread(size, MANY)],
        search=f"{latest}{'&' if '?' in latest else '?'}q=",
        publish="/articles",
        tag=tag(client, latest),
    )


def tag(client: Client, address: str) -> str | None:
    # Where links hold the host, so does the tag.
    return client.once("GET", address, headers={"Host": HOST}).headers.get("ETag")
