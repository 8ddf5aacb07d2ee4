"""The route table of the HTTP interface: method, path, view, scope, parameters and responses of each operation.

`app` registers the table with Flask, and `openapi` makes the OpenAPI document from it. The paths that end with the
suffix of a format come from the table of formats (`newswire.formats.FORMATS`). Pages for people and what browsers ask
for, such as /docs, are in `open_routes`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from flask import Response
from marshmallow import Schema

from newswire.api.request.bodies import ARTICLE_TYPES, MERGE_TYPES
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
    RelatedParameters,
)
from newswire.api.schemas.parameters import Parameters
from newswire.api.views import (
    about,
    articles,
    batch,
    changes,
    consumers,
    directory,
    external,
    feeds,
    front_page,
    publishing,
    related,
)
from newswire.api.views.streams import EVENTS, NDJSON
from newswire.formats import FORMATS, LISTS, Format

ARTICLE = "/v1/articles/<article_id:article_id>"
EXTERNAL = "/v1/publishers/<string:publisher>/articles/<external_id:external_id>"
CONSUMER = "/v1/consumers/<consumer:name>"
FEED = "/v1/feeds/<feed:feed>"
WRITING = ("malformed_json", "too_large", "unsupported_media_type", "validation_failed", "unavailable")
# The usual answer comes first: generators of clients take the type of a result from it.
STORED: Mapping[int, type[Schema] | None] = {201: responses.StoredArticle, 200: responses.StoredOrKilled}
REPLACING = (*WRITING, "not_found", "stale_version", "article_canceled", "precondition_failed")
GONE = ("not_found", "article_canceled")
MISSING = ("not_found",)
BEHIND = ("cursor_ahead", "wire_changed", "wire_forked", "not_found")
TOKEN_OPENS = "`token` opens it to readers that cannot send headers."


@dataclass(frozen=True)
class Route:
    """One operation, answered by `view(context, **path_parameters)`; a `scope` of None opens it to everyone.

    `takes` are the media types of its body, and `sent` is the schema of a JSON body that is no article. `media` are the
    media types of its responses, the default first; `streams` are those of endless or very long ones. With `tagged` a
    response has an ETag, and may be 304. With `token` the token of the saved feed in the path authenticates too, with
    `signed` a signature over the body. `name` and `docstring` replace those of a view that several routes share.
    """

    method: str
    path: str
    view: Callable[..., Response]
    scope: str | None
    parameters: type[Parameters]
    answers: Mapping[int, type[Schema] | None]
    takes: tuple[str, ...] = ()
    sent: type[Schema] | None = None
    media: tuple[str, ...] = ("application/json",)
    streams: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    tagged: bool = False
    token: bool = False
    signed: bool = False
    name: str = ""
    docstring: str = ""

    @property
    def operation_id(self) -> str:
        return self.name or self.view.__name__

    @property
    def has_suffix(self) -> bool:
        """Whether the path ends with the suffix of a format, such as `.rss`."""
        return "." in self.path.rpartition("/")[2]


def offered_types(formats: Iterable[Format]) -> tuple[str, ...]:
    """The media types of a path whose default is the JSON of the wire and which has these formats too."""
    return ("application/json", *(media_type for each in formats for media_type in each.media_types))


# The JSON formats come first, because the first of two types that `Accept` likes equally is sent.
WRITERS = sorted((each for each in FORMATS if each.write_article), key=lambda each: not each.is_json)
CONVERTERS = [each for each in WRITERS if each.is_json]
IN_PAGES = offered_types(each for each in CONVERTERS if each not in LISTS)


def format_routes() -> Iterator[Route]:
    """The paths that end with the suffix of a format: an article, the list, a saved feed, the changes."""
    for each in FORMATS:
        route = partial(Route, "GET", scope="read", answers={200: None}, media=each.media_types)
        about, name, suffix = each.about, each.name, each.suffix
        killed = f" What was killed is told on the first page by {each.tombstones}." if each.tombstones else ""
        if each in WRITERS:
            yield route(f"{ARTICLE}.{suffix}", articles.read_article, parameters=Parameters, problems=GONE, tagged=True,
                        name=f"read_{name}", docstring=f"One article {each.phrase}\n\n{about}")  # fmt: skip
        if each in LISTS:
            yield route(f"/v1/articles.{suffix}", articles.list_articles, parameters=DocumentParameters, tagged=True,
                        name=f"articles_{name}", docstring=f"Articles {each.phrase}\n\n{about}{killed}")  # fmt: skip
            yield route(f"{FEED}.{suffix}", feeds.feed_articles, parameters=saved.FeedDocumentParameters,
                        problems=MISSING, tagged=True, token=True, name=f"feed_{suffix}",
                        docstring=f"A saved feed {each.phrase}\n\n{TOKEN_OPENS}{killed}")  # fmt: skip
        elif each in CONVERTERS:
            yield route(f"/v1/articles.{suffix}", articles.list_articles, parameters=ArticleParameters, tagged=True,
                        name=f"list_{name}", docstring=f"Find and list articles, {each.phrase}\n\n"
                        f"The list of `/v1/articles`, each item an article {each.phrase}. {about}")  # fmt: skip
        if each in CONVERTERS:
            yield route(f"/v1/changes.{suffix}", changes.list_changes, parameters=ChangesParameters, problems=BEHIND,
                        name=f"list_changes_{name}", docstring=f"The wire, in order, its articles {each.phrase}\n\n"
                        f"The pages of `/v1/changes`, each `article` {each.phrase}. {about}")  # fmt: skip


ROUTES = (
    Route("GET", "/v1/articles", articles.list_articles, "read", ArticleParameters, {200: envelopes.ArticleList},
          media=IN_PAGES, tagged=True),
    Route("POST", "/v1/articles", publishing.create_article, "publish", DryRunParameters, STORED, takes=ARTICLE_TYPES,
          signed=True, problems=(*WRITING, "duplicate_external_id", "stale_version", "article_canceled")),
    Route("POST", "/v1/articles/batch", batch.create_batch, "publish", DryRunParameters, {200: envelopes.BatchOut},
          takes=("application/json", "application/x-ndjson"), problems=WRITING),
    Route("GET", ARTICLE, articles.read_article, "read", Parameters, {200: responses.FullArticle},
          media=offered_types(WRITERS), problems=GONE, tagged=True),
    Route("PUT", ARTICLE, publishing.replace_article, "publish", DryRunParameters, {200: responses.StoredOrKilled},
          takes=ARTICLE_TYPES, problems=(*REPLACING, "precondition_required")),
    Route("PATCH", ARTICLE, publishing.patch_article, "publish", DryRunParameters, {200: responses.StoredArticle},
          takes=MERGE_TYPES, problems=(*REPLACING, "precondition_required")),
    Route("DELETE", ARTICLE, publishing.kill_article, "publish", KillParameters, {200: responses.Tombstone},
          problems=("not_found", "precondition_failed", "idempotency_key_reused", "unavailable")),
    Route("GET", ARTICLE + "/versions", articles.list_versions, "read", PageParameters, {200: envelopes.VersionList},
          problems=GONE),
    Route("GET", ARTICLE + "/versions/<ordinal:version>", articles.read_version, "read", Parameters,
          {200: responses.VersionOut}, problems=GONE, tagged=True),
    Route("GET", ARTICLE + "/related", related.list_related, "read", RelatedParameters, {200: envelopes.RelatedList},
          problems=GONE, tagged=True),
    Route("GET", EXTERNAL, external.read_external, "read", PageParameters, {200: responses.FullArticle},
          media=offered_types(WRITERS), problems=(*GONE, "validation_failed"), tagged=True),
    Route("PUT", EXTERNAL, publishing.put_external, "publish", DryRunParameters, STORED,
          takes=ARTICLE_TYPES, problems=REPLACING),
    Route("PATCH", EXTERNAL, publishing.patch_external, "publish", DryRunParameters, {200: responses.StoredArticle},
          takes=MERGE_TYPES, problems=(*REPLACING, "precondition_required")),
    Route("DELETE", EXTERNAL, publishing.kill_external, "publish", KillParameters, {200: responses.Tombstone},
          problems=("not_found", "precondition_failed", "validation_failed", "unavailable")),
    *format_routes(),
    Route("GET", "/v1/changes", changes.list_changes, "read", ChangesParameters, {200: envelopes.ChangesOut},
          media=offered_types(CONVERTERS), streams=(EVENTS, NDJSON), problems=BEHIND),
    Route("GET", "/v1/wire", changes.read_wire, "read", Parameters, {200: wire.WireOut}),
    Route("GET", "/v1/consumers", consumers.list_consumers, "read", Parameters, {200: wire.ConsumerList}),
    Route("GET", CONSUMER, consumers.read_consumer, "read", Parameters, {200: wire.ConsumerOut}, problems=MISSING),
    Route("PUT", CONSUMER, consumers.put_consumer, "read", Parameters, {200: wire.ConsumerOut},
          takes=("application/json",), sent=wire.ConsumerSchema,
          problems=(*WRITING, "not_found", "cursor_ahead")),
    Route("DELETE", CONSUMER, consumers.delete_consumer, "read", Parameters, {204: None}, problems=MISSING),
    Route("GET", "/v1/feeds", feeds.list_feeds, "read", Parameters, {200: saved.FeedList}),
    Route("POST", "/v1/feeds", feeds.create_feed, "read", Parameters, {201: saved.NewFeedOut},
          takes=("application/json",), sent=saved.FeedSchema, problems=WRITING),
    Route("GET", FEED, feeds.read_feed, "read", Parameters, {200: saved.FeedOut}, problems=MISSING),
    Route("PATCH", FEED, feeds.change_feed, "read", Parameters, {200: saved.FeedOut}, takes=MERGE_TYPES,
          sent=saved.FeedPatchSchema, problems=(*WRITING, "not_found")),
    Route("DELETE", FEED, feeds.delete_feed, "read", Parameters, {204: None}, problems=MISSING),
    Route("POST", FEED + "/token", feeds.renew_token, "read", Parameters, {201: saved.TokenOut}, problems=MISSING),
    Route("DELETE", FEED + "/token", feeds.revoke_token, "read", Parameters, {204: None}, problems=MISSING),
    Route("GET", FEED + "/articles", feeds.feed_articles, "read", saved.FeedArticlesParameters,
          {200: envelopes.ArticleList}, problems=MISSING, tagged=True),
    Route("GET", FEED + "/changes", feeds.feed_changes, "read", saved.FeedChangesParameters,
          {200: envelopes.ChangesOut}, streams=(EVENTS, NDJSON),
          problems=BEHIND),
    Route("GET", "/v1/authors", directory.list_authors, "read", NamesParameters, {200: AuthorList}, tagged=True),
    Route("GET", "/v1/authors/<string:author_id>", directory.read_author, "read", Parameters, {200: AuthorProfile},
          problems=MISSING, tagged=True),
    Route("GET", "/v1/publishers", directory.list_publishers, "read", NamesParameters, {200: PublisherList},
          tagged=True),
    Route("GET", "/v1/sections", directory.list_sections, "read", NamesParameters, {200: NameList}, tagged=True),
    Route("GET", "/v1/keywords", directory.list_keywords, "read", NamesParameters, {200: NameList}, tagged=True),
    Route("GET", "/v1/me", about.read_me, "read", Parameters, {200: envelopes.MeOut}),
    Route("GET", "/v1/", front_page.read_index, None, Parameters, {200: envelopes.IndexOut}, tagged=True),
    Route("GET", "/v1/problems", about.list_problems, None, Parameters, {200: envelopes.ProblemKinds}, tagged=True),
    Route("GET", "/healthz", about.healthz, None, Parameters, {200: envelopes.Health}),
    Route("GET", "/readyz", about.readyz, None, Parameters, {200: envelopes.Readiness}, problems=("unavailable",)),
)  # fmt: skip
