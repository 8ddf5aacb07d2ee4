"""CORS: off by default; where it is on, the scripts of the named origins may call every door and read every answer."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from newswire.api.routes import ROUTES
from newswire.config import Settings, SettingsError
from tests.support.command import Cli
from tests.support.databases import ENGINES, empty_database
from tests.support.served import Serving, started
from tests.support.wire import Caller, Wire

APP, OTHER = "https://app.example.org", "http://localhost:3000"
EXPOSED = "ETag, Link, Location, X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed"
SENT = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, Accept, X-Request-Id"
ALLOW_ORIGIN = "Access-Control-Allow-Origin"


@pytest.fixture(scope="module", params=ENGINES)
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with empty_database(request, request.param) as url, closing(Wire(url, cors_origins=(APP, OTHER))) as made:
        yield made


@pytest.fixture(scope="module")
def publisher(wire: Wire) -> Caller:
    caller = wire.as_publisher()
    caller.publish("Cocoa rises", external_id="held")
    return caller


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


def check_readable(response: TestResponse, origin: str) -> None:
    assert response.headers.getlist(ALLOW_ORIGIN) == [origin]
    assert names(response.headers["Access-Control-Expose-Headers"]) == names(EXPOSED)
    assert "origin" in names(response.headers["Vary"])
    assert "Access-Control-Allow-Credentials" not in response.headers


def preflight(wire: Wire, path: str, method: str, origin: str = APP) -> TestResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": method,
               "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
    return wire.client.open(path, method="OPTIONS", headers=headers)


def test_a_preflight_of_every_address_is_told_its_methods_without_a_key(wire: Wire) -> None:
    for route in ROUTES:
        path = route.path.replace("<article_id:article_id>", "x").replace("<string:publisher>", "reuters")
        path = path.replace("<external_id:external_id>", "y").replace("<ordinal:version>", "1")
        path = path.replace("<consumer:name>", "desk").replace("<feed:feed>", "desk").replace("<string:author_id>", "z")
        response = preflight(wire, path, route.method)
        assert (response.status_code, response.data) == (204, b""), path
        check_readable(response, APP)
        methods = {each.method for each in ROUTES if each.path == route.path}
        methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        assert {name.strip() for name in response.headers["Access-Control-Allow-Methods"].split(",")} == methods
        assert names(response.headers["Access-Control-Allow-Headers"]) >= names(SENT)
        assert 0 < int(response.headers["Access-Control-Max-Age"]) <= 86_400


def test_preflights_need_neither_the_database_nor_a_slot(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, cors_origins=(APP,))) as wire:
        key = {"Authorization": f"Bearer {wire.publisher_key()}"}
        wire.database.dispose()
        for file in Path(fresh_sqlite.removeprefix("sqlite:///")).parent.glob("*.db*"):
            file.unlink()
        Path(fresh_sqlite.removeprefix("sqlite:///")).mkdir()
        slots = wire.app.config["NEWSWIRE"].slots
        pools = (slots.readers, slots.writers, slots.authentications)
        taken = [slots.take(pool, f"party {at}", 1.0) for pool in pools for at in range(pool.size)]
        for _ in range(200):
            assert preflight(wire, "/v1/articles", "POST").status_code == 204
        for slot in taken:
            slot.release()
        assert wire.client.post("/v1/articles", json={"headline": "x"}, headers=key).status_code == 503


@pytest.mark.parametrize("origin", [APP, OTHER])
def test_every_answer_can_be_read_errors_streams_and_kept_pages_too(wire: Wire, publisher: Caller, origin: str) -> None:
    sent = {"Origin": origin}
    partner = wire.as_partner(f"partner-{len(origin)}")
    statuses: dict[str, tuple[int, Mapping[str, Any]]] = {
        "/v1/articles?unknown=1": (400, {}), "/v1/articles/none": (404, {}), "/v1/nowhere": (404, {}),
        "/v1/articles?limit=3": (200, {}), "/v1/me": (200, {}), "/v1/articles.rss": (200, {}), "/healthz": (200, {}),
        "/v1/changes": (200, {"Accept": "application/x-ndjson"}), "/v1/articles": (406, {"Accept": "image/png"}),
    }  # fmt: skip
    for path, (status, headers) in statuses.items():
        response = partner.get(path, headers={**sent, **headers})
        assert response.status_code == status
        check_readable(response, origin)
        response.close()
    for _ in range(3):
        kept = partner.get("/v1/articles?limit=2", headers=sent)
        check_readable(kept, origin)
        unchanged = partner.get("/v1/articles?limit=2", headers={**sent, "If-None-Match": kept.headers["ETag"]})
        assert unchanged.status_code == 304
        check_readable(unchanged, origin)
    refused = wire.client.get("/v1/articles", headers=sent)
    assert refused.status_code == 401
    check_readable(refused, origin)
    for method, path, status in (("POST", "/v1/articles", 422), ("DELETE", "/v1/me", 405)):
        response = publisher.call(method, path, json={"nothing": 1}, headers=sent)
        assert response.status_code == status
        check_readable(response, origin)


def test_a_kept_page_is_sent_to_each_site_under_its_own_name_and_to_others_under_none(
    wire: Wire, publisher: Caller
) -> None:
    partner = wire.as_partner("several")
    for _ in range(2):
        for origin in (APP, OTHER, None, "https://evil.example", APP):
            response = partner.get("/v1/articles?limit=9", headers={"Origin": origin} if origin else {})
            assert response.status_code == 200
            known = [origin] if origin in (APP, OTHER) else []
            assert response.headers.getlist(ALLOW_ORIGIN) == known
            # A cache on the way must not give one site the answer to another.
            assert "origin" in names(response.headers["Vary"])


@pytest.mark.parametrize(
    "origin",
    ["", "null", "*", "https://app.example.org.evil.example", "https://evil.example/https://app.example.org",
     "https://app.example.org/", "http://app.example.org", "https://app.example.org:8443", "HTTPS://APP.EXAMPLE.ORG",
     f"{APP}, {APP}", f"{APP} {OTHER}", f" {APP}x", "x" * 8000, "\xe9", "https://app.example.org\x0bX-Evil: 1", "()"],
)  # fmt: skip
def test_no_other_origin_is_told_anything(wire: Wire, publisher: Caller, origin: str) -> None:
    for response in (
        publisher.get("/v1/articles", headers={"Origin": origin}), preflight(wire, "/v1/articles", "GET", origin),
        wire.client.get("/v1/articles", headers={"Origin": origin}),
    ):  # fmt: skip
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
        assert origin == "" or len(origin) < 3 or origin not in str(response.headers)
        assert "origin" in names(response.headers["Vary"])


def test_a_preflight_of_an_unknown_address_lets_the_script_read_the_404(wire: Wire) -> None:
    response = preflight(wire, "/v1/artciles", "GET")
    assert (response.status_code, response.headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD, OPTIONS")
    # Without the header of a preflight it is a request as any other.
    plain = wire.client.open("/v1/artciles", method="OPTIONS", headers={"Origin": APP})
    assert plain.status_code == 404


def test_it_is_off_by_default(request: pytest.FixtureRequest, fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite)) as wire:
        partner = wire.as_partner()
        for _ in range(2):
            for response in (partner.get("/v1/articles", headers={"Origin": APP}), preflight(wire, "/v1/me", "GET")):
                assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
                assert "origin" not in names(response.headers.get("Vary", ""))


def test_everybody_may_read_where_the_setting_is_an_asterisk(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite, cors_origins=("*",), public_read=True)) as wire:
        for origin in (APP, "null", "https://anyone.example", "x" * 8000):
            for path in ("/v1/articles", "/v1/articles", "/v1/articles/none"):
                response = wire.client.get(path, headers={"Origin": origin})
                assert response.headers.getlist(ALLOW_ORIGIN) == ["*"]
                # The answer is the same for every origin, so that caches need not keep one for each.
                assert "origin" not in names(response.headers.get("Vary", ""))
                assert "Access-Control-Allow-Credentials" not in response.headers
            assert preflight(wire, "/v1/articles", "POST", origin).headers[ALLOW_ORIGIN] == "*"


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("https://app.example.org/", "write https://app.example.org."), ("https://App.Example.org", "write https://a"),
        ("https://app.example.org:443", "write https://app.example.org."), ("app.example.org", "such as https://"),
        ("https://*.example.org", "without a wildcard"), ("null", "or * alone"), ("*, https://a.example", "every"),
        ("https://a.example/x", "write https://a.example."), ("https://münchen.example", "such as https://"),
        ("https://a.example:99999", "cannot be read"), ("https://a.example\nX: y", "NEWSWIRE_CORS_ORIGINS"),
    ],
)  # fmt: skip
def test_an_origin_that_no_browser_sends_is_refused_at_the_start_with_a_hint(value: str, hint: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"NEWSWIRE_CORS_ORIGINS": value})
    assert hint in str(refused.value)
    assert str(refused.value).startswith("NEWSWIRE_CORS_ORIGINS")
    assert len(str(refused.value).splitlines()) == 1


def test_origins_are_read_from_the_environment() -> None:
    found = Settings.from_env({"NEWSWIRE_CORS_ORIGINS": f" {APP}, {OTHER},{APP},http://[::1]:8080 "})
    assert found.cors_origins == (APP, OTHER, "http://[::1]:8080")
    assert Settings.from_env({"NEWSWIRE_CORS_ORIGINS": "*"}).cors_origins == ("*",)
    assert Settings.from_env({"NEWSWIRE_CORS_ORIGINS": " , "}).cors_origins is None


@pytest.mark.slow
def test_a_served_wire_answers_the_requests_of_a_browser(sqlite_cli: Cli, serving: Serving) -> None:
    _, wire = started(serving, sqlite_cli, NEWSWIRE_CORS_ORIGINS=APP)
    key, address = wire.partner().key, urlsplit(wire.url).netloc
    with closing(HTTPConnection(address, timeout=30)) as connection:

        def ask(method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
            connection.request(method, path, headers={name.replace("_", "-"): each for name, each in headers.items()})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

        status, headers, body = ask("OPTIONS", "/v1/articles", Origin=APP, Access_Control_Request_Method="GET")
        assert (status, body, headers[ALLOW_ORIGIN]) == (204, b"", APP)
        # The connection goes on: an answer without a body says so.
        status, headers, body = ask("GET", "/v1/articles", Origin=APP, Authorization=f"Bearer {key}")
        assert (status, json.loads(body)["data"], headers[ALLOW_ORIGIN]) == (200, [], APP)
        status, headers, body = ask("GET", "/v1/articles", Origin="x" * 8000)
        assert (status, ALLOW_ORIGIN in headers, b"x" * 100 in body) == (401, False, False)
