"""The leak table: a wire full of canary words, and every request that could bring one to a reader who may not see it.

Each hidden article says two words of its own in each of its fields. Requests name the first, which may therefore come
back in an answer (a link, a title); the second, the *silent* one, is named by no request. A list of what a reader may
know of each article says which words and ids are forbidden to it. The formats, and the doors for each, are those of
the table of formats and of the routes, so a new one is asked by itself.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import quote

from newswire.accounts.keys import create_key
from newswire.accounts.publishers import add_publisher
from newswire.accounts.subject_maps import MappedSubject, change_subject_map
from newswire.api.request.conditional import article_tag
from newswire.api.routes import ROUTES, WRITERS
from newswire.publishing.draft import author_id
from newswire.search.remapping import remap_articles
from newswire.timestamps import now
from newswire.visibility import FACETS
from tests.support.wire import Caller, Wire

FIELDS = (
    "headline", "slugline", "summary", "body", "byline", "dateline", "section", "keyword", "subject_code", "subject",
    "place", "author", "role", "bio", "author_url", "organization", "shared_bio", "image_url", "caption", "alt_text",
    "credit", "image_copyright", "url", "copyright", "usage_terms", "editor_note", "external_id", "evolves_from",
    "relation",
)  # fmt: skip
CANARY = re.compile("zq[a-z][a-z0-9][kx]ov")
HEX = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{64}|[0-9a-f]{32}")
AHEAD = "2199-01-01T00:00:00Z"
SUBJECT = "medtop:15000000"
"""The subject to which the reader `topic` is entitled, after the map of the section `mapped` to it was taken back."""
LAST = "The last one is open to all"
"""The headline with which a stream of any reader ends."""


class Knowledge(Enum):
    """What a reader may know of a hidden article."""

    ALL = "it may read the article"
    IDENTITY = "it was told of the article once: its ids and digests"
    LATER_VERSION = "it may read another version: the ids, not the digest of this one"
    NOTHING = "not that it exists"


class Hidden(NamedTuple):
    """A kind of hidden article: the section of its first version (None: one of its own), and who knows what of it.

    `second` are the fields of its second version, which has canaries only if they have. What no reader is named for
    is `NOTHING`.
    """

    kind: str
    section: str | None
    fields: Mapping[str, str] = {}
    second: str | None = None
    killed: bool = False
    world: Knowledge = Knowledge.NOTHING
    everything: Knowledge = Knowledge.NOTHING


ALL, IDENTITY, LATER, NOTHING = Knowledge
HIDDEN = (
    Hidden("embargoed", None, {"embargoed_until": AHEAD}),
    Hidden("killed under embargo", None, {"embargoed_until": AHEAD}, killed=True),
    Hidden("killed", "world", killed=True, world=IDENTITY, everything=IDENTITY),
    Hidden("expired", "world", {"expires_at": "2001-01-01T00:00:00Z"}, world=IDENTITY, everything=IDENTITY),
    Hidden("of another publisher", "world", world=ALL, everything=ALL),
    Hidden("in another section", None, everything=ALL),
    Hidden("embargoed as it was", "world", {"embargoed_until": AHEAD}, "plain", world=LATER, everything=LATER),
    Hidden("moved into the section", None, {}, "plain", world=LATER, everything=ALL),
    Hidden("moved out of the section", "world", {}, "canaries", world=IDENTITY, everything=ALL),
    Hidden("mapped out of the subject", "mapped", everything=ALL),
    Hidden("killed and mapped out of the subject", "mapped", killed=True, everything=IDENTITY),
)  # fmt: skip


def canary(kind: int, name: str, *, silent: bool = False) -> str:
    place = "abcdefghijklmnopqrstuvwxyz012"[FIELDS.index(name)]
    return f"zq{'abcdefghikl'[kind]}{place}{'x' if silent else 'k'}ov"


def both(kind: int, name: str, between: str = " ") -> str:
    """The named and the silent word of a field."""
    return f"{canary(kind, name)}{between}{canary(kind, name, silent=True)}"


def canary_article(kind: int, section: str | None) -> dict[str, Any]:
    """An article that says its canaries in every field, and the names that visible articles have too."""

    def address(name: str) -> str:
        return f"https://alpha.example/{both(kind, name, '/')}"

    return {
        "headline": f"{both(kind, 'headline')} rises", "slugline": both(kind, "slugline"),
        "summary": f"{both(kind, 'summary')} rises", "body_text": f"It rises.\n\n{both(kind, 'body')} rises.",
        "byline": f"By {both(kind, 'byline')}", "dateline": both(kind, "dateline").upper(), "language": "en",
        "section": both(kind, "section") if section is None else section, "urgency": 1,
        "keywords": [both(kind, "keyword"), "shared"], "places": [{"name": both(kind, "place")}, {"name": "Shared"}],
        "subjects": [{"code": both(kind, "subject_code", ":"), "name": both(kind, "subject")}, {"name": "shared"}],
        "authors": [
            {"name": both(kind, "author"), "role": both(kind, "role"), "bio": both(kind, "bio"),
             "url": address("author_url"), "organization": both(kind, "organization")},
            {"name": "Shared Author", "bio": both(kind, "shared_bio")},
        ],
        "images": [{"url": address("image_url"), "caption": both(kind, "caption"), "alt_text": both(kind, "alt_text"),
                    "credit": both(kind, "credit"), "copyright_notice": both(kind, "image_copyright")}],
        "url": address("url"), "copyright_notice": both(kind, "copyright"), "usage_terms": both(kind, "usage_terms"),
        "editor_note": both(kind, "editor_note"), "external_id": both(kind, "external_id", "-"),
        "evolves_from": both(kind, "evolves_from", "-"),
        "related": [{"external_id": "plain-0", "relation": both(kind, "relation")}, {"external_id": "plain-1"}],
    }  # fmt: skip


def plain_article(headline: str, section: str) -> dict[str, Any]:
    """An article without canaries, which has every name that the hidden ones share with it."""
    return {
        "headline": headline, "section": section, "body_text": "It rises.", "language": "en", "keywords": ["shared"],
        "places": [{"name": "Shared"}], "subjects": [{"name": "shared"}], "authors": [{"name": "Shared Author"}],
    }  # fmt: skip


class Target(NamedTuple):
    """A hidden article as requests name it: its number among `HIDDEN`, its id, and the id of its author."""

    kind: int
    id: str
    author: str

    def word(self, name: str) -> str:
        return canary(self.kind, name)

    def full(self, name: str, between: str = " ") -> str:
        """The whole value of a field, as a filter needs it, for an address."""
        return quote(both(self.kind, name, between))


class Request(NamedTuple):
    """A request; `template` is its address with names for what belongs to one article."""

    template: str
    method: str
    address: str
    headers: Mapping[str, str] = {}
    body: str | None = None

    @property
    def text(self) -> str:
        return f"{self.address} {dict(self.headers)} {self.body}".casefold()


@dataclass
class Reader:
    """Who asks, and what may not come back: canary words, and ids and digests in hexadecimal."""

    name: str
    caller: Caller
    words: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    visible: set[str] = field(default_factory=set)
    tokens: Mapping[str, str] = field(default_factory=dict)


class LeakWire:
    """A wire with one article of each hidden kind beside visible ones, and its readers.

    The worker does not run: what has expired is still `usable` in the database.
    """

    def __init__(self, database_url: str) -> None:
        self.wire = Wire(database_url)
        self.open_wire = Wire(database_url, public_read=True)
        self.slug, self.title = "zqjakov-zqjaxov", "zqjbkov zqjbxov"
        with self.wire.database.begin() as connection:
            add_publisher(connection, self.slug, self.title, "https://alpha.example/", "en", now())
            alpha = create_key(connection, now=now(), publisher_slug=self.slug)
        self.alpha = Caller(self.wire.client, alpha)
        self.targets: list[Target] = []
        self.versions: list[list[dict[str, Any]]] = []
        self.beta = self.wire.as_publisher("beta")
        with self.wire.database.begin() as connection:
            mapped = MappedSubject("section", "mapped", SUBJECT)
            change_subject_map(connection, self.slug, [mapped], [], now())
        for kind, hidden in enumerate(HIDDEN):
            self._publish_hidden(kind, hidden)
        with self.wire.database.begin() as connection:
            change_subject_map(connection, self.slug, [], [(mapped.kind, mapped.value)], now())
        assert list(remap_articles(self.wire.database))
        plain = [
            self.alpha.publish(**plain_article(f"Alpha {n} rises", "world"), external_id=f"plain-{n}")["id"]
            for n in range(3)
        ]
        own = [self.beta.publish(**plain_article(f"Beta {n} rises", "world"))["id"] for n in range(2)]
        sport = [self.beta.publish(**plain_article("Sport rises", "sport"))["id"]]
        last = plain_article(LAST, "world")
        last["subjects"].append({"code": SUBJECT})
        own += [self.beta.publish(**last)["id"]]
        self.readers = self._make_readers()
        for reader in self.readers.values():
            mine = {"beta": [*own, *sport], "world": [*plain, *own], "topic": own[-1:], "expired": []}
            reader.visible = set(mine.get(reader.name, [*plain, *own, *sport]))
            self._forbid(reader)

    def _publish_hidden(self, kind: int, hidden: Hidden) -> None:
        made = self.alpha.publish(**canary_article(kind, hidden.section), **hidden.fields)
        address, versions = f"/v1/articles/{made['id']}", [made]
        if hidden.second is not None:
            new = canary_article(kind, None) if hidden.second == "canaries" else plain_article("Now plain", "world")
            changed = self.alpha.put(address, json=new, headers={"If-Match": "*"})
            assert changed.status_code == 200, changed.text
            versions.append(changed.get_json())
        if hidden.killed:
            assert self.alpha.delete(address).status_code == 200
        self.versions.append(versions)
        self.targets.append(Target(kind, made["id"], author_id(self.slug, both(kind, "author"))))

    def _make_readers(self) -> dict[str, Reader]:
        world, everything = self.wire.as_partner("world", section=["world"]), self.wire.as_partner("everything")
        topic = self.wire.as_partner("topic", subject=[SUBJECT])
        with self.wire.database.begin() as connection:
            expired = create_key(connection, now=now(), partner_slug="everything", expires_at=now() - 1)
        nobody = Caller(self.open_wire.client, "")
        # A public reader sends no key at all.
        nobody.call = lambda method, path, **settings: self.open_wire.client.open(path, method=method, **settings)  # type: ignore[method-assign]
        tokens = {}
        for caller in (self.beta, world, everything, topic):
            made = caller.post("/v1/feeds", json={"name": "all", "query": {}})
            assert made.status_code == 201, made.text
            tokens[caller.key] = made.get_json()["token"]
            assert caller.put("/v1/consumers/desk", json={"after": 0}).status_code == 200
        callers = {"beta": self.beta, "world": world, "everything": everything, "topic": topic, "public": nobody,
                   "expired": Caller(self.wire.client, expired)}  # fmt: skip
        return {
            name: Reader(name, caller, tokens={"all": tokens[caller.key]} if caller.key in tokens else {})
            for name, caller in callers.items()
        }

    def knowledge(self, reader: str, hidden: Hidden) -> Knowledge:
        return {"world": hidden.world, "everything": hidden.everything, "public": hidden.everything}.get(
            reader, NOTHING
        )

    def _forbid(self, reader: Reader) -> None:
        for target, hidden, versions in zip(self.targets, HIDDEN, self.versions, strict=True):
            known = self.knowledge(reader.name, hidden)
            if known is ALL or (known is LATER and hidden.second == "plain"):
                reader.visible.add(target.id)
            if known is ALL:
                continue
            words = {each for name in FIELDS for each in both(target.kind, name).split()}
            reader.words |= words if known is NOTHING else words - set(both(target.kind, "external_id").split())
            first = versions[0]
            reader.ids |= {item["id"] for item in (*first["authors"], *first["images"])}
            if known in (NOTHING, LATER):
                reader.ids.add(first["digest"])
            if known is NOTHING:
                reader.ids.add(target.id)
        # The author that all articles share is visible as such to whoever may read another article of that publisher.
        shared = author_id(self.slug, "Shared Author")
        if reader.name in ("beta", "topic", "expired"):
            reader.words |= set(CANARY.findall(f"{self.slug} {self.title}"))
        else:
            reader.ids.discard(shared)

    def close(self) -> None:
        self.wire.close()
        self.open_wire.close()


REPRESENTATIONS = {
    "": "json", **{f".{each.suffix}": each.suffix + each.versions[0].replace(".", "") for each in WRITERS},
}  # fmt: skip
"""The suffixes of an article's address, each with the name that the ETag of that form has."""
LIST_PATHS = tuple(
    route.path for route in ROUTES if re.fullmatch(r"/v1/articles(\.\w+)?", route.path) and route.method == "GET"
)
CHANGES_PATHS = tuple(
    route.path for route in ROUTES if re.fullmatch(r"/v1/changes(\.\w+)?", route.path) and route.method == "GET"
)
FEED_SUFFIXES = tuple(route.path.partition(">")[2] for route in ROUTES if route.token)
MEDIA_TYPES = tuple(media_type for each in WRITERS for media_type in each.media_types)
COUNTED = f"limit=100&count=true&facets={','.join(FACETS)}"
"""With it every answer of the list in JSON is held against itself: see `check_list`."""
SEARCHED = ("headline", "summary", "body", "caption", "byline")
UNSEARCHED = ("slugline", "dateline", "keyword", "place", "author", "alt_text", "credit", "editor_note", "external_id")
EVENTS, LINES = {"Accept": "text/event-stream"}, {"Accept": "application/x-ndjson"}


def general_requests(reader: Reader) -> Iterator[Request]:
    """Requests that name no hidden article."""

    def get(address: str, **headers: str) -> Request:
        return Request(address, "GET", address, headers)

    for path in LIST_PATHS:
        yield from (get(f"{path}?{each}") for each in ("limit=100", "q=rises", "section=world", "keyword=shared"))
        yield get(f"{path}?limit=100", **{"If-None-Match": "*"})
        yield Request(f"HEAD {path}", "HEAD", path)
    for query in (
        "", "q=rises", "q=rises&sort=relevance&highlight=true", "sort=published_at", "sort=updated_at",
        "include=body&sort=-updated_at", "fields=headline,authors,images", "has_image=true", "has_image=false",
        "urgency_max=1", "author=Shared+Author", "keyword=shared", "place=shared", "subject=shared", "language=en",
        "section=world", "publisher=beta", "not_publisher=beta", "published_from=now-1d", "updated_to=2100-01-01",
        "q=rises+-plain&include=body", "q=zq*", "q=headline:zq*&highlight=true", "q=zq*+OR+rises&sort=relevance",
        "q=rises+zqnothing", "q=rises+zqnothing&match=most", "q=rises+zqnothing&match=any&sort=relevance",
    ):  # fmt: skip
        yield get(f"/v1/articles?{COUNTED}&{query}")
    for query in ("", "&sort=updated_at&include=body", "&q=rises&sort=relevance"):
        yield get(f"/v1/articles?limit=100&count=true&collapse=story{query}")
    yield from (get(f"/v1/articles?{COUNTED}&{name}={SUBJECT}") for name in ("subject", "not_subject"))
    for status in ("withheld", "canceled"):
        yield get(f"/v1/articles?status={status}&{COUNTED}")
    for path in CHANGES_PATHS:
        yield from (get(f"{path}?{each}") for each in ("limit=500", "q=rises&limit=500", "section=world&start=oldest"))
        yield get(f"{path}?types=article.canceled,article.expired,article.removed")
        yield get(f"{path}?limit=2&after=3")
    yield from (get(f"/v1/changes{query}", **LINES) for query in ("", "?section=world", "?q=zq*"))
    yield from (get(f"/v1/changes{query}", **EVENTS) for query in ("", "?section=world", "?q=rises+OR+last"))
    for path in ("authors", "sections", "keywords", "publishers"):
        yield from (get(f"/v1/{path}{query}") for query in ("", "?limit=100", "?q=z", "?q=zq", "?q=sh&limit=1"))
    for path in ("wire", "me", "consumers", "consumers/desk", "feeds", "feeds/all", "problems"):
        yield get(f"/v1/{path}")
    yield get("/v1/changes?consumer=desk&limit=500")
    for query in (COUNTED, "limit=100&include=body"):
        yield get(f"/v1/feeds/all/articles?{query}")
    yield get("/v1/feeds/all/changes?limit=500")
    yield get("/v1/feeds/all/changes", **LINES)
    for suffix in FEED_SUFFIXES:
        yield get(f"/v1/feeds/all{suffix}?limit=100")
        for token in reader.tokens.values():
            yield Request(f"/v1/feeds/all{suffix}?token", "GET", f"/v1/feeds/all{suffix}?limit=100&token={token}")
    for article_id in sorted(reader.visible):
        # Most hidden articles link to a visible one, and are like all of them.
        yield Request("/v1/articles/VISIBLE/related", "GET", f"/v1/articles/{article_id}/related?limit=20")
    yield from (get(path) for path in ("/healthz", "/readyz"))


def filters_of(target: Target, slug: str) -> dict[str, str]:
    """The filters that the hidden article would match, by a name for each."""
    return {
        "ids": f"ids={target.id}", "external_id": f"external_id={target.full('external_id', '-')}",
        "author": f"author={target.full('author')}", "author by id": f"author={target.author}",
        "section": f"section={target.full('section')}", "keyword": f"keyword={target.full('keyword')}",
        "publisher": f"publisher={slug}", "subject": f"subject={target.full('subject')}",
        "subject by code": f"subject={target.full('subject_code', ':')}", "place": f"place={target.full('place')}",
    }  # fmt: skip


def words_of(target: Target) -> Iterator[tuple[str, str]]:
    """Texts for `q` that the hidden article would match, with a name for each; the last ones are typing errors."""
    for name in SEARCHED:
        word = target.word(name)
        yield f"word of {name}", word
        yield f"word in its {name}", f"{name}:{word}"
        yield f"beginning of {name}", f"{word[:-1]}*"
    for name in UNSEARCHED:
        yield f"word of {name}", target.word(name)
    head = target.word("headline")
    yield "phrase", f'"{head} {canary(target.kind, "headline", silent=True)} rises"'
    yield "beginning of a phrase", f'"{head} zq"*'
    yield "alternative", f"{head} OR nothing"
    yield "exclusion", f"rises -{head}"
    yield "one of two", f"{head} zqnothing"
    yield "typing error", head[:-1] + "w"
    yield "word left out", f"{head[:-1]} rises"


def article_requests(target: Target, slug: str) -> Iterator[Request]:
    """Requests that name one hidden article, or its words."""

    def get(template: str, address: str, **headers: str) -> Request:
        shown = " ".join(f"{name}: {value.replace(target.id, 'ID')}" for name, value in headers.items())
        return Request(f"{template} {shown}".rstrip(), "GET", address, headers)

    filters, words = filters_of(target, slug), list(words_of(target))
    for name, each in filters.items():
        if name in ("ids", "author by id", "keyword", "publisher"):
            yield from (get(f"{path}?{name}", f"{path}?{each}") for path in LIST_PATHS)
        yield get(f"counts, {name}", f"/v1/articles?{each}&include=body&{COUNTED}")
        yield get(f"counts, not {name}", f"/v1/articles?not_{each}&{COUNTED}")
        yield get(f"changes, {name}", f"/v1/changes?{each}&limit=500")
    for name, text in words:
        yield get(f"q, {name}", f"/v1/articles?q={quote(text)}&{COUNTED}")
    for name, text in (words[0], words[-1]):
        for path in (*LIST_PATHS, *CHANGES_PATHS):
            yield get(f"{path}?q, {name}", f"{path}?q={quote(text)}")
        for more in ("sort=relevance", "match=most", "match=any&sort=relevance", "highlight=true",
                     "sort=relevance&highlight=true&include=body", f"search_in={','.join(SEARCHED)}",
                     "fields=headline,summary"):  # fmt: skip
            yield get(f"q, {name}, {more}", f"/v1/articles?q={quote(text)}&{more}&{COUNTED}")
        yield get(f"export, q, {name}", f"/v1/changes?q={quote(text)}", **LINES)
    for status in ("withheld", "canceled"):
        yield get(f"status={status}&ids", f"/v1/articles?status={status}&{filters['ids']}&{COUNTED}")
    yield from single_requests(target, get)
    yield from external_requests(target, slug, get)
    yield from name_requests(target, slug, get)
    yield from refused_requests(target, slug, get)


def single_requests(target: Target, get: Any) -> Iterator[Request]:
    """The article by its id: every format, version, condition and guessed ETag."""
    address = f"/v1/articles/{target.id}"
    tags = [f'"{target.id}.{version}.usable.json"' for version in (1, 2)]
    for suffix, representation in REPRESENTATIONS.items():
        yield get(f"ID{suffix}", address + suffix)
        yield get(f"ID{suffix}", address + suffix, **{"If-None-Match": "*"})
        yield Request(f"HEAD ID{suffix}", "HEAD", address + suffix)
        tag = f'"{article_tag(target.id, 1, "usable", representation)}"'
        yield get(f"ID{suffix}", address + suffix, **{"If-None-Match": tag, "Accept-Encoding": "gzip"})
    for media_type in MEDIA_TYPES:
        yield get("ID", address, Accept=media_type)
    yield get("ID", address, **{"If-None-Match": ", ".join(tags)})
    yield get("ID", address, **{"If-None-Match": f"W/{tags[0]}", "If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"})
    for version in ("", "/1", "/2", "/3"):
        yield get(f"ID/versions{version}", f"{address}/versions{version}")
    for query in ("", "?limit=20"):
        yield get(f"ID/related{query}", f"{address}/related{query}")
    yield get("ID/related", f"{address}/related", **{"If-None-Match": "*"})
    yield get("ID/versions?cursor", f"{address}/versions?limit=1&cursor=2")
    yield get("ID/versions/1", f"{address}/versions/1", **{"If-None-Match": "*"})


def external_requests(target: Target, slug: str, get: Any) -> Iterator[Request]:
    """The article by its publisher's own id, which a stranger may guess: every format, version and guessed ETag."""
    address = f"/v1/publishers/{slug}/articles/{target.full('external_id', '-')}"
    for suffix, representation in REPRESENTATIONS.items():
        tag = f'"{article_tag(target.id, 1, "usable", representation)}"'
        yield get(f"EXTERNAL{suffix}", address + suffix)
        yield get(f"EXTERNAL{suffix}", address + suffix, **{"If-None-Match": f"{tag}, *"})
        yield Request(f"HEAD EXTERNAL{suffix}", "HEAD", address + suffix)
    for query in ("", "?limit=20", "?limit=21", "?cursor=2"):
        yield get(f"EXTERNAL/related{query}", f"{address}/related{query}")
    for version in ("", "/1", "/2", "/3", "?cursor=2", "?cursor=zz"):
        yield get(f"EXTERNAL/versions{version}", f"{address}/versions{version}")


def name_requests(target: Target, slug: str, get: Any) -> Iterator[Request]:
    """Lists of names, and the profile of an author whose id is computed from a name."""
    for path, name in (("authors", "author"), ("sections", "section"), ("keywords", "keyword")):
        yield get(f"/v1/{path}?q", f"/v1/{path}?q={target.word(name)}")
        yield get(f"/v1/{path}?q, beginning", f"/v1/{path}?q={target.word(name)[:4]}&limit=1")
    yield get("/v1/publishers?q", f"/v1/publishers?q={slug.partition('-')[0]}")
    yield get("/v1/authors/AUTHOR", f"/v1/authors/{target.author}")
    yield get("/v1/authors/AUTHOR", f"/v1/authors/{target.author}", **{"If-None-Match": "*"})
    yield get("/v1/authors/SHARED", f"/v1/authors/{author_id(slug, 'Shared Author')}")
    yield get("/v1/authors/SHARED of beta", f"/v1/authors/{author_id('beta', 'Shared Author')}")


def refused_requests(target: Target, slug: str, get: Any) -> Iterator[Request]:
    """Requests that are refused, and writing ones, of which nothing is stored; an error must tell nothing either."""
    head, tried = target.word("headline"), {"If-Match": "*", "Content-Type": "application/json"}
    for query in (f"q=({head}", f"q=headline:({head}", f"{head}=1", f"sort={head}", f"cursor={head}",
                  f"facets={head}", f"fields={head}", f"ids={target.id}&limit=101"):  # fmt: skip
        yield get(f"error {query.replace(head, 'WORD').replace(target.id, 'ID')}", f"/v1/articles?{query}")
    address = f"/v1/articles/{target.id}?dry_run=true"
    external = f"/v1/publishers/{slug}/articles/{target.full('external_id', '-')}?dry_run=true"
    written = '{"headline": "x"}'
    for method, path in (("PUT", address), ("PATCH", address), ("DELETE", address), ("PUT", external),
                         ("PATCH", external), ("DELETE", external)):  # fmt: skip
        yield Request(f"{method} {'ID' if path is address else 'EXTERNAL'}", method, path, tried, written)
    sent = f'{{"headline": "x", "external_id": "{both(target.kind, "external_id", "-")}"}}'
    for path, body in (("/v1/articles", sent), ("/v1/articles/batch", f"[{sent}]")):
        yield Request(f"POST {path}", "POST", f"{path}?dry_run=true", tried, body)
    for path in (f"consumers/{head}", f"feeds/{head}", f"feeds/{head}.rss?token={head}", f"changes?consumer={head}",
                 f"articles?publisher={head}", f"articles/{head}", f"authors/{head}"):  # fmt: skip
        yield get(f"/v1/{path.replace(head, 'WORD')}", f"/v1/{path}")


def every_request(house: LeakWire, reader: Reader) -> list[Request]:
    """The whole table for one reader: of each article of which it may not know everything."""
    hidden = [target for target in house.targets if house.knowledge(reader.name, HIDDEN[target.kind]) is not ALL]
    # Who has no valid key is refused before the address is looked at: one article will do.
    asked = hidden[:1] if reader.name == "expired" else hidden
    return [*general_requests(reader), *(each for target in asked for each in article_requests(target, house.slug))]
