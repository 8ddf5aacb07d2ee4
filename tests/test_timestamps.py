"""Times as publishers' libraries write them, and what stays refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.timestamps import EPOCH, format_instant, parse_instant
from tests.support.cases import case

WRITTEN = {
    "2026-05-01T10:00Z": "2026-05-01T10:00:00.000Z",
    "2026-05-01t10:00z": "2026-05-01T10:00:00.000Z",
    "2026-05-01 10:00Z": "2026-05-01T10:00:00.000Z",
    "2026-05-01T10:00+02:00": "2026-05-01T08:00:00.000Z",
    "2026-05-01T10:00:00+0200": "2026-05-01T08:00:00.000Z",
    "2026-05-01T10:00:00-0330": "2026-05-01T13:30:00.000Z",
    "2026-05-01T10:00:00+02": "2026-05-01T08:00:00.000Z",
    "2026-05-01 10:00:00.123456+02": "2026-05-01T08:00:00.123Z",
    "2026-05-01 10:00:00 +0200": "2026-05-01T08:00:00.000Z",
    "2026-05-01T10:00:00,5Z": "2026-05-01T10:00:00.500Z",
    "2026-05-01T10:00:00.123456789Z": "2026-05-01T10:00:00.123Z",
    "2026-05-01T10:00:00-00:00": "2026-05-01T10:00:00.000Z",
    "2026-12-31T23:59:60Z": "2027-01-01T00:00:00.000Z",
    "2028-02-29T00:00+14": "2028-02-28T10:00:00.000Z",
}
REFUSED = (
    "", "now", "5 August", "1777629600", "2026-05-01T10Z", "2026-05-01T10:00.5Z", "2026-05-01T10:00:00.Z",
    "2026-05-01T10:00:00.1234567890Z", "2026-05-01T10:00:00Z ", " 2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z\n",
    "2026-05-01T10:00:00 Z", "2026-05-01T10:00:00  +02", "2026-05-01T10:00:00+2:00", "2026-05-01T10:00:00+02:",
    "2026-05-01T10:00:00+02:0", "2026-05-01T10:00:00+020", "2026-05-01T10:00:00+02:00:00", "2026-05-01T10:00:00+24",
    "2026-05-01T10:00:00+0260", "2026-05-01T10:00:00\N{MINUS SIGN}02:00", "2026-05-01T10:00:00UTC",
    "2026-05-01T10:00:00Z[UTC]", "2026-05-01T10:00:0Z", "2026-5-1T10:00Z", "26-05-01T10:00Z", "2026-02-29T10:00Z",
    "2026-05-01T24:00Z", "2026-05-01T10:60Z", "2026-05-01T10:00:61Z", "1_026-05-01T10:00Z",
    "\u0662\u0660\u0662\u0666-05-01T10:00Z", "\uff12026-05-01T10:00Z", "2026-05-01T10:00\u00a0+02", "1799-12-31T10:00Z",
    "2201-01-01T10:00Z", "1800-01-01T00:00+01", "2200-12-31T23:30-01",
)  # fmt: skip


def test_a_time_is_taken_as_libraries_write_it() -> None:
    for text, wanted in WRITTEN.items():
        with case(text):
            assert format_instant(parse_instant(text)) == wanted


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_what_is_not_a_time_with_an_offset_stays_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["2026-05-01T10:00:00", "2026-05-01 10:00", "2026-05-01T10:00:00.123456"])
def test_a_time_without_an_offset_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(ValueError, match=f"Has no offset from UTC.*{text}Z"):
        parse_instant(text)


def test_a_date_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"date without a time of day.*2026-05-01T00:00:00Z"):
        parse_instant("2026-05-01")


@given(
    moment=st.datetimes(datetime(1801, 1, 1), datetime(2200, 12, 30)), offset=st.integers(-1439, 1439),
    separator=st.sampled_from("Tt "), point=st.sampled_from(".,"), digits=st.integers(0, 9),
    colon=st.sampled_from([":", ""]), blank=st.sampled_from([" ", ""]), short=st.booleans(),
)  # fmt: skip
def test_every_spelling_of_a_moment_is_the_same_moment(
    moment: datetime, offset: int, separator: str, point: str, digits: int, colon: str, blank: str, short: bool
) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    exact = local if digits >= 3 else local.replace(microsecond=0)
    if short:
        exact = local.replace(second=0, microsecond=0)
    hours, minutes = divmod(abs(offset), 60)
    zone = f"{'-' if offset < 0 else '+'}{hours:02}" + (f"{colon}{minutes:02}" if minutes or not short else "")
    fraction = f"{moment.microsecond:06}000"[:digits] if digits >= 3 else "0" * digits
    seconds = "" if short else f":{moment.second:02}" + (f"{point}{fraction}" if digits else "")
    text = f"{moment:%Y-%m-%d}{separator}{moment:%H:%M}{seconds}{blank}{zone}"
    assert parse_instant(text) == (exact.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1), text
