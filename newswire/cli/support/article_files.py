"""Files of articles, read one article after the other: NDJSON, JSON, Markdown, each also gzipped.

NDJSON is read line by line, so that memory does not grow with the file. A line that cannot be read is a `Problem` in
place of its article, and reading goes on with the next line. A file of another kind is one `Problem` for all of it.
"""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple

import orjson

from newswire.cli.support.unknown_content import is_markup_or_binary, name_markup_or_binary, name_text
from newswire.errors import Problem
from newswire.formats import FORMATS
from newswire.formats.strict_json import ARTICLE_BYTES, parse_json

LINES = (".ndjson", ".jsonl")
GZIP = b"\x1f\x8b"
# White space of JSON, and the byte order mark of UTF-8, with which some editors begin a file.
BLANK = b" \t\r\n\xef\xbb\xbf"
STANDARD_INPUT = 0
OPENINGS = (b"[", b"{")
JSON_FEED = "https://jsonfeed.org/version/"
MOST_MARKUP_LINES = 50
"""The lines of a document in which its root element is looked for."""
HEAD_LINES, HEAD_BYTES = 20, 1024 * 1024
"""More lines, or bytes, than these without a single JSON object are not NDJSON with mistakes but something else."""
TAKEN = (
    "Articles are read from NDJSON (one JSON object a line), a JSON array or object, ninjs, and Markdown in a file"
    " whose name ends in .md; each may be gzipped. Nothing of this file was stored."
)
DAMAGED = "The gzip data is damaged or cut off; all before it was read."


class FileArticle(NamedTuple):
    """One article of a file: its position for messages, and its fields as sent, or the `Problem` of reading them.

    `size` are the bytes that it has in the file, in an array those of its JSON.
    """

    position: str
    content: Any
    size: int = 0


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
    """The articles of a file, in order. Markdown is known by its name, JSON by its first line, NDJSON by an object.

    A file that is nothing of these is one `Problem`, `unsupported_media_type`, with a sentence on what it is.
    """
    try:
        for each in FORMATS:
            if each.read is not None and source.name.endswith(each.file_suffixes):
                yield FileArticle("the article", parse_or_problem(each.read, source.stream.read()))
                return
        numbered = numbered_lines(source.stream)
        number, first = next(numbered, (0, b""))
        if is_markup_or_binary(first):
            more = (line for _, line in islice(numbered, MOST_MARKUP_LINES))
            yield unknown_content(name_markup_or_binary(first + b"".join(more)))
        elif is_one_document(first) and (first.strip(BLANK) in OPENINGS or not source.name.endswith(LINES)):
            # The line feeds make the parser's messages count lines from the beginning of the file.
            yield from parse_document(b"\n" * (number - 1) + first + source.stream.read())
        else:
            head, is_known = read_head(chain([(number, first)], numbered))
            yield from parse_lines(chain(head, numbered)) if is_known else [unknown_content(describe_lines(head))]
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


def read_head(numbered: Iterator[tuple[int, bytes]]) -> tuple[list[tuple[int, bytes]], bool]:
    """The lines up to the first JSON object, usually one, and whether these are lines of an NDJSON file.

    So standard input is not waited for once it has given an article. In a short file of which every line begins as
    JSON does, every line is faulty, and each is reported by itself.
    """
    head, length = list[tuple[int, bytes]](), 0
    for number, line in numbered:
        head.append((number, line))
        length += len(line)
        if is_object(line):
            return head, True
        if len(head) > HEAD_LINES or length > HEAD_BYTES:
            return head, False
    return head, all(is_json_like(line) for _, line in head)


def is_object(line: bytes) -> bool:
    """Whether a line is a JSON object, or too long to tell."""
    return len(line) > ARTICLE_BYTES or isinstance(parse_or_problem(parse_json, line), dict)


def is_json_like(line: bytes) -> bool:
    """Whether a line is blank, begins as an object or an array does, or is another JSON value."""
    begins = line.strip(BLANK)[:1] in (b"", *OPENINGS)
    return begins or not isinstance(parse_or_problem(parse_json, line), Problem)


def describe_lines(head: Sequence[tuple[int, bytes]]) -> str:
    """What a file is that has no JSON object in these lines, its first ones."""
    first = head[0][1]
    found = parse_or_problem(parse_json, first)
    if is_json_like(first) and isinstance(found, Problem):
        return f"text, and none of its first lines is a JSON object; line {head[0][0]}: {found.detail}"
    return name_text(first, head[1][1] if len(head) > 1 else b"")


def unknown_content(kind: str) -> FileArticle:
    return FileArticle("the file", Problem("unsupported_media_type", f"This file is {kind.rstrip('.')}. {TAKEN}"))


def is_one_document(first: bytes) -> bool:
    """Whether a JSON array, or an object over several lines, begins with this line."""
    line = first.strip(BLANK)
    return line.startswith(b"[") or (line.startswith(b"{") and line.endswith((b"{", b",", b"[")))


def parse_document(content: bytes) -> Iterator[FileArticle]:
    value = parse_or_problem(parse_json, content)
    if isinstance(value, dict) and str(value.get("version")).startswith(JSON_FEED):
        yield unknown_content("a JSON Feed")
    elif isinstance(value, list):
        yield from (FileArticle(f"article {number}", each, json_size(each)) for number, each in enumerate(value, 1))
    else:
        yield FileArticle("the file" if isinstance(value, Problem) else "the article", value)


def json_size(value: Any) -> int:
    """The bytes of a value as JSON; 0 for one that cannot be written, which is never stored."""
    try:
        return len(orjson.dumps(value))
    except TypeError:
        return 0


def parse_lines(numbered: Iterable[tuple[int, bytes]]) -> Iterator[FileArticle]:
    for number, line in numbered:
        if len(line) > ARTICLE_BYTES:
            too_long = f"The line has more than {ARTICLE_BYTES // 1024 // 1024} MiB."
            yield FileArticle(f"line {number}", Problem("too_large", too_long))
        elif line:
            yield FileArticle(f"line {number}", parse_or_problem(parse_json, line), len(line))


def parse_or_problem(parser: Any, content: bytes) -> Any:
    """The result of a parser, or the `Problem` that it raised."""
    try:
        return parser(content)
    except Problem as problem:
        return problem
