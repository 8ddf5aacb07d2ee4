"""The body of a batch: NDJSON or a JSON array, decompressed into a temporary file and read article by article.

A batch may have 64 MiB, and a few kilobytes of gzip decompress to that. So it is never in memory as a whole, neither as
bytes nor as parsed values: memory is bounded by one article. What an article may contain is not known here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, NamedTuple, cast

from flask import Request

from newswire.api.request.bodies import (
    BATCH_BYTES,
    BODY_REFUSED,
    CHUNK,
    JSON_TYPES,
    MOST_ARTICLES,
    gunzip_parts,
    is_compressed,
    read_stream,
    too_large,
)
from newswire.errors import Problem
from newswire.formats.strict_json import ARTICLE_BYTES, parse_items, parse_json

NDJSON_TYPES = ("application/x-ndjson",)
IN_MEMORY = 1024 * 1024
"""A body of up to so many bytes needs no file."""
FILLED = re.compile(rb"\S[^\n]*")


class Item(NamedTuple):
    """An article of a batch: its parsed JSON, or the `Problem` of a line that cannot be parsed, and its length."""

    content: Any
    length: int


class BatchBody:
    """The decompressed body of a batch; `count` is the number of its articles, `fingerprint` the hash of the request.

    A line of NDJSON that is not JSON is refused by itself; other faults refuse the batch as a whole. So everything is
    read once before anything is stored.
    """

    def __init__(self, file: BinaryIO, fingerprint: str, *, is_lines: bool) -> None:
        self.file, self.fingerprint, self.is_lines = file, fingerprint, is_lines
        self.count = sum(1 for _ in (self._lines() if is_lines else self.items()))

    def items(self) -> Iterator[Item]:
        """The articles, in order. One iteration at a time."""
        if self.is_lines:
            return (Item(parse_line(line), len(line)) for line in self._lines())
        self.file.seek(0)
        return (Item(*found) for found in parse_items(self.file, MOST_ARTICLES, ARTICLE_BYTES))

    def _lines(self) -> Iterator[bytes]:
        self.file.seek(0)
        for number, line in enumerate(split_lines(self.file)):
            if number == MOST_ARTICLES:
                raise Problem("too_large", f"A batch must have at most {MOST_ARTICLES:,} articles.")
            yield line


@contextmanager
def open_batch(request: Request, hashed: Any) -> Iterator[BatchBody]:
    """The body of a batch in a temporary file; `hashed` is the hash of the request, to which the body is added.

    Raises what refuses the batch as a whole: a body that is too large, not gzip or not a JSON array, or one of more
    than `MOST_ARTICLES`.
    """
    compressed = is_compressed(request, (*NDJSON_TYPES, *JSON_TYPES))
    with SpooledTemporaryFile(IN_MEMORY) as spooled:
        file = cast(BinaryIO, spooled)
        copy_body(request, file, hashed, compressed=compressed)
        yield BatchBody(file, hashed.hexdigest(), is_lines=request.mimetype in NDJSON_TYPES)


def copy_body(request: Request, file: BinaryIO, hashed: Any, *, compressed: bool) -> None:
    """Copies the body, decompressed, into the file and the hash; raises `too_large`, `malformed_json`."""
    raw, size = read_parts(request), 0
    for part in gunzip_parts(raw) if compressed else raw:
        size += len(part)
        if size > BATCH_BYTES:
            raise too_large(BATCH_BYTES)
        hashed.update(part)
        file.write(part)


def read_parts(request: Request) -> Iterator[bytes]:
    """The raw body in parts; raises `too_large`, and `malformed_json` if it breaks off."""
    size = 0
    while not request.environ.get(BODY_REFUSED) and (part := read_stream(request, CHUNK)):
        size += len(part)
        if size > BATCH_BYTES:
            break
        yield part
    if size > BATCH_BYTES or request.environ.get(BODY_REFUSED):
        raise too_large(BATCH_BYTES)


def split_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file that are not blank; of one that is longer than `ARTICLE_BYTES` perhaps only the beginning.

    Blank lines, of which there may be millions, are passed over by the regular expression.
    """
    rest, is_cut = b"", False
    while chunk := file.read(IN_MEMORY):
        end = chunk.rfind(b"\n") + 1
        if end:
            whole = chunk[:end] if is_cut else rest + chunk[:end]
            if is_cut:
                yield rest
                whole = whole[whole.index(b"\n") :]
            yield from (line_around(whole, found) for found in FILLED.finditer(whole))
            rest, is_cut, chunk = b"", False, chunk[end:]
        if not is_cut:
            rest += chunk
            is_cut = len(rest) > ARTICLE_BYTES
            rest = rest[: ARTICLE_BYTES + 1]
    if rest.strip():
        yield rest


def line_around(text: bytes, found: re.Match[bytes]) -> bytes:
    """The line of `found`, with the blanks at its beginning, so that columns in messages are right."""
    return text[text.rfind(b"\n", 0, found.start()) + 1 : found.end()]


def parse_line(line: bytes) -> Any:
    """Parses a line of NDJSON; returns the `Problem` of an invalid one, so that the other lines are still read."""
    if len(line) > ARTICLE_BYTES:
        return too_large(ARTICLE_BYTES)
    try:
        return parse_json(line)
    except Problem as problem:
        return problem
