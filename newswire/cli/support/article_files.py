"""Files of articles, one article after the other: NDJSON, JSON, Markdown, each also gzipped.

NDJSON is read line by line, so that memory does not grow with the file. A line that cannot be
read is a `Problem` in its place; the next one is read all the same.
"""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from newswire.errors import Problem
from newswire.formats.markdown.read import parse_markdown
from newswire.formats.strict_json import ARTICLE_BYTES, parse_json

MARKDOWN = (".md", ".markdown")
LINES = (".ndjson", ".jsonl")
GZIP = b"\x1f\x8b"
BLANK = b" \t\r\n\xef\xbb\xbf"
STANDARD_INPUT = 0


class Item(NamedTuple):
    """One article of a file: where it stands, and its fields as sent, or the `Problem` why they cannot be read."""

    place: str
    content: Any


class Source:
    """An open file: `stream` is decompressed; `size` (None: unknown) and `position` count the bytes on the disk."""

    def __init__(self, name: str, raw: io.FileIO) -> None:
        self.name = name.lower().removesuffix(".gz")
        self.raw = raw
        status = os.fstat(raw.fileno())
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        plain = io.BufferedReader(raw)
        packed = plain.peek(2).startswith(GZIP)
        self.stream: BinaryIO = io.BufferedReader(gzip.GzipFile(fileobj=plain)) if packed else plain

    def position(self) -> int:
        return 0 if self.size is None else self.raw.tell()


@contextmanager
def opened_source(name: str) -> Iterator[Source]:
    """The file `name`, or standard input for `-`."""
    with io.FileIO(STANDARD_INPUT if name == "-" else name, closefd=name != "-") as raw:
        yield Source("" if name == "-" else name, raw)


def items(source: Source) -> Iterator[Item]:
    """The articles of a file, in order. Markdown is known by its name, JSON by how it begins; all else is NDJSON."""
    try:
        if source.name.endswith(MARKDOWN):
            yield Item("the article", read(parse_markdown, source.stream.read()))
            return
        numbered = lines(source.stream)
        number, first = next(numbered, (0, b""))
        if is_one_document(first) and not source.name.endswith(LINES):
            # The line feeds keep the numbers of the lines in what is said about them.
            yield from document(b"\n" * (number - 1) + first + source.stream.read())
        else:
            yield from articles(chain([(number, first)], numbered))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield Item("the end", Problem("malformed_json", "The gzip data is damaged or cut off; all before it was read."))


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number; of one that is too long only the beginning."""
    number = 0
    while line := stream.readline(ARTICLE_BYTES + 1):
        number += 1
        if line.strip(BLANK):
            yield number, line
        while line and not line.endswith(b"\n"):
            line = stream.readline(ARTICLE_BYTES)


def is_one_document(first: bytes) -> bool:
    """Whether a JSON array, or an object over several lines, begins with this line."""
    line = first.strip(BLANK)
    return line.startswith(b"[") or (line.startswith(b"{") and line.endswith((b"{", b",", b"[")))


def document(content: bytes) -> Iterator[Item]:
    value = read(parse_json, content)
    if isinstance(value, list):
        yield from (Item(f"article {number}", article) for number, article in enumerate(value, 1))
    else:
        yield Item("the file" if isinstance(value, Problem) else "the article", value)


def articles(numbered: Iterable[tuple[int, bytes]]) -> Iterator[Item]:
    for number, line in numbered:
        if len(line) > ARTICLE_BYTES:
            too_long = f"The line has more than {ARTICLE_BYTES // 1024 // 1024} MiB."
            yield Item(f"line {number}", Problem("too_large", too_long))
        elif line:
            yield Item(f"line {number}", read(parse_json, line))


def read(reader: Any, content: bytes) -> Any:
    """What `reader` makes of the bytes, or its `Problem`."""
    try:
        return reader(content)
    except Problem as problem:
        return problem
