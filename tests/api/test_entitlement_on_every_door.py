"""Whoever may not see an article is answered at every door as if it had never been; whoever may, is shown it.

Each door is asked twice: for the hidden article, and for one that never existed, by names of the
same shape. Once the made-up names are put back, the two answers must be the same, byte for byte.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from werkzeug.test import TestResponse

from newswire.api.routes import ROUTES
from newswire.publishing.draft import author_id
from newswire.timestamps import format_instant, now
from newswire.visibility import FACETS
from tests.support.cases import case
from tests.support.databases import ENGINES
from tests.support.site import Site, opened
from tests.support.wire import Caller

# The mark of each hidden article stands in everything that it says; it is its language too. No two are near enough for
# one to be suggested for the other.
MARKS = {"outside": "qaz", "embargoed": "qby", "expired": "qcx", "killed": "qdw", "recalled": "qev"}
AHEAD, LONG_AGO = "2199-01-01T00:00:00Z", "2000-01-01T00:00:00Z"
RESTRICTIONS = {"section": "open", "keyword": "open", "language": "en", "publisher": "reuters"}
LAST = "The last one is open to all"
FRESH = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+Z")


class Names(NamedTuple):
    """What an article is called by: its mark and its ids."""

    mark: str
    article: str
    author: str


class Door(NamedTuple):
    """A request, in which MARK, ARTICLE and AUTHOR stand for the names of an article.

    `shows` is the hidden article that it shows, and to whom; None: it shows none to anybody.
    """

    method: str
    address: str
    headers: Mapping[str, str] = {}
    body: str | None = None
    shows: tuple[str, str] | None = ("outside", "everyone")

    def named(self) -> bool:
        return re.search("MARK|ARTICLE|AUTHOR", f"{self.address} {self.headers} {self.body}") is not None


def get(*addresses: str, **settings: Any) -> list[Door]:
    return [Door("GET", address, **settings) for address in addresses]


def write(method: str, address: str, body: str | None = None, **headers: str) -> Door:
    """A writing door, tried only."""
    kind = {"Content-Type": "application/json"} | headers
    return Door(method, f"{address}?dry_run=true", kind, body, ("outside", "owner"))


FILTERS = (
    "ids=ARTICLE", "external_id=MARK-1", "author=MARK+author", "author=AUTHOR", "section=MARK+section",
    "keyword=MARK+key", "publisher=MARK-news", "subject=MARK-code", "subject=MARK+subject", "place=MARK+place",
    "language=MARK",
)  # fmt: skip
WORDS = (
    "MARKhead", "MARKhe*", "%22MARKhead+rises%22", "headline:MARKhead", "MARKsum", "MARKbody", "MARKcap", "MARKby",
    "MARK+author", "rises+-MARKhead", "MARKhead+OR+nothing",
)  # fmt: skip
ORDERS = ("sort=published_at", "sort=relevance", "highlight=true", "count=true", f"facets={','.join(FACETS)}",
          "search_in=headline,caption,byline,body,summary")  # fmt: skip
LISTED = (
    *(f"/v1/articles?{each}" for each in FILTERS),
    *(f"/v1/articles?{each}&count=true&facets={','.join(FACETS)}&sort=updated_at&include=body" for each in FILTERS),
    *(f"/v1/articles?not_{each}&count=true&limit=100" for each in FILTERS),
    *(f"/v1/articles?q={each}" for each in WORDS),
    *(f"/v1/articles?q=MARKhead&{each}" for each in ORDERS),
    "/v1/articles?limit=100", "/v1/articles?limit=100&include=body&count=true&sort=published_at",
    "/v1/articles?q=rises&highlight=true&sort=relevance", f"/v1/articles?facets={','.join(FACETS)}",
    "/v1/articles?published_to=2001-01-01&count=true", "/v1/articles?has_image=true&urgency_max=1",
    "/v1/articles?fields=headline,authors&sort=-updated_at&limit=100",
)  # fmt: skip
ARTICLE = "/v1/articles/<article_id:article_id>"
EXTERNAL = "/v1/publishers/<string:publisher>/articles/<external_id:external_id>"
BODY = '{"headline":"x","external_id":"MARK-1"}'
TABLE: dict[str, list[Door]] = {
    "GET /v1/articles": [
        *get(*LISTED),
        *get("/v1/articles?status=withheld&ids=ARTICLE&count=true", shows=("embargoed", "owner")),
        *get("/v1/articles?status=withheld&q=MARKhead", shows=("embargoed", "owner")),
        *get("/v1/articles?status=canceled&ids=ARTICLE&count=true", shows=("killed", "owner")),
    ],
    f"GET {ARTICLE}": [
        *get("/v1/articles/ARTICLE"),
        *get("/v1/articles/ARTICLE", headers={"If-None-Match": '"ARTICLE.1.usable.json"'}),
        *get("/v1/articles/ARTICLE", headers={"Accept": "application/json", "Accept-Encoding": "gzip"}),
        Door("HEAD", "/v1/articles/ARTICLE"),
        *get("/v1/articles/ARTICLE", shows=("embargoed", "owner")),
        *get("/v1/articles/ARTICLE", shows=("killed", "owner")),
        *get("/v1/articles/ARTICLE", shows=("expired", "owner")),
        *get("/v1/articles/ARTICLE", shows=("recalled", "everyone")),
    ],
    **{
        f"GET /v1/articles.{form}": [
            *get(*(f"/v1/articles.{form}?{each}" for each in FILTERS)),
            *get(f"/v1/articles.{form}?limit=100", f"/v1/articles.{form}?q=MARKhead"),
            *get(f"/v1/articles.{form}?status=withheld&ids=ARTICLE", shows=("embargoed", "owner")),
            *(get("/v1/articles.atom?ids=ARTICLE", shows=("recalled", "everyone")) if form == "atom" else ()),
        ]
        for form in ("rss", "atom", "json")
    },
    "GET /v1/articles.ninjs": get(
        "/v1/articles.ninjs?limit=100&include=body", "/v1/articles.ninjs?q=MARKhead&count=true",
        "/v1/articles.ninjs?ids=ARTICLE",
    ),
    f"GET {ARTICLE}.ninjs": [
        *get("/v1/articles/ARTICLE.ninjs"),
        *get("/v1/articles/ARTICLE.ninjs", headers={"If-None-Match": '"ARTICLE.1.usable.ninjs31"'}),
        *get("/v1/articles/ARTICLE.ninjs", shows=("embargoed", "owner")),
        *get("/v1/articles/ARTICLE.ninjs", shows=("killed", "owner")),
    ],
    "GET /v1/changes.ninjs": get("/v1/changes.ninjs?limit=500", "/v1/changes.ninjs?q=MARKhead"),
    **{
        f"GET {ARTICLE}.{form}": [
            *get(f"/v1/articles/ARTICLE.{form}"),
            *get(f"/v1/articles/ARTICLE.{form}", headers={"If-None-Match": f'"ARTICLE.1.usable.{form}"'}),
            *get(f"/v1/articles/ARTICLE.{form}", shows=("embargoed", "owner")),
            *get(f"/v1/articles/ARTICLE.{form}", shows=("expired", "owner")),
        ]
        for form in ("md", "html")
    },
    f"GET {ARTICLE}/versions": get(
        "/v1/articles/ARTICLE/versions", "/v1/articles/ARTICLE/versions?cursor=2&limit=1"
    ),
    f"GET {ARTICLE}/related": get("/v1/articles/ARTICLE/related", "/v1/articles/ARTICLE/related?limit=20", shows=None),
    f"GET {ARTICLE}/versions/<ordinal:version>": [
        *get("/v1/articles/ARTICLE/versions/1"),
        *get("/v1/articles/ARTICLE/versions/1", headers={"If-None-Match": '"ARTICLE.1.version.json"'}),
        *get("/v1/articles/ARTICLE/versions/2", shows=None),
    ],
    "GET /v1/authors": get("/v1/authors", "/v1/authors?q=MARK", "/v1/authors?q=auth+MARK&limit=1"),
    "GET /v1/authors/<string:author_id>": get("/v1/authors/AUTHOR"),
    "GET /v1/publishers": get("/v1/publishers?limit=100", "/v1/publishers?q=MARK"),
    "GET /v1/sections": get("/v1/sections", "/v1/sections?q=MARK+sec"),
    "GET /v1/keywords": get("/v1/keywords", "/v1/keywords?q=MARK"),
    "GET /v1/changes": [
        *get("/v1/changes?limit=500", "/v1/changes?limit=500&start=oldest&types=article.published,article.canceled"),
        *get("/v1/changes", headers={"Accept": "application/x-ndjson"}),
        *get("/v1/changes", headers={"Accept": "text/event-stream"}),
        *get(*(f"/v1/changes?limit=500&{each}" for each in (*FILTERS, "q=MARKhead", "q=rises+-MARKbody"))),
    ],
    "GET /v1/wire": get("/v1/wire", shows=None),
    "GET /v1/consumers": get("/v1/consumers", shows=None),
    "GET /v1/consumers/<consumer:name>": get("/v1/consumers/MARK", shows=None),
    "GET /v1/feeds": get("/v1/feeds", shows=None),
    "POST /v1/feeds": [
        Door("POST", "/v1/feeds", {"Content-Type": "application/json"}, '{"name":"all","query":"section=MARK"}',
             shows=None)
    ],
    "GET /v1/feeds/<feed:feed>": get("/v1/feeds/MARK", shows=None),
    "PATCH /v1/feeds/<feed:feed>": [
        Door("PATCH", "/v1/feeds/MARK", {"Content-Type": "application/json"}, "{}", shows=None)
    ],
    "DELETE /v1/feeds/<feed:feed>": [Door("DELETE", "/v1/feeds/MARK", shows=None)],
    "POST /v1/feeds/<feed:feed>/token": [Door("POST", "/v1/feeds/MARK/token", shows=None)],
    "DELETE /v1/feeds/<feed:feed>/token": [Door("DELETE", "/v1/feeds/MARK/token", shows=None)],
    "GET /v1/feeds/<feed:feed>/articles": [
        *get("/v1/feeds/all/articles?limit=100&include=body", "/v1/feeds/all/articles?count=true&facets=section"),
        *get("/v1/feeds/MARK/articles", shows=None),
    ],
    **{
        f"GET /v1/feeds/<feed:feed>.{form}": [
            *get(f"/v1/feeds/all.{form}?limit=100"), *get(f"/v1/feeds/MARK.{form}?token=MARK", shows=None),
        ]
        for form in ("rss", "atom", "json")
    },
    "GET /v1/feeds/<feed:feed>/changes": [
        *get("/v1/feeds/all/changes?limit=500"),
        *get("/v1/feeds/all/changes", headers={"Accept": "application/x-ndjson"}),
    ],
    "GET /v1/me": get("/v1/me", shows=None),
    "GET /v1/": get("/v1/", shows=None),
    "GET /v1/problems": get("/v1/problems", shows=None),
    "GET /healthz": get("/healthz", shows=None),
    "GET /readyz": get("/readyz", shows=None),
    "POST /v1/articles": [write("POST", "/v1/articles", BODY)],
    "POST /v1/articles/batch": [write("POST", "/v1/articles/batch", f"[{BODY}]")],
    f"PUT {ARTICLE}": [
        write("PUT", "/v1/articles/ARTICLE", '{"headline":"x"}', **{"If-Match": match})
        for match in ("*", '"ARTICLE.1.usable.json"', '"ARTICLE.2.usable.json"')
    ] + [write("PUT", "/v1/articles/ARTICLE", '{"headline":"x"}')._replace(shows=None)],
    f"PATCH {ARTICLE}": [
        write("PATCH", "/v1/articles/ARTICLE", '{"urgency":1}', **{"If-Match": "*"}),
        write("PATCH", "/v1/articles/ARTICLE", '{"urgency":1}')._replace(shows=None),
    ],
    f"DELETE {ARTICLE}": [
        write("DELETE", "/v1/articles/ARTICLE"), write("DELETE", "/v1/articles/ARTICLE", **{"If-Match": '"x"'}),
    ],
    f"GET {EXTERNAL}": [
        *get(*(f"/v1/publishers/MARK-news/articles/MARK-1{end}" for end in ("", ".md", "/versions", "/versions/1"))),
        *get("/v1/publishers/MARK-news/articles/MARK-1/related", shows=None),
        *get("/v1/publishers/MARK-news/articles/MARK-1", shows=("embargoed", "owner")),
        *get("/v1/publishers/MARK-news/articles/MARK-1", shows=("killed", "owner")),
        *get("/v1/publishers/MARK-news/articles/MARK-1", shows=("expired", "owner")),
        *get("/v1/publishers/MARK-news/articles/MARK-1", shows=("recalled", "everyone")),
    ],
    f"PATCH {EXTERNAL}": [
        write("PATCH", "/v1/publishers/MARK-news/articles/MARK-1", '{"urgency":1}', **{"If-Match": "*"}),
        write("PATCH", "/v1/publishers/MARK-news/articles/MARK-1", '{"urgency":1}')._replace(shows=None),
    ],
    f"PUT {EXTERNAL}": [
        write("PUT", "/v1/publishers/MARK-news/articles/MARK-1", BODY),
        write("PUT", "/v1/publishers/MARK-news/articles/MARK-1", BODY, **{"If-None-Match": "*"}),
    ],
    f"DELETE {EXTERNAL}": [write("DELETE", "/v1/publishers/MARK-news/articles/MARK-1")],
    "PUT /v1/consumers/<consumer:name>": [
        Door("PUT", "/v1/consumers/MARK", {"Content-Type": "application/json"}, '{"after":-1}', shows=None)
    ],
    "DELETE /v1/consumers/<consumer:name>": [Door("DELETE", "/v1/consumers/MARK", shows=None)],
}  # fmt: skip
DOORS = [door for doors in TABLE.values() for door in doors]


class House:
    """A wire with an article of each hidden kind, and open ones; and those who stand before its doors.

    What was killed under its embargo was never shown to anybody, what was recalled to those only whom
    nothing restricts.
    """

    def __init__(self, site: Site) -> None:
        wire = site.wire
        self.everyone, self.foreign = site.partner, site.publisher
        self.restricted = {name: wire.as_partner(name, **{name: [value]}) for name, value in RESTRICTIONS.items()}
        self.owners = {kind: wire.as_publisher(f"{mark}-news") for kind, mark in MARKS.items()}
        states: dict[str, dict[str, Any]] = {
            "outside": {}, "recalled": {}, "embargoed": {"embargoed_until": AHEAD},
            "killed": {"embargoed_until": AHEAD}, "expired": {"expires_at": format_instant(now() - 60_000)},
        }  # fmt: skip
        self.names = {}
        for kind, mark in MARKS.items():
            article = self.owners[kind].publish(**said(mark), **states[kind])
            self.names[kind] = Names(mark, article["id"], author_id(f"{mark}-news", f"{mark} author"))
        for kind in ("killed", "recalled"):
            assert self.owners[kind].delete(f"/v1/articles/{self.names[kind].article}").status_code == 200
        self.foreign.publish(LAST, section="open", keywords=["open"], body_text="It rises.")
        for caller in (self.everyone, self.foreign, *self.restricted.values(), *self.owners.values()):
            assert caller.post("/v1/feeds", json={"name": "all", "query": {}}).status_code == 201

    def outsiders(self, kind: str, door: Door) -> dict[str, Caller]:
        """Who may not see the article of this kind; the restrictions take turns at the doors."""
        if kind in ("outside", "recalled"):
            name = list(self.restricted)[len(door.address) % len(self.restricted)]
            return {"another publisher": self.foreign, f"a partner restricted by {name}": self.restricted[name]}
        return {"another publisher": self.foreign, "a partner": self.everyone}

    def insider(self, kind: str, who: str) -> Caller:
        return self.everyone if who == "everyone" else self.owners[kind]


def said(mark: str) -> dict[str, Any]:
    return {
        "headline": f"{mark}head rises", "summary": f"{mark}sum", "body_text": f"{mark}body rises", "language": mark,
        "section": f"{mark} section", "keywords": [f"{mark} key"], "byline": f"By {mark}by", "external_id": f"{mark}-1",
        "authors": [{"name": f"{mark} author", "bio": f"{mark} bio", "url": f"https://{mark}.example/"}],
        "subjects": [{"code": f"{mark}-code", "name": f"{mark} subject"}], "places": [{"name": f"{mark} place"}],
        "images": [{"url": f"https://{mark}.example/a.png", "caption": f"{mark}cap"}], "urgency": 1,
        "published_at": LONG_AGO,
    }  # fmt: skip


def made_up(names: Names) -> Names:
    """Names of the same shape that nothing has."""
    return Names("w" + names.mark[1:], names.article[:-6] + "0facad", names.author[:-6] + "0facad")


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    text: str


def ask(caller: Caller, door: Door, names: Names, called: Names) -> Answer:
    """The answer for some names, written with those that it is to be `called` by."""

    def filled(text: str) -> str:
        return text.replace("MARK", names.mark).replace("ARTICLE", names.article).replace("AUTHOR", names.author)

    def renamed(text: str) -> str:
        for old, new in zip(names, called, strict=True):
            text = re.sub(old, new, text, flags=re.IGNORECASE)
        return FRESH.sub("fresh", text) if "dry_run" in door.address else text

    headers = {name: filled(value) for name, value in door.headers.items()}
    body = None if door.body is None else filled(door.body)
    response = caller.call(
        door.method, filled(door.address), headers={**headers, "X-Request-Id": "one"}, data=body, buffered=False
    )
    shown = {name: renamed(value) for name, value in response.headers if name not in ("ETag", "Date", "Last-Modified")}
    if "ETag" in response.headers:
        shown["ETag"] = "there is one"
    return Answer(response.status_code, shown, renamed(content(response)))


def content(response: TestResponse) -> str:
    """The body; of a stream what comes until the last article."""
    if response.headers.get("Content-Encoding") == "gzip":
        return "compressed"
    found = b""
    for chunk in response.iter_encoded():
        found += chunk
        if response.mimetype == "text/event-stream" and LAST.encode() in found:
            break
    response.close()
    return found.decode()


@pytest.fixture(scope="module", params=ENGINES)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    with opened(request) as site:
        yield House(site)


def test_every_route_stands_in_the_table() -> None:
    assert [f"{route.method} {route.path}" for route in ROUTES if f"{route.method} {route.path}" not in TABLE] == []


def test_what_may_not_be_seen_is_as_if_it_had_never_been(house: House) -> None:
    for door in DOORS:
        with case(door):
            for kind, names in house.names.items():
                for who, caller in house.outsiders(kind, door).items():
                    found = ask(caller, door, names, names)
                    if is_told_of_its_end(door, kind, who):
                        assert names.mark not in found.text, (kind, who)
                    elif door.named():
                        assert found == ask(caller, door, made_up(names), names), (kind, who)
                    else:
                        assert not {name for name in names if name in found.text}, (kind, who)


def is_told_of_its_end(door: Door, kind: str, who: str) -> bool:
    """Whether the wire tells: an entry whose article has expired is told as all are, without the article."""
    return "/changes" in door.address and kind == "expired" and who == "a partner"


def test_the_same_door_shows_it_to_whoever_may_see_it(house: House) -> None:
    for door in DOORS:
        if door.shows is None:
            continue
        with case(door):
            kind, who = door.shows
            names, caller = house.names[kind], house.insider(kind, who)
            found = ask(caller, door, names, names)
            if door.named():
                assert found != ask(caller, door, made_up(names), names)
            else:
                assert names.mark in found.text.casefold()


def test_a_publisher_is_shown_its_own_only(house: House) -> None:
    for door in DOORS:
        # A stream has no end, and what ends it here for others is not theirs.
        if door.method == "GET" and not door.named() and "text/event-stream" not in door.headers.values():
            for kind, owner in house.owners.items():
                found = ask(owner, door, house.names[kind], house.names[kind])
                assert not {mark for mark in MARKS.values() if mark in found.text} - {MARKS[kind]}, (door, kind)
