"""Requests as publishers and partners really send them, and what must come of each: ../shared/data/cases.

The README beside the cases describes their form. Each is sent over HTTP to a server process, on both engines.
"""

import json
import re
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.command import Cli, Server
from tests.support.databases import ENGINES, empty_database

pytestmark = pytest.mark.slow

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases" / "arrival.jsonl"


def read_cases() -> list[Any]:
    if not FILE.is_file():
        reason = "../shared/data/cases is not there: these cases lie outside of the project"
        return [pytest.param({}, id="none", marks=pytest.mark.skip(reason=reason))]
    with FILE.open(encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    return [pytest.param(case, id=case["case"]) for case in cases]


class Wire:
    """A server process with the parties that the cases expect."""

    def __init__(self, cli: Cli) -> None:
        cli.must("publisher", "add", "pub", "--name", "Pub", "--url", "https://pub.example", "--language", "en")
        cli.must("partner", "add", "desk", "--name", "Desk")
        self.keys = {
            "publish": cli.json("key", "create", "--publisher", "pub")["key"],
            "read": cli.json("key", "create", "--partner", "desk")["key"],
        }
        self.server = Server(cli.process("serve", "--port", "0", "--json"))
        self.server.wait_for(lambda: "}" in self.server.out, "it says where it listens")
        url = urlsplit(json.loads("\n".join(self.server.out))["url"])
        self.address = (str(url.hostname), int(url.port or 0))
        self.sent = 0

    def send(self, step: Mapping[str, Any]) -> tuple[int, Mapping[str, str], str]:
        """Sends the request of a step; returns status, headers and text of the answer."""
        headers = {"Authorization": f"Bearer {self.keys[step['key']]}", **step.get("headers", {})}
        if "raw" in step:
            return self.send_line(step["raw"], headers)
        body = json.dumps(step["json"]).encode() if "json" in step else None
        if body is not None:
            headers["Content-Type"] = "application/json"
        with closing(HTTPConnection(*self.address, timeout=30)) as connection:
            connection.request(step["method"], step["path"], body, headers)
            return read_answer(connection.getresponse())

    def send_line(self, line: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], str]:
        """Sends a request line as it is, in UTF-8."""
        fields = {"Host": "wire.example", "Connection": "close", **headers}
        head = "\r\n".join([line, *(f"{name}: {value}" for name, value in fields.items()), "", ""])
        with closing(socket.create_connection(self.address, timeout=30)) as connection:
            connection.sendall(head.encode())
            response = HTTPResponse(connection)
            response.begin()
            return read_answer(response)

    def run(self, case: Mapping[str, Any]) -> None:
        """Runs the steps of a case in order, and checks each answer."""
        self.sent += 1
        names: dict[str, str] = {"n": str(self.sent)}
        for step in case["steps"]:
            step = filled(step, names)
            status, headers, text = self.send(step)
            assert status in step["expect"]["status"], text
            for where, operator, value in step["expect"]["checks"]:
                found = find_value(where, headers, text)
                if operator == "save":
                    names[value] = found
                else:
                    assert holds(found, operator, value), (where, operator, value, found)


def read_answer(response: HTTPResponse) -> tuple[int, Mapping[str, str], str]:
    return response.status, dict(response.getheaders()), response.read().decode()


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """The value with the names in braces replaced in all its strings."""
    if isinstance(value, dict):
        return {name: filled(member, names) if name != "expect" else member for name, member in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if not isinstance(value, str):
        return value
    value = re.sub(r"\{(\w)\*(\d+)\}", lambda found: found[1] * int(found[2]), value)
    value = re.sub(r"\{(\w+):-gzip\}", lambda found: names[found[1]].removesuffix('"') + '-gzip"', value)
    return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], found[0]), value)


def find_value(where: str, headers: Mapping[str, str], text: str) -> Any:
    """What stands at a JSON pointer, or in the header `@Name`; the whole text for an empty pointer."""
    if where.startswith("@"):
        return headers[where[1:]]
    value: Any = text if not where else json.loads(text)
    for step in where.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    return value


def holds(found: Any, operator: str, value: Any) -> bool:
    match operator:
        case "eq":
            return bool(found == value)
        case "contains":
            return bool(value in (found or ""))
        case "lacks":
            return bool(value not in (found or ""))
        case "matches":
            return re.search(value, found or "") is not None
        case "count":
            return bool(len(found) == value)
        case "atleast":
            return bool(len(found or ()) >= value)
    raise ValueError(f"the cases have no operator {operator}")


@pytest.fixture(scope="module", params=ENGINES)
def served(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with empty_database(request, request.param) as url:
        wire = Wire(Cli(url))
        try:
            yield wire
        finally:
            wire.server.end(signal.SIGTERM)
            for stream in (wire.server.process.stdout, wire.server.process.stderr):
                assert stream is not None
                stream.close()


@pytest.mark.parametrize("case", read_cases())
def test_what_publishers_and_partners_send_arrives(served: Wire, case: dict[str, Any]) -> None:
    served.run(case)
