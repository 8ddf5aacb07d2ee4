"""Log lines: one JSON object each, whatever is logged, and never a key."""

import base64
import json
import logging
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.logs import JsonLines, mask_keys


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


KEY = "nw_" + "k3Y-_" * 8 + "abc"


def standard(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def url_safe(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize("before", ["/v1/articles/", "/v1/Basic ", "/", "/v1/a/b/", "Authorization Basic "])
@pytest.mark.parametrize("user", ["", "u", "ab", "abc", "reader@example.org"])
@pytest.mark.parametrize("encode", [standard, url_safe])
def test_a_key_in_base64_is_masked(before: str, user: str, encode: Callable[[str], str]) -> None:
    encoded = encode(f"{user}:{KEY}")
    line = json.loads(formatted(f"Invalid {before}{encoded}", path=f"{before}{encoded}/x"))
    for shown in (line["message"], line["path"]):
        assert "nw_***" in shown
        assert encoded[-30:-4] not in shown


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_key_that_is_percent_encoded_is_masked(times: int) -> None:
    encoded = "".join(f"%{ord(letter):02X}" for letter in KEY)
    for _ in range(times - 1):
        encoded = quote(encoded)
    line = json.loads(formatted("request", path=f"/v1/{encoded}/x"))
    assert line["path"] == "/v1/nw_***/x"
    line = json.loads(formatted("request", path=f"/v1/{KEY.replace('_', '%5F', 1)}/x"))
    assert line["path"] == "/v1/nw_***/x"


@given(st.text(alphabet=st.sampled_from("abudn53w_fs/-+%25AZ=19"), max_size=120))
def test_masking_leaves_everything_else_as_it_is(text: str) -> None:
    assert mask_keys(text) == text or "nw_***" in mask_keys(text)


def test_an_article_id_is_no_key() -> None:
    path = "/v1/articles/01a22cfe-9927-53fb-9859-712886647955/versions"
    assert json.loads(formatted("request", path=path))["path"] == path


def test_what_a_client_chooses_makes_no_long_line() -> None:
    text = formatted("Invalid %s", "\x01" * 60_000, path="/v1/" + "\x01" * 21_000, method="X" * 5000)
    assert len(text) < 25_000
    line = json.loads(text)
    assert line["path"].startswith("/v1/\x01")
    assert line["path"].endswith("... (21004 characters)")
    assert len(line["method"]) < 550


def test_a_key_is_masked_before_a_text_is_cut() -> None:
    line = json.loads(formatted("request", path="/v1/" + "a" * 480 + "/" + KEY))
    assert KEY[:10] not in line["path"]
