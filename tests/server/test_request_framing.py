"""Heads and bodies that arrive in pieces are understood as if they came at once, and malformed chunks are refused."""

import io
import time
from itertools import pairwise

import pytest
from gunicorn.config import Config
from gunicorn.http.body import ChunkedReader
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from hypothesis import example, given
from hypothesis import strategies as st

from newswire.server.bounds import BODY_IN_MEMORY_BYTES, BODY_PAUSE_SECONDS, BODY_WINDOW_SECONDS, HEAD_BYTES
from newswire.server.chunked import FREE_CHUNKS, MEAN_CHUNK_BYTES, ChunkedDecoder, MalformedChunks
from newswire.server.connection import ReceivedBytes
from newswire.server.request_body import RequestBody

PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
CUTS = st.lists(st.integers(0, 400), max_size=6)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({min(each, len(data)) for each in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(at)]


def encode_chunks(pieces: list[bytes]) -> bytes:
    return b"".join(b"%X;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-End: yes\r\n\r\n"


def decode_cut(data: bytes, cuts: list[int]) -> tuple[bytes, bytes] | None:
    """The content and what follows it; None where it is refused or not whole."""
    decoder, content, rest = ChunkedDecoder(), b"", b""
    try:
        for piece in cut(data, cuts):
            if decoder.is_finished:
                rest += piece
                continue
            content += b"".join(decoder.decode(piece))
            rest = decoder.rest
    except MalformedChunks:
        return None
    return (content, rest) if decoder.is_finished else None


@given(PIECES, CUTS, st.binary(max_size=20))
def test_chunks_give_their_content_wherever_they_are_cut(pieces: list[bytes], cuts: list[int], behind: bytes) -> None:
    assert decode_cut(encode_chunks(pieces) + behind, cuts) == (b"".join(pieces), behind)


@given(PIECES, st.integers(0, 400), st.binary(max_size=3), CUTS)
@example([b"{}"], 1, b"_", [])
@example([b"{}"], 0, b"+", [])
def test_damaged_chunks_mean_the_same_wherever_they_are_cut_and_are_never_laxer_than_gunicorn(
    pieces: list[bytes], at: int, damage: bytes, cuts: list[int]
) -> None:
    sent = encode_chunks(pieces)
    at = min(at, len(sent))
    sent = sent[:at] + damage + sent[at + 1 :]
    whole = decode_cut(sent, [])
    assert decode_cut(sent, cuts) == whole
    if whole is not None:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        request = Request(Config(), IterUnreader([head + sent]), ("127.0.0.1", 1))
        assert isinstance(request.body.reader, ChunkedReader)
        assert request.body.read() == whole[0]


def test_tiny_chunks_are_refused_before_they_cost_much() -> None:
    decoder = ChunkedDecoder()
    decoder.decode(b"1\r\nx\r\n" * FREE_CHUNKS)
    with pytest.raises(MalformedChunks):
        decoder.decode(b"1\r\nx\r\n" * MEAN_CHUNK_BYTES * 300)
    usual = ChunkedDecoder()
    for _ in range(4):
        usual.decode(b"40\r\n%s\r\n" % (b"x" * 64) * FREE_CHUNKS)
    assert usual.decoded == 4 * 64 * FREE_CHUNKS


@given(st.binary(max_size=300), CUTS, st.integers(0, 200))
def test_a_body_of_known_length_ends_where_it_ends(content: bytes, cuts: list[int], length: int) -> None:
    body, rest = RequestBody(length, 0.0), b""
    for piece in cut(content, cuts):
        if body.is_whole:
            rest += piece
            continue
        body.receive(piece, 0.0)
        rest = body.rest
    assert body.is_whole == (len(content) >= length)
    assert body.open_input().read() == content[:length]
    assert not body.is_whole or rest == content[length:]
    body.close()


@pytest.mark.parametrize("size", [10, BODY_IN_MEMORY_BYTES * 3])
def test_a_body_is_the_same_in_memory_and_in_a_file(size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    body = RequestBody(size, 0.0)
    for start in range(0, size, 7000):
        body.receive(content[start : start + 7000], 0.0)
    stream = body.open_input()
    assert isinstance(stream, io.IOBase)
    assert stream.read() == content
    body.close()
    assert stream.closed


def test_a_body_over_its_limit_is_refused_and_not_kept() -> None:
    announced = RequestBody(1000, 0.0)
    announced.limit = 999
    assert announced.is_refused
    chunked = RequestBody(None, 0.0)
    chunked.limit = 100
    refused = []
    for piece in (b"64\r\n%s\r\n" % (b"x" * 100), b"1\r\nx\r\n0\r\n\r\n"):
        chunked.receive(piece, 0.0)
        refused.append(chunked.is_refused)
    assert refused == [False, True]
    assert len(chunked.open_input().read()) == 100
    chunked.close()
    unwanted = RequestBody(10, 0.0)
    unwanted.receive(b"x", 0.0)
    unwanted.limit = 0
    assert unwanted.is_refused
    unwanted.close()


def test_a_body_must_keep_its_least_rate_and_make_no_long_pause() -> None:
    body = RequestBody(10**6, 0.0)
    assert not body.is_too_slow(BODY_WINDOW_SECONDS - 0.1)
    body.receive(b"x" * 10_240, BODY_WINDOW_SECONDS - 0.1)
    assert not body.is_too_slow(BODY_WINDOW_SECONDS)
    # What came in an earlier window does not count in the next one.
    body.receive(b"x", 2 * BODY_WINDOW_SECONDS - 1)
    assert body.is_too_slow(2 * BODY_WINDOW_SECONDS)
    body.close()


def test_a_body_may_not_pause_for_long_whatever_has_arrived() -> None:
    body = RequestBody(10_000_000, 0.0)
    body.receive(b"x" * 500_000, 0.0)
    assert not body.is_too_slow(BODY_WINDOW_SECONDS)
    assert not body.is_too_slow(BODY_PAUSE_SECONDS - 1)
    assert body.is_too_slow(BODY_PAUSE_SECONDS + 1)
    body.close()


@given(
    st.lists(st.sampled_from([b"GET / HTTP/1.1", b"\r\n", b"\n", b"\r", b"Host: a", b"\r\n\r\n", b"x"]), max_size=8),
    CUTS,
)
def test_a_head_is_parsable_at_the_same_byte_wherever_it_is_cut(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    bytewise, first = ReceivedBytes(), None
    for number in range(len(data)):
        bytewise.append(data[number : number + 1])
        if first is None and bytewise.is_parsable():
            first = number + 1
    in_pieces = ReceivedBytes()
    was_parsable = False
    for piece in cut(data, cuts):
        in_pieces.append(piece)
        was_parsable = was_parsable or in_pieces.is_parsable()
    assert was_parsable == (first is not None)


def test_a_head_that_grows_byte_by_byte_costs_no_more_than_its_bytes() -> None:
    received = ReceivedBytes()
    received.append(b"GET / HTTP/1.1\r\n")
    began = time.process_time()
    for _ in range(HEAD_BYTES - 100):
        received.append(b"x")
        assert not received.is_parsable()
    assert time.process_time() - began < 2.0
    received.append(b"x" * 200)
    assert received.is_parsable()
