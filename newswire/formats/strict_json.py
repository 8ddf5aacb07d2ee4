"""A strict JSON parser (RFC 8259): faults with line and column, bounded depth and memory, arrays read item by item.

It knows no article: which members there may be is decided in `newswire.schemas`.
"""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from newswire.errors import Fault, Problem

ARTICLE_BYTES = 8 * 1024 * 1024
"""The largest article, in any format."""

# The parser's own limit differs between versions of Python, and the code that recurses over the value later needs one.
DEEPEST = 50
TOO_DEEP = "The body is nested too deeply to be an article."
BLANKS = " \t\n\r"
BLANK = re.compile(f"[{BLANKS}]*")
MOST_VALUES = 250_000
"""Members and items of one article. Each takes up to 200 bytes of memory, however few characters it has."""
# A string, also one that is cut off. Possessive, so that it takes linear time.
STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
# An item of an array is parsed from a slice of the text, at first of this length; few articles are longer.
FIRST_SLICE = 64 * 1024
READ_AT_ONCE = 1024 * 1024


class NotStrict(ValueError):
    """JSON that the standard parser accepts and this one refuses: a repeated member, NaN or Infinity."""


def decode_text(body: bytes) -> str:
    """Decodes UTF-8, without a byte-order mark; raises `malformed_json`."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise malformed_json(
            f"The body is not valid UTF-8: byte 0x{body[error.start]:02x} at position {error.start}."
        ) from None


def parse_json(body: bytes) -> Any:
    """Parses one JSON value; raises `malformed_json` with line and column, `too_large` beyond `MOST_VALUES`."""
    text = decode_text(body)
    check_number_of_values(text)
    with json_faults():
        value = DECODER.decode(text)
    return check_depth(value)


def check_number_of_values(text: str) -> None:
    """Raises `too_large` for JSON with more than `MOST_VALUES` members and items, which is counted without parsing."""
    if count_values(text) > MOST_VALUES and count_values(STRING.sub("", text)) > MOST_VALUES:
        raise Problem("too_large", f"An article must have at most {MOST_VALUES:,} members and items.")


def count_values(text: str) -> int:
    return text.count(",") + text.count("{") + text.count("[")


def parse_items(file: BinaryIO, most: int, longest: int) -> Iterator[tuple[Any, int]]:
    """Parses the items of a JSON array one by one, each with its length in characters.

    Raises `malformed_json`, and `too_large` beyond `most` items, or `longest` characters or `MOST_VALUES` in one. Only
    some `longest` characters of the text are in memory at a time.
    """
    text = TextWindow(file, longest)
    if not text.startswith("["):
        text.decode_whole()
        raise Problem("validation_failed", "A batch must be a JSON array, or NDJSON sent as application/x-ndjson.")
    text.position += 1
    for number in range(most + 1):
        if text.startswith("]") and not number:
            break
        if number == most:
            raise Problem("too_large", f"A batch must have at most {most:,} articles.")
        yield text.decode_item()
        if text.startswith("]"):
            break
        if not text.startswith(","):
            raise text.malformed("Expecting ',' delimiter", text.position)
        text.position += 1
    text.position += 1
    if not text.is_at_end():
        raise text.malformed("Extra data", text.position)


class TextWindow:
    """The text of a file from `position` on, decoded from UTF-8 as it is read; what was parsed is dropped."""

    def __init__(self, file: BinaryIO, longest: int) -> None:
        self.file, self.longest = file, longest
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text, self.position, self.is_whole = "", 0, False
        # The bytes that were decoded, and the end of what was dropped, as line and column.
        self.bytes_read, self.lines, self.column = 0, 0, 0

    def startswith(self, mark: str) -> bool:
        """Whether the text goes on with `mark`, after blanks, which are passed over."""
        self._skip_blanks()
        return self.text.startswith(mark, self.position)

    def is_at_end(self) -> bool:
        self._skip_blanks()
        return self.position == len(self.text)

    def decode_whole(self) -> Any:
        """The value that the text consists of; of a longer text than the window only faults are found."""
        check_number_of_values(self.text)
        with json_faults():
            value = DECODER.decode(self.text)
        return check_depth(value)

    def decode_item(self) -> tuple[Any, int]:
        """The value that begins at the position, which moves behind it, and its length."""
        self._skip_blanks()
        self._fill()
        length = FIRST_SLICE
        while (found := self._decode_slice(length)) is None:
            length *= 8
        self.position += found[1]
        return check_depth(found[0]), found[1]

    def _decode_slice(self, length: int) -> tuple[Any, int] | None:
        """The value in the next `length` characters, and its own length; None if it may not end within them."""
        length = min(length, self.longest)
        some = self.text[self.position : self.position + length]
        is_rest = self.is_whole and self.position + length >= len(self.text)
        if length > FIRST_SLICE:
            check_number_of_values(some)
        with json_faults():
            try:
                value, end = DECODER.raw_decode(some)
            except json.JSONDecodeError as error:
                if is_rest:
                    raise self.malformed(error.msg, self.position + error.pos) from None
            else:
                if is_rest or end < len(some):
                    return value, end
        if length == self.longest:
            raise Problem("too_large", f"An article of a batch must have at most {self.longest // 2**20} MiB.")
        return None

    def malformed(self, reason: str, place: int) -> Problem:
        """The problem of a fault at this place of the window, with its line and column in the file."""
        error = json.JSONDecodeError(reason, self.text, place)
        column = error.colno + (self.column if error.lineno == 1 else 0)
        return malformed_json(
            f"The body is not valid JSON: {reason} at line {self.lines + error.lineno}, column {column}."
        )

    def _skip_blanks(self) -> None:
        self._fill()
        self.position = after_blanks(self.text, self.position)
        while self.position == len(self.text) and not self.is_whole:
            self._fill()
            self.position = after_blanks(self.text, self.position)

    def _fill(self) -> None:
        """Reads until `longest` characters follow the position, or to the end of the file."""
        if self.is_whole or len(self.text) - self.position >= self.longest:
            return
        dropped = self.text[: self.position]
        self.lines += dropped.count("\n")
        last = dropped.rfind("\n")
        self.column = len(dropped) - last - 1 if last >= 0 else self.column + len(dropped)
        parts, length = [self.text[self.position :]], len(self.text) - self.position
        while length < self.longest + READ_AT_ONCE and not self.is_whole:
            chunk = self.file.read(READ_AT_ONCE)
            self.is_whole = not chunk
            parts.append(self._decode(chunk))
            length += len(parts[-1])
        self.text, self.position = "".join(parts), 0

    def _decode(self, chunk: bytes) -> str:
        try:
            text = self.decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            # The decoder counts from the bytes of a character that the chunk before it had begun.
            place = self.bytes_read + error.start - (len(error.object) - len(chunk))
            byte = error.object[error.start]
            raise malformed_json(f"The body is not valid UTF-8: byte 0x{byte:02x} at position {place}.") from None
        self.bytes_read += len(chunk)
        return text


def after_blanks(text: str, place: int) -> int:
    found = BLANK.match(text, place)
    return place if found is None else found.end()


@contextmanager
def json_faults() -> Iterator[None]:
    """Turns every error of the parser in the block into `malformed_json`."""
    try:
        yield
    except json.JSONDecodeError as error:
        if not error.doc.strip():
            raise malformed_json("The body is empty; send JSON.") from None
        where = f"line {error.lineno}, column {error.colno}"
        raise malformed_json(f"The body is not valid JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise malformed_json(TOO_DEEP) from None
    except NotStrict as error:
        raise malformed_json(str(error)) from None
    except ValueError as error:
        raise malformed_json(f"The body holds a number that cannot be read: {str(error).split(';')[0]}.") from None


def check_depth(value: Any) -> Any:
    if is_deeper(value, DEEPEST):
        raise malformed_json(TOO_DEEP)
    return value


def is_deeper(value: Any, levels: int) -> bool:
    """Whether arrays and objects are nested more than `levels` deep."""
    # Level by level instead of by recursion, which would exhaust the stack on exactly the values to be refused.
    layer = [value]
    for _ in range(levels + 1):
        containers = [item for item in layer if isinstance(item, dict | list)]
        if not containers:
            return False
        layer = [inner for item in containers for inner in (item.values() if isinstance(item, dict) else item)]
    return True


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        shown = twice[:100].encode("ascii", "backslashreplace").decode("ascii")
        raise NotStrict(f"An object in the body has the member '{shown}' twice; send it once.")
    return found


def refuse_constant(name: str) -> Any:
    raise NotStrict(f"The body holds {name}, which is not JSON.")


def malformed_json(detail: str) -> Problem:
    return Problem("malformed_json", detail, [Fault("malformed", detail, pointer="")])


DECODER = json.JSONDecoder(object_pairs_hook=unique_members, parse_constant=refuse_constant)
