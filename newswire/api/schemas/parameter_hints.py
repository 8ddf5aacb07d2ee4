"""Hints for parameters that are named otherwise in other APIs, such as `page` and `per_page`.

A name that is mistyped is found by its likeness (`errors.closest_name`); these are not alike, and `page` is most like
`place`.
"""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from newswire.errors import closest_name

LONGEST_NAME = 100
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SEPARATORS = re.compile(r"[^a-z0-9]+")
EXCLUDING = re.compile(r"(?:not|no|exclude|without)_(?=.)")

OTHER_NAMES = {
    "cursor after": "page page_number page_cursor page_token offset skip start start_index starting_after after next"
    " next_cursor next_page cursor",
    "after published_from": "since since_id",
    "after": "after_id last_id last_seq seq sequence last_event_id",
    "limit": "per_page page_size pagesize page_limit size rows max max_results results_per_page top first num take",
    "q": "query search s text term terms phrase fulltext search_query",
    "published_from": "from from_date date_from start_date begin_date published_after published_since min_date date"
    " published_at published_at_gt published_at_gte newer_than",
    "published_to": "to to_date date_to until before end_date published_before max_date published_at_lt"
    " published_at_lte older_than",
    "updated_from": "updated_since updated_after modified_since modified_after updated_at updated_at_gt updated_at_gte",
    "updated_to": "updated_before modified_before updated_at_lt updated_at_lte",
    "sort": "order order_by orderby sort_by sortby sort_order ordering direction",
    "language": "lang locale hl",
    "section": "category categories cat channel desk department",
    "keyword": "tag tags hashtag label labels",
    "subject": "topic topics",
    "publisher": "source sources provider outlet domain domains agency",
    "author": "byline writer creator by",
    "place": "location country region city",
    "ids": "id uuid guid article_id",
    "urgency_max": "urgency priority",
    "has_image": "image images has_images with_images picture has_picture",
    "status": "state",
    "fields": "select only show_fields",
    "include": "expand embed body full_text show_body",
    "facets": "facet aggs group_by",
    "count": "total with_count",
    "wait": "timeout poll",
    "types": "type event events",
}
"""Names elsewhere, by those of our parameters that do the same: of these the first that an address has."""
SENTENCES = {
    "cursor": "Pages have no numbers: follow `links.next`, or send its `cursor`; `limit` says how much is on a page.",
    "after": "Send `page.next_after` of the page before as `after`.",
    "sort": "`sort=-published_at` is newest first, without the hyphen oldest first.",
    "published_from": "`published_from` is inclusive; for the time of the newest version there is `updated_from`.",
    "published_to": "`published_to` is exclusive; for the time of the newest version there is `updated_to`.",
    "include": "`include=body` adds the bodies.",
}
"""What a name alone does not say, by our parameter."""
ELSEWHERE = {
    "key api_key apikey access_token auth auth_token token authorization":
        "A key is sent in the header Authorization: Bearer KEY, never in an address.",
    "format output content_type accept mime_type":
        "The format is the suffix of the address, as in /v1/articles.rss, or the header Accept.",
    "version api_version v": "The version is part of the address: /v1.",
}  # fmt: skip
"""What is not asked for by a parameter at all."""


class Hint(NamedTuple):
    """The parameter that is meant, if there is one, and a sentence, which may be empty."""

    name: str | None
    sentence: str


def spread_words(table: dict[str, str]) -> dict[str, str]:
    return {word: value for words, value in table.items() for word in words.split()}


OURS = {word: ours for ours, words in OTHER_NAMES.items() for word in words.split()}
OUTSIDE = spread_words(ELSEWHERE)


def find_hint(sent: str, known: Collection[str]) -> Hint:
    """The hint for a parameter that an address does not have, whose parameters are `known`."""
    name = normalise_name(sent[:LONGEST_NAME])
    for candidate in find_candidates(name):
        if candidate in known:
            return Hint(candidate, SENTENCES.get(candidate, "") if candidate != name else "")
    if name in OUTSIDE:
        return Hint(None, OUTSIDE[name])
    return Hint(closest_name(sent, known), "")


def find_candidates(name: str) -> Iterator[str]:
    """Our parameters that a normalised name may mean, the likeliest first."""
    yield name
    yield from OURS.get(name, "").split()
    if found := EXCLUDING.match(name):
        rest = name[found.end() :]
        yield from (f"not_{each}" for each in (rest, *OURS.get(rest, "").split()))


def normalise_name(sent: str) -> str:
    """A name in small letters with underscores: `pageSize`, `page-size` and `page[size]` are `page_size`."""
    name = SEPARATORS.sub("_", CAMEL.sub("_", sent).lower()).strip("_")
    return name.removeprefix("filter_").removeprefix("filters_")
