"""A wire that many cases share, and checks of problem documents."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from newswire import wire as log
from newswire.errors import CODES
from newswire.store.tables import article, idempotency, version
from tests.support.databases import empty_database
from tests.support.wire import Wire


class Site:
    """A wire with one article, its callers, and a summary of what is stored."""

    def __init__(self, database_url: str) -> None:
        self.wire = Wire(database_url)
        self.publisher = self.wire.as_publisher()
        self.baseless = self.wire.as_publisher("baseless", url=None)
        self.partner = self.wire.as_partner()
        self.admin = self.wire.as_admin()
        said = {"external_id": "held", "authors": [{"name": "Ann Lee"}], "section": "World", "keywords": ["cocoa"]}
        self.article = self.publisher.publish("An article that stays as it is", **said)
        self.address = f"/v1/articles/{self.article['id']}"
        self.publisher.put("/v1/consumers/desk", json={"after": 0})
        self.publisher.post("/v1/feeds", json={"name": "desk", "query": "section=World"})

    def stored(self) -> tuple[int, ...]:
        """The head, and how many articles, versions and idempotency records there are."""
        with self.wire.database.read() as connection:
            tables = (article, version, idempotency)
            counts = [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]
            return (log.read_head(connection).seq, *counts)

    @contextmanager
    def storing_nothing(self) -> Iterator[None]:
        before = self.stored()
        yield
        assert self.stored() == before

    def send_raw(
        self, method: str, path: bytes, query: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """A request whose address is these very bytes, as a server hands them on (PEP 3333)."""
        sent = Headers({"Authorization": f"Bearer {self.publisher.key}", **(headers or {})})
        environ = EnvironBuilder(method=method, headers=sent, json={"headline": "x"}).get_environ()
        environ |= {"PATH_INFO": path.decode("latin-1"), "QUERY_STRING": query.decode("latin-1")}
        return TestResponse(*run_wsgi_app(self.wire.app, environ, buffered=True), Request(environ))


@contextmanager
def opened(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site on the engine that `request.param` names; for fixtures that many cases share."""
    with empty_database(request, request.param) as url:
        site = Site(url)
        yield site
        site.wire.close()


def problem_of(response: TestResponse, code: str) -> dict[str, Any]:
    """Checks that a refusal is a complete problem document with this code; returns it. Pages are refused as a page."""
    assert response.status_code == CODES[code].status, response.text
    path = response.request.path
    if response.request.method == "GET" and (path.endswith(".html") or path in ("/", "/docs")):
        return problem_of_page(response, code)
    assert response.content_type == "application/problem+json"
    problem: dict[str, Any] = json.loads(response.data.decode("utf-8"))
    assert (problem["code"], problem["status"], problem["title"]) == (code, *CODES[code])
    assert problem["type"].endswith(f"/v1/problems#{code}")
    assert problem["request_id"] == response.headers["X-Request-Id"]
    assert all(fault["detail"] and fault["code"] and ("pointer" in fault) != ("parameter" in fault)
               for fault in problem["errors"])  # fmt: skip
    return problem


def problem_of_page(response: TestResponse, code: str) -> dict[str, Any]:
    """Checks that a refusal is a complete page about this problem; returns what a document would say as well."""
    status, title = CODES[code]
    assert response.content_type == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert f"<h1>{title}</h1>" in response.text
    assert f"{status} {code}, request {response.headers['X-Request-Id']}" in response.text
    return {"code": code, "status": status, "title": title, "errors": []}


def code_of(response: TestResponse) -> str:
    """The code of a refusal, in a problem document or on a page."""
    if response.mimetype != "text/html":
        return str(response.get_json()["code"])
    found = re.search(r"[45]\d\d (\w+), request ", response.text)
    assert found is not None, response.text
    return found[1]


def places_of(problem: Mapping[str, Any]) -> set[str]:
    return {fault.get("pointer", fault.get("parameter")) for fault in problem["errors"]}


def shown(value: object) -> str:
    """A short name for a case."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:30]}... of {len(text)}"
