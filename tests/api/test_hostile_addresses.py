"""What must be refused, in the address and the headers of a request: parameters, cursors, paths, preconditions."""

import base64
import json
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.cases import case
from tests.support.databases import ENGINES
from tests.support.site import Site, opened, places_of, problem_of, shown

# Each case is quick; a thousand of them are not.


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        for number in range(5):
            made.publisher.publish(f"Cocoa {number}", section="World")
        yield made


LIST, CHANGES = "/v1/articles", "/v1/changes"
BAD_WHOLE = [
    "",
    "٣",
    "1_0",
    " 5",
    "5 ",
    "+5",
    "-5",
    "1e3",
    "5.0",
    "0x5",
    "five",
    "None",
    "9" * 25,
    "9" * 5000,
    "½",
    "5\x00",
]
BAD_MOMENTS = [
    "", "yesterday", "2026", "2026-11", "2026-02-30", "2026-13-01", "2026-11-22T09:30:00", "2026-11-22T09:30",
    "0000-01-01", "1799-12-31", "2201-01-01", "99999-01-01", "0000-01-01T00:00:00Z", "1799-12-31T00:00:00Z",
    "2201-01-01T00:00:00Z", "2026-11-22T09:30:00+99:00", "٢٠٢٦-١١-٢٢", "20261122", "1763803800", "2026-11-22\n",
    "-2026-01-01", "2026-11-22T25:00:00Z", "NaN", "Now", "now-", "now-2", "now-2y", "now-12345d", "now+1d",
]  # fmt: skip
FILTERS = ("publisher", "author", "section", "keyword", "subject", "place", "language", "external_id", "ids")
BAD_PARAMETERS = [
    *((LIST, "limit", value) for value in ("0", *BAD_WHOLE)),
    *((path, "limit", value) for path in (CHANGES, "{article}/versions") for value in ("0", "", "٣")),
    (LIST, "limit", "101"), ("{article}/versions", "limit", "101"), (CHANGES, "limit", "501"),
    *((CHANGES, "after", value) for value in (*BAD_WHOLE, str(2**63))),
    *((LIST, "published_from", value) for value in BAD_MOMENTS),
    *((LIST, name, value) for name in ("published_to", "updated_from", "updated_to") for value in BAD_MOMENTS[:4]),
    *((LIST, "section", value) for value in (" , ", "a\x01b", ",".join(f"a{n}" for n in range(101)))),
    *((LIST, name, value) for name in FILTERS for value in ("", ",", "x" * 251, "a\x00b")),
    *((LIST, f"not_{name}", value) for name in FILTERS for value in (",", "x" * 251)),
    *((LIST, "urgency_max", value) for value in ("", "0", "10", "٣", "1e0")),
    *((LIST, "status", value) for value in ("", "draft", "Usable", "usable,withheld")),
    *((LIST, "search_in", value) for value in ("", "title", "headline,title", "Headline")),
    *((LIST, "fields", value) for value in ("", "title", "headline,title", "Headline", "authors.name")),
    *((LIST, "count", value) for value in ("", "1", "yes")),
    *((LIST, "has_image", value) for value in ("", "1", "yes", "True", "true,false")),
    *((LIST, "sort", value) for value in ("", "headline", "--published_at", "published_at,-published_at")),
    *((LIST, "include", value) for value in ("", "bodies", "body,body")),
    *((LIST, "cursor", value) for value in ("", "x" * 1001)),
    *(("dry run", "dry_run", value) for value in ("", "1", "yes", "True", "TRUE", "true ", "x" * 5000)),
]  # fmt: skip


def test_a_parameter_with_an_unusable_value_is_refused_by_name(site: Site) -> None:
    for path, name, value in BAD_PARAMETERS:
        with case(f"{path}?{name}={shown(value)}"):
            with site.storing_nothing():
                if path == "dry run":
                    response = site.publisher.post(f"{LIST}?{name}={quote(value)}", json={"headline": "x"})
                else:
                    response = site.publisher.get(f"{path.format(article=site.address)}?{name}={quote(value)}")
            problem = problem_of(response, "invalid_parameter")
            assert places_of(problem) == {name}
            assert name in problem["detail"]


@pytest.mark.parametrize("path", [LIST, CHANGES])
def test_a_parameter_is_given_once(site: Site, path: str) -> None:
    problem = problem_of(site.partner.get(f"{path}?limit=5&limit=5"), "invalid_parameter")
    assert places_of(problem) == {"limit"}


@pytest.mark.parametrize("query", ["sort=relevance", "q=cocoa&sort=updated_at", "q=cocoa&sort=-updated_at"])
def test_an_order_that_does_not_suit_is_refused(site: Site, query: str) -> None:
    assert places_of(problem_of(site.partner.get(f"{LIST}?{query}"), "invalid_parameter")) == {"sort"}


def test_all_bad_parameters_are_named_at_once(site: Site) -> None:
    query = "limit=x&sort=y&published_from=z&section=&has_image=&q=a&q=b"
    problem = problem_of(site.partner.get(f"{LIST}?{query}"), "invalid_parameter")
    assert places_of(problem) == {"limit", "sort", "published_from", "section", "has_image", "q"}


@pytest.mark.parametrize(
    ("query", "name", "meant"),
    [
        ("limt=5", "limt", "limit"), ("Limit=5", "Limit", "limit"), ("query=x", "query", "q"), ("Q=x", "Q", "q"),
        ("sections=x", "sections", "section"), ("not_sections=x", "not_sections", "not_section"),
        ("offset=5", "offset", "cursor"),
        ("page_size=2", "page_size", "limit"), ("=5", "", None), ("%00=1", "\x00", None),
        ("limit%5B%5D=5", "limit[]", "limit"),
        ("limit%20=5", "limit ", "limit"), ("x" * 5000 + "=1", "x" * 100, None), ("token=x", "token", None),
    ],
    ids=lambda value: shown(value),
)  # fmt: skip
@pytest.mark.parametrize("path", [LIST, CHANGES])
def test_an_unknown_parameter_is_refused_with_the_one_that_was_meant(
    site: Site, path: str, query: str, name: str, meant: str | None
) -> None:
    (fault,) = problem_of(site.partner.get(f"{path}?{query}"), "unknown_parameter")["errors"]
    assert fault["parameter"] == name
    if path == LIST:
        assert fault.get("did_you_mean") == meant


def test_only_the_marks_of_campaigns_and_names_with_an_underscore_pass(site: Site) -> None:
    assert site.partner.get(f"{LIST}?utm_source=x&utm_=&_=1&_dc=2&utm_x=%00").status_code == 200
    for path in ("/healthz", "/v1/problems", "/v1/me", site.address):
        assert problem_of(site.publisher.get(f"{path}?limit=1"), "unknown_parameter")


BROKEN_QUERIES = {
    '"never closed': 1, "„never closed": 1, "a (b": 3, "(a": 1, "a)": 2, "()": 1, "a OR": 3, "OR a": 1, "a OR OR b": 3,
    "a -": 3, "a NOT": 3, "-a": 1, "NOT a": 1, "a OR -b": 6, "headline:": 9, "headline: a": 9, "*": 1, "a *": 3,
    "**": 1,
    "headline:(body:a)": 11, "!!!": 1, "🙂": 1, "(a OR " * 30 + "b" + ")" * 30: 121, "a " * 101: 201,
    "--a": 1, "a --b": 3,
}  # fmt: skip


@pytest.mark.parametrize(("text", "character"), BROKEN_QUERIES.items(), ids=shown)
def test_a_broken_query_is_refused_at_the_character(site: Site, text: str, character: int) -> None:
    problem = problem_of(site.partner.get(f"{LIST}?strict=true&q={quote(text)}"), "invalid_query")
    assert places_of(problem) == {"q"}
    assert f"at character {character}:" in problem["detail"]
    assert problem["position"] == character - 1


@pytest.mark.parametrize("text", ["x" * 4001, "a" * 5000, "a\x00b", "\x01", "a\ufffeb"], ids=shown)
def test_a_query_that_is_no_text_is_refused(site: Site, text: str) -> None:
    problem = problem_of(site.partner.get(f"{LIST}?q={quote(text)}"), "invalid_query")
    assert places_of(problem) == {"q"}


# Cursors.


def packed(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def next_cursor(site: Site, query: str = "") -> str:
    cursor: str = site.partner.get(f"{LIST}?limit=1&{query}").get_json()["page"]["next_cursor"]
    return cursor


@pytest.mark.parametrize(
    "cursor",
    ["x", "....", "====", "AAAA", "null", "12", "%00", "ü", "-_-_", "A" * 1000, packed([]), packed({}), packed("x"),
     packed([1, 2, 3]), packed(["x", None, 1]), packed(["x", 1.0, 1]), packed(["x", "1", 1]), packed(["x", 1]),
     packed(["x", 1, 1, 1]), packed(["x", [1], 1]), packed(["x", 2**64, 1]), packed(["x", 1, 10**100]),
     packed(["x", True, 1]), packed([[[[]]]])],
    ids=shown,
)  # fmt: skip
def test_a_cursor_that_is_none_is_refused(site: Site, cursor: str) -> None:
    response = site.partner.get(f"{LIST}?cursor={quote(cursor, safe='%')}")
    code = "invalid_parameter" if cursor == "%00" else "invalid_cursor"
    assert "cursor" in problem_of(response, code)["detail"]


@pytest.mark.parametrize(
    "query", ["q=cocoa", "section=world", "sort=published_at", "published_to=2100-01-01", "has_image=false"]
)
def test_a_cursor_of_another_query_is_refused(site: Site, query: str) -> None:
    problem_of(site.partner.get(f"{LIST}?cursor={next_cursor(site)}&{query}"), "cursor_mismatch")
    problem_of(site.partner.get(f"{LIST}?cursor={next_cursor(site, query)}"), "cursor_mismatch")


@pytest.mark.parametrize(
    "place",
    [[True, 1], [1, False], [2**61, 1], [-(2**61), 1], [2**53, 2**53], [7_400_000_000_000, 1], [-6_000_000_000_000, 1],
     [1, 2**61], [1, -(2**61)], [0, 0]],
    ids=shown,
)  # fmt: skip
@pytest.mark.parametrize("query", ["", "q=cocoa&", "sort=published_at&", "sort=updated_at&"])
def test_a_forged_cursor_is_refused_or_is_an_ordinary_place(site: Site, place: list[Any], query: str) -> None:
    held = next_cursor(site, query)
    fingerprint, _, _, *rest = json.loads(base64.urlsafe_b64decode(held + "=" * (-len(held) % 4)))
    response = site.partner.get(f"{LIST}?{query}cursor={packed([fingerprint, *place, *rest])}")
    if response.status_code != 200:
        problem_of(response, "invalid_cursor")


@pytest.mark.parametrize("time", [True, "x", 1.5, 2**61, -(2**61), [1], {}], ids=shown)
def test_a_forged_time_in_a_cursor_is_refused(site: Site, time: object) -> None:
    held = next_cursor(site, "published_from=now-2d&")
    parts = json.loads(base64.urlsafe_b64decode(held + "=" * (-len(held) % 4)))
    for number in range(3, len(parts)):
        forged = packed([*parts[:number], time, *parts[number + 1 :]])
        problem_of(site.partner.get(f"{LIST}?published_from=now-2d&cursor={forged}"), "invalid_cursor")


def test_no_flipped_bit_of_a_cursor_breaks_anything(site: Site) -> None:
    held = next_cursor(site).encode()
    for position in range(len(held)):
        for bit in range(position % 2, 7, 2):
            flipped = bytes([*held[:position], held[position] ^ (1 << bit), *held[position + 1 :]])
            response = site.partner.get(f"{LIST}?limit=1&cursor={quote(flipped)}")
            assert response.status_code in (200, 400), (flipped, response.text)
            if response.status_code == 400:
                assert response.get_json()["code"] in ("invalid_cursor", "cursor_mismatch", "invalid_parameter")


@pytest.mark.parametrize("cursor", ["x", "-1", "+1", "1.0", "1e3", "٣", "1_0", "½", " 1"])
def test_a_cursor_of_a_history_is_a_number(site: Site, cursor: str) -> None:
    problem_of(site.publisher.get(f"{site.address}/versions?cursor={quote(cursor)}"), "invalid_cursor")


@pytest.mark.parametrize("after", ["999", str(2**63 - 1)])
def test_a_position_beyond_the_head_is_told(site: Site, after: str) -> None:
    problem_of(site.partner.get(f"{CHANGES}?after={after}"), "cursor_ahead")


# Headers.


@pytest.mark.parametrize(
    "key", ["", "x" * 256, "a\x01b", "a\x7fb", "a\xa0b", "é", " ", "ключ".encode().decode("latin-1"), "\t"], ids=shown
)
def test_an_idempotency_key_is_printable(site: Site, key: str) -> None:
    with site.storing_nothing():
        response = site.publisher.post(LIST, json={"headline": "x"}, headers={"Idempotency-Key": key})
    assert places_of(problem_of(response, "invalid_parameter")) == {"Idempotency-Key"}


@pytest.mark.parametrize(
    "tag",
    [
        "",
        '""',
        "x",
        '"x"',
        "1",
        "{id}",
        '"{id}"',
        '"{id}.2.usable.json"',
        'W/"{id}.0.usable.json"',
        '"{other}.1.usable.json"',
        '"{id}.999999999999.usable.json"',
        "**",
        "x" * 5000,
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "PUT by external_id", "DELETE by external_id"])
def test_an_etag_that_is_not_that_of_the_article_is_refused(site: Site, method: str, tag: str) -> None:
    tag = tag.format(id=site.article["id"], other="0" * 36)
    path = "/v1/publishers/reuters/articles/held" if " " in method else site.address
    with site.storing_nothing():
        response = site.publisher.call(method.split()[0], path, json={"headline": "x"}, headers={"If-Match": tag})
    problem_of(response, "precondition_failed")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_without_a_condition_is_refused(site: Site, method: str) -> None:
    with site.storing_nothing():
        problem_of(site.publisher.call(method, site.address, json={"headline": "x"}), "precondition_required")


@pytest.mark.parametrize("accept", ["text/css", "application/xml", "image/*", "*/*;q=0", "text/plain, image/*;q=0.5"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", LIST), ("GET", CHANGES), ("GET", "{article}"), ("POST", LIST), ("GET", "/v1/me"), ("GET", "/v1/problems")],
)
def test_an_answer_that_nobody_wants_is_not_made(site: Site, method: str, path: str, accept: str) -> None:
    with site.storing_nothing():
        response = site.publisher.call(
            method,
            path.format(article=site.address),
            json={"headline": "x"} if method == "POST" else None,
            headers={"Accept": accept},
        )
    problem_of(response, "not_acceptable")


ODD_HEADERS = """
    Accept Accept-Encoding Accept-Language Cookie If-Modified-Since If-None-Match Range User-Agent X-Forwarded-For
    X-Request-Id
"""


def test_an_odd_header_breaks_nothing(site: Site) -> None:
    for header, value in product(ODD_HEADERS.split(), ("", "\xff", ";,;", "x;q=y", 'W/"', "a" * 8000)):
        with case(f"{header}: {shown(value)}"):
            for path in (f"{LIST}?limit=1", site.address, "/healthz"):
                response = site.publisher.get(path, headers={header: value})
                assert response.status_code in (200, 206, 304, 406), response.text
                assert response.headers["X-Request-Id"].isprintable()


@pytest.mark.parametrize(
    "host", ["", "a b", "a/b", "a@b", "[::1", "a:99999999", "ä.example", "a,b", "<script>"], ids=shown
)
def test_a_host_that_is_none_is_refused_at_every_address(site: Site, host: str) -> None:
    for path in (LIST, site.address, CHANGES, "/v1/problems", "/docs", "/v1/openapi.json", "/healthz", "/nowhere"):
        problem = problem_of(site.publisher.get(path, headers={"Host": host}), "invalid_parameter")
        assert places_of(problem) == (set() if path == "/docs" else {"Host"})


# Paths.

NOWHERE = [
    "/v2", "/v2/articles", "/v1/articles/", "/v1//articles", "//v1/articles", "/V1/articles",
    "/v1/articles/../me", "/v1/articles/%2e%2e/me", "/v1/articles;x=1", "/v1/feed", "/v1/images", "/metrics",
    "/v1/articles/{id}/", "/v1/articles/{id}%00", "/v1/articles/{id}%20", "/v1/articles/{id}/versions/",
    "/v1/articles/%00", "/v1/articles/%00/versions", "/v1/articles/%00/versions/1", "/v1/articles/%F0%9F%99%82",
    "/v1/articles/..%2F..%2Fetc%2Fpasswd", "/v1/articles/{id}%2Fversions%2F9", "/v1/articles/' OR 1=1 --",
    "/v1/articles/" + "x" * 10_000, "/v1/articles/{ID}", "/v1/articles/urn:uuid:{id}", "/docs/assets/..%2F..%2Fapp.py",
    "/docs/assets/../__init__.py", "/docs/assets/%00", "/docs/assets/", "/docs/assets//etc/passwd",
    "/samples/../app.py",
    *(f"/v1/articles/{{id}}/versions/{number}" for number in (
        "0", "2", "01", "-1", "+1", "1.0", "1e3", "1_0", "%D9%A1", "x", "%00", "99999999999", "9" * 30, "9" * 5000)),
]  # fmt: skip


@pytest.mark.parametrize("path", NOWHERE, ids=shown)
def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    held = site.article["id"]
    path = path.replace("{id}", held).replace("{ID}", held.upper())
    for caller in (site.publisher, site.admin):
        problem_of(caller.get(path), "not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("name", ["%00", "a%00b", "%EF%BF%BE", "nothing", "%F0%9F%99%82"])
def test_an_article_that_is_not_there_cannot_be_changed(site: Site, method: str, name: str) -> None:
    with site.storing_nothing():
        for caller in (site.publisher, site.admin):
            response = caller.call(
                method,
                f"/v1/articles/{name}",
                json=None if method == "GET" else {"headline": "x"},
                headers={"If-Match": "*"},
            )
            problem_of(response, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    "slug", ["%00", "afp", "REUTERS", "reuters%20", "reuters%00", "%F0%9F%99%82", "..", "x" * 5000]
)
def test_a_publisher_that_is_not_there_cannot_publish(site: Site, method: str, slug: str) -> None:
    with site.storing_nothing():
        for caller in (site.publisher, site.admin):
            response = caller.call(method, f"/v1/publishers/{slug}/articles/x", json={"headline": "x"})
            problem_of(response, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    "external_id",
    [
        "%00",
        "a%01b",
        "%EF%BF%BE",
        "%20",
        "%20a",
        "a%20",
        "a%20%20b",
        "a%0Ab",
        "%C2%A0a",
        "%E2%80%A8",
        "x" * 251,
        "%C3%A4" * 251,
    ],
    ids=shown,
)
def test_a_bad_external_id_in_the_address_is_refused(site: Site, method: str, external_id: str) -> None:
    with site.storing_nothing():
        for caller in (site.publisher, site.admin):
            response = caller.call(method, f"/v1/publishers/reuters/articles/{external_id}", json={"headline": "x"})
            assert places_of(problem_of(response, "validation_failed")) == {"external_id"}


@pytest.mark.parametrize(
    "external_id",
    ["2026/11/22/cocoa", "https://news.example//a?b=c&d#e", "/leading", "trailing/", "..", "a/../b", "%2F",
     "tag:x,2026:1", "🙂", "é", "ä" * 250, "versions", "<b>", "a;b=c", "a+b", "0"],
    ids=shown,
)  # fmt: skip
def test_an_external_id_may_hold_whatever_can_be_escaped(site: Site, external_id: str) -> None:
    address = f"/v1/publishers/reuters/articles/{quote(external_id, safe='')}"
    response = site.publisher.put(address, json={"headline": "x"})
    assert (response.status_code, response.get_json()["external_id"]) == (201, external_id)
    again = site.publisher.put(address, json={"headline": "x", "external_id": external_id})
    assert (again.status_code, again.get_json()["id"]) == (200, response.get_json()["id"])
    assert site.publisher.delete(address).get_json()["id"] == response.get_json()["id"]


def test_the_external_id_of_the_body_is_that_of_the_address(site: Site) -> None:
    with site.storing_nothing():
        response = site.publisher.put("/v1/publishers/reuters/articles/a", json={"headline": "x", "external_id": "b"})
        assert places_of(problem_of(response, "validation_failed")) == {"/external_id"}


@pytest.mark.parametrize(
    "path",
    [b"/v1/articles/\xff", b"/v1/publishers/reuters/articles/\xff", b"/v1/publishers/reuters/articles/a\xed\xa0\x80"],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_bytes_in_a_path_that_are_not_utf_8_lead_nowhere(site: Site, method: str, path: bytes) -> None:
    with site.storing_nothing():
        problem_of(site.send_raw(method, path, headers={"If-Match": "*"}), "not_found")


@pytest.mark.parametrize(
    "query", [b"q=%FF", b"q=\xff", b"section=%ED%A0%80", b"%FF=1", b"limit=%C3", b"q=a&cursor=%80", b"q=%C0%80"]
)
def test_bytes_in_a_query_that_are_not_utf_8_are_refused(site: Site, query: bytes) -> None:
    problem = problem_of(site.send_raw("GET", b"/v1/articles", query), "invalid_parameter")
    assert "UTF-8" in problem["detail"]


def test_a_query_may_be_written_without_escapes(site: Site) -> None:
    assert site.send_raw("GET", b"/v1/articles", "q=cocoa,茶&section=Wörld".encode()).status_code == 200


@pytest.mark.parametrize("query", [b"token=\xff", b"token=%FF", b"token=%ED%A0%80"])
def test_bytes_that_are_not_utf_8_are_no_token_of_a_feed(site: Site, query: bytes) -> None:
    problem_of(site.send_raw("GET", b"/v1/feeds/any.rss", query), "unauthenticated")
