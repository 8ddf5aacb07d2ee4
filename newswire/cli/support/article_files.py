"""Files of articles, read one article after the other: NDJSON, JSON, Markdown, each also gzipped.

NDJSON is read line by line, so that memory does not grow with the file. A line that cannot be read is a `Problem` in
place of its article, and reading goes on with the next line.
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
from newswire.formats import FORMATS
from newswire.formats.strict_json import ARTICLE_BYTES, parse_json

LINES = (".ndjson", ".jsonl")
GZIP = b"\x1f\x8b"
# White space of JSON, and the byte order mark of UTF-8, with which some editors begin a file.
BLANK = b" \t\r\n\xef\xbb\xbf"
STANDARD_INPUT = 0
DAMAGED = "The gzip data is damaged or cut off; all before it was read."


class FileArticle(NamedTuple):
    """One article of a file: its position for messages, and its fields as sent, or the `Problem` of reading them."""

    position: str
    content: Any


class ArticleSource:
    """An open file: `stream` is decompressed, `size` (None: unknown) and `bytes_read` count what is on the disk."""

    def __init__(self, name: str, raw: io.FileIO) -> None:
        self.name = name.lower().removesuffix(".gz")
        self.raw = raw
        status = os.fstat(raw.fileno())
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        buffered = io.BufferedReader(raw)
        is_gzip = buffered.peek(2).startswith(GZIP)
        self.stream: BinaryIO = io.BufferedReader(gzip.GzipFile(fileobj=buffered)) if is_gzip else buffered

    def bytes_read(self) -> int:
        return 0 if self.size is None else self.raw.tell()


@contextmanager
def open_source(name: str) -> Iterator[ArticleSource]:
    """Opens the file `name`, or standard input for `-`."""
    with io.FileIO(STANDARD_INPUT if name == "-" else name, closefd=name != "-") as raw:
        yield ArticleSource("" if name == "-" else name, raw)


def read_articles(source: ArticleSource) -> Iterator[FileArticle]:
    """The articles of a file, in order. Markdown is known by its name, JSON by its first line; all else is NDJSON."""
    try:
        for each in FORMATS:
            if each.read is not None and source.name.endswith(each.file_suffixes):
                yield FileArticle("the article", parse_or_problem(each.read, source.stream.read()))
                return
        numbered = numbered_lines(source.stream)
        number, first = next(numbered, (0, b""))
        if is_one_document(first) and not source.name.endswith(LINES):
            # The line feeds make the parser's messages count lines from the beginning of the file.
            yield from parse_document(b"\n" * (number - 1) + first + source.stream.read())
        else:
            yield from parse_lines(chain([(number, first)], numbered))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield FileArticle("the end", Problem("malformed_json", DAMAGED))


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number; of a line that is too long only the beginning."""
    number = 0
    # The byte more shows that a line is too long, without holding all of it.
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


def parse_document(content: bytes) -> Iterator[FileArticle]:
    value = parse_or_problem(parse_json, content)
    if isinstance(value, list):
        yield from (FileArticle(f"article {number}", article) for number, article in enumerate(value, 1))
    else:
        yield FileArticle("the file" if isinstance(value, Problem) else "the article", value)


def parse_lines(numbered: Iterable[tuple[int, bytes]]) -> Iterator[FileArticle]:
    for number, line in numbered:
        if len(line) > ARTICLE_BYTES:
            too_long = f"The line has more than {ARTICLE_BYTES // 1024 // 1024} MiB."
            yield FileArticle(f"line {number}", Problem("too_large", too_long))
        elif line:
            yield FileArticle(f"line {number}", parse_or_problem(parse_json, line))


def parse_or_problem(parser: Any, content: bytes) -> Any:
    """The result of a parser, or the `Problem` that it raised."""
    try:
        return parser(content)
    except Problem as problem:
        return problem
