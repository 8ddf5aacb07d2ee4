"""`Accept` as clients send it: what each of their defaults gets, at addresses with and without a suffix."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.api.request.accept import find_best_type
from tests.support.databases import ENGINES
from tests.support.site import Site, opened, problem_of

JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
DEFAULTS = {
    "curl, requests, Ruby": "*/*",
    "Java": JAVA,
    "older Java": "text/html, image/gif, image/jpeg, */*; q=0.2",
    "Java's wildcard alone": "*; q=.2",
    "axios": "application/json, text/plain, */*",
    "Spring": "application/json, application/*+json",
    "Spring, JSON of any kind": "application/*+json",
    "jQuery": "application/json, text/javascript, */*; q=0.01",
    "feedparser": "application/atom+xml,application/rdf+xml,application/rss+xml,application/x-netcdf,"
    "application/xml;q=0.9,text/xml;q=0.2,*/*;q=0.1",
    "a generated client": "application/problem+json",
    "another generated client": "application/problem+json, application/json",
    "Chrome": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "OData": "application/json; odata=verbose",
    "four decimals": "application/json;q=1.0000",
    "a point without digits": "application/json;q=1., text/csv",
    "an item that cannot be read": "application json, */*;q=.1",
    "a quality that cannot be read": "text/csv;q=high, application/json;q=0.1",
    "nothing that can be read": "json",
    "nothing": "",
    "commas": ",,,",
    "capitals": "APPLICATION/JSON;Q=0.9",
}
SUFFIXES = {
    "/v1/articles.rss": "application/rss+xml", "/v1/articles.atom": "application/atom+xml",
    "/v1/articles.json": "application/feed+json", "/v1/articles.ninjs": "application/vnd.iptc.ninjs+json",
    "/v1/changes.ninjs": "application/vnd.iptc.ninjs+json", "{article}.md": "text/markdown",
    "{article}.html": "text/html", "{article}.ninjs": "application/vnd.iptc.ninjs+json",
}  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


@pytest.mark.parametrize("accept", DEFAULTS.values(), ids=DEFAULTS)
def test_lists_changes_and_open_doors_answer_each_client_in_json(site: Site, accept: str) -> None:
    for path in ("/v1/articles", "/v1/changes", "/v1/me", "/v1/problems", "/v1/feeds/desk/articles", "/healthz"):
        response = site.publisher.get(path, headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (200, "application/json"), path


@pytest.mark.parametrize("accept", [*DEFAULTS.values(), "image/png", "*/*;q=0", "text/css, application/json"])
def test_an_address_with_a_suffix_answers_in_its_format_whatever_is_accepted(site: Site, accept: str) -> None:
    for path, media_type in SUFFIXES.items():
        response = site.publisher.get(path.format(article=site.address), headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (200, media_type), path


def test_the_type_that_is_liked_best_wins_and_then_the_one_that_is_named_more_exactly(site: Site) -> None:
    ninjs = "application/vnd.iptc.ninjs+json"
    for accept, media_type in {
        "text/html": "text/html", DEFAULTS["Chrome"]: "text/html", JAVA: "text/html",
        "application/json;q=.4, text/html;q=.5": "text/html", "text/html;q=.4, application/json;q=.5":
        "application/json", f"*/*, {ninjs}": ninjs, "text/*": "text/markdown", "text/markdown;variant=GFM":
        "text/markdown", "text/html;q=0, */*": "application/json", "application/json;q=0, application/*+json": ninjs,
    }.items():  # fmt: skip
        response = site.partner.get(site.address, headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (200, media_type), accept
        assert "Accept" in response.headers["Vary"].split(", ")


@pytest.mark.parametrize("accept", ["text/csv", "text/csv, application/problem+json", "nonsense, image/png", "*/*;q=0"])
def test_what_is_not_there_is_refused_and_said(site: Site, accept: str) -> None:
    for path in ("/v1/articles", "/v1/changes", site.address):
        problem = problem_of(site.partner.get(path, headers={"Accept": accept}), "not_acceptable")
        assert "application/json" in problem["detail"]


def test_a_kept_page_is_given_to_those_only_who_accept_the_same(site: Site) -> None:
    tried = {"*/*": "application/json", JAVA: "application/json", "application/*+json":
             "application/json", "application/vnd.iptc.ninjs+json": "application/vnd.iptc.ninjs+json"}  # fmt: skip
    for _ in range(3):
        for accept, media_type in tried.items():
            response = site.partner.get("/v1/articles?limit=2", headers={"Accept": accept})
            assert (response.status_code, response.mimetype) == (200, media_type)
        problem_of(site.partner.get("/v1/articles?limit=2", headers={"Accept": "text/csv"}), "not_acceptable")


def test_streams_are_chosen_by_accept(site: Site) -> None:
    for accept, media_type in {
        "text/event-stream": "text/event-stream", "text/event-stream, */*": "text/event-stream",
        "application/x-ndjson": "application/x-ndjson", "application/json, text/event-stream;q=.9": "application/json",
    }.items():  # fmt: skip
        response = site.partner.get("/v1/changes", headers={"Accept": accept})
        assert response.mimetype == media_type
        response.close()


@given(st.text(st.sampled_from(list('*/;,=q.019 ab+\t"')) | st.characters(max_codepoint=255), max_size=40))
def test_any_text_is_read_and_everything_that_is_accepted_was_offered(accept: str) -> None:
    offered = ("application/json", "text/html", "text/html;version=2")
    assert find_best_type(accept, offered) in (*offered, None)
    # Whoever accepts anything is refused nothing, whatever else is said.
    assert find_best_type(f"*/*;q=.001,{accept},text/html;q=1", offered) is not None


@pytest.mark.parametrize("part", ["a/b,", "*/*;", ";", ",", "a/b;q=0.1,", '"', "a/", "*", "q=", " "])
def test_a_huge_header_takes_no_time(part: str) -> None:
    began = time.perf_counter()
    for _ in range(20):
        find_best_type(part * (60_000 // len(part)), ("application/json", "text/html"))
    assert (time.perf_counter() - began) / 20 < 0.1
