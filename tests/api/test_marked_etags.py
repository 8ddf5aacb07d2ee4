"""ETags as proxies return them that have compressed a response, and as clients send them: they match everywhere."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.api.request.conditional import names_tag
from tests.support.databases import ENGINES
from tests.support.site import Site, opened, problem_of

MARKS = ("-gzip", "--gzip", ";gzip", "-br", "-zstd", ":gzip")


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


def marked(tag: str) -> list[str]:
    """An ETag as proxies and clients give it back."""
    opaque = tag[1:-1]
    return [
        *(f'"{opaque}{mark}"' for mark in MARKS), f'W/"{opaque}"', f'W/"{opaque}-gzip"', f'"x", W/"{opaque}-br" , "y"',
        opaque, f"{opaque}-gzip", "*",
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_marked_tag_is_answered_with_304_at_every_door(site: Site, encoding: str) -> None:
    pages = (f"{site.address}{suffix}" for suffix in ("", ".html", ".md", ".ninjs", "/versions/1"))
    lists = ("/v1/articles", "/v1/articles.rss", "/v1/articles.atom", "/v1/articles.json", "/v1/sections",
             "/v1/feeds/desk/articles", "/v1/authors")  # fmt: skip
    for path in (*pages, *lists):
        for caller in (site.publisher, site.partner):
            if "/feeds/" in path and caller is site.partner:
                continue
            headers = {"Accept-Encoding": encoding}
            found = caller.get(path, headers=headers)
            for held in marked(found.headers["ETag"]):
                unchanged = caller.get(path, headers={**headers, "If-None-Match": held})
                assert (unchanged.status_code, unchanged.data) == (304, b""), (path, held)
            for other in (f'"{found.headers["ETag"][1:-1]}-x"', '"x-gzip"', '"-gzip"', '""', '"'):
                assert caller.get(path, headers={**headers, "If-None-Match": other}).status_code == 200, (path, other)


def test_a_marked_tag_permits_a_change_of_the_version_that_it_names(site: Site) -> None:
    article = site.publisher.publish("Version 1")
    address = f"/v1/articles/{article['id']}"
    tag = site.publisher.get(address).headers["ETag"]
    for held in (each for each in marked(tag) if '"' in each):
        kept = site.publisher.patch(f"{address}?dry_run=true", json={"urgency": 1}, headers={"If-Match": held})
        assert kept.status_code == 200, held
    assert site.publisher.patch(address, json={"urgency": 1}, headers={"If-Match": tag}).status_code == 200
    for held in (each for each in marked(tag) if each != "*"):
        refused = site.publisher.patch(address, json={"urgency": 2}, headers={"If-Match": held})
        problem_of(refused, "precondition_failed")


@given(st.text(st.sampled_from(list('"W/,-; gzipbrabc.*')), max_size=30))
def test_no_other_tag_is_taken_for_ours(header: str) -> None:
    own = "0123.1.usable.json"
    assert names_tag(header, own) == (header.strip() == "*")
    assert names_tag(f'"x", "{own}-gzip"', own)


@pytest.mark.parametrize("part", ['"', '"x" ', ",", " ", "W/", '""', 'W/"', "x", "-gzip"])
def test_a_huge_header_of_tags_takes_no_time(part: str) -> None:
    began = time.perf_counter()
    for _ in range(10):
        names_tag('"a' + part * (60_000 // len(part)), "0123.1.usable.json")
    assert (time.perf_counter() - began) / 10 < 0.2
