"""How each application of `bench compare` is asked for the jobs: the addresses of its pages, articles and searches."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from bench.compare_jobs import HOST, MANY, PAGE, SOME, TOGETHER, Door
from bench.planting import plan
from bench.preparing import identity, received
from newswire.api.schemas.filters import ArticleParameters, query_of
from newswire.search.query import Position
from newswire.timestamps import now
from tests.soaks.clients import Client


def newswire_door(reader: str, publisher: str, size: int, client: Client | None = None) -> Door:
    """With the keys of a reader and of a publisher, on a wire that holds a corpus of `size`; `client` gets the tag."""
    latest = f"/v1/articles?limit={PAGE}"
    return Door(
        latest=latest,
        deep=[f"{latest}&cursor={each}" for each in cursors(size)],
        one=[f"/v1/articles/{each}" for each in ids(size)],
        search=f"{latest}&q=",
        changes=[f"/v1/changes?limit={TOGETHER}&after={each}" for each in spread(size - TOGETHER, MANY)],
        publish="/v1/articles",
        batch="/v1/articles/batch",
        tag=tag(client, latest) if client else None,
        reader=f"Authorization: Bearer {reader}\r\n",
        publisher=f"Authorization: Bearer {publisher}\r\n",
    )


def null_door() -> Door:
    """The view that does nothing answers whatever is read, and always the same."""
    nothing = ["/"]
    return Door("/", nothing, nothing, "/?q=", nothing, tag='""', unchanged=200)


def floor_door(client: Client, size: int) -> Door:
    return Door(
        latest="/articles",
        deep=walked(client, "/articles", size),
        one=[f"/articles/{each}" for each in ids(size)],
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


def datasette_door(size: int) -> Door:
    """Queries of its configuration, answered as an array of objects in which JSON is JSON."""
    shape = "_shape=array&_json=authors&_json=images"
    return Door(
        latest=f"/wire/page.json?{shape}&before={size + 1}",
        deep=[f"/wire/page.json?{shape}&before={size + 1 - each * PAGE}" for each in deep(size)],
        one=[f"/wire/one.json?{shape}&id={each}" for each in ids(size)],
        search=f"/wire/search.json?{shape}&q=",
    )


def ids(size: int) -> list[str]:
    """Those of articles all over the corpus."""
    return [identity(each, received(plan(size), each - 1)) for each in spread(size, MANY)]


def cursors(size: int) -> Iterator[str]:
    """Those of Newswire for the pages at depth: each is made of the place of the last article before the page."""
    whole, query = plan(size), query_of(ArticleParameters().load({}), now())
    for page in deep(size):
        before = whole.order[size - page * PAGE]
        yield query.cursor_at(Position(whole.published[before], before + 1))


def walked(client: Client, address: str, size: int) -> list[str]:
    """The addresses of the pages at depth, found by going there from the latest page by page."""
    found = []
    for _ in range(deep(size).stop):
        found.append(address)
        place = urlsplit(client.get(address)["next"] or "")
        address = f"{place.path}?{place.query}"
    return found[deep(size).start :]


def deep(size: int) -> range:
    """The numbers of the pages from 90 % of the depth on; 0 is the latest."""
    before = size * 9 // 10 // PAGE
    return range(before, min(before + SOME, size // PAGE))


def spread(size: int, most: int) -> range:
    """Numbers from 1 to about `size`, evenly spread."""
    return range(1, size, max(1, size // most))


def tag(client: Client, address: str) -> str | None:
    # Where links hold the host, so does the tag.
    return client.once("GET", address, headers={"Host": HOST}).headers.get("ETag")
