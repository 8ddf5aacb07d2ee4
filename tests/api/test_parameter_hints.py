"""Parameters as other APIs name them: refused, and the one that does the same here is named."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.api.routes import ROUTES
from newswire.api.schemas.parameter_hints import ELSEWHERE, OTHER_NAMES, SENTENCES, find_hint
from tests.support.databases import ENGINES
from tests.support.site import Site, opened, problem_of

KNOWN = {name for route in ROUTES for name in route.parameters().names()}
ON_LISTS = {
    "page=2": "cursor", "offset=20": "cursor", "start=20": "cursor", "page[number]=2": "cursor", "skip=5": "cursor",
    "per_page=10": "limit", "pageSize=10": "limit", "page-size=10": "limit", "page[size]=10": "limit", "rows=5":
    "limit", "query=cocoa": "q", "search=cocoa": "q", "s=cocoa": "q", "lang=en": "language", "locale=en_US": "language",
    "from=2026-01-01": "published_from", "from-date=2026-01-01": "published_from", "since=2026-01-01":
    "published_from", "to=2026-01-01": "published_to", "until=now": "published_to", "published_at[gte]=2026":
    "published_from", "updated_since=now-1d": "updated_from", "modifiedSince=now": "updated_from", "order=desc": "sort",
    "sort_by=date": "sort", "sortBy=publishedAt": "sort", "order-by=newest": "sort", "category=world": "section",
    "tag=cocoa": "keyword", "tags[]=cocoa": "keyword", "topic=trade": "subject", "source=reuters": "publisher",
    "filter[section]=World": "section", "publishedFrom=2026": "published_from", "exclude_category=Sport":
    "not_section", "not_tags=a": "not_keyword", "show-fields=all": "fields", "sectoin=World": "section",
}  # fmt: skip
ON_CHANGES = {
    "page=2": "after", "offset=5": "after", "cursor=abc": "after", "since=12": "after", "since_id=12": "after",
    "per_page=5": "limit", "from=2026-01-01": "published_from", "timeout=5": "wait", "type=article.canceled": "types",
}  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "hints"),
    [("/v1/articles", ON_LISTS), ("/v1/articles.rss", {"page=2": "cursor", "lang=en": "language"}),
     ("/v1/changes", ON_CHANGES), ("/v1/feeds/desk/articles", {"page=2": "cursor", "per_page=3": "limit"}),
     ("/v1/sections", {"query=w": "q", "page=2": "cursor", "search=w": "q"})],
)  # fmt: skip
def test_the_parameter_that_does_the_same_is_named(site: Site, path: str, hints: dict[str, str]) -> None:
    for sent, meant in hints.items():
        problem = problem_of(site.publisher.get(f"{path}?{sent}"), "unknown_parameter")
        (fault,) = problem["errors"]
        assert (fault["parameter"], fault.get("did_you_mean")) == (sent.partition("=")[0], meant)
        if meant in SENTENCES and not sent.startswith("published"):
            assert SENTENCES[meant] in fault["detail"]
            assert SENTENCES[meant] in problem["detail"]


def test_what_is_no_parameter_here_is_said_too(site: Site) -> None:
    for sent, said in {"api_key=x": "Authorization: Bearer", "apiKey=x": "Authorization: Bearer",
                       "format=rss": "suffix of the address"}.items():  # fmt: skip
        (fault,) = problem_of(site.partner.get(f"/v1/articles?{sent}"), "unknown_parameter")["errors"]
        assert said in fault["detail"]
        assert "did_you_mean" not in fault


def test_no_hint_leads_to_a_parameter_that_is_not_there() -> None:
    words = {word for words in OTHER_NAMES.values() for word in words.split()}
    for route in ROUTES:
        known = route.parameters().names()
        for word in words - {*known}:
            assert find_hint(word, known).name in (None, *known), (route.path, word)
    assert {name for names in OTHER_NAMES for name in names.split()} <= KNOWN
    assert not words & {word for words in ELSEWHERE for word in words.split()}


@given(st.text(max_size=30) | st.sampled_from(list("[]_-. A")).map(lambda part: part * 3000))
def test_any_name_gets_a_hint_that_is_known_or_none(sent: str) -> None:
    known = ["limit", "cursor", "q", "section", "not_section"]
    assert find_hint(sent, known).name in (None, *known)


@pytest.mark.parametrize("part", ["_", "-", "aA", "not_", "filter_", "[", "x"])
def test_a_huge_name_takes_no_time(part: str) -> None:
    began = time.perf_counter()
    find_hint(part * 50_000, ["limit", "cursor", "q"])
    assert time.perf_counter() - began < 1
