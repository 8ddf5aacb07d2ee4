"""Every route has its lock, and behaves as HTTP says: 401, 403, HEAD, 405."""

import base64
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from newswire import wire as log
from newswire.accounts.keys import hash_key, revoke_key
from newswire.api.open_routes import OPEN_ROUTES, SAMPLE_ROUTES
from newswire.api.routes import ROUTES, Route
from newswire.app import create_app
from newswire.config import Settings
from newswire.store.tables import api_key
from newswire.timestamps import now
from tests.support.cases import case
from tests.support.databases import ENGINES
from tests.support.site import Site, opened, problem_of
from tests.support.wire import Caller, Wire

OF_FLASK = {"HEAD", "OPTIONS"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "CONNECT", "POSTER")
LOCKED = [route for route in ROUTES if route.scope is not None]
PATHS = sorted({route.path for route in ROUTES})
PAGES = ("/", "/v1", "/v1/openapi.json", "/docs", "/docs/assets/swagger-ui.css")


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def filled(site: Site, path: str) -> str:
    """The address of something that is there."""
    filling = {"article_id": site.article["id"], "publisher": "reuters", "external_id": "held", "ordinal": "1"}
    path = path.replace("<consumer:name>", "desk").replace("<feed:feed>", "desk")
    path = path.replace("<string:author_id>", site.article["authors"][0]["id"])
    for name, value in filling.items():
        path = path.replace(f"<{name}:{name}>", value).replace(f"<string:{name}>", value)
    return path.replace("<ordinal:version>", "1")


def asked(site: Site, route: Route, headers: dict[str, str], query: str = "") -> TestResponse:
    body: Any = {"headline": "x"} if route.takes else None
    return site.wire.client.open(filled(site, route.path) + query, method=route.method, json=body, headers=headers)


def undeclared(app: Flask) -> list[str]:
    """Routes of which nobody said who may use them."""
    declared = {(route.method, route.path) for route in (*ROUTES, *OPEN_ROUTES, *SAMPLE_ROUTES)}
    return [
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - OF_FLASK)
        if (method, rule.rule) not in declared
    ]


@pytest.mark.parametrize("demo", [False, True])
def test_every_route_says_who_may_use_it(fresh_sqlite: str, demo: bool) -> None:
    app = create_app(Settings(database_url=fresh_sqlite, demo=demo))
    assert undeclared(app) == []
    samples = SAMPLE_ROUTES if demo else ()
    assert len([*app.url_map.iter_rules()]) == len((*ROUTES, *OPEN_ROUTES, *samples))
    app.add_url_rule("/v1/secrets", "secrets", lambda: "", methods=["GET", "POST"])
    assert undeclared(app) == ["GET /v1/secrets", "POST /v1/secrets"]


def test_only_what_tells_nothing_of_the_wire_is_open() -> None:
    assert {route.path for route in ROUTES if route.scope is None} == {"/v1/", "/v1/problems", "/healthz", "/readyz"}
    assert {(route.method, route.scope) for route in (*OPEN_ROUTES, *SAMPLE_ROUTES)} == {("GET", None)}
    assert {route.path for route in OPEN_ROUTES} == {
        "/", "/v1", "/v1/openapi.json", "/openapi.json", "/docs", "/docs/", "/docs/assets/<path:name>", "/favicon.ico",
    }  # fmt: skip
    writing = [route for route in ROUTES if route.method != "GET"]
    # Who reads stores how far it has read, and what it wants to read: for itself and nobody else.
    stored = {route.path.split("/")[2] for route in writing if route.scope == "read"}
    assert stored == {"consumers", "feeds"}
    assert {route.scope for route in writing} == {"publish", "read"}


def keys_that_open_nothing(site: Site) -> dict[str, str]:
    """Authorization headers that come near one."""
    key = site.publisher.key
    expired = site.wire.publisher_key(expires_at=now() - 1)
    revoked = site.wire.publisher_key()
    with site.wire.database.begin() as connection:
        number = connection.scalar(select(api_key.c.id).where(api_key.c.digest == hash_key(revoked)))
        assert number is not None
        revoke_key(connection, number, now())
    return {
        "wrong": "Bearer nw_wrong", "expired": f"Bearer {expired}", "revoked": f"Bearer {revoked}",
        "cut": f"Bearer {key[:-1]}", "longer": f"Bearer {key}x", "upper": f"Bearer {key.upper()}",
        "digest": f"Bearer {hash_key(key)}", "no scheme": key, "other scheme": f"Token {key}",
        "scheme alone": "Bearer", "blank": "Bearer  ", "empty": "", "two": f"Bearer {key}, Bearer {key}",
        "as user": basic(key, ""), "basic, wrong": basic("reuters", "nw_wrong"), "basic, no base64": f"Basic {key}",
        "not ASCII": "Bearer é\xff", "NUL": f"Bearer {key}\x00", "percent": f"Bearer %{key}",
    }  # fmt: skip


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_without_a_valid_key_a_locked_route_is_401(site: Site) -> None:
    tried = [{"Authorization": header} for header in keys_that_open_nothing(site).values()]
    tried += [{}, {"Cookie": f"key={site.publisher.key}"}, {"X-Api-Key": site.publisher.key}]
    for route in LOCKED:
        with case(named(route)), site.storing_nothing():
            for headers in tried:
                for query in ("", "?unknown=1", f"?token={site.publisher.key}"):
                    response = asked(site, route, {**headers, "Accept": "text/nothing"}, query)
                    problem_of(response, "unauthenticated")
                    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
                    assert site.publisher.key not in response.text


def test_a_key_opens_in_each_way_of_sending_it(site: Site) -> None:
    key = site.publisher.key
    headers = [f"Bearer {key}", f"bearer {key}", f"Bearer   {key} ", basic("", key), basic("anyone at all", key)]
    for route, header in product(LOCKED, headers):
        with case(f"{named(route)} {header}"):
            response = asked(site, route, {"Authorization": header}, "?unknown=1")
            problem_of(response, "unknown_parameter")


def test_a_key_without_the_scope_is_403(site: Site) -> None:
    for route in LOCKED:
        with case(named(route)):
            other = "read" if route.scope == "publish" else "publish"
            keys = [site.wire.publisher_key(scopes=(other,))]
            if route.scope == "publish":
                keys.append(site.partner.key)
            with site.storing_nothing():
                for key in keys:
                    problem_of(asked(site, route, {"Authorization": f"Bearer {key}"}), "insufficient_scope")


def test_a_key_is_looked_at_anew_with_every_request(site: Site) -> None:
    for route in LOCKED:
        with case(named(route)):
            key = site.wire.publisher_key()
            authorization = {"Authorization": f"Bearer {key}"}
            assert asked(site, route, authorization, "?unknown=1").status_code == 400
            with site.wire.database.begin() as connection:
                ours = api_key.c.digest == hash_key(key)
                connection.execute(update(api_key).where(ours).values(expires_at=now() - 1))
                log.bump_revision(connection)
            problem_of(asked(site, route, authorization), "unauthenticated")


def test_public_reading_opens_what_is_read_and_nothing_else(database_url: str) -> None:
    wire = Wire(database_url, public_read=True)
    wire.as_publisher().publish("Open to all", external_id="held")
    for route in LOCKED:
        path = route.path.replace("<ordinal:version>", "1").replace("<article_id:article_id>", "none")
        path = path.replace("<string:publisher>", "reuters").replace("<external_id:external_id>", "held")
        path = path.replace("<consumer:name>", "desk").replace("<feed:feed>", "desk")
        body = {"headline": "x"} if route.takes else None
        response = wire.client.open(path, method=route.method, json=body)
        if route.scope == "read" and route.method == "GET":
            assert response.status_code in (200, 404)
        else:
            problem_of(response, "unauthenticated")
        problem_of(
            wire.client.open(path, method=route.method, headers={"Authorization": "Bearer x"}), "unauthenticated"
        )
    assert Caller(wire.client, "").client.get("/v1/articles").get_json()["data"][0]["headline"] == "Open to all"
    wire.close()


def test_head_tells_what_get_would(site: Site) -> None:
    paths = [*(route.path for route in ROUTES if route.method == "GET"), *PAGES]
    for path, encoding in product(paths, ("identity", "gzip")):
        with case(f"{path} {encoding}"):
            address = filled(site, path)
            got = site.publisher.get(address, headers={"Accept-Encoding": encoding})
            head = site.publisher.call("HEAD", address, headers={"Accept-Encoding": encoding})
            assert got.status_code == head.status_code == 200
            assert got.data
            assert head.data == b""
            got.close()
            head.close()
            # A date is told once it is five seconds old, which may be between the two.
            varying = {"X-Request-Id", "Date", "Last-Modified"}
            assert {name: value for name, value in head.headers if name not in varying} == {
                name: value for name, value in got.headers if name not in varying
            }


def test_a_wrong_method_is_405_and_told_the_right_ones(site: Site) -> None:
    for path in (*PATHS, *PAGES):
        with case(path):
            right = {route.method for route in ROUTES if route.path == path} or {"GET"}
            allowed = right | ({"HEAD"} if "GET" in right else set()) | {"OPTIONS"}
            address = filled(site, path)
            for caller in (site.publisher, Caller(site.wire.client, "")):
                for method in {*METHODS} - right:
                    response = caller.call(method, address)
                    problem_of(response, "method_not_allowed")
                    assert {name.strip() for name in response.headers["Allow"].split(",")} == allowed
                options = caller.call("OPTIONS", address)
                assert (options.status_code, {*options.headers["Allow"].split(", ")}) == (200, allowed)


def test_a_problem_is_a_problem_for_head_too(site: Site) -> None:
    response = site.wire.client.head("/v1/articles")
    assert (response.status_code, response.data) == (401, b"")
    assert response.headers["WWW-Authenticate"]
    assert site.publisher.call("HEAD", "/v1/nothing").status_code == 404
