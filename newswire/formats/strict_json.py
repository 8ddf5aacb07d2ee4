"""A strict JSON parser (RFC 8259): faults with line and column, bounded depth, and bounded memory for batches.

It knows no article: which members there may be is decided in `newswire.schemas`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from newswire.errors import Fault, Problem

ARTICLE_BYTES = 8 * 1024 * 1024
"""The largest article, in any format."""

# The parser's own limit differs between versions of Python, and the code that recurses over the value later needs one.
DEEPEST = 50
TOO_DEEP = "The body is nested too deeply to be an article."
BLANKS = " \t\n\r"
BLANK = re.compile(f"[{BLANKS}]*")
# More objects and arrays than a batch of ordinary articles has. Only such a batch is cut into slices of one article,
# which costs a copy of each.
CROWDED = 100_000


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
    """Parses one JSON value; raises `malformed_json` with line and column."""
    with json_faults():
        value = DECODER.decode(decode_text(body))
    return check_depth(value)


def parse_items(body: bytes, most: int, longest: int) -> list[Any]:
    """Parses the items of a JSON array; raises `too_large` beyond `most` items, or `longest` characters in one.

    A few hundred kilobytes of gzip can hold millions of empty objects, which take gigabytes once they are parsed. So
    items are parsed one by one, and parsing stops at the first that is too many.
    """
    text = decode_text(body)
    if not text.lstrip(BLANKS).startswith("["):
        parse_json(body[:longest])
        raise Problem("validation_failed", "A batch must be a JSON array, or NDJSON with its own Content-Type.")
    crowded = text.count("{") + text.count("[") > CROWDED
    found: list[Any] = []
    with json_faults():
        place = after_blanks(text, text.index("[") + 1)
        while not (text.startswith("]", place) and not found):
            if len(found) == most:
                raise Problem("too_large", f"A batch must have at most {most:,} articles.")
            item, place = decode_item(text, place, longest if crowded else len(text))
            found.append(check_depth(item))
            place = after_blanks(text, place)
            if text.startswith("]", place):
                break
            if not text.startswith(",", place):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, place)
            place = after_blanks(text, place + 1)
        if after_blanks(text, place + 1) != len(text):
            raise json.JSONDecodeError("Extra data", text, place + 1)
    return found


def decode_item(text: str, place: int, longest: int) -> tuple[Any, int]:
    """The value that begins at `place`, and the position after it; at most `longest` characters are parsed."""
    if longest >= len(text) - place:
        return DECODER.raw_decode(text, place)
    try:
        item, length = DECODER.raw_decode(text[place : place + longest])
    except json.JSONDecodeError as error:
        # The parser failed where the slice was cut: the item is longer than the slice.
        if error.pos >= longest - 1:
            raise Problem("too_large", f"An article of a batch must have at most {longest // 2**20} MiB.") from None
        raise json.JSONDecodeError(error.msg, text, place + error.pos) from None
    return item, place + length


def after_blanks(text: str, place: int) -> int:
    found = BLANK.match(text, place)
    return place if found is None else found.end()


@contextmanager
def json_faults() -> Iterator[None]:
    """Turns every error of the parser in the block into `malformed_json`."""
    try:
        yield
    except json.JSONDecodeError as error:
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
