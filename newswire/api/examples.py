"""The examples of the OpenAPI document: path parameters, request bodies, and a value for each parameter and field.

All of them work on the wire of `newswire demo`, which has the articles, feeds and consumers that they name. What a new
route, parameter or field needs here is asked for by `tests/api/test_openapi_examples.py`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from newswire.formats.ninjs.document import NINJS_TYPE
from newswire.publishing.draft import author_id

PUBLISHER, AUTHOR = "samples", "Edmund Vale"
FEED, CONSUMER = "harbour", "desk"
"""A saved feed and a consumer that every party of the demo has."""
DELETED = "old-desk"
"""The name of another feed and of another consumer of every party, which the examples delete."""
FEED_QUERY: Mapping[str, Sequence[str]] = {"q": ["harbour"], "language": ["en"]}
READ, REPLACED, KILLED = "harbour-reopens-2026", "flash-ferry-2026", "windfarm-storage-2026"
"""External ids of sample articles: one that the examples read and correct, one to replace, and one to kill."""


def sample_article_id(external_id: str) -> str:
    """The id of a sample article, the same in every demo: a UUID of version 5."""
    return str(uuid5(NAMESPACE_URL, f"urn:newswire:samples:{external_id}"))


PATHS: Mapping[str, Any] = {
    "article_id": sample_article_id(READ), "publisher": PUBLISHER, "external_id": READ, "version": 1, "feed": FEED,
    "name": CONSUMER, "author_id": author_id(PUBLISHER, AUTHOR),
}  # fmt: skip
"""Path parameters, by name."""
OTHER_PATHS: Mapping[str, Mapping[str, Any]] = {
    "replace_article": {"article_id": sample_article_id(REPLACED)},
    "kill_article": {"article_id": sample_article_id(KILLED)},
    "put_external": {"external_id": "ferries-sail-2026"},
    "kill_external": {"external_id": "never-printed-2026"},
    "delete_feed": {"feed": DELETED},
    "delete_consumer": {"name": DELETED},
}
"""Path parameters of the operations that need others than `PATHS`, by operation."""

HEADLINE, SUMMARY = "Ferries to the islands sail again", "The storm has passed; the first boat left at nine."
ARTICLE = {
    "headline": HEADLINE,
    "summary": SUMMARY,
    "body_html": "<p>The first boat left Port Selwick at nine on Sunday.</p>",
    "language": "en",
    "section": "world",
    "keywords": ["ferries", "weather"],
    "authors": [{"name": AUTHOR}],
    "evolves_from": READ,
    "related": [{"external_id": KILLED, "relation": "background"}],
}
NINJS = {
    "uri": "urn:example:ferries-sail",
    "type": "text",
    "headlines": [{"value": HEADLINE}],
    "bodies": [{"value": ARTICLE["body_html"], "contenttype": "text/html"}],
}
ARTICLES: Mapping[str, Any] = {
    "application/json": ARTICLE,
    "text/markdown": f"{HEADLINE}\n\nThe first boat left Port Selwick at nine on Sunday.\n",
    NINJS_TYPE: NINJS,
}
"""An article in each media type in which it may be sent."""
BATCH = [ARTICLE | {"external_id": "ferries-1"}, {"external_id": "ferries-2", "headline": "Timetable of the ferries"}]
CORRECTION = {
    "summary": "Freighters up to nine metres deep can enter again.",
    "change": {"type": "correction", "note": "The depth is that of the channel at low water."},
}
PATCHES: Mapping[str, Any] = {"application/json": CORRECTION, "application/merge-patch+json": CORRECTION}
"""A merge-patch of an article in each of its media types."""
FEED_PATCH = {"title": "Everything on the harbour"}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "create_batch": {
        "application/json": BATCH,
        "application/x-ndjson": "".join(f"{json.dumps(article)}\n" for article in BATCH),
    },
    "put_consumer": {"application/json": {"after": 0}},
    "create_feed": {"application/json": {"name": "ferries", "query": "keyword=ferries"}},
    "change_feed": {"application/json": FEED_PATCH, "application/merge-patch+json": FEED_PATCH},
}
"""Request bodies of the operations that take neither an article nor a patch of one, by operation and media type."""

# The version `1` of a sample article, as its ETag names it.
ENTITY_TAG = f'"{PATHS["article_id"]}.1.usable.json"'
CHAIN, LONG_AGO, TIME, MUCH_LATER = "0" * 64, "2026-11-01", "2026-11-22T09:30:00Z", "2036-11-22T00:00:00Z"
URL = "https://news.example"
HEADERS: Mapping[str, str] = {
    "If-Match": "*", "If-None-Match": ENTITY_TAG, "Idempotency-Key": "ferries-sail-1", "Last-Event-ID": "0",
}  # fmt: skip
PARAMETERS: Mapping[str, Any] = {
    "after": 0,
    "author": AUTHOR,
    "chain": CHAIN,
    "external_id": READ,
    "facets": "section",
    "fields": "headline",
    "ids": PATHS["article_id"],
    "keyword": "ports",
    "language": "en",
    "limit": 25,
    "place": "Port Selwick",
    "published_from": LONG_AGO,
    "published_to": "2100-01-01",
    "publisher": PUBLISHER,
    "q": "harbour",
    "reason": "The figures were wrong.",
    "search_in": "headline",
    "section": "business",
    "subject": "economy",
    "types": "article.published",
    "updated_from": LONG_AGO,
    "updated_to": "2100-01-01",
    "urgency_max": 5,
    "wait": 0,
}
"""Values of the parameters, by name; a parameter with a list of values or a default needs none."""
FIELDS: Mapping[str, Any] = {
    "alt_text": "Two freighters at the quay",
    "article_id": PATHS["article_id"],
    "articles": f"{URL}/v1/articles",
    "at": TIME,
    "atom": f"{URL}/v1/feeds/{FEED}.atom",
    "avatar_url": f"{URL}/pictures/vale.jpg",
    "bio": "Edmund Vale covers ports, shipping and trade.",
    "body_html": ARTICLE["body_html"],
    "body_markdown": "The first boat left Port Selwick at *nine* on Sunday.",
    "body_text": "The first boat left Port Selwick at nine on Sunday.",
    "byline": f"By {AUTHOR}",
    "caption": "The inner harbour at sunrise",
    "chain": CHAIN,
    "changes": f"{URL}/v1/feeds/{FEED}/changes",
    "code": "medtop:04000000",
    "copyright_notice": "© The Sample Gazette",
    "country": "Norway",
    "created_at": TIME,
    "credit": "Saltmarsh Picture Desk",
    "dateline": "PORT SELWICK",
    "detail": "/headline: This field is required.",
    "did_you_mean": "headline",
    "digest": "5f" * 32,
    "editor_note": "A full story will follow.",
    "embargoed_until": TIME,
    "evolves_from": "storm-warning-2026",
    "expires_at": MUCH_LATER,
    "external_id": "ferries-sail-2026",
    "fields": ["summary"],
    "head": 14,
    "headline": HEADLINE,
    "height": 800,
    "id": PATHS["article_id"],
    "image_id": None,
    "index": 0,
    "instance": "/v1/articles",
    "json": f"{URL}/v1/feeds/{FEED}.json",
    "keywords": ["ferries", "weather"],
    "label": "newsroom",
    "lag": 3,
    "language": "en",
    "limit": 25,
    "mime_type": "image/jpeg",
    "name": AUTHOR,
    "next": None,
    "next_after": 14,
    "next_chain": CHAIN,
    "next_cursor": None,
    "note": "The depth is that of the channel at low water.",
    "organization": "The Sample Gazette",
    "parameter": "limit",
    "pointer": "/headline",
    "position": 4,
    "published_at": TIME,
    "relation": "background",
    "q": "harbour",
    "request_id": "c6a3f2d1",
    "requests": 600,
    "role": "reporter",
    "rss": f"{URL}/v1/feeds/{FEED}.rss",
    "scheme": "http://cv.iptc.org/newscodes/mediatopic/",
    "scopes": ["publish", "read"],
    "seconds": 60,
    "section": "world",
    "self": f"{URL}/v1/articles/{PATHS['article_id']}",
    "seq": 14,
    "size_bytes": 48_211,
    "slug": PUBLISHER,
    "slugline": "FERRIES-SAIL",
    "source_version": 1,
    "status": "alive",
    "summary": SUMMARY,
    "title": "Everything on the harbour",
    "token": "nwf_" + "x" * 43,
    "updated_at": TIME,
    "urgency": 5,
    "uri": f"urn:uuid:{PATHS['article_id']}",
    "url": f"{URL}/2026/ferries-sail",
    "usage_terms": "Not for use after 2036.",
    "value": 14,
    "version": 1,
    "versions": f"{URL}/v1/articles/{PATHS['article_id']}/versions",
    "warning": None,
    "width": 1200,
    "wire": "0192f0c1-7d3e-7c4a-9b5f-2f6a1c8d4e90",
    "word_count": 9,
}
"""Values of the scalar fields of bodies and answers, by name; a field with a list of values needs none."""
OTHER_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "Consumer": {"after": 0},
    "ConsumerOut": {"name": CONSUMER, "after": 11},
    "FacetValue": {"value": "business"},
    "HighlightsOut": {"headline": ["<mark>Ferries</mark> to the islands"], "body": ["the <mark>ferries</mark> of"]},
    "FaultOut": {"code": "required", "detail": "This field is required."},
    "Feed": {"name": "ferries"},
    "FeedPatch": {"name": FEED},
    "FeedOut": {"name": FEED},
    "NewFeedOut": {"name": FEED},
    "Place": {"name": "Port Selwick"},
    "PlaceOut": {"name": "Port Selwick"},
    "ProblemKind": {
        "type": f"{URL}/v1/problems#validation_failed",
        "code": "validation_failed",
        "status": 422,
        "title": "The content is not valid",
    },
    "ProblemOut": {"type": f"{URL}/v1/problems#validation_failed", "status": 422, "title": "The content is not valid"},
    "BatchResult": {"status": 201},
    "PublisherOut": {"name": "The Sample Gazette", "url": URL},
    "NamedPublisher": {"name": "The Sample Gazette", "url": URL},
    "QueryOut": {
        "words": ["rates"],
        "phrases": ["oil price", "foo bar"],
        "near": ['"harbour ferry"~5'],
        "prefixes": ["intern"],
        "fields": {"headline": ["iraq"]},
        "excluded": ["opec"],
        "left_out": [":)"],
        "unknown_fields": ["foo"],
    },
    "MoreOut": {"link": "https://wire.example/v1/articles?q=ferry+strike&match=most"},
    "RenditionOut": {"name": "small", "url": f"{URL}/pictures/harbour-small.jpg"},
    "IndexOut": {"version": "0.1.0"},
    "Image": {"url": f"{URL}/pictures/harbour.jpg"},
    "ImageOut": {"url": f"{URL}/pictures/harbour.jpg"},
    "Subject": {"name": "economy"},
    "SubjectOut": {"name": "economy"},
    "WarningOut": {"pointer": "/body_html", "code": "removed_element", "detail": "<script> removed (1 time)"},
    "NameOut": {"name": "business"},
    "MeOut": {"name": "The Sample Gazette"},
}
"""Values of fields that need another example than their name has in `FIELDS`, by schema."""
