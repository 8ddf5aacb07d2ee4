"""Where `newswire pull` puts what it reads: standard output, one file of lines, or a folder of articles.

`put` returns when what it was given is on the disk (of standard output: handed over). Putting the
same entries again leaves a folder as it is; a file is cut back to where its place was kept.
"""

import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import click
import orjson

from newswire.client.files import sync, write
from newswire.formats.markdown.write import write_markdown

SIMPLE = re.compile("[A-Za-z0-9_-]{1,100}")
Entries = Sequence[Mapping[str, Any]]


class Deposit(Protocol):
    """`name` and `size` say how far the entries got, for the next time."""

    name: str

    @property
    def size(self) -> int: ...

    def put(self, entries: Entries) -> None: ...


def lines(entries: Entries) -> bytes:
    return b"".join(orjson.dumps(entry) + b"\n" for entry in entries)


class StandardOutput:
    """NDJSON for whoever reads on."""

    name = "-"
    size = 0

    def put(self, entries: Entries) -> None:
        sys.stdout.buffer.write(lines(entries))
        sys.stdout.buffer.flush()


class LinesFile:
    """NDJSON at the end of a file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.name = str(path.absolute())
        self.file = file

    @property
    def size(self) -> int:
        return self.file.tell()

    def put(self, entries: Entries) -> None:
        if entries:
            self.file.write(lines(entries))
            self.file.flush()
            os.fsync(self.file.fileno())

    def cut_back(self, size: int, after: int) -> None:
        """Drops what was written behind `size` by a pull that was killed before it could note its place, `after`."""
        with open(self.name, "rb") as file:
            file.seek(max(0, size - 1))
            begins = not size or file.read(1) == b"\n"
            surplus = file.readlines()
        # The last line may be torn.
        if not begins or any(number_of(line) <= after for line in surplus if line.endswith(b"\n")):
            raise click.ClickException(
                f"{self.name} holds something that this pull has not written; name another file with --output."
            )
        self.file.truncate(size)
        self.file.seek(0, os.SEEK_END)


def number_of(line: bytes) -> int:
    """The sequence number in a line, -1 when there is none."""
    try:
        return int(orjson.loads(line)["seq"])
    except (ValueError, LookupError, TypeError):
        return -1


class Folder:
    """One file for each article that may be read now, its newest version; what is killed or gone is deleted."""

    size = 0

    def __init__(self, path: Path, form: str) -> None:
        self.name = str(path.absolute())
        self.path = path
        self.form = form
        path.mkdir(parents=True, exist_ok=True)

    def put(self, entries: Entries) -> None:
        for entry in entries:
            file = self.file_of(entry)
            if entry["article"] is None:
                file.unlink(missing_ok=True)
            else:
                write(file, write_markdown(entry["article"]) if self.form == "markdown" else pretty(entry["article"]))
        if entries:
            sync(self.path)

    def is_empty(self) -> bool:
        return not any(self.path.glob(f"*{self.suffix}"))

    @property
    def suffix(self) -> str:
        return ".md" if self.form == "markdown" else ".json"

    def file_of(self, entry: Mapping[str, Any]) -> Path:
        """The article's file. Ids are opaque: one that is no simple word gives its SHA-256, never a path."""
        name = str(entry["article_id"])
        simple = name if SIMPLE.fullmatch(name) else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
        return self.path / (simple + self.suffix)


def pretty(article: Mapping[str, Any]) -> bytes:
    return orjson.dumps(article, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
