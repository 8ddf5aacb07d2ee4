"""Structured logging: one JSON object a line on standard error, for servers and workers.

Every line has time, level, logger, process and message, and the `extra` of the call, such as request_id, method, path,
status, milliseconds, caller. Keys are masked.
"""

import json
import logging
import re
import sys

from newswire.timestamps import format_instant

# Keys, tokens of feeds (`nwf_`) and signing secrets (`nws_`). No code logs one, but a client may put its key into a
# URL, which is logged.
KEY = re.compile(r"nw[fs]?_[A-Za-z0-9_-]{16,}")
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
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in ORDINARY},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return KEY.sub("nw_***", ENCODER.encode(line))


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
