"""Outputs of `newswire pull`: standard output, a file of NDJSON lines, or a folder with a file for each article.

`write_entries` returns when the entries are on the disk (standard output: flushed). `name` and `size` go into the
state file, from which the next pull continues. To write the same entries again leaves a folder as it is; a file of
lines is first cut back to its size at the stored position.
"""

import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from newswire.client import ClientError
from newswire.client.files import replace_file, sync_path
from newswire.formats.markdown.write import write_markdown

SAFE_NAME = re.compile("[A-Za-z0-9_-]{1,100}")
Entries = Sequence[Mapping[str, Any]]


class StandardOutput:
    """NDJSON on standard output."""

    name = "-"
    size = 0

    def write_entries(self, entries: Entries) -> None:
        sys.stdout.buffer.write(encode_lines(entries))
        sys.stdout.buffer.flush()


class LinesFile:
    """NDJSON appended to a file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.name = str(path.absolute())
        self.file = file

    @property
    def size(self) -> int:
        return self.file.tell()

    def write_entries(self, entries: Entries) -> None:
        if entries:
            self.file.write(encode_lines(entries))
            self.file.flush()
            os.fsync(self.file.fileno())

    def cut_back(self, size: int, after: int) -> None:
        """Removes the lines after `size`, which a pull wrote and was killed before it stored a position past `after`.

        Raises `ClientError` where something else stands there.
        """
        with open(self.name, "rb") as file:
            # The byte before `size` has to end a line; else somebody has replaced the file.
            file.seek(max(0, size - 1))
            begins = not size or file.read(1) == b"\n"
            surplus = file.readlines()
        # The last line may be incomplete, because the pull was killed while it wrote it.
        if not begins or any(line_seq(line) <= after for line in surplus if line.endswith(b"\n")):
            raise ClientError(f"{self.name} holds something that this pull has not written; name another output file.")
        self.file.truncate(size)
        self.file.seek(0, os.SEEK_END)


class ArticleFolder:
    """A file for each article that may be read now, with its newest version; killed and expired ones are deleted."""

    size = 0

    def __init__(self, path: Path, form: str) -> None:
        self.name = str(path.absolute())
        self.path = path
        self.encode = write_markdown if form == "markdown" else encode_pretty
        self.suffix = ".md" if form == "markdown" else ".json"
        path.mkdir(parents=True, exist_ok=True)

    def write_entries(self, entries: Entries) -> None:
        for entry in entries:
            file = self.file_of(str(entry["article_id"]))
            if entry["article"] is None:
                file.unlink(missing_ok=True)
            else:
                replace_file(file, self.encode(entry["article"]))
        if entries:
            sync_path(self.path)

    def is_empty(self) -> bool:
        return not any(self.path.glob(f"*{self.suffix}"))

    def file_of(self, article_id: str) -> Path:
        """The file of an article. Ids are opaque, and must not lead out of the folder: a strange one is hashed."""
        if not SAFE_NAME.fullmatch(article_id):
            article_id = hashlib.sha256(article_id.encode("utf-8", "replace")).hexdigest()
        return self.path / (article_id + self.suffix)


Output = StandardOutput | LinesFile | ArticleFolder


def encode_lines(entries: Entries) -> bytes:
    return b"".join(orjson.dumps(entry) + b"\n" for entry in entries)


def line_seq(line: bytes) -> int:
    """The sequence number of the entry in a line, -1 when it holds none."""
    try:
        return int(orjson.loads(line)["seq"])
    except (ValueError, LookupError, TypeError):
        return -1


def encode_pretty(article: Mapping[str, Any]) -> bytes:
    return orjson.dumps(article, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
