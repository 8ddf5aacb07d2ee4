"""Log lines: one JSON object a line on standard error, for whatever runs as a server.

Every line has time, level, logger, process and message, and what its writer added (`extra`), such
as request_id, method, path, status, milliseconds, caller. A key never gets through.
"""

import json
import logging
import re
import sys

from newswire.timestamps import format_instant

# Keys, tokens of feeds (`nwf_`) and signing secrets (`nws_`). No line is meant to hold one; a client that puts
# its key into an address would.
KEY = re.compile(r"nw[fs]?_[A-Za-z0-9_-]{16,}")
ENCODER = json.JSONEncoder(default=str)
ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object for each record, in ASCII, so that no terminal or collector stumbles."""

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
    """Sends the log lines of this process, from `level` (debug, info, warning, error) on, to standard error."""
    # No line tells of these, which take as long to find out as the line to write.
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # It tells at each start that it looks at the schema.
    logging.getLogger("alembic").setLevel(logging.WARNING)
