"""Headers of any bytes, at every door, from strangers and from callers with a key: a whole answer, never a 5xx."""

import base64
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from newswire.api.routes import ROUTES
from newswire.errors import CODES
from tests.support.cases import few_or_many
from tests.support.databases import ENGINES
from tests.support.site import Site, code_of, opened, problem_of

HEADERS = (
    "Authorization", "Host", "X-Request-Id", "Accept", "If-Match", "If-None-Match", "Range", "Cookie",
    "If-Modified-Since", "Accept-Encoding", "Content-Type", "Content-Encoding", "Idempotency-Key", "Last-Event-ID",
    "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Origin", "X-Superdesk-Signature", "Prefer", "Referer",
    "User-Agent", "Access-Control-Request-Method", "X-HTTP-Method-Override", "Expect", "TE", "Date",
)  # fmt: skip
KEY = "nw_" + "x" * 43


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


# A server hands on the bytes of a header decoded as Latin-1 (PEP 3333), but no line break and no NUL.
ODD = st.binary(max_size=60).map(lambda value: value.decode("latin-1").translate({0: None, 10: None, 13: None}))
LONG = st.sampled_from(["a", ",", "\xff", '"', ";q=", " ", "\t", "*/*,"]).map(lambda part: part * 2000)
SHAPED = st.sampled_from([
    "", " ", "*", '"*"', "W/", '""', "bytes=0-", "bytes=-0", "bytes=5-2", "q=0", "*/*;q=\xe9", "text/html;q=9",
    "a=b; c", "a.example:99999", "[::1", "[::1]:x", "\xe9.example", "xn--\xff", "localhost:", "@", "gzip;q=nan",
    "Thu, 99 Foo 2026 25:00:00 GMT", "application/json; charset=\xff", "multipart/form-data; boundary=",
    "sha1=" + "0" * 40, "100-continue",
])  # fmt: skip
SCHEMES = st.sampled_from(["Bearer", "bearer", "Basic", "BASIC", "Digest", "", "\xa0"])
CREDENTIALS = st.one_of(
    st.builds("{} {}".format, SCHEMES, ODD | LONG),
    st.binary(max_size=60).map(lambda content: f"Basic {encoded(content)}"),
    st.text(st.characters(exclude_categories=()), max_size=30).map(
        lambda text: f"Basic {encoded(text.encode('utf-8', 'surrogatepass'))}"
    ),
    ODD.map(lambda odd: f"Basic {encoded(f'user:{KEY}'.encode())}{odd}"),
    ODD.map(lambda odd: f"Bearer {KEY}{odd}"),
)  # fmt: skip
VALUES = {"Authorization": CREDENTIALS | ODD | SHAPED}
HEADS = st.lists(st.sampled_from(HEADERS), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: VALUES.get(name, ODD | SHAPED | LONG) for name in names})
)
DOORS = st.sampled_from(sorted({(route.method, route.path) for route in ROUTES}))


def send(site: Site, method: str, path: str, headers: Mapping[str, str]) -> TestResponse:
    """A request with these very header values, as a server hands them on."""
    named = {
        "article_id:article_id": site.article["id"], "string:publisher": "reuters", "external_id:external_id": "held",
        "consumer:name": "desk", "feed:feed": "desk", "ordinal:version": "1", "string:author_id": "0" * 32,
    }  # fmt: skip
    for name, value in named.items():
        path = path.replace(f"<{name}>", value)
    tried = "" if method in ("GET", "HEAD") or "/feeds" in path or "/consumers" in path else "dry_run=true"
    environ = EnvironBuilder(method=method, path=path, data=b'{"headline": "x"}' if tried else None).get_environ()
    environ["QUERY_STRING"] = tried
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return TestResponse(*run_wsgi_app(site.wire.app, environ, buffered=False), Request(environ))


def check_answer(response: TestResponse) -> None:
    """A good answer, or a whole problem of the caller's; with headers that a client can read."""
    if response.mimetype != "text/event-stream":
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            problem = problem_of(response, code_of(response))
            assert CODES[problem["code"]].status < 500
    assert all(value.isprintable() for _, value in response.headers), dict(response.headers)
    response.close()


@few_or_many(40, 200)
def test_headers_of_any_bytes_are_answered_or_refused(site: Site, examples: int) -> None:
    @settings(max_examples=examples)
    @given(door=DOORS, headers=HEADS, has_key=st.booleans())
    @example(door=("GET", "/v1/articles"), headers={"Authorization": "Basic \xe9"}, has_key=False)
    def holds(door: tuple[str, str], headers: dict[str, str], has_key: bool) -> None:
        # The feed and the consumer of these names are not the partner's, so that none of them is deleted.
        caller = site.partner if "<feed" in door[1] or "<consumer" in door[1] else site.publisher
        key = {"Authorization": f"Bearer {caller.key}"} if has_key else {}
        with site.storing_nothing():
            check_answer(send(site, *door, {**key, **headers}))

    holds()


@few_or_many(40, 120)
def test_credentials_of_any_bytes_are_refused_with_401(site: Site, examples: int) -> None:
    @settings(max_examples=examples)
    @given(value=CREDENTIALS | ODD | SHAPED)
    def holds(value: str) -> None:
        for method, path in (("GET", "/v1/articles"), ("POST", "/v1/articles"), ("GET", "/v1/feeds/<feed:feed>.rss")):
            problem_of(send(site, method, path, {"Authorization": value}), "unauthenticated")

    holds()
