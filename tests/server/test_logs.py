"""Log lines: one JSON object each, whatever is logged, and never a key."""

import json
import logging
import sys
from typing import Any

from newswire.logs import JsonLines


def formatted(message: str, *arguments: Any, **settings: Any) -> str:
    record = logging.makeLogRecord({"name": "newswire.test", "levelno": 20, "levelname": "INFO", "msg": message,
                                    "args": arguments, "created": 1_795_000_000.25, **settings})  # fmt: skip
    return JsonLines().format(record)


def test_a_line_has_time_level_logger_message_and_what_was_added() -> None:
    line = json.loads(formatted("%s of %d", "one", 2, request_id="desk-7", milliseconds=1.5))
    del line["process"]
    assert line == {
        "time": "2026-11-18T11:06:40.250Z", "level": "info", "logger": "newswire.test", "message": "one of 2",
        "request_id": "desk-7", "milliseconds": 1.5,
    }  # fmt: skip


def test_odd_characters_and_values_stay_on_one_line() -> None:
    text = formatted("line\nfeed \udc80 \u2028", path=object())
    assert len(text.splitlines()) == 1
    assert json.loads(text)["message"] == "line\nfeed \udc80 \u2028"


def test_an_exception_is_part_of_its_line_and_a_key_is_masked_everywhere() -> None:
    key = "nw_" + "k3Y-_" * 8
    try:
        raise ValueError(key)
    except ValueError:
        text = formatted("of %s", key, exc_info=sys.exc_info(), path=f"/v1/{key}/x")
    line = json.loads(text)
    assert key not in text
    assert line["path"] == "/v1/nw_***/x"
    assert line["exception"].endswith("ValueError: nw_***")


def test_tokens_and_signing_secrets_are_struck_out_like_keys() -> None:
    record = logging.makeLogRecord({"msg": "GET /v1/feeds/a.rss?token=nwf_%s nws_%s", "args": ("a" * 43, "b" * 64)})
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "GET /v1/feeds/a.rss?token=nw_*** nw_***"
