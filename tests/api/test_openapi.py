"""The OpenAPI document: valid, complete, and true. Schemathesis reads it and tries to catch the wire out."""

import copy
import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema

from newswire.api.routes import ROUTES, Route
from newswire.app import create_app
from newswire.config import Settings
from newswire.errors import CODES
from tests.support.site import Site, opened

DOCUMENT = "/v1/openapi.json"


def address_of(route: Route) -> str:
    return re.sub(r"<\w+:(\w+)>", r"{\1}", route.path)


def operation_of(route: Route) -> str:
    return f"{route.method} {address_of(route)}"


# These take an article. For each of them Schemathesis needs 300 MB, and some seconds.
DEAR = [
    "POST /v1/articles", "PATCH /v1/articles/{article_id}", "PUT /v1/articles/{article_id}",
    "PUT /v1/publishers/{publisher}/articles/{external_id}", "POST /v1/articles/batch",
]  # fmt: skip
OTHERS = [operation_of(route) for route in ROUTES if operation_of(route) not in DEAR]
# Their parameters are those of `GET /v1/articles` or `GET /v1/changes`.
ALIKE = {f"GET /v1/articles.{form}" for form in ("rss", "atom", "json", "ninjs")} | {"GET /v1/changes.ninjs"}
DISTINCT = [operation for operation in OTHERS if operation not in ALIKE]


def portions(*some: Sequence[str]) -> pytest.MarkDecorator:
    """A test for each of these portions of the operations."""
    return pytest.mark.parametrize("some", [pytest.param(each, id=f"{each[0]}, {len(each)} in all") for each in some])


@pytest.fixture(scope="module", params=["sqlite"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    response = site.wire.client.get(DOCUMENT)
    assert response.content_type == "application/json"
    found: dict[str, Any] = response.get_json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What can be done, by operationId; parameters of the path are counted in."""
    return {
        operation["operationId"]: {**operation, "parameters": [*path.get("parameters", ()), *operation["parameters"]],
                                   "method": method.upper(), "path": address}
        for address, path in document["paths"].items()
        for method, operation in path.items()
        if method != "parameters"
    }  # fmt: skip


def test_the_document_is_valid_openapi(site: Site) -> None:
    schemathesis.openapi.from_wsgi(DOCUMENT, site.wire.app).validate()


def test_every_operation_is_named_described_and_locked_or_open(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) == len(ROUTES)
    for route in ROUTES:
        operation = found[route.operation_id]
        assert operation["method"] == route.method
        assert operation["path"] == address_of(route)
        assert operation["summary"].strip()
        assert operation["description"].strip()
        assert operation["tags"]
        ways = ["bearer", "basic", *(["token"] if route.token else []), *(["signature"] if route.signed else [])]
        assert operation["security"] == ([] if route.scope is None else [{way: []} for way in ways])
        assert ({"401", "403"} <= operation["responses"].keys()) == (route.scope is not None)
        assert all(parameter["description"] for parameter in operation["parameters"] if parameter["in"] != "path")
    assert document["components"]["securitySchemes"].keys() >= {"bearer", "basic", "token"}
    assert all(tag["description"] for tag in document["tags"])


def test_every_refusal_in_the_document_is_a_problem_of_the_closed_list(document: dict[str, Any]) -> None:
    told = set()
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                # Whoever asks for a page is refused with a page.
                media_type = "text/html" if operation["operationId"] == "read_page" else "application/problem+json"
                assert response["content"].keys() == {media_type}
                codes = re.findall(r"`(\w+)`", response["description"])
                assert codes
                assert {CODES[code].status for code in codes} == {int(status)}
                told |= {*codes}
    # What no operation answers with yet, or what belongs to none of them.
    assert CODES.keys() - told == {"method_not_allowed", "cursor_expired", "internal"}


def test_every_component_is_used_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert used == document["components"]["schemas"].keys()


def test_what_is_sent_is_closed_and_what_is_served_is_open(document: dict[str, Any]) -> None:
    sent = {"Article", "ArticlePatch", "Change", "Subject", "Place", "Author", "Image", "Related", "Consumer", "Feed",
            "FeedPatch"}  # fmt: skip
    for name, schema in document["components"]["schemas"].items():
        assert (schema.get("additionalProperties") is False) == (name in sent), name


def undocumented(document: dict[str, Any], schema: dict[str, Any], value: Any, place: str = "") -> Iterator[str]:
    """Members of a value that its schema does not name."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for inner in schema.get("allOf", ()):
        yield from undocumented(document, inner, value, place)
    if isinstance(value, list):
        for item in value:
            yield from undocumented(document, schema["items"], item, f"{place}[]")
    elif isinstance(value, dict) and "properties" in schema:
        for name, item in value.items():
            if name not in schema["properties"]:
                yield f"{place}.{name}"
            else:
                yield from undocumented(document, schema["properties"][name], item, f"{place}.{name}")


def test_nothing_is_served_that_the_document_does_not_name(site: Site, document: dict[str, Any]) -> None:
    author = {"name": "a", "bio": "b", "url": "https://a.example/"}
    article = site.publisher.publish(
        "Complete", external_id="full", body_html="<p onclick=x>text</p>", authors=[author], places=[{"name": "p"}],
        subjects=[{"code": "c"}], images=[{"url": "https://a.example/b.jpg"}], keywords=["k"],
    )  # fmt: skip
    address = f"/v1/articles/{article['id']}"
    tried = {
        "create_article": site.publisher.post(
            "/v1/articles?dry_run=true", json={"headline": "x", "body_html": "<b o=1>"}
        ),
        "list_articles": site.publisher.get(
            "/v1/articles?include=body&q=complete&highlight=true&count=true&facets=section,keyword,author"
        ),
        "list_versions": site.publisher.get(f"{address}/versions"),
        "read_article": site.publisher.get(address),
        "list_changes": site.partner.get("/v1/changes"),
        "create_batch": site.publisher.post("/v1/articles/batch?dry_run=true", json=[{"headline": "x"}, {}]),
        "kill_article": site.publisher.delete(f"{address}?dry_run=true"),
        "read_me": site.partner.get("/v1/me"),
        "list_problems": site.partner.get("/v1/problems"),
        "readyz": site.partner.get("/readyz"),
    }
    refused = [
        site.publisher.post("/v1/articles", json={"headline": "x", "external_id": "full"}),
        site.publisher.get("/v1/changes?after=99999"),
        site.publisher.get('/v1/articles?strict=true&q="a'),
        site.publisher.get("/v1/articles?limt=1"),
    ]
    found = operations(document)
    for name, response in tried.items():
        schema = found[name]["responses"][str(response.status_code)]["content"]["application/json"]["schema"]
        assert [*undocumented(document, schema, response.get_json())] == [], name
    for response in refused:
        assert [*undocumented(document, {"$ref": "#/components/schemas/ProblemOut"}, response.get_json())] == []


# Patterns.


def property_of(document: dict[str, Any], schema: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][schema]["properties"][name]
    return found


def parameter_of(document: dict[str, Any], operation: str, name: str) -> dict[str, Any]:
    parameters = operations(document)[operation]["parameters"]
    (found,) = (parameter["schema"] for parameter in parameters if parameter["name"] == name)
    schema: dict[str, Any] = found.get("items", found)
    return schema


def fits(schema: dict[str, Any], text: str) -> bool:
    longest, pattern = schema.get("maxLength", len(text)), schema.get("pattern", "")
    return schema.get("minLength", 0) <= len(text) <= longest and bool(re.search(pattern, text))


# Not U+FFFE and U+FFFF: no escape for them is known to all languages, so they are refused without a pattern.
CHARACTERS = "\x00\x01\x08\t\n\x0b\x0c\r\x0e\x1f \x7f\x80\x85\xa0é\u2028\ufdd0\ufffd\U0001f642\U0010ffff"


@pytest.mark.parametrize(
    "name", ["headline", "external_id", "body_text", "body_html", "byline", "editor_note", "language"]
)
def test_the_pattern_of_a_text_is_what_is_accepted(site: Site, document: dict[str, Any], name: str) -> None:
    schema = property_of(document, "Article", name)
    for text in [
        "",
        " ",
        *CHARACTERS,
        *(f"en{mark}" for mark in CHARACTERS),
        "en-GB",
        "a" * 35,
        "a" * 36,
        "zh-Hant-TW",
    ]:
        if name == "language" and text != text.strip():
            continue  # blanks around a tag are forgiven
        sent = {"headline": "x", name: text}
        response = site.publisher.post("/v1/articles?dry_run=true", json=sent)
        assert (response.status_code == 200) == fits(schema, text), (text, response.text)


QUICK = settings(max_examples=80)
DAYS = st.tuples(st.integers(1790, 2210), st.integers(0, 13), st.integers(0, 32)).map("%04d-%02d-%02d".__mod__)
CLOCKS = st.sampled_from(
    ["", "T00:00:00Z", "t23:59:60z", " 12:30:00.123456789+23:59", "T24:00:00Z", "T12:00:00", "T12:00Z"]
)


@QUICK
@given(day=DAYS, clock=CLOCKS)
@example(day="1900-02-29", clock="")
@example(day="2000-02-29", clock="")
@example(day="2024-02-29", clock="")
@example(day="2100-02-29", clock="")
@example(day="2200-02-29", clock="")
@example(day="2200-12-31", clock="")
def test_the_pattern_of_a_time_is_what_is_accepted(site: Site, document: dict[str, Any], day: str, clock: str) -> None:
    text = day + clock
    schema = parameter_of(document, "list_articles", "published_from")
    asked = site.publisher.get(f"/v1/articles?published_from={quote(text)}")
    assert (asked.status_code == 200) == fits(schema, text), (text, asked.text)
    sent = site.publisher.post("/v1/articles?dry_run=true", json={"headline": "x", "published_at": text})
    assert (sent.status_code == 200) == (fits(schema, text) and clock != ""), text


@QUICK
@given(text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(", \t"), max_size=20))
def test_the_pattern_of_a_filter_is_what_is_accepted(site: Site, document: dict[str, Any], text: str) -> None:
    for name in ("section", "keyword"):
        schema = parameter_of(document, "list_articles", name)
        response = site.publisher.get(f"/v1/articles?{name}={quote(text)}")
        assert (response.status_code == 200) == fits(schema, text), response.text


@QUICK
@given(text=st.text(st.characters(max_codepoint=255), max_size=10))
def test_the_pattern_of_an_idempotency_key_is_what_is_accepted(site: Site, document: dict[str, Any], text: str) -> None:
    if set(text) & {"\r", "\n"}:
        return
    schema = parameter_of(document, "create_article", "Idempotency-Key")
    response = site.publisher.post(
        "/v1/articles?dry_run=true", json={"headline": "x"}, headers={"Idempotency-Key": text}
    )
    assert (response.status_code == 200) == fits(schema, text), response.text


# Schemathesis: cases made of the document, right ones and wrong ones, against the application.

# A good request may still be refused for what is stored, or for what its words mean.
OF_STATE = {
    "article_canceled", "cursor_ahead", "cursor_mismatch", "duplicate_external_id", "idempotency_key_reused",
    "invalid_cursor", "invalid_query", "not_found", "precondition_failed", "stale_version", "wire_changed",
}  # fmt: skip
# Faults between fields, or against what is stored, and years; JSON Schema has no words for them.
BETWEEN_FIELDS = {
    "already_released", "contradiction", "immutable", "invalid_markdown", "invalid_time", "invalid_url",
    "no_id", "several_bodies", "several_ids", "taken",
}  # fmt: skip
BETWEEN_PLACES = {
    ("/change/note", "required"), ("/expires_at", "out_of_range"), ("sort", "invalid"),
    ("highlight", "invalid"), ("match", "invalid"), ("start", "invalid"), ("consumer", "invalid"), ("chain", "invalid"),
}  # fmt: skip
STATUSES = ["400", "401", "403", "404", "405", "406", "409", "410", "412", "413", "415", "422", "428"]
CHECKS: dict[str, Any] = {
    "negative_data_rejection": {"expected-statuses": STATUSES},
    "missing_required_header": {"expected-statuses": STATUSES},
    # Its own requests do not pass through WSGI; tests/api/test_routes.py asks the same of every route.
    "ignored_auth": {"enabled": False},
    # A kill leaves a tombstone: its publisher still reads the history.
    "use_after_free": {"enabled": False},
}


def in_a_process(
    site: Site, key: str, phases: set[str], examples: int, operations: Sequence[str] = ()
) -> tuple[list[str], set[str]]:
    """The same as `catch_out`. Schemathesis keeps a validator of 1 MB for each of hundreds of schemas that it makes."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(catch_out_on, site.wire.url, key, phases, examples, operations).result()


def catch_out_on(
    database_url: str, key: str, phases: set[str], examples: int, operations: Sequence[str]
) -> tuple[list[str], set[str]]:
    # The seed alone decides what is tried: Hypothesis also takes words out of whichever modules are loaded.
    providers._get_local_constants = Constants
    # Thousands of requests need not be logged.
    logging.disable(logging.WARNING)
    app = create_app(Settings(database_url=database_url))
    found = catch_out(app, key, phases=phases, examples=examples, operations=operations)
    app.config["NEWSWIRE"].close()
    return found


def catch_out(
    app: Any, key: str, *, phases: set[str], examples: int, operations: Sequence[str] = ()
) -> tuple[list[str], set[str]]:
    """What Schemathesis finds in these operations, or all, that cannot be excused, and which it tried."""
    configuration = SchemathesisConfig.from_dict(
        {
            "seed": 20261122,
            "headers": {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"},
            "continue-on-failure": True,
            "checks": CHECKS,
            # Nobody waits for what will not come.
            "parameters": {"query.wait": 0},
            "generation": {"max-examples": examples, "database": "none"},
            "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
        }
    )
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, app, config=configuration)
    some = schema.include(name=list(operations)) if operations else schema
    found: list[str] = []
    tried: set[str] = set()
    for event in from_schema(some).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event.info if isinstance(event, events.NonFatalError) else event.exception))
        if isinstance(event, events.ScenarioFinished):
            tried |= {node.value.operation.label for node in event.recorder.cases.values()}
            found += failures(event)
    return found, tried


def failures(event: events.ScenarioFinished) -> Iterator[str]:
    recorder = event.recorder
    for number, checks in recorder.checks.items():
        case, response = recorder.cases[number].value, recorder.find_response(case_id=number)
        for check in checks:
            if check.failure_info is None or (response and is_excused(check.name, case, response)):
                continue
            text = response.text[:500] if response else ""
            yield f"{check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample[:1000]}\n{text}"


def is_beyond_schemas(fault: tuple[str, str]) -> bool:
    """What a saved query says is what an address says."""
    return fault in BETWEEN_PLACES or fault[1] in BETWEEN_FIELDS or fault[0].startswith("/query")


def is_excused(check: str, case: schemathesis.Case[Any], response: Response) -> bool:
    if check == "positive_data_acceptance":
        if case.meta and any(part.mode.is_negative for part in case.meta.components.values()):
            return True
        problem = response.json()
        faults = {(fault.get("pointer", fault.get("parameter")), fault["code"]) for fault in problem["errors"]}
        return problem["code"] in OF_STATE or (bool(faults) and all(map(is_beyond_schemas, faults)))
    if check == "negative_data_rejection":
        if case.media_type == "text/markdown":
            # Every JSON value, written down, is a headline.
            return True
        # A batch refuses each article by itself.
        return any(result["status"] >= 400 for result in response.json().get("results", ()))
    return False


def test_a_glance_at_the_main_operations_finds_no_lie_in_the_document(site: Site) -> None:
    main = ["GET /v1/articles", "POST /v1/articles", "GET /v1/articles/{article_id}", "GET /v1/changes"]
    found, tried = in_a_process(site, site.publisher.key, {"examples", "fuzzing"}, 3, main)
    assert tried == {*main}
    assert not found, "\n\n".join(found)


@pytest.mark.slow
@portions(*([each] for each in DEAR), OTHERS[::2], OTHERS[1::2])
def test_fuzzing_finds_no_lie_in_the_document(site: Site, some: list[str]) -> None:
    found, tried = in_a_process(site, site.publisher.key, {"examples", "fuzzing"}, 5, some)
    assert tried == {*some}
    assert not found, "\n\n".join(found)


@pytest.mark.slow
def test_to_a_partner_the_document_does_not_lie_of_what_is_read(site: Site) -> None:
    """What a partner may not do at all is refused before anything that it sends is looked at."""
    read = [operation_of(route) for route in ROUTES if route.scope == "read"]
    found, tried = in_a_process(site, site.partner.key, {"examples", "fuzzing"}, 3, read)
    assert tried == {*read}
    assert not found, "\n\n".join(found)


class Lying:
    """The application, with another document."""

    def __init__(self, app: Flask, document: dict[str, Any]) -> None:
        self.app = app
        self.document = json.dumps(document).encode()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != DOCUMENT:
            return self.app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [self.document]


def test_a_lie_in_the_document_is_found(site: Site, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_get_local_constants", Constants)
    lie = copy.deepcopy(document)
    lie["paths"] = {"/v1/me": lie["paths"]["/v1/me"], "/v1/changes": lie["paths"]["/v1/changes"]}
    lie["components"]["schemas"]["MeOut"]["properties"]["kind"]["enum"] = ["reader"]
    changes = lie["paths"]["/v1/changes"]["get"]
    changes["parameters"] = [found for found in changes["parameters"] if found["name"] in ("after", "limit")]
    parameter_of(lie, "list_changes", "limit").update(minimum=501, maximum=5000)
    del changes["responses"]["409"]
    found, _ = catch_out(Lying(site.wire.app, lie), site.partner.key, phases={"fuzzing"}, examples=30)
    assert {text.split(":")[0] for text in found} == {
        "response_schema_conformance", "positive_data_acceptance", "status_code_conformance",
    }  # fmt: skip


@pytest.mark.slow
@portions(DEAR[:1], DEAR[1:2], DISTINCT[::2], DISTINCT[1::2])
def test_values_at_every_limit_find_no_lie_in_the_document(site: Site, some: list[str]) -> None:
    found, tried = in_a_process(site, site.publisher.key, {"coverage"}, 6, some)
    assert tried == {*some}
    assert not found, "\n\n".join(found)


@pytest.mark.slow
def test_one_operation_after_another_finds_no_lie_in_the_document(site: Site) -> None:
    found, tried = in_a_process(site, site.publisher.key, {"stateful"}, 6)
    assert len(tried) > 10
    assert not found, "\n\n".join(found)


@pytest.mark.slow
@portions(DEAR[:1], DISTINCT)
@pytest.mark.parametrize("site", ["postgresql"], indirect=True)
def test_postgresql_makes_no_liar_of_the_document(site: Site, some: list[str]) -> None:
    found, tried = in_a_process(site, site.publisher.key, {"examples", "fuzzing"}, 4, some)
    assert tried == {*some}
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [(None, "http://wire.example:8000"), ("https://news.example/wire", "https://news.example/wire")],
)
def test_the_address_of_the_server_is_absolute(site: Site, base_url: str | None, expected: str) -> None:
    app = create_app(Settings(database_url=site.wire.url, base_url=base_url))
    response = app.test_client().get(DOCUMENT, headers={"Host": "wire.example:8000"})
    found = response.get_json()
    assert [server["url"] for server in found["servers"]] == [expected, "/"]
    assert found["info"]["contact"]["url"] == f"{expected}/docs"
    assert "wire.invalid" not in response.text
    app.config["NEWSWIRE"].close()
