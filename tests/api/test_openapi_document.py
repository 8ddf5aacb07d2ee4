"""The OpenAPI document as a function of the route table: no application, no database."""

import re
from typing import Any

import pytest
from flask import Response

from newswire.api.converters import CONVERTERS, PATH_SCHEMAS
from newswire.api.openapi import openapi_document
from newswire.api.routes import ROUTES, Route
from newswire.api.schemas.parameters import Parameters

BASE_URL = "https://wire.example"


def read_edition(parameters: dict[str, Any], name: str, number: int) -> Response:
    """One edition

    Of a feed,
    as it was printed.
    """
    raise NotImplementedError


def described(**settings: Any) -> dict[str, Any]:
    """The document of a table of one route, which reads an edition of a feed."""
    path = "/v1/feeds/<feed:name>/editions/<ordinal:number>"
    return openapi_document([Route("GET", path, read_edition, parameters=Parameters, **settings)], BASE_URL)


def test_a_row_of_the_table_is_an_operation_of_the_document() -> None:
    document = described(scope="read", answers={200: None}, media=("text/markdown;variant=x",), problems=("not_found",))
    assert document["paths"].keys() == {"/v1/feeds/{name}/editions/{number}"}
    operation = document["paths"]["/v1/feeds/{name}/editions/{number}"]["get"]
    assert [(each["name"], each["in"], each["required"], each["schema"]) for each in operation["parameters"]] == [
        ("name", "path", True, PATH_SCHEMAS["feed"]), ("number", "path", True, PATH_SCHEMAS["ordinal"]),
    ]  # fmt: skip
    assert document["servers"][0]["url"] == BASE_URL
    assert (operation["operationId"], operation["tags"]) == ("read_edition", ["Reading"])
    assert (operation["summary"], operation["description"]) == ("One edition", "Of a feed,\nas it was printed.")
    assert operation["responses"]["200"] == {
        "description": "OK", "content": {"text/markdown": {"schema": {"type": "string"}}},
    }  # fmt: skip
    assert operation["responses"]["404"]["description"] == "`not_found`"
    assert "304" not in operation["responses"]
    assert document["components"]["schemas"].keys() == {"ProblemOut", "FaultOut"}


@pytest.mark.parametrize(
    ("settings", "schemes"),
    [
        ({"scope": None}, []),
        ({"scope": "read"}, ["bearer", "basic"]),
        ({"scope": "read", "token": True}, ["bearer", "basic", "token"]),
        ({"scope": "publish", "signed": True}, ["bearer", "basic", "signature"]),
    ],
)
def test_an_operation_names_every_way_to_authenticate(settings: dict[str, Any], schemes: list[str]) -> None:
    document = described(answers={200: None}, **settings)
    (path,) = document["paths"].values()
    assert path["get"]["security"] == [{scheme: []} for scheme in schemes]
    assert {*schemes} <= document["components"]["securitySchemes"].keys()


def test_the_document_can_be_made_again_from_the_same_table() -> None:
    assert openapi_document(ROUTES, BASE_URL) == openapi_document(ROUTES, BASE_URL)


def test_every_converter_of_the_table_is_described() -> None:
    used = {name for route in ROUTES for name in re.findall(r"<(\w+):", route.path)}
    assert used == PATH_SCHEMAS.keys() == CONVERTERS.keys() | {"string"}


def test_a_path_parameter_without_a_described_converter_is_refused() -> None:
    with pytest.raises(KeyError, match="uuid"):
        openapi_document([Route("GET", "/v1/<uuid:name>", read_edition, None, Parameters, {200: None})], BASE_URL)
