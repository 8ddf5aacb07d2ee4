"""The HTTP interface. This page is its route table: method, address, view, scope, parameters, answers.

A scope of None means that the address is open to everyone; a route without a declaration
cannot be written. The OpenAPI document is made from the same table.
"""

from collections.abc import Mapping

from marshmallow import Schema

from newswire.api.representations import HTML, MARKDOWN, NINJS_TYPES
from newswire.api.request.bodies import ARTICLE_TYPES
from newswire.api.routing import Route
from newswire.api.schemas import changes as wire
from newswire.api.schemas import envelopes, responses
from newswire.api.schemas import feeds as saved
from newswire.api.schemas.changes import ChangesParameters
from newswire.api.schemas.directory import AuthorList, AuthorProfile, NameList, NamesParameters, PublisherList
from newswire.api.schemas.filters import (
    ArticleParameters,
    DocumentParameters,
    DryRunParameters,
    KillParameters,
    PageParameters,
)
from newswire.api.schemas.parameters import Parameters
from newswire.api.views import about, articles, batch, changes, consumers, directory, feeds, publishing, syndication
from newswire.api.views.streams import EVENTS, NDJSON

ARTICLE = "/v1/articles/<article_id:article_id>"
EXTERNAL = "/v1/publishers/<string:publisher>/articles/<external_id:external_id>"
CONSUMER = "/v1/consumers/<consumer:name>"
FEED = "/v1/feeds/<feed:feed>"
JSON_OR_NINJS = ("application/json", *NINJS_TYPES)
PATCH_TYPES = ("application/merge-patch+json", "application/json")
WRITING = ("malformed_json", "too_large", "unsupported_media_type", "validation_failed", "unavailable")
STORED: Mapping[int, type[Schema] | None] = {200: responses.StoredOrKilled, 201: responses.StoredArticle}

ROUTES = (
    Route("GET", "/v1/articles", articles.list_articles, "read", ArticleParameters, {200: envelopes.ArticleList},
          media=JSON_OR_NINJS, tagged=True),
    Route("GET", "/v1/articles.rss", syndication.articles_rss, "read", DocumentParameters, {200: None},
          media=("application/rss+xml",), tagged=True),
    Route("GET", "/v1/articles.atom", syndication.articles_atom, "read", DocumentParameters, {200: None},
          media=("application/atom+xml",), tagged=True),
    Route("GET", "/v1/articles.json", syndication.articles_json_feed, "read", DocumentParameters, {200: None},
          media=("application/feed+json",), tagged=True),
    Route("GET", "/v1/articles.ninjs", articles.list_ninjs, "read", ArticleParameters, {200: None},
          media=NINJS_TYPES, tagged=True),
    Route("POST", "/v1/articles", publishing.create_article, "publish", DryRunParameters, STORED, takes=ARTICLE_TYPES,
          signed=True, problems=(*WRITING, "duplicate_external_id", "stale_version", "article_canceled")),
    Route("POST", "/v1/articles/batch", batch.create_batch, "publish", DryRunParameters, {200: envelopes.BatchOut},
          takes=("application/json", "application/x-ndjson"), problems=WRITING),
    Route("GET", ARTICLE, articles.read_article, "read", Parameters, {200: responses.FullArticle},
          media=(*JSON_OR_NINJS, MARKDOWN, HTML), problems=("not_found", "article_canceled"), tagged=True),
    Route("GET", ARTICLE + ".md", articles.read_markdown, "read", Parameters, {200: None}, media=(MARKDOWN,),
          problems=("not_found", "article_canceled"), tagged=True),
    Route("GET", ARTICLE + ".html", articles.read_page, "read", Parameters, {200: None}, media=(HTML,),
          problems=("not_found", "article_canceled"), tagged=True),
    Route("GET", ARTICLE + ".ninjs", articles.read_ninjs, "read", Parameters, {200: None}, media=NINJS_TYPES,
          problems=("not_found", "article_canceled"), tagged=True),
    Route("PUT", ARTICLE, publishing.replace_article, "publish", DryRunParameters, {200: responses.StoredOrKilled},
          takes=ARTICLE_TYPES, problems=(*WRITING, "not_found", "stale_version", "article_canceled",
                                         "precondition_failed", "precondition_required")),
    Route("PATCH", ARTICLE, publishing.patch_article, "publish", DryRunParameters, {200: responses.StoredArticle},
          takes=PATCH_TYPES, problems=(*WRITING, "not_found", "stale_version", "article_canceled",
                                       "precondition_failed", "precondition_required")),
    Route("DELETE", ARTICLE, publishing.kill_article, "publish", KillParameters, {200: responses.Tombstone},
          problems=("not_found", "precondition_failed", "idempotency_key_reused", "unavailable")),
    Route("GET", ARTICLE + "/versions", articles.list_versions, "read", PageParameters, {200: envelopes.VersionList},
          problems=("not_found", "article_canceled")),
    Route("GET", ARTICLE + "/versions/<ordinal:version>", articles.read_version, "read", Parameters,
          {200: responses.VersionOut}, problems=("not_found", "article_canceled"), tagged=True),
    Route("PUT", EXTERNAL, publishing.put_external, "publish", DryRunParameters, STORED,
          takes=ARTICLE_TYPES, problems=(*WRITING, "not_found", "stale_version", "article_canceled",
                                         "precondition_failed")),
    Route("DELETE", EXTERNAL, publishing.kill_external, "publish", KillParameters, {200: responses.Tombstone},
          problems=("not_found", "precondition_failed", "validation_failed", "unavailable")),
    Route("GET", "/v1/changes", changes.list_changes, "read", ChangesParameters, {200: envelopes.ChangesOut},
          media=JSON_OR_NINJS, streams=(EVENTS, NDJSON), problems=("cursor_ahead", "wire_changed", "not_found")),
    Route("GET", "/v1/changes.ninjs", changes.list_changes_ninjs, "read", ChangesParameters, {200: None},
          media=NINJS_TYPES, problems=("cursor_ahead", "wire_changed", "not_found")),
    Route("GET", "/v1/wire", changes.read_wire, "read", Parameters, {200: wire.WireOut}),
    Route("GET", "/v1/consumers", consumers.list_consumers, "read", Parameters, {200: wire.ConsumerList}),
    Route("GET", CONSUMER, consumers.read_consumer, "read", Parameters, {200: wire.ConsumerOut},
          problems=("not_found",)),
    Route("PUT", CONSUMER, consumers.put_consumer, "read", Parameters, {200: wire.ConsumerOut},
          takes=("application/json",), sent=wire.ConsumerSchema,
          problems=(*WRITING, "not_found", "cursor_ahead")),
    Route("DELETE", CONSUMER, consumers.delete_consumer, "read", Parameters, {204: None}, problems=("not_found",)),
    Route("GET", "/v1/feeds", feeds.list_feeds, "read", Parameters, {200: saved.FeedList}),
    Route("POST", "/v1/feeds", feeds.create_feed, "read", Parameters, {201: saved.NewFeedOut},
          takes=("application/json",), sent=saved.FeedSchema, problems=WRITING),
    Route("GET", FEED, feeds.read_feed, "read", Parameters, {200: saved.FeedOut}, problems=("not_found",)),
    Route("PATCH", FEED, feeds.change_feed, "read", Parameters, {200: saved.FeedOut}, takes=PATCH_TYPES,
          sent=saved.FeedPatchSchema, problems=(*WRITING, "not_found")),
    Route("DELETE", FEED, feeds.delete_feed, "read", Parameters, {204: None}, problems=("not_found",)),
    Route("POST", FEED + "/token", feeds.renew_token, "read", Parameters, {201: saved.TokenOut},
          problems=("not_found",)),
    Route("DELETE", FEED + "/token", feeds.revoke_token, "read", Parameters, {204: None}, problems=("not_found",)),
    Route("GET", FEED + "/articles", feeds.feed_articles, "read", saved.FeedArticlesParameters,
          {200: envelopes.ArticleList}, problems=("not_found",), tagged=True),
    Route("GET", FEED + ".rss", feeds.feed_rss, "read", saved.FeedDocumentParameters, {200: None},
          media=("application/rss+xml",), problems=("not_found",), tagged=True, token=True),
    Route("GET", FEED + ".atom", feeds.feed_atom, "read", saved.FeedDocumentParameters, {200: None},
          media=("application/atom+xml",), problems=("not_found",), tagged=True, token=True),
    Route("GET", FEED + ".json", feeds.feed_json, "read", saved.FeedDocumentParameters, {200: None},
          media=("application/feed+json",), problems=("not_found",), tagged=True, token=True),
    Route("GET", FEED + "/changes", feeds.feed_changes, "read", saved.FeedChangesParameters,
          {200: envelopes.ChangesOut}, streams=(EVENTS, NDJSON),
          problems=("cursor_ahead", "wire_changed", "not_found")),
    Route("GET", "/v1/authors", directory.list_authors, "read", NamesParameters, {200: AuthorList}, tagged=True),
    Route("GET", "/v1/authors/<string:author_id>", directory.read_author, "read", Parameters, {200: AuthorProfile},
          problems=("not_found",), tagged=True),
    Route("GET", "/v1/publishers", directory.list_publishers, "read", NamesParameters, {200: PublisherList},
          tagged=True),
    Route("GET", "/v1/sections", directory.list_sections, "read", NamesParameters, {200: NameList}, tagged=True),
    Route("GET", "/v1/keywords", directory.list_keywords, "read", NamesParameters, {200: NameList}, tagged=True),
    Route("GET", "/v1/me", about.read_me, "read", Parameters, {200: envelopes.MeOut}),
    Route("GET", "/v1/problems", about.list_problems, None, Parameters, {200: envelopes.ProblemKinds}),
    Route("GET", "/healthz", about.healthz, None, Parameters, {200: envelopes.Health}),
    Route("GET", "/readyz", about.readyz, None, Parameters, {200: envelopes.Readiness}, problems=("unavailable",)),
)  # fmt: skip
