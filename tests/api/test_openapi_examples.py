"""The examples of the OpenAPI document on the wire of `newswire demo`: each of them works as it is.

A new route with a parameter in its path, a body or a new field fails here until `newswire/api/examples.py` has a value:
`PATHS` for a path parameter (`OTHER_PATHS` where this operation needs another one), `BODIES` for a body that is neither
an article nor a patch of one, `PARAMETERS` and `FIELDS` for parameters and fields by name. What an example names must
be in the demo: an article of `newswire/samples`, or what `add_examples` of `newswire/cli/demo.py` stores.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import TestResponse

from newswire.api.openapi import openapi_document
from newswire.api.routes import ROUTES
from newswire.app import create_app
from newswire.cli.demo import seed_database
from newswire.config import Settings
from tests.support.cases import case
from tests.support.databases import empty_database
from tests.support.wire import Caller

DOCUMENT = openapi_document(ROUTES, "http://localhost")
OPERATIONS = {
    operation["operationId"]: operation | {"method": method.upper(), "path": path}
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
ONCE = {"create_feed", "delete_feed", "delete_consumer"}
"""A name can be taken once, and what is deleted is not there any more."""
WITHOUT_EXAMPLE = {"cursor", "token", "wire", "start", "consumer"}
"""What belongs to one page, one feed or one wire; and what excludes `after`, which has an example."""
Operation = Mapping[str, Any]


@pytest.fixture(params=["sqlite", "postgresql"])
def demo(request: pytest.FixtureRequest) -> Iterator[dict[str, Caller]]:
    """The callers of a demo, by the names of their keys."""
    with empty_database(request, request.param) as url:
        keys = seed_database(url, "http://localhost/samples/")
        app = create_app(Settings(database_url=url, demo=True))
        yield {name: Caller(app.test_client(), key) for name, key in keys.keys.items()}
        app.config["NEWSWIRE"].close()


def filled_in(operation: Operation) -> dict[tuple[str, str], Any]:
    """The parameters that a form such as Swagger UI's has filled in before anything is typed, by place and name."""
    return {
        (each["in"], each["name"]): each.get("example", each["schema"].get("default"))
        for each in operation["parameters"]
        if "example" in each or "default" in each["schema"]
    }  # fmt: skip


def execute(caller: Caller, operation: Operation, media_type: str | None = None, **chosen: Any) -> TestResponse:
    """Sends the request of that form, its body in `media_type`; `chosen` are more parameters of the query."""
    parameters = filled_in(operation)
    path = operation["path"]
    for (place, name), value in parameters.items():
        if place == "path":
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    headers = {name: value for (place, name), value in parameters.items() if place == "header"}
    query = {name: value for (place, name), value in parameters.items() if place == "query"} | chosen
    settings: dict[str, Any] = {"headers": headers, "query_string": query}
    if media_type is not None:
        sent = body_example(operation["requestBody"]["content"][media_type])
        settings |= {"data": sent if isinstance(sent, str) else json.dumps(sent), "content_type": media_type}
    return caller.call(operation["method"], path, **settings)


def body_example(described: Mapping[str, Any]) -> Any:
    """What a form has filled in for a body: the default of its schema, where generators of tests know no example."""
    return described["example"] if "example" in described else described["schema"]["default"]


def media_types(operation: Operation) -> list[Any]:
    return [*operation.get("requestBody", {"content": [None]})["content"]]


def check_answer(response: TestResponse, operation: Operation) -> None:
    """The answer is one that the document names, to the letter."""
    described = operation["responses"][str(response.status_code)]
    if "content" not in described:
        assert not response.data
    elif (schema := described["content"][response.mimetype]["schema"]) != {"type": "string"}:
        assert not misfits(schema, response.get_json(force=True))


def misfits(schema: Mapping[str, Any], value: object) -> list[str]:
    whole = {**schema, "components": DOCUMENT["components"]}
    found = Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)
    return [f"{each.json_path}: {each.message}" for each in found]


def test_the_first_click_on_execute_succeeds_for_every_operation(demo: dict[str, Caller]) -> None:
    for name, operation in OPERATIONS.items():
        with case(name):
            types = media_types(operation)
            response = execute(demo["publisher"], operation, types[0])
            # Which of them comes first is decided by the table, not by what happens to be stored.
            assert str(response.status_code) == next(iter(operation["responses"])), response.text
            check_answer(response, operation)
            for media_type in types[1:]:
                response = execute(demo["publisher"], operation, media_type)
                assert response.status_code in (200, 201), response.text
                check_answer(response, operation)
    for name, operation in OPERATIONS.items():
        if name not in ONCE:
            with case(f"{name} again"):
                response = execute(demo["publisher"], operation, media_types(operation)[0])
                assert response.status_code in (200, 201, 204), response.text


def test_what_reads_succeeds_for_every_party_of_the_demo(demo: dict[str, Caller]) -> None:
    for key in ("partner", "english", "admin"):
        for name, operation in OPERATIONS.items():
            if operation["tags"] != ["Publishing"]:
                with case(f"{name} by {key}"):
                    response = execute(demo[key], operation, media_types(operation)[0])
                    assert str(response.status_code) == next(iter(operation["responses"])), response.text


@pytest.mark.parametrize("demo", ["sqlite"], indirect=True)
def test_each_example_of_a_parameter_can_be_sent(demo: dict[str, Caller]) -> None:
    every = {
        each["name"]: (name, each)
        for name, operation in OPERATIONS.items() if operation["method"] == "GET"
        for each in operation["parameters"] if each["in"] == "query"
    }  # fmt: skip
    assert len(every) > 30
    for parameter, (name, described) in every.items():
        with case(parameter):
            assert "description" in described
            schema = described["schema"]
            if parameter in WITHOUT_EXAMPLE:
                assert "examples" not in schema
                continue
            values = schema.get("examples") or [schema["default"] if "default" in schema else schema["enum"][0]]
            with_it = {parameter: values[0]} | ({"after": 0} if parameter == "chain" else {})
            response = execute(demo["publisher"], OPERATIONS[name], **with_it)
            assert response.status_code == 200, response.text


def test_only_what_is_required_or_has_a_default_is_filled_in() -> None:
    for name, operation in OPERATIONS.items():
        for parameter in operation["parameters"]:
            with case(f"{name} {parameter['name']}"):
                assert ("example" in parameter) == parameter["required"]
                # Swagger UI would fill it in.
                assert "example" not in parameter["schema"]


def schemas(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas in a document with their places, those of request bodies included."""
    if isinstance(node, dict):
        if "type" in node and not place.endswith("/properties"):
            yield place, node
        for name, below in node.items():
            if name not in ("examples", "example", "securitySchemes"):
                yield from schemas(below, f"{place}/{name}")
    if isinstance(node, list):
        for number, below in enumerate(node):
            yield from schemas(below, f"{place}/{number}")


def test_every_field_has_an_example_that_fits() -> None:
    for schema_name, schema in DOCUMENT["components"]["schemas"].items():
        for name, field in schema.get("properties", {}).items():
            with case(f"{schema_name}.{name}"):
                for value in field.get("examples", ()):
                    assert not misfits(field, value)
                kind = field.get("items", field)
                is_plain = kind.get("type") not in ("object", "boolean") and "type" in kind and "enum" not in kind
                assert "examples" in field or not is_plain


def test_no_string_with_a_pattern_is_filled_with_what_a_form_makes_of_it() -> None:
    """Swagger UI makes random characters of a pattern where there is no example."""
    for place, schema in schemas(DOCUMENT):
        # Parameters and the items of lists are described above them; a body has its example beside the schema.
        if "pattern" in schema and place.startswith("/components") and not place.endswith("/items"):
            with case(place):
                assert schema["examples"]


def test_every_body_has_its_usual_form_first_and_says_so() -> None:
    found = {name: operation["requestBody"] for name, operation in OPERATIONS.items() if "requestBody" in operation}
    assert len(found) >= 8
    for name, body in found.items():
        with case(name):
            usual, *others = body["content"]
            assert usual == "application/json"
            assert not others or body["description"].startswith("Usually `application/json`; ")
            assert all(f"`{media_type}`" in body["description"] for media_type in others)
            for described in body["content"].values():
                assert not misfits(described["schema"], body_example(described))


def test_success_comes_first_and_in_json_where_there_is_json() -> None:
    for name, operation in OPERATIONS.items():
        with case(name):
            statuses = [int(status) for status in operation["responses"]]
            successes = [status for status in statuses if status < 300]
            assert successes
            assert statuses[: len(successes)] == successes
            for status in successes:
                offered = [*operation["responses"][str(status)].get("content", ())]
                assert "application/json" not in offered[1:]


# Regular expressions: the generators of clients compile them in JavaScript, Python, Java, Go (RE2), PHP and Ruby.

PORTABLE = re.compile(r"\\(?:[sS.]|x[0-9A-F]{2}|[()|{}\[\]^$*+?-])")
"""The escapes that all of them know, with the same meaning for ASCII."""


def patterns() -> dict[str, str]:
    found = {schema["pattern"]: place for place, schema in schemas(DOCUMENT) if "pattern" in schema}
    assert len(found) > 10
    return found


def test_every_pattern_can_be_compiled_in_every_language() -> None:
    for pattern, place in patterns().items():
        with case(place):
            assert pattern.isascii()
            assert pattern.isprintable()
            assert "(?" not in pattern
            assert "\\" not in PORTABLE.sub("", pattern)
            re.compile(pattern)


def test_a_pattern_is_short_or_says_what_it_wants() -> None:
    for place, schema in schemas(DOCUMENT):
        if len(schema.get("pattern", "")) > 100:
            with case(place):
                assert re.match("Must be (a date such as|some of:) ", schema["x-pattern-message"])
