"""What must be refused, in the body of a request: a few hundred bad inputs through HTTP.

Each is a 4xx problem that says where, and nothing is stored. All cases of an engine share one wire: what is
refused leaves nothing behind, so they cannot meet.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from tests.support.cases import case
from tests.support.databases import ENGINES
from tests.support.site import Site, opened, places_of, problem_of, shown

# Each case is quick; a thousand of them are not.


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


# Fields: what may stand where, and what may not.

TEXTS = {
    "/headline": 500, "/external_id": 250, "/slugline": 250, "/summary": 5000, "/byline": 500, "/dateline": 300,
    "/section": 200, "/copyright_notice": 2000, "/usage_terms": 5000, "/editor_note": 5000, "/keywords/0": 200,
    "/subjects/0/code": 250, "/subjects/0/name": 250, "/subjects/0/scheme": 250, "/places/0/name": 250,
    "/places/0/country": 250, "/authors/0/name": 250, "/authors/0/role": 250, "/authors/0/bio": 5000,
    "/authors/0/organization": 250, "/images/0/caption": 20_000, "/images/0/alt_text": 2000,
    "/images/0/credit": 500, "/images/0/copyright_notice": 2000, "/images/0/mime_type": 100, "/change/note": 5000,
}  # fmt: skip
ADDRESSES = ("/url", "/authors/0/url", "/authors/0/avatar_url", "/images/0/url")
BODIES = ("/body_html", "/body_text", "/body_markdown")
TIMES = ("/published_at", "/embargoed_until", "/expires_at")
NUMBERS = {"/urgency": 9, "/source_version": 2**53 - 1, "/images/0/width": 1_000_000, "/images/0/height": 1_000_000}
ARRAYS = {"/keywords": 200, "/subjects": 200, "/places": 200, "/authors": 100, "/images": 200}
STRINGS = (*TEXTS, *ADDRESSES, *BODIES, *TIMES, "/language", "/images/0/role", "/change/type")
OBJECTS = ("/subjects/0", "/places/0", "/authors/0", "/images/0", "/change")
LEAST: dict[str, Any] = {
    "keywords": "k", "subjects": {"name": "s"}, "places": {"name": "p"}, "authors": {"name": "a"},
    "images": {"url": "https://pictures.example/1.jpg"},
}  # fmt: skip

NO_TEXT: list[Any] = [7, ["x"]]
NO_ID: list[Any] = [True, 1.5, 1e300, -(10**300), {}]
NO_ARRAY: list[Any] = ["x", "", 1, True, {}]
NO_OBJECT: list[Any] = ["x", 1, True, []]
BAD_NUMBERS: list[Any] = [-1, 2**54, 2**63, 10**400, 1.5, 1e300, True, "5", "", [], {}]
BAD_TIMES = [
    "2026-11-22T09:30:00", "2026-11-22", "2026-11-22T09:30", "22.11.2026", "now", "0000-01-01T00:00:00Z",
    "1799-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "99999-01-01T00:00:00Z", "-2026-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T09:60:00Z", "2026-11-22T09:30:61Z",
    "2026-11-22T09:30:00+24:00", "2026-11-22T09:30:00+01:0", "٢٠٢٦-11-22T09:30:00Z", "2026-11-22T09:30:00Z\n",
    "1763803800", " 2026-11-22T09:30:00Z",
]  # fmt: skip
BAD_ADDRESSES = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "ftp://a.example/b", "data:text/html,x", "file:///etc/passwd",
    "mailto:a@b.example", "http://", "https://", "http://[", "http://[::1", "https://a.example:99999/",
    "https://a.example:port/", "http:///path", "http://a b.example/", "http://a<b.example/", "http://\u2028/",
    "http:nothing", "https://" + "ä" * 64 + ".example/", "https://a.example/" + "ä" * 1000,
]  # fmt: skip
BAD_LANGUAGES = ["e", "english language", "en GB", "en-", "-en", "en--GB", "123", "ελ", "en-abcdefghi", "x" * 36, "e*"]
UNUSABLE = "\x00\x01\x08\x0b\x0c\x0e\x1f\ufffe\uffff\ud800\udbff\udfff"


def holding(pointer: str, value: Any) -> dict[str, Any]:
    """An article, otherwise valid, with `value` at `pointer`."""
    name, *rest = pointer.split("/")[1:]
    for step in reversed(rest):
        value = [value] if step == "0" else {**LEAST.get(name, {}), step: value}
    return {"headline": "A headline", name: value}


FAULTY: list[tuple[str, Any]] = [
    *((pointer, value) for pointer in STRINGS for value in NO_TEXT if (pointer, value) != ("/external_id", 7)),
    *(("/external_id", value) for value in NO_ID),
    *((pointer, "x" * (limit + 1)) for pointer, limit in TEXTS.items()),
    *(("/headline", value) for value in (True, 1.5, {"x": "y"})),
    *((pointer, "a\x00b") for pointer in (*TEXTS, *BODIES)),
    *(("/headline", mark) for mark in UNUSABLE),
    *(("/headline", value) for value in (None, "", "  \n ")),
    *((pointer, None) for pointer in ("/keywords/0", "/places/0/name", "/authors/0/name", "/images/0/url")),
    *((pointer, "") for pointer in ("/keywords/0", "/places/0/name", "/authors/0/name", "/images/0/url")),
    *((pointer, value) for pointer in NUMBERS for value in BAD_NUMBERS),
    *((pointer, limit + 1) for pointer, limit in NUMBERS.items()),
    *((pointer, 0) for pointer in NUMBERS if pointer != "/source_version"),
    *(("/published_at", value) for value in BAD_TIMES),
    *((pointer, bad) for pointer in TIMES[1:] for bad in BAD_TIMES[:2]),
    *(("/images/0/url", value) for value in BAD_ADDRESSES),
    *((pointer, bad) for pointer in ADDRESSES[:-1] for bad in BAD_ADDRESSES[:2]),
    *(("/language", value) for value in BAD_LANGUAGES),
    *((pointer, value) for pointer in ARRAYS for value in NO_ARRAY),
    *((pointer, [LEAST[pointer[1:]]] * (most + 1)) for pointer, most in ARRAYS.items()),
    *((pointer, value) for pointer in OBJECTS for value in NO_OBJECT),
    ("/images/0/role", "cover"), ("/images/0/role", "Lead"), ("/images/0/image_id", "i1"),
    ("/change/type", "kill"), ("/change/type", "new"),
]  # fmt: skip


def test_a_value_that_a_field_cannot_hold_is_refused_at_its_pointer(site: Site) -> None:
    for pointer, value in FAULTY:
        with case(f"{pointer}={shown(value)}"):
            with site.storing_nothing():
                response = site.publisher.post("/v1/articles", json=holding(pointer, value))
            problem = problem_of(response, "validation_failed")
            assert places_of(problem) == {pointer}
            assert pointer in problem["detail"]


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        pytest.param({}, {"/headline"}, id="no headline"),
        pytest.param({"headline": "x", "change": {"type": "correction"}}, {"/change/note"}, id="no note"),
        pytest.param({"headline": "x", "change": {"type": "correction", "note": " "}}, {"/change/note"}, id="blank"),
        pytest.param({"headline": "x", "images": [{"role": "lead"}]}, {"/images/0/url"}, id="image without url"),
        pytest.param({"headline": "x", "authors": [{"name": "a"}, {"bio": "b"}]}, {"/authors/1/name"}, id="no name"),
        pytest.param({"headline": "x", "body_html": "a", "body_text": "b"}, {*BODIES[:2]}, id="two bodies"),
        pytest.param({name[1:]: "x" for name in ("/headline", *BODIES)}, set(BODIES), id="three bodies"),
        pytest.param(
            {"headline": "x", "embargoed_until": "2100-01-02T00:00:00Z", "expires_at": "2100-01-01T00:00:00Z"},
            {"/expires_at"}, id="expires before its embargo ends",
        ),
        pytest.param(
            {"urgency": 0, "keywords": ["", "ok", 7], "authors": [{"url": "ftp://x.example"}], "\ud800/~": 1},
            {"/headline", "/urgency", "/keywords/0", "/keywords/2", "/authors/0/name", "/authors/0/url",
             "/\\ud800~1~0"},
            id="all faults at once",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_or_contradicts_itself_is_named(site: Site, fields: Any, pointers: set[str]) -> None:
    with site.storing_nothing():
        response = site.publisher.post("/v1/articles", json=fields)
    assert places_of(problem_of(response, "validation_failed")) == pointers


@pytest.mark.parametrize(
    ("fields", "pointer", "meant"),
    [
        ({"headlin": "x"}, "/headlin", "headline"),
        ({"bodyhtml": "x"}, "/bodyhtml", "body_html"),
        ({"id": "x"}, "/id", "external_id"),
        ({"seq": 1}, "/seq", None),
        ({"authors": [{"name": "a", "avatar": "x"}]}, "/authors/0/avatar", "avatar_url"),
        ({"images": [{"url": "https://a.example/", "captions": "x"}]}, "/images/0/captions", "caption"),
        ({"change": {"notes": "x"}}, "/change/notes", "note"),
        ({"places": [{"name": "p", "contry": "x"}]}, "/places/0/contry", "country"),
        ({"subjects": [{"qcode": "x"}]}, "/subjects/0/qcode", "code"),
        ({"": 1}, "/", None),
        ({"a/b~c": 1}, "/a~1b~0c", None),
        ({"\x00": 1}, "/\x00", None),
        ({"x" * 100_000: 1}, "/" + "x" * 100_000, None),
    ],
    ids=lambda value: shown(value),
)
def test_an_unknown_field_is_refused_with_the_one_that_was_meant(
    site: Site, fields: Any, pointer: str, meant: str | None
) -> None:
    with site.storing_nothing():
        response = site.publisher.post("/v1/articles", json={"headline": "A headline", **fields})
    (fault,) = problem_of(response, "validation_failed")["errors"]
    assert (fault["pointer"], fault["code"], fault.get("did_you_mean")) == (pointer, "unknown_field", meant)


@pytest.mark.parametrize(("pointer", "limit"), [*TEXTS.items()])
def test_a_text_may_be_as_long_as_its_limit(site: Site, pointer: str, limit: int) -> None:
    response = site.publisher.post("/v1/articles?dry_run=true", json=holding(pointer, "ä" * limit))
    assert response.status_code == 200, response.text


@pytest.mark.slow
@pytest.mark.parametrize("pointer", BODIES)
def test_a_body_has_room_for_two_mebibytes_and_no_more(site: Site, pointer: str) -> None:
    most = 2 * 1024 * 1024
    path = "/v1/articles?dry_run=true"
    assert site.publisher.post(path, json=holding(pointer, ("x" * 1023 + "\n") * 2048)).status_code == 200
    for body in ("x" * (most + 1), "ä" * (most // 2 + 1)):
        problem = problem_of(site.publisher.post(path, json=holding(pointer, body)), "validation_failed")
        assert places_of(problem) == {pointer}


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "/a"}, {"url": "a.html"}, {"url": "?q"}, {"images": [{"url": "/a.jpg"}]},
        {"authors": [{"name": "a", "avatar_url": "a.jpg"}]}, {"body_html": '<img src="/a.png">'},
        {"body_html": '<a href="b">b</a>'}, {"body_markdown": "![a](a.png)"}, {"body_markdown": "[a](../a)"},
    ],
    ids=shown,
)  # fmt: skip
def test_a_relative_address_needs_a_base(site: Site, fields: dict[str, Any]) -> None:
    with site.storing_nothing():
        response = site.baseless.post("/v1/articles", json={"headline": "x", **fields})
    (fault,) = problem_of(response, "validation_failed")["errors"]
    assert fault["code"] == "relative_url"
    assert fault["pointer"].startswith(f"/{next(iter(fields))}")
    based = {"headline": "x", "url": "https://a.example/b/", **fields}
    assert site.publisher.post("/v1/articles?dry_run=true", json=based).status_code == 200


# Bodies that are no article, through every door that takes one.

DOORS = {
    "POST": ("POST", "/v1/articles"),
    "PUT by external_id": ("PUT", "/v1/publishers/reuters/articles/new"),
    "PUT": ("PUT", "{article}"),
    "PATCH": ("PATCH", "{article}"),
    "batch": ("POST", "/v1/articles/batch"),
}
JSON = {"Content-Type": "application/json"}
MEGABYTE = 1024 * 1024


def packed(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1, mtime=0)


class Unreadable(NamedTuple):
    """A body, made when it is needed, with its headers; the problem, and what its detail must say."""

    code: str
    body: Callable[[], bytes]
    detail: str = ""
    headers: Mapping[str, str] = JSON


def json_body(text: bytes | str, detail: str = "", code: str = "malformed_json") -> Unreadable:
    content = text.encode() if isinstance(text, str) else text
    return Unreadable(code, lambda: content, detail)


def zipped(body: Callable[[], bytes], detail: str, code: str = "malformed_json") -> Unreadable:
    return Unreadable(code, body, detail, JSON | {"Content-Encoding": "gzip"})


def typed(content_type: str) -> Unreadable:
    headers = {"Content-Type": content_type} if content_type else {}
    return Unreadable("unsupported_media_type", lambda: b'{"headline": "x"}', "Content-Type|UTF-8", headers)


def encoded(encoding: str) -> Unreadable:
    headers = JSON | {"Content-Encoding": encoding}
    return Unreadable("unsupported_media_type", lambda: b'{"headline": "x"}', "Content-Encoding", headers)


ARTICLE = b'{"headline": "A headline"}'
UNREADABLE = {
    "empty": json_body("", "The body is empty"),
    "blank": json_body(" \n ", "The body is empty"),
    "no JSON": json_body("headline", "line 1, column 1"),
    "cut off": json_body('{"headline": "x', "line 1, column 14"),
    "two values": json_body('{"headline": "x"} {}', "line 1, column 19"),
    "comma at the end": json_body('{"headline": "x",}', "line 1, column 1[78]"),
    "single quotes": json_body("{'headline': 'x'}", "line 1, column 2"),
    "comment": json_body('{/* */"headline": "x"}', "line 1, column 2"),
    "raw newline in a string": json_body('{"headline":\n "a\nb"}', "line 2, column 4"),
    "raw NUL in a string": json_body('{"headline": "a\x00b"}', "line 1, column 16"),
    "NUL behind": json_body(ARTICLE + b"\x00", "line 1, column 27"),
    "NaN": json_body('{"headline": "x", "urgency": NaN}', "NaN"),
    "Infinity": json_body('{"headline": "x", "urgency": -Infinity}', "-Infinity"),
    "a number of 5,000 digits": json_body('{"headline": "x", "urgency": 1%s}' % ("0" * 5000), "number"),
    "a number with a plus": json_body('{"headline": "x", "urgency": +5}', "column 30"),
    "a number in hexadecimal": json_body('{"headline": "x", "urgency": 0x5}', "column 31"),
    "a number with a leading zero": json_body('{"headline": "x", "urgency": 05}', "column 31"),
    "a member twice": json_body('{"headline": "x", "headline": "y"}', "'headline' twice"),
    "a member twice, escaped": json_body('{"headline": "x", "\\u0068eadline": "y"}', "'headline' twice"),
    "a member twice, within": json_body('{"headline": "x", "authors": [{"name": "a", "name": "b"}]}', "'name' twice"),
    "a surrogate twice": json_body('{"\\ud800": 1, "\\ud800": 2}', "twice"),
    "arrays, 60 deep": json_body(b'{"headline": ' + b"[" * 60 + b"]" * 60 + b"}", "too deep"),
    "arrays, 100,000 deep": json_body(b"[" * 100_000, "too deep"),
    "objects, 500 deep": json_body(b'{"a":' * 500 + b"1" + b"}" * 500, "too deep"),
    "objects, 100,000 deep": json_body(b'{"a":' * 100_000, "too deep"),
    "not UTF-8": json_body(b'{"headline": "\xff"}', "0xff at position 14"),
    "Latin-1": json_body('{"headline": "caf\xe9"}'.encode("latin-1"), "0xe9 at position 17"),
    "UTF-8, cut off": json_body(b'{"headline": "\xe2\x82', "0xe2 at position 14"),
    "UTF-8, overlong": json_body(b'{"headline": "\xc0\xaf"}', "0xc0 at position 14"),
    "UTF-8 of a surrogate": json_body(b'{"headline": "\xed\xa0\x80"}', "0xed at position 14"),
    "UTF-16": json_body('{"headline": "x"}'.encode("utf-16"), "0xff at position 0"),
    "UTF-16 without a mark": json_body('{"headline": "x"}'.encode("utf-16-le"), "line 1, column 2"),
    "UTF-32": json_body('{"headline": "x"}'.encode("utf-32"), "0xff at position 0"),
    "random bytes": json_body(bytes(range(256)), "0x80 at position 128"),
    "gzip that is none": zipped(lambda: ARTICLE, "not valid gzip"),
    "gzip, cut off": zipped(lambda: packed(ARTICLE)[:-9], "ends before its end"),
    "gzip, its header only": zipped(lambda: packed(ARTICLE)[:9], "ends before its end"),
    "gzip, wrong checksum": zipped(lambda: packed(ARTICLE)[:-8] + b"wrong..!", "not valid gzip"),
    "gzip, garbage behind": zipped(lambda: packed(ARTICLE) + b"garbage", "not valid gzip"),
    "gzip, garbage inside": zipped(lambda: packed(ARTICLE)[:10] + b"\xff" * 40, "not valid gzip"),
    "gzip of nothing": zipped(lambda: packed(b""), "The body is empty"),
    "gzip in gzip": zipped(lambda: packed(packed(ARTICLE)), "UTF-8"),
    "deflate called gzip": zipped(lambda: zlib.compress(ARTICLE), "not valid gzip"),
    "gzip of 30,000 nothings": zipped(lambda: packed(b"") * 30_000, "The body is empty"),
    "gzip that is not said": Unreadable("malformed_json", lambda: packed(ARTICLE), "UTF-8"),
    "br": encoded("br"), "deflate": encoded("deflate"), "zstd": encoded("zstd"), "gzip twice": encoded("gzip, gzip"),
    "odd encoding": encoded("\xff" * 500),
    "no type": typed(""), "text": typed("text/plain"), "form": typed("application/x-www-form-urlencoded"),
    "multipart": typed("multipart/form-data; boundary=x"), "XML": typed("application/xml"),
    "JSON-LD": typed("application/ld+json"), "two types": typed("application/json, text/markdown"),
    "octets": typed("application/octet-stream"), "no type at all": typed("json"), "odd type": typed("\xff/\xfe"),
    "charset UTF-16": typed("application/json; charset=utf-16"),
    "charset Latin-1": typed("application/json; charset=iso-8859-1"),
    "charset unknown": typed("application/json; charset=x-nothing"),
}  # fmt: skip


UNREADABLE_AT = [
    *((name, door) for name in UNREADABLE for door in ("POST", "batch")),
    *((name, door) for name in ("cut off", "gzip, cut off", "no type") for door in DOORS if door[:2] in ("PU", "PA")),
]


def test_a_body_that_cannot_be_read_is_refused_at_every_door(site: Site) -> None:
    for name, door in UNREADABLE_AT:
        with case(f"{name}: {door}"):
            code, body, detail, headers = UNREADABLE[name]
            method, path = DOORS[door]
            with site.storing_nothing():
                response = site.publisher.call(
                    method, path.format(article=site.address), data=body(), headers={**headers, "If-Match": "*"}
                )
            problem = problem_of(response, code)
            assert re.search(detail, problem["detail"]), problem["detail"]
            if code == "malformed_json":
                assert places_of(problem) == {""}


@pytest.mark.parametrize("door", [name for name in DOORS if name != "batch"])
@pytest.mark.parametrize("body", ["[]", '"headline"', "1", "-0", "null", "true", '[{"headline": "x"}]', "1e999"])
def test_an_article_must_be_an_object(site: Site, body: str, door: str) -> None:
    method, path = DOORS[door]
    with site.storing_nothing():
        response = site.publisher.call(
            method, path.format(article=site.address), data=body, headers=JSON | {"If-Match": "*"}
        )
    assert places_of(problem_of(response, "validation_failed")) == {""}


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("form", ["plain", "zipped", "bomb"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read_as_anything(site: Site, door: str, form: str) -> None:
    method, path = DOORS[door]
    size = (65 if door == "batch" else 20) * MEGABYTE
    content = (
        b'{"headline": "' + b"x" * size if form == "plain" else packed(b" " * (size * (5 if form == "bomb" else 1)))
    )
    headers = JSON | {"If-Match": "*"} | ({} if form == "plain" else {"Content-Encoding": "gzip"})
    with site.storing_nothing():
        response = site.publisher.call(method, path.format(article=site.address), data=content, headers=headers)
    assert "MiB" in problem_of(response, "too_large")["detail"]


@pytest.mark.parametrize(("pointer", "number"), [
    *((pointer, number) for pointer in ("/urgency", "/headline", "/images/0/width", "/keywords/0")
      for number in ("1e999", "-1e999", "9" * 4000, "-0", "-0.0", "1E400", "1.5", "1e-9")),
    *((pointer, number) for pointer in ("/headline", "/keywords/0") for number in ("1.0", "5e0")),
    *(("/external_id", number) for number in ("1e999", "1E400", "1.5", "9" * 4000, "9007199254740994.0")),
])  # fmt: skip
def test_a_number_of_any_size_is_only_a_number(site: Site, pointer: str, number: str) -> None:
    text = json.dumps(holding(pointer, "NUMBER")).replace('"NUMBER"', number)
    with site.storing_nothing():
        response = site.publisher.post("/v1/articles", data=text, headers=JSON)
    assert places_of(problem_of(response, "validation_failed")) == {pointer}


def test_a_flood_of_faults_is_cut_short(site: Site) -> None:
    fields: dict[str, Any] = {f"headline{number}": 1 for number in range(50_000)}
    with site.storing_nothing():
        response = site.publisher.post("/v1/articles", json=fields)
    problem = problem_of(response, "validation_failed")
    assert len(problem["errors"]) == 500
    assert "at least 499 more" in problem["detail"]
    with site.storing_nothing():
        crowded = site.publisher.post("/v1/articles", json={"headline": "x", "authors": [{}] * 100_000})
    assert [fault["code"] for fault in problem_of(crowded, "validation_failed")["errors"]] == ["too_many"]


# Markdown.

BAD_MARKDOWN = {
    "empty": ("", "Line 1"),
    "blank": (" \n\n ", "Line 1"),
    "a picture only": ("![a](https://a.example/b.jpg)", "Line 1"),
    "NUL": ("A headline\n\nText \x00.", "Line 3 holds U\\+0000"),
    "U+FFFE": ("A headline\n\ufffe", "Line 2 holds U\\+FFFE"),
    "no end of the front matter": ("---\nurgency: 5\n", "Line 1"),
    "front matter that is a list": ("---\n- a\n---\nA headline", "Line 2"),
    "front matter that is no YAML": ("---\nurgency: 5\na: [\n---\nA headline", "Line [34]"),
    "a name twice": ("---\nurgency: 5\nurgency: 6\n---\nA headline", "Line 3"),
    "anchors": ("---\na: &a [x]\nb: *a\n---\nA headline", "Line 2"),
    "a bomb of aliases": (
        "---\na0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 90)) + "---\nA",
        "Line 2",
    ),
    "nesting": ("---\na: " + "[" * 5000 + "]" * 5000 + "\n---\nA headline", "Line 2"),
    "an object of Python": ("---\na: !!python/object/apply:os.system [x]\n---\nA headline", "."),
    "a lone surrogate": ('---\nslugline: "\\ud800"\n---\nA headline', "."),
    "a long front matter": ("---\nslugline: " + "x" * 200_000 + "\n---\nA headline", "Line 1"),
}


@pytest.mark.parametrize("name", BAD_MARKDOWN)
@pytest.mark.parametrize("door", ["POST", "PUT", "PUT by external_id"])
def test_markdown_that_is_no_article_is_refused_at_its_line(site: Site, name: str, door: str) -> None:
    text, detail = BAD_MARKDOWN[name]
    method, path = DOORS[door]
    headers = {"Content-Type": "text/markdown", "If-Match": "*"}
    with site.storing_nothing():
        response = site.publisher.call(
            method, path.format(article=site.address), data=text.encode("utf-8"), headers=headers
        )
    problem = problem_of(response, "validation_failed")
    assert re.search(detail, problem["detail"]), problem["detail"]


@pytest.mark.parametrize(
    ("lines", "pointer"),
    [
        ("urgency: 99", "/urgency"), ("urgency: high", "/urgency"), ("published_at: 2026-11-22", "/published_at"),
        ("language: english language", "/language"), ("headlin: x", "/headlin"), ("keywords: one", "/keywords"),
        ("authors: [Jane]", "/authors/0"), ("images: [{caption: x}]", "/images/0/url"),
        ("url: 'javascript:alert(1)'", "/url"), ("slugline: " + "x" * 251, "/slugline"),
        ('slugline: "\\0"', "/slugline"), ("{a: b}: c", ""),
    ],
    ids=shown,
)  # fmt: skip
def test_front_matter_is_judged_like_json(site: Site, lines: str, pointer: str) -> None:
    with site.storing_nothing():
        response = site.publisher.post(
            "/v1/articles", data=f"---\n{lines}\n---\nA headline", headers={"Content-Type": "text/markdown"}
        )
    assert places_of(problem_of(response, "validation_failed")) == {pointer}


@pytest.mark.parametrize("body", [b"\xff\xfe", b"A headline\n\n\xe9", "A headline".encode("utf-16")])
def test_markdown_that_is_not_utf_8_is_refused(site: Site, body: bytes) -> None:
    with site.storing_nothing():
        response = site.publisher.post("/v1/articles", data=body, headers={"Content-Type": "text/markdown"})
    assert "position" in problem_of(response, "malformed_json")["detail"]


# Batches: a bad line harms no other.

BAD_LINES: list[tuple[bytes, int, str, str]] = [
    (b"no json", 400, "malformed_json", ""),
    (b"{", 400, "malformed_json", ""),
    (b"\xff", 400, "malformed_json", ""),
    (b'{"headline": "x", "headline": "y"}', 400, "malformed_json", ""),
    (b'{"headline": NaN}', 400, "malformed_json", ""),
    (b"[" * 5000, 400, "malformed_json", ""),
    (b"null", 422, "validation_failed", ""),
    (b"[]", 422, "validation_failed", ""),
    (b"{}", 422, "validation_failed", "/headline"),
    (b'{"headline": "\\u0000"}', 422, "validation_failed", "/headline"),
    (b'{"headline": "\\ud800"}', 422, "validation_failed", "/headline"),
    (b'{"headline": "x", "\\udfff": 1}', 422, "validation_failed", "/\\udfff"),
    (b'{"headline": "x", "urgency": 10}', 422, "validation_failed", "/urgency"),
    (b'{"headline": "x", "external_id": ""}' + b" " * 10_000 + b"x", 400, "malformed_json", ""),
]


def test_a_bad_line_harms_no_other(site: Site) -> None:
    good = [json.dumps({"headline": f"Good {number}"}).encode() for number in range(len(BAD_LINES) + 1)]
    lines = [good[0]]
    for (bad, *_), following in zip(BAD_LINES, good[1:], strict=True):
        lines += [bad, following]
    seq, articles, versions, keys = site.stored()
    response = site.publisher.post(
        "/v1/articles/batch", data=b"\n".join(lines), headers={"Content-Type": "application/x-ndjson"}
    )
    assert response.status_code == 200, response.text
    results = response.get_json()["results"]
    assert [result["index"] for result in results] == list(range(len(lines)))
    assert {result["status"] for result in results[::2]} == {201}
    for result, (_, status, code, pointer) in zip(results[1::2], BAD_LINES, strict=True):
        assert (result["status"], result["problem"]["code"], result["id"], result["version"]) == (
            status,
            code,
            None,
            None,
        )
        assert places_of(result["problem"]) == {pointer}
    assert site.stored() == (seq + len(good), articles + len(good), versions + len(good), keys)
    page = site.partner.get(f"/v1/changes?after={seq}").get_json()["data"]
    assert [entry["article"]["headline"] for entry in page] == [json.loads(line)["headline"] for line in good]


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ("{}", "validation_failed", "array"), ('{"headline": "x"}', "validation_failed", "array"),
        ("null", "validation_failed", "array"), ('"x"', "validation_failed", "array"),
        (json.dumps([{"headline": "x"}] * 1001), "too_large", "1,000"),
    ],
    ids=shown,
)  # fmt: skip
def test_a_batch_must_be_an_array_of_at_most_a_thousand(site: Site, body: str, code: str, detail: str) -> None:
    with site.storing_nothing():
        response = site.publisher.post("/v1/articles/batch", data=body, headers=JSON)
    assert detail in problem_of(response, code)["detail"]


def test_a_batch_in_lines_has_at_most_a_thousand_too(site: Site) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    with site.storing_nothing():
        response = site.publisher.post("/v1/articles/batch", data=(ARTICLE + b"\n") * 1001, headers=headers)
    assert "1,000" in problem_of(response, "too_large")["detail"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("", "application/x-ndjson"), ("\n \n\r\n", "application/x-ndjson"), ("[]", "application/json")],
)
def test_an_empty_batch_has_no_results(site: Site, body: str, content_type: str) -> None:
    with site.storing_nothing():
        response = site.publisher.post("/v1/articles/batch", data=body, headers={"Content-Type": content_type})
    assert (response.status_code, response.get_json()) == (200, {"results": []})


def test_lines_may_end_as_on_windows_and_begin_with_a_mark(site: Site) -> None:
    body = b"\xef\xbb\xbf" + ARTICLE + b"\r\n" + ARTICLE + b"\r\n"
    headers = {"Content-Type": "application/x-ndjson; charset=UTF-8"}
    response = site.publisher.post("/v1/articles/batch?dry_run=true", data=body, headers=headers)
    assert [result["status"] for result in response.get_json()["results"]] == [201, 201]
