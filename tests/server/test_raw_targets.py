"""Request targets with bytes beyond ASCII, as curl sends what was typed: they alone are percent-encoded."""

import json
import socket
from contextlib import closing
from http.client import HTTPResponse
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from gunicorn.config import Config
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from hypothesis import example, given
from hypothesis import strategies as st

from newswire.server.connection import ReceivedBytes
from tests.support.command import Cli
from tests.support.served import Serving, started

REST = b"\r\nHost: a\r\nX-Raw: \xe9\r\n\r\n\xff body"


def encode(head: bytes) -> bytes:
    received = ReceivedBytes()
    received.append(head)
    received.encode_target()
    return bytes(received.read())


def parse(head: bytes) -> Request | None:
    try:
        return Request(Config(), IterUnreader([head]), ("127.0.0.1", 1))
    except (errors.ParseException, errors.NoMoreData):
        return None


PARTS = st.sampled_from([b"/", b"?", b"q=", b"caf", b"%20", b" ", b"\t", b"\r", b"\n", b"\0", b"\x7f", b"\xc3\xa9",
                         b"\xe9", b"\x80", b"\xff", b"http://", b"#", b"HTTP/1.1", b":"])  # fmt: skip


@given(st.lists(PARTS, max_size=8).map(b"".join))
@example("/v1/articles?q=café".encode())
@example(b"/v1/\xff?\xe9=\x80#\xa0")
@example(b"/a HTTP/1.1\r\nHost: b\r\n\r\nGET /\xe9")
def test_only_bytes_beyond_ascii_of_a_path_become_acceptable(target: bytes) -> None:
    head = b"GET " + target + b" HTTP/1.1" + REST
    encoded = encode(head)
    before, after = parse(head), parse(encoded)
    if before is not None:
        # What was understood is not touched, not even its body.
        assert encoded == head
    elif after is not None:
        assert target.startswith(b"/")
        assert not target.isascii()
        assert set(target) & {*range(0x21), 0x7F} == set()
        assert unquote_to_bytes(after.uri) == unquote_to_bytes(target)
    assert len(encoded.split(b"\r\n", 1)[1]) == len(head.split(b"\r\n", 1)[1])


@pytest.mark.parametrize(
    "line",
    [b"G\xc3\x89T / HTTP/1.1", b"GET / HTTP/1.\xb9", b"GET http://h\xc3\xb6st/ HTTP/1.1", b"GET /\xe9 x HTTP/1.1",
     b"GET /\xe9\tx HTTP/1.1", b"GET /\xe9\0 HTTP/1.1", b"GET /\xe9", b"\xe9 / HTTP/1.1", b"GET  /\xe9 HTTP/1.1",
     b"GET /\xe9 HTTP/1.1\nHost: b", b"GET /\xe9\nHost: b HTTP/1.1"],
)  # fmt: skip
def test_every_other_line_is_refused_as_before(line: bytes) -> None:
    assert parse(line + REST) is None
    assert parse(encode(line + REST)) is None


def ask(url: str, target: bytes, key: str) -> tuple[int, dict[str, Any]]:
    address = urlsplit(url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=30)) as connection:
        head = b"GET " + target + b" HTTP/1.1\r\nHost: wire.example\r\nConnection: close\r\nAuthorization: Bearer "
        connection.sendall(head + key.encode() + b"\r\n\r\n")
        response = HTTPResponse(connection)
        response.begin()
        assert response.headers["Content-Type"] in ("application/json", "application/problem+json")
        return response.status, json.loads(response.read())


@pytest.mark.slow
def test_what_curl_sends_as_typed_is_searched_for(sqlite_cli: Cli, serving: Serving) -> None:
    server, wire = started(serving, sqlite_cli)
    publisher = wire.publisher()
    publisher.put("1", headline="A café in the harbour", section="Kultur & Bühne")
    key = wire.partner().key
    status, page = ask(wire.url, "/v1/articles?q=café&section=Kultur+%26+Bühne".encode(), key)
    assert (status, [article["headline"] for article in page["data"]]) == (200, ["A café in the harbour"])
    # What we say ourselves is ASCII.
    assert page["links"]["self"].endswith("/v1/articles?q=caf%C3%A9&section=Kultur+%26+B%C3%BChne")
    status, problem = ask(wire.url, "/v1/articles?q=café".encode("latin-1"), key)
    assert (status, problem["code"], problem["errors"][0]["parameter"]) == (400, "invalid_parameter", "q")
    status, problem = ask(wire.url, "/v1/author/é".encode(), key)
    assert (status, problem["code"], problem["instance"]) == (404, "not_found", "/v1/author/é")
    for target in (b"/v1/articles?q=a b", b"/v1/articles?q=\x01", b"/v1/articles?q=\xe9\x7f", b"/v1/\xe9\0"):
        status, problem = ask(wire.url, target, key)
        assert status == 400
        assert "detail" in problem
    server.wait_for(lambda: server.logged("request"), "requests are logged")
    assert any(line["path"] == "/v1/author/é" for line in server.logged("request"))
