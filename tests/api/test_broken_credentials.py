"""Credentials and bodies that cannot be read are the client's fault: 401 or 400, never 500."""

import base64
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from tests.support.databases import empty_database
from tests.support.site import Site, problem_of

DOORS = ("GET /v1/articles", "GET /v1/changes", "GET /v1/me", "GET /v1/articles.rss", "HEAD /v1/articles",
         "POST /v1/articles", "DELETE /v1/feeds/desk", "PUT /v1/consumers/desk")  # fmt: skip
SCHEMES = st.sampled_from(["Basic", "basic", "BASIC", "Bearer", "Digest", "Negotiate", "", "Basic\t", "Basic="])
# What a server hands on: bytes, decoded as Latin-1 (PEP 3333).
OCTETS = st.binary(max_size=60).map(lambda sent: sent.decode("latin-1"))
ENCODED = st.binary(max_size=60).map(lambda sent: base64.b64encode(sent).decode())


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with empty_database(request, "sqlite") as url:
        made = Site(url)
        yield made
        made.wire.close()


def send(site: Site, door: str, **environ: Any) -> TestResponse:
    method, path = door.split(" ")
    sent = EnvironBuilder(path, method=method, headers=Headers({"Content-Type": "application/json"})).get_environ()
    sent |= environ
    return TestResponse(*run_wsgi_app(site.wire.app, sent, buffered=True), Request(sent))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "header",
    [
        "Basic \xff\xfe",
        "Basic w\xe4hrung",
        "Basic \N{LATIN SMALL LETTER A WITH DIAERESIS}===",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic",
        "Basic =",
        "Basic a:b",
        "Digest \xff",
        "Bearer \xff\xfe",
        "\xff",
    ],
)
def test_credentials_that_cannot_be_read_are_401_at_every_door(site: Site, door: str, header: str) -> None:
    response = send(site, door, HTTP_AUTHORIZATION=header)
    assert response.status_code == 401, response.text
    assert response.headers["WWW-Authenticate"]


@given(scheme=SCHEMES, rest=OCTETS | ENCODED)
@example(scheme="Basic", rest="\xff")
def test_no_credentials_break_a_request(site: Site, scheme: str, rest: str) -> None:
    assert send(site, "GET /v1/me", HTTP_AUTHORIZATION=f"{scheme} {rest}").status_code == 401


def test_the_password_of_basic_may_hold_a_colon_and_blanks_around_it_are_no_matter(site: Site) -> None:
    key = site.publisher.key
    encoded = base64.b64encode(f"reader:{key}".encode()).decode()
    assert send(site, "GET /v1/me", HTTP_AUTHORIZATION=f"basic   {encoded} ").status_code == 200
    wrong = base64.b64encode(f"reader:x:{key}".encode()).decode()
    assert send(site, "GET /v1/me", HTTP_AUTHORIZATION=f"Basic {wrong}").status_code == 401


class Broken:
    """A `wsgi.input` that fails after some bytes, as gunicorn's does in the middle of a malformed body."""

    def __init__(self, sent: bytes, error: Exception) -> None:
        self.sent, self.error = sent, error

    def read(self, size: int = -1) -> bytes:
        sent, self.sent = self.sent, b""
        if not sent:
            raise self.error
        return sent

    readline = read

    def readinto(self, buffer: Any) -> int:
        sent = self.read()
        buffer[: len(sent)] = sent
        return len(sent)


class ServerError(Exception):
    """An exception of a server that is no OSError, as those of gunicorn's parser are."""


@pytest.mark.parametrize(
    "error", [OSError("reset"), TimeoutError(), ServerError("zz"), ValueError("chunk size")], ids=repr
)
@pytest.mark.parametrize("sent", [b"", b'{"headline": '], ids=["at once", "later"])
@pytest.mark.parametrize("door", ["POST /v1/articles", "POST /v1/articles/batch", "PUT /v1/consumers/desk"])
def test_a_body_that_cannot_be_read_is_400(site: Site, door: str, sent: bytes, error: Exception) -> None:
    with site.storing_nothing():
        response = send(
            site, door, HTTP_AUTHORIZATION=f"Bearer {site.publisher.key}", CONTENT_TYPE="application/json",
            HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": Broken(sent, error), "wsgi.input_terminated": True},
        )  # fmt: skip
    problem_of(response, "malformed_json")


def test_a_body_that_is_cut_short_is_400(site: Site) -> None:
    response = send(
        site, "POST /v1/articles", HTTP_AUTHORIZATION=f"Bearer {site.publisher.key}", CONTENT_TYPE="application/json",
        CONTENT_LENGTH="500", **{"wsgi.input": BytesIO(b'{"headline": "x"}')},
    )  # fmt: skip
    problem_of(response, "malformed_json")


def test_a_host_that_is_no_host_is_named(site: Site) -> None:
    response = send(site, "GET /healthz", HTTP_HOST="a b/c")
    problem = problem_of(response, "invalid_parameter")
    assert "Host" in problem["detail"]
    assert "send a host name" in problem["detail"]
