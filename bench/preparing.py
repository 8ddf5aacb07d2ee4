"""What articles as sent become: the rows of a wire, made by the same functions as `publishing.receive` uses.

This is all that takes much computing and no database, so it runs in processes of its own, once
for both engines. Every article is new, usable and the first version of itself.
"""

import random
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

import orjson

from bench.corpus import PUBLISHERS, Sent, article
from bench.planting import Plan, plan
from newswire.article import ArticleState, Draft, Publisher, Status, article_document, due_at
from newswire.document import Version, pack_source, render_version
from newswire.publishing.draft import make_draft
from newswire.schemas.article import load_draft
from newswire.search.analysis import analyse_article
from newswire.search.names import Label, labels_in
from newswire.search.postgres import writer as postgres_writer
from newswire.search.signatures import story_terms
from newswire.search.sqlite import writer as sqlite_writer
from newswire.timestamps import parse_instant
from newswire.visibility import terms_of

SEED = 1842
TOGETHER = 100
"""Articles of one transaction, received at the same millisecond."""
PART = 5 * TOGETHER
PROCESSES, AHEAD = 2, 6

SENDERS = {
    slug: Publisher(number, slug, slug.title(), f"https://{slug}.example/", "en")
    for number, slug in enumerate(PUBLISHERS, 1)
}
DOCUMENTS = {"sqlite": sqlite_writer.index_row, "postgresql": postgres_writer.index_row}


class Prepared(NamedTuple):
    """The rows of one article: `article` without its `seq`, `version`, and one for the search index of each engine."""

    article: dict[str, Any]
    version: dict[str, Any]
    labels: list[Label]
    spoken: set[str]
    search: dict[str, dict[str, Any]]


class Batch(NamedTuple):
    """What one transaction received at `now`."""

    now: int
    articles: list[Prepared]


def batches(size: int, engines: Iterable[str]) -> Iterator[Batch]:
    """A whole corpus in the order of its reception, prepared by processes that are a little ahead."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        waiting: deque[Future[list[Batch]]] = deque()
        for start in range(0, size, PART):
            waiting.append(pool.submit(part, size, start, tuple(engines)))
            if len(waiting) > AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def part(size: int, start: int, engines: tuple[str, ...]) -> list[Batch]:
    """The batches of up to `PART` articles."""
    return [
        batch(size, first, min(first + TOGETHER, size), engines)
        for first in range(start, min(start + PART, size), TOGETHER)
    ]


def batch(size: int, first: int, end: int, engines: tuple[str, ...]) -> Batch:
    whole = plan(size)
    now = received(whole, first)
    return Batch(now, [prepared(article(whole, index), index + 1, now, engines) for index in range(first, end)])


def received(whole: Plan, index: int) -> int:
    """When the transaction with this article took place: with the last of its articles."""
    return whole.received[min(index // TOGETHER * TOGETHER + TOGETHER, whole.size) - 1]


def prepared(sent: Sent, number: int, now: int, engines: tuple[str, ...]) -> Prepared:
    """The rows of an article that is the wire's `number`th."""
    publisher = SENDERS[sent.publisher]
    draft = drafted(sent, publisher)
    assert draft.published_at is not None, "the corpus dates every article"
    held = ArticleState(
        number=number, id=identity(number, now), publisher_id=publisher.id, external_id=draft.external_id,
        source_version=draft.source_version, version=1, status=Status.USABLE, seq=None, created_at=now,
        published_at=draft.published_at, updated_at=now, embargoed_until=draft.embargoed_until,
        expires_at=draft.expires_at,
    )  # fmt: skip
    content = article_document(draft, publisher, held, held.published_at)
    content["change"] = {"type": "new", "note": draft.change_note, "fields": []}
    terms, version = terms_of(publisher.slug, content), render_version(content)
    analysed = analyse_article(content, terms)
    terms |= story_terms(analysed)
    return Prepared(
        held._asdict() | {"status": held.status.value, "due_at": due_at(held)},
        version_row(held, version, terms, draft.source),
        list(labels_in(content)),
        analysed.spoken,
        {engine: DOCUMENTS[engine](held, terms, analysed) for engine in engines},
    )


def drafted(sent: Sent, publisher: Publisher) -> Draft:
    """What `load_draft` makes of it. What was invented, but for HTML, is known to be valid: checking takes long."""
    content = sent.content
    if sent.real or "body_html" in content:
        return load_draft(content, publisher)
    return make_draft(content | {"published_at": parse_instant(content["published_at"])}, content, publisher, ())


def identity(number: int, now: int) -> str:
    """A UUID of version 7 (RFC 9562), the same in every run: the corpus must not depend on chance."""
    bits = random.Random(SEED * 10_000_000 + number).getrandbits(74)
    return str(uuid.UUID(int=now << 80 | 7 << 76 | bits >> 62 << 64 | 2 << 62 | bits & (1 << 62) - 1))


def version_row(held: ArticleState, version: Version, terms: frozenset[str], source: Any) -> dict[str, Any]:
    return {
        "number": held.number, "version": held.version, "digest": version.digest, "terms": " ".join(sorted(terms)),
        "source": pack_source(orjson.dumps(source), version.rendered, version.body),
        "rendered": version.rendered, "body": version.body, "form": version.form, "created_at": held.created_at,
    }  # fmt: skip
