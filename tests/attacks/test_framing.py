"""Malformed requests on a real server: each gets a clear refusal, and the log neither a traceback nor what was sent."""

import base64
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.attacking import Target, read_all
from tests.support.command import Cli
from tests.support.databases import empty_database
from tests.support.fuzzing import Fuzzer, InvalidAnswer

pytestmark = pytest.mark.slow

SAMPLE = 2000


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    with empty_database(request, "sqlite") as url, closing(Target(Cli(url), "--workers", "1")) as made:
        yield made


@pytest.fixture(autouse=True)
def defects(target: Target) -> Iterator[None]:
    yield
    target.check_processes(target.processes()[:1])


def chunked(target: Target, body: bytes, *more: bytes, path: str = "/v1/articles") -> bytes:
    """The answer to this body in the chunked coding, sent with a publisher's key."""
    head = target.head(f"POST {path}", "Content-Type: application/json", "Transfer-Encoding: chunked",
                       key=target.publisher)  # fmt: skip
    return target.answer_to(head + body, *more)


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"+2\r\n{}\r\n0\r\n\r\n",
        b"2;=x\r\n{}\r\n0\r\n\r\n", b'2;a="\r\n{}\r\n0\r\n\r\n', b"2 \r\n{}\r\n0\r\n\r\n", b" 2\r\n{}\r\n0\r\n\r\n",
        b"2_0\r\n{}\r\n0\r\n\r\n", b"\r\n{}\r\n0\r\n\r\n", b"2\r\n{}0\r\n\r\n", b"2\r\n{}}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n", b"2\r{}\r0\r\r", b"f" * 16 + b"\r\n{}", b"1" * 5000, b"2\r\n{}\r\n0\r\nNo Trailer\r\n\r\n",
        b"0\r\nX: " + b"x" * 20_000, b"2\r\n{}\r\n0\r\n\r", b"2\r\n{",
    ],
)  # fmt: skip
def test_malformed_chunks_are_refused(target: Target, body: bytes) -> None:
    head = target.head("POST /v1/articles", "Content-Type: application/json", "Transfer-Encoding: chunked",
                       key=target.publisher)  # fmt: skip
    with closing(target.connect(head + body)) as connection:
        connection.shutdown(1)
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")


def test_chunks_are_put_together_wherever_they_are_cut(target: Target) -> None:
    body = b'{"headline": "Cocoa rises"}'
    sent = b'5;name=value\r\n%s\r\nA;q="a;\\"b"\r\n%s\r\n000c\r\n%s\r\n0\r\nX-Trailer: yes\r\n\r\n' % (
        body[:5], body[5:15], body[15:],
    )  # fmt: skip
    head = target.head("POST /v1/articles", "Content-Type: application/json", "Transfer-Encoding: chunked",
                       "Connection: close", key=target.publisher)  # fmt: skip
    for cut in range(0, len(sent), 7):
        assert target.answer_to(head + sent[:cut], sent[cut:]).startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize("path", ["/v1/articles", "/v1/articles/batch"])
def test_a_body_over_its_limit_is_answered_413(target: Target, path: str) -> None:
    head = target.head(f"POST {path}", "Content-Type: application/json", "Content-Length: 200000000",
                       key=target.publisher)  # fmt: skip
    head_of_chunks = target.head(f"POST {path}", "Content-Type: application/json", "Transfer-Encoding: chunked",
                                 key=target.publisher)  # fmt: skip
    chunk = b"100000\r\n%s\r\n" % (b" " * 0x100000)
    for sent, piece in ((head, chunk), (head_of_chunks, chunk)):
        with closing(target.connect(sent)) as connection:
            # A client who reads only when everything is sent gets the answer, too.
            for _ in range(80):
                connection.sendall(piece)
            assert b"HTTP/1.1 413 " in connection.recv(65536)


def test_a_body_is_asked_for_only_if_it_is_wanted(target: Target) -> None:
    expecting = ("Expect: 100-continue", "Content-Type: application/json", "Content-Length: 27")
    with closing(target.connect(target.head("POST /v1/articles", *expecting, key=target.publisher))) as connection:
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"headline": "Cocoa rises"}')
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")
    assert target.answer_to(target.head("POST /v1/articles", *expecting)).startswith(b"HTTP/1.1 401 ")
    huge = (*expecting[:2], "Content-Length: 900000000")
    assert target.answer_to(target.head("POST /v1/articles", *huge, key=target.publisher)).startswith(b"HTTP/1.1 413 ")


def test_a_large_body_that_arrives_in_pieces_is_stored_whole(target: Target) -> None:
    text = "".join(f"word{number % 50} " for number in range(60_000))
    body = json.dumps({"headline": "Long", "body_text": text}).encode()
    head = target.head("POST /v1/articles", "Content-Type: application/json", f"Content-Length: {len(body)}",
                       "Connection: close", key=target.publisher)  # fmt: skip
    assert len(body) > 4 * 65536
    half = len(body) // 2
    answer = target.answer_to(head + body[:1000], body[1000:half], body[half:])
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["body_text"].split() == text.split()


def test_millions_of_tiny_chunks_cost_little(target: Target) -> None:
    def processor_seconds() -> float:
        fields = Path(f"/proc/{target.processes()[0]}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    before = processor_seconds()
    head = target.head("PUT /v1/consumers/c", "Content-Type: application/json", "Transfer-Encoding: chunked",
                       key=target.partner)  # fmt: skip
    with closing(target.connect(head)) as connection:
        try:
            for _ in range(100):
                connection.sendall(b"1\r\n \r\n" * 20_000)
        except ConnectionError:
            pass
        assert b"HTTP/1.1 400 " in read_all(connection)
    assert processor_seconds() - before < 1.5


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT wire.example:443 HTTP/1.1\r\nHost: wire.example\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: wire.example\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /healthz\r\n\r\n", 400),
        (b"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /healthz HTTP/3.0\r\nHost: a\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\nHost: a\n\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"POST /v1/articles HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /v1/articles HTTP/1.1\r\nHost: a\r\nContent-Length: \xb2\r\n\r\n", 400),
        (b"POST /v1/articles HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST /v1/articles HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\nzz", 501),
        (b"POST /v1/articles HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: rot13\r\n\r\n", 501),
        (b"POST /v1/articles HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n", 417),
        (b"GET /" + b"x" * 70_000, 414),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: x\r\n" * 200 + b"\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: xxxxxxxxxxxxxxx\r\n" * 9000, 431),
        (b"\r\nGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.8\r\nHost: a\r\nConnection: close\r\n\r\n", 200),
    ],
)  # fmt: skip
def test_a_head_is_answered_or_refused(target: Target, sent: bytes, status: int) -> None:
    answer = target.answer_to(sent)
    assert answer[:13] in {b"HTTP/1.0 %d " % status, b"HTTP/1.1 %d " % status}, answer[:300]
    # Whether the server itself has answered or the application.
    for header in (b"X-Content-Type-Options: nosniff", b"Referrer-Policy: no-referrer"):
        assert answer.count(b"\r\n%s\r\n" % header) == 1, answer[:600]


def test_pipelined_requests_are_answered_in_order(target: Target) -> None:
    body = b'{"after": 0}'
    put = target.head("PUT /v1/consumers/c", "Content-Type: application/json", f"Content-Length: {len(body)}",
                      key=target.partner) + body  # fmt: skip
    get, last = target.head("GET /healthz"), target.head("GET /nowhere", "Connection: close")
    answer = target.answer_to(get + put + get + put[:-5], put[-5:] + last)
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200"] * 4 + [b"404"]


def test_a_script_name_is_not_believed(target: Target) -> None:
    request = target.head("GET /evil/healthz", "SCRIPT_NAME: /evil", "Connection: close")
    assert target.answer_to(request).startswith(b"HTTP/1.1 404 ")


def test_neither_keys_nor_long_paths_come_into_the_log(target: Target) -> None:
    secret = base64.b64encode(f"u:{target.publisher}".encode())
    sent = b"GET /healthz HTTP/1.1\r\nHost: a\r\nAuthorization Basic " + secret + b"\r\n\r\n"
    assert target.answer_to(sent).startswith(b"HTTP/1.1 400 ")
    answer = target.answer_to(target.head("GET /v1/" + "%01" * 21_000, "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 404 ")
    time.sleep(0.3)
    assert target.server.logged("refused a request")
    assert not any(secret.decode()[:20] in line for line in target.server.err)
    assert max(map(len, target.server.err)) < 4000


def test_nothing_that_is_sent_makes_a_defect(target: Target) -> None:
    fuzzer = Fuzzer(target.address, {"partner": target.partner, "publisher": target.publisher}, seed=14)
    before = target.memory()
    answers = fuzzer.run(itertools.repeat(None, SAMPLE))
    assert sum(answers.values()) == SAMPLE
    assert not [status for status in answers if status in {500, 502}], answers
    assert target.memory() - before < 60 * 1024 * 1024
    assert target.call("GET", "/healthz") == 200


def test_refusals_leave_nothing_in_memory(target: Target) -> None:
    def refuse(times: int) -> None:
        for _ in range(times):
            assert target.answer_to(b"GET /\n\n").startswith(b"HTTP/1.1 400 ")

    refuse(100)
    before = target.memory()
    refuse(1500)
    assert target.memory() - before < 3 * 1024 * 1024


def test_the_fuzzer_sees_an_answer_that_is_none() -> None:
    with pytest.raises(InvalidAnswer):
        Fuzzer.status_in(b"HTP/1.1 200 OK\r\n\r\n")
