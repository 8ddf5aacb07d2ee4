"""A fuzzer of HTTP/1.1 over raw sockets: request lines, heads, framing and bodies, valid ones and damaged ones."""

import random
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress

STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) [A-Z]")
ANSWER_SECONDS = 30.0
METHODS = (b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"CONNECT", b"TRACE", b"get", b"G", b"",
           b"G" * 30, b"GE\0T", b"\xffGET", b"PRI")  # fmt: skip
TARGETS = (
    b"/healthz", b"/v1/articles", b"/v1/articles?limit=2", b"/v1/articles/batch", b"/v1/articles?q=%ff%00", b"/v1/me",
    b"/v1/consumers/c", b"/v1/changes?limit=3", b"/v1/feeds", b"*", b"", b"//", b"/..;/%2e%2e/", b"http://a/healthz",
    b"http://[::1/healthz", b"a:443", b"/\x80", b"/%", b"/v1/articles#x", b"/" + b"a" * 70_000, b"/?" + b"&" * 9000,
)  # fmt: skip
VERSIONS = (b"HTTP/1.1",) * 8 + (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.10", b"http/1.1", b"HTTP/1.", b"")
ENDS = (b"\r\n",) * 12 + (b"\n", b"\r", b"\r\r\n", b"")
HEADERS = (
    b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AAAA",
    b"Expect: 100-continue", b"Content-Type: application/json", b"Content-Type: application/json",
    b"Content-Type: application/x-ndjson", b"Content-Type: application/xml", b"Content-Type: \xe4/\xf6; charset=x",
    b"Content-Encoding: gzip", b"Content-Encoding: br", b"Accept: text/csv", b"Accept-Encoding: gzip",
    b"If-None-Match: *", b'If-Match: "', b"Range: bytes=0-1", b"Cookie: \xff=x", b"SCRIPT_NAME: /v1",
    b"X_Forwarded_For: 1", b"X-Forwarded-For: 1.2.3.4, ::", b"X-Forwarded-Proto: https", b'Forwarded: for="',
    b"X-Request-Id: \t", b"X-Superdesk-Signature: sha1=" + b"0" * 40, b"Authorization: Basic \xff\xfe",
    b"Authorization: Basic dTpw", b"Authorization: Bearer nw_wrong", b"Idempotency-Key: k", b"Trailer: X",
    b"TE: trailers", b"Content-Length: 0",
)  # fmt: skip
MALFORMED = (
    b"Host: ", b"Host: a b", b"Host: \xff", b"Expect: 200-ok", b"Cookie: \x7f", b"X-Forwarded-Proto: gopher",
    b"X-Forwarded-Ssl: off", b" folded: x", b"Name : x", b": x", b"No colon", b"X: " + b"y" * 9000, b"X\0: y",
    b"Transfer-Encoding: gzip", b"Content-Length: 1", b"Host: b",
)  # fmt: skip
LENGTHS = (b"-1", b"+1", b"1 1", b"0x10", b"1e3", b"99999999999999999999", b"9" * 5000, b"\xb2", b"", b"1,1")
BODIES = (
    b"", b"{}", b"[]", b'{"headline": "Cocoa rises"}', b'{"after": 0}', b"{", b"null", b"\xff" * 10, b"[" * 3000,
    b'{"headline": "a"}\n{"headline": 1}\n', b"\x1f\x8b" + b"\0" * 20, b"a" * 100_000, b"<?xml version='1.0'?><a/>",
)  # fmt: skip
SIZES = (b"zz", b"0x2", b"-2", b"", b"2;", b'2;a="', b" 2", b"2 ", b"ffffffffffffffffffff", b"2\n", b"00000002")


class InvalidAnswer(AssertionError):
    """What the server has sent is no answer of HTTP."""


class Fuzzer:
    """Sends requests that `seed` determines. `keys` are put into Authorization headers, by any name."""

    def __init__(self, address: tuple[str, int], keys: Mapping[str, str], seed: int) -> None:
        self.address = address
        self.keys = [b"Authorization: Bearer " + key.encode() for key in keys.values()]
        self.random = random.Random(seed)

    def run(self, times: Iterable[object]) -> "Counter[int]":
        """Sends one input for each of `times`; returns how often each status was answered, 0 for none.

        Raises `InvalidAnswer`, and TimeoutError for an input that the server does not come to an end with.
        """
        statuses: Counter[int] = Counter()
        for _ in times:
            sent = self.make_input()
            try:
                statuses[self.status_in(self.send(sent))] += 1
            except (InvalidAnswer, TimeoutError) as error:
                error.add_note(f"sent: {sent[:2000]!r}")
                raise
        return statuses

    def send(self, sent: bytes) -> bytes:
        """Sends the input in up to three pieces, and returns all that comes."""
        cuts = sorted(self.random.randrange(len(sent) + 1) for _ in range(self.random.choice((0, 0, 1, 2))))
        received = b""
        with closing(socket.create_connection(self.address, ANSWER_SECONDS)) as connection, suppress(ConnectionError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
                connection.sendall(sent[start:end])
            # The end of what is sent, so that nobody waits for more of an input that is not whole.
            connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(1 << 16):
                received += more
        return received

    @staticmethod
    def status_in(received: bytes) -> int:
        """The highest status of the answers; 0 where there is none. Raises `InvalidAnswer`."""
        if received and not STATUS.match(received):
            raise InvalidAnswer(f"no answer of HTTP: {received[:300]!r}")
        return max(map(int, STATUS.findall(received)), default=0)

    def make_input(self) -> bytes:
        """One request or a few, damaged or not."""
        sent = b"".join(self.make_request() for _ in range(self.random.choice((1, 1, 1, 2))))
        for _ in range(self.random.choice((0, 0, 0, 1, 3))):
            sent = self.damage(sent)
        return sent

    def make_request(self) -> bytes:
        choice, chance = self.random.choice, self.random.random
        line = b" ".join((
            choice(METHODS[: 6 if chance() < 0.9 else None]), choice(TARGETS[: 9 if chance() < 0.85 else None]),
            choice(VERSIONS[: 8 if chance() < 0.9 else None]),
        ))  # fmt: skip
        headers = [choice(HEADERS) for _ in range(150 if chance() < 0.01 else choice((0, 1, 2, 3)))]
        if chance() < 0.08:
            headers.append(choice(MALFORMED))
        if chance() < 0.95:
            headers.append(b"Host: wire.example")
        if chance() < 0.7 and not any(header.startswith(b"Authorization") for header in headers):
            headers.append(choice(self.keys))
        framing, body = self.frame_body(choice(BODIES))
        headers += framing
        self.random.shuffle(headers)
        end = b"\r\n" if chance() < 0.95 else choice(ENDS)
        return end.join([line, *headers, b"", b""]) + body

    def frame_body(self, body: bytes) -> tuple[list[bytes], bytes]:
        """The headers that frame a body, and its bytes; wrong ones too."""
        kind = self.random.random()
        if kind < 0.3:
            return [], b""
        if kind < 0.55:
            return [b"Content-Length: %d" % len(body)], body
        if kind < 0.65:
            return [b"Content-Length: %d" % (len(body) + self.random.choice((-1, 1, 100, 10**8)))], body
        if kind < 0.7:
            return [b"Content-Length: " + self.random.choice(LENGTHS)], body
        if kind < 0.73:
            return [b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked"], body
        return [b"Transfer-Encoding: " + self.random.choice((b"chunked",) * 9 + (b"Chunked, chunked",))], self.chunk(
            body
        )

    def chunk(self, body: bytes) -> bytes:
        """The body in the chunked coding; now and then a size or an end is wrong."""
        is_damaged = self.random.random() < 0.2
        step = self.random.choice((1, 7, 4096)) if len(body) < 1000 else self.random.choice((4096, 50_000))
        sent = b""
        for start in range(0, len(body), step):
            piece = body[start : start + step]
            wrong = is_damaged and self.random.random() < 0.3
            size = self.random.choice(SIZES) if wrong else b"%x" % len(piece)
            sent += size + b"\r\n" + piece + (self.random.choice(ENDS) if wrong else b"\r\n")
        return sent + self.random.choice(
            (b"0\r\n\r\n",) * 6 + (b"0\r\nX: y\r\n\r\n", b"0\r\nHost: y\r\n", b"0\r\n\n", b"")
        )

    def damage(self, sent: bytes) -> bytes:
        """The same with a few bytes removed, doubled, replaced or put in."""
        at = self.random.randrange(len(sent) + 1)
        end = at + self.random.choice((1, 1, 2, 10, 100))
        change: Callable[[], bytes] = self.random.choice((
            lambda: sent[:at] + sent[end:],
            lambda: sent[:end] + sent[at:],
            lambda: sent[:at] + self.random.randbytes(end - at) + sent[end:],
            lambda: sent[:at] + self.random.choice((b"\0", b"\r", b"\n", b"\r\n\r\n", b":", b" ", b"\xff")) + sent[at:],
        ))  # fmt: skip
        return change()
