"""Headers that protect readers in browsers: on every response, whoever makes it."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from newswire.api.routes import ROUTES
from tests.support.databases import ENGINES
from tests.support.site import Site, opened

NOSNIFF, REFERRER = "X-Content-Type-Options", "Referrer-Policy"


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


def check_headers(response: TestResponse) -> None:
    assert response.headers.getlist(NOSNIFF) == ["nosniff"], response.request.path
    assert response.headers.getlist(REFERRER) == ["no-referrer"], response.request.path


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES if "<" not in route.path}))
def test_every_answer_has_them_with_and_without_a_key(site: Site, path: str) -> None:
    for caller in (site.publisher, site.partner):
        for method in ("GET", "HEAD", "OPTIONS", "PATCH"):
            check_headers(caller.call(method, path))
    check_headers(site.wire.client.get(path))


@pytest.mark.parametrize(
    "path",
    ["/", "/nowhere", "/v1/articles/none", "/v1/articles?unknown=1", "/v1/openapi.json", "/docs/assets/nothing.js",
     "/docs/assets/swagger-ui.css", "/docs/assets/docs_page.js"],
)  # fmt: skip
def test_errors_and_files_have_them_too(site: Site, path: str) -> None:
    check_headers(site.partner.get(path, buffered=True))


@pytest.mark.parametrize("suffix", ["", ".html", ".md", ".ninjs"])
def test_an_article_in_every_format_has_them(site: Site, suffix: str) -> None:
    response = site.partner.get(site.address + suffix)
    assert response.status_code == 200
    check_headers(response)


def test_a_cached_page_and_its_304_have_them(site: Site) -> None:
    for _ in range(3):
        fresh = site.partner.get("/v1/articles?limit=7")
        check_headers(fresh)
    for _ in range(3):
        unchanged = site.partner.get("/v1/articles?limit=7", headers={"If-None-Match": fresh.headers["ETag"]})
        assert unchanged.status_code == 304
        check_headers(unchanged)


def test_streams_have_them(site: Site) -> None:
    response = site.partner.get("/v1/changes", headers={"Accept": "application/x-ndjson"})
    check_headers(response)
    response.close()
