"""Reading a wire to its end as a partner would, and what must hold of what was read."""

import hashlib
import random
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from tests.soaks.clients import Client, Unexpected
from tests.soaks.report import Report, doubled

GENESIS = "0" * 64
WORDS_AT_ONCE = 50


class Told(NamedTuple):
    """One entry of `GET /v1/changes`; `blank`: it came without its article."""

    seq: int
    type: str
    article_id: str
    version: int
    digest: str
    chain: str
    blank: bool


class Follower:
    """A reader of `GET /v1/changes` that keeps its place; `query` are further parameters, each with its &."""

    def __init__(self, client: Client, query: str = "") -> None:
        self.client = client
        self.query = query
        self.after = 0
        self.told: list[Told] = []
        self.polls = 0

    def poll(self, limit: int, wait: int = 0) -> bool:
        """Reads one page, for which it waits so many seconds; says whether there is more."""
        page = self.client.get(f"/v1/changes?after={self.after}&limit={limit}&wait={wait}{self.query}")
        reached, more = page["page"]["next_after"], bool(page["page"]["has_more"])
        if more and reached <= self.after:
            raise Unexpected(f"there is more behind {self.after}, and it does not come")
        self.told += [told(entry) for entry in page["data"]]
        self.after = reached
        self.polls += 1
        return more

    def follow(self, stop: threading.Event) -> None:
        """Polls with any limit, over and over."""
        while not stop.is_set():
            if not self.poll(random.randint(1, 60)):
                stop.wait(0.005)

    def catch_up(self) -> list[Told]:
        """Reads to the head; returns all that was ever told."""
        while self.poll(500):
            pass
        return self.told


def told(entry: Mapping[str, Any]) -> Told:
    return Told(
        entry["seq"], entry["type"], entry["article_id"], entry["version"], entry["digest"], entry["chain"],
        blank=entry["article"] is None,
    )  # fmt: skip


def meant_for(entries: Iterable[Told], holds: Callable[[Told], bool]) -> Iterator[Told]:
    """What a reader is told of the whole wire: `holds` says of an entry whether it wants, and may see, its version."""
    ever: set[str] = set()
    last: set[str] = set()
    for entry in entries:
        article_id = entry.article_id
        if entry.type == "article.canceled":
            if article_id in ever:
                yield entry
        elif holds(entry):
            ever.add(article_id)
            last.add(article_id)
            yield entry
        elif article_id in last:
            last.remove(article_id)
            yield entry._replace(type="article.removed")


def check_whole(report: Report, entries: Sequence[Told]) -> None:
    """The whole wire: 1, 2, 3 … in this order, each version once, and every chain value follows from the one before."""
    report.none("numbers that are not the next one", misplaced([entry.seq for entry in entries]))
    report.none("versions told twice", doubled([(entry.article_id, entry.version) for entry in versions(entries)]))
    report.none("entries whose chain value is wrong", unchained(entries))


def versions(entries: Iterable[Told]) -> list[Told]:
    """The entries that tell of a version for the first time: an expiry tells of one once more."""
    return [entry for entry in entries if entry.type != "article.expired"]


def misplaced(numbers: Sequence[int]) -> list[int]:
    """The numbers that do not follow the one before them; a wire begins with 1."""
    return [number for before, number in pairwise([0, *numbers]) if number != before + 1]


def unchained(entries: Sequence[Told]) -> list[int]:
    """The numbers of the entries whose chain value is not SHA-256 of "CHAIN SEQ DIGEST"."""
    links = zip([GENESIS, *(entry.chain for entry in entries)], entries, strict=False)
    return [
        entry.seq
        for chain, entry in links
        if hashlib.sha256(f"{chain} {entry.seq} {entry.digest}".encode()).hexdigest() != entry.chain
    ]


def pages(client: Client, path: str) -> Iterator[list[Any]]:
    """The articles of a list, page by page, along `links.next`."""
    following: str | None = path
    while following is not None:
        page = client.get(following)
        yield page["data"]
        found = page["links"]["next"]
        following = None if found is None else "{0.path}?{0.query}".format(urlsplit(found))


def listed(client: Client, path: str = "/v1/articles?limit=100") -> list[str]:
    """The ids of a list, to its end."""
    return [article["id"] for page in pages(client, path) for article in page]


def found(client: Client, words: Collection[str]) -> dict[str, list[str]]:
    """For every word, each of one article's headline, the ids that a search finds by it."""
    by_word: dict[str, list[str]] = {word: [] for word in words}
    remaining = list(by_word)
    while remaining:
        some, remaining = remaining[:WORDS_AT_ONCE], remaining[WORDS_AT_ONCE:]
        for page in pages(client, f"/v1/articles?limit=100&q={quote(' OR '.join(some))}"):
            for article in page:
                for word in article["headline"].split():
                    if word in by_word:
                        by_word[word].append(article["id"])
    return by_word
