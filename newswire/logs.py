"""Structured logging: one JSON object a line on standard error, for servers and workers.

Every line has time, level, logger, process and message, and the `extra` of the call, such as request_id, method, path,
status, milliseconds, caller. Keys are masked, and what a client chooses is cut, so that no request writes a long line.
"""

import base64
import json
import logging
import re
import sys
from urllib.parse import unquote

from newswire.timestamps import format_instant

# Keys, tokens of feeds (`nwf_`) and signing secrets (`nws_`). No code logs one, but a client may put its key into a
# URL, which is logged.
KEY = re.compile(r"nw[fs]?_[A-Za-z0-9_-]{16,}")
MASK = "nw_***"
ENCODED = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
"""What may be base64 of the credentials of HTTP Basic, in either alphabet: a key alone has 46 characters."""
FRAGMENT = re.compile("bnd|53|ud")
"""What base64 makes of the `nw` of a key at each of the three offsets: most runs have none of them."""
SHORTEST_KEY = 19
MOST_DECODED = 3
"""How often percent-encoding is undone to find a key; a proxy or client that encodes again does it once or twice."""
LONGEST_TEXT, LONGEST_MESSAGE = 500, 2000
"""Characters of an extra and of a message in a line; one character takes up to 12 bytes there."""
LONGEST_TRACEBACK = 16_000
"""Characters of a traceback, of which the end is kept."""
STANDARD_ALPHABET = str.maketrans("-_", "+/")
ENCODER = json.JSONEncoder(default=str)
ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A formatter that writes each record as JSON in ASCII, which every terminal and log collector can read."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": format_instant(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": cut_text(mask_keys(record.getMessage()), LONGEST_MESSAGE),
            **{
                name: cut_text(mask_keys(value), LONGEST_TEXT) if isinstance(value, str) else value
                for name, value in vars(record).items()
                if name not in ORDINARY
            },
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)[-LONGEST_TRACEBACK:]
        # Once more, for tracebacks and for values that were no text.
        return KEY.sub(MASK, ENCODER.encode(line))


def mask_keys(text: str) -> str:
    """The text with all keys masked: plain, in base64, and percent-encoded once or several times."""
    if len(text) < SHORTEST_KEY:
        return text
    decoded = text
    for _ in range(MOST_DECODED if "%" in text else 0):
        decoded = unquote(decoded)
    if decoded != text and holds_key(decoded):
        text = decoded
    return KEY.sub(MASK, ENCODED.sub(lambda found: MASK if holds_encoded_key(found[0]) else found[0], text))


def holds_key(text: str) -> bool:
    return KEY.search(text) is not None or any(map(holds_encoded_key, ENCODED.findall(text)))


def holds_encoded_key(run: str) -> bool:
    """Whether there is a key in base64 in a run of its letters, wherever it begins: a path may join it to more."""
    if FRAGMENT.search(run) is None:
        return False
    digits = run.rstrip("=").translate(STANDARD_ALPHABET)
    return any(
        KEY.search(base64.b64decode(part[: len(part) - len(part) % 4]).decode("latin-1"))
        for part in (digits[start:] for start in range(4))
    )


def cut_text(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"


def configure_logging(level: str) -> None:
    """Logs to standard error, from `level` (debug, info, warning, error) on."""
    # The lines do not show these, and to collect them takes as long as to write the line.
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # At each start Alembic logs that it looks at the schema.
    logging.getLogger("alembic").setLevel(logging.WARNING)
