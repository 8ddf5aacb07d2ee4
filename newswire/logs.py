"""Structured logging: one JSON object a line on standard error, for servers and workers.

Every line has time, level, logger, process and message, and the `extra` of the call, such as request_id, method, path,
status, milliseconds, caller. Keys are masked, and every text is bounded: a client chooses paths and more.
"""

import json
import logging
import re
import sys

from newswire.timestamps import format_instant

# Keys, tokens of feeds (`nwf_`) and signing secrets (`nws_`). No code logs one, but a client may put its key into a
# URL, which is logged.
KEY = re.compile(r"nw[fs]?_[A-Za-z0-9_-]{16,}")
MOST_CHARACTERS = 500
"""The longest message or value of a line, in characters; the rest is cut off."""
MOST_OF_EXCEPTION = 16_000
"""The longest traceback, in characters, of which the end is kept."""
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
            "message": cut_text(record.getMessage()),
            **{
                name: cut_text(value) if isinstance(value, str) else value
                for name, value in vars(record).items()
                if name not in ORDINARY
            },
        }
        if record.exc_info:
            line["exception"] = mask_keys(self.formatException(record.exc_info))[-MOST_OF_EXCEPTION:]
        return mask_keys(ENCODER.encode(line))


def mask_keys(text: str) -> str:
    return KEY.sub("nw_***", text)


def cut_text(text: str) -> str:
    """The text, or its first `MOST_CHARACTERS`. Keys are masked before: a part of one would not be recognised."""
    return text if len(text) <= MOST_CHARACTERS else mask_keys(text)[:MOST_CHARACTERS] + "…"


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
