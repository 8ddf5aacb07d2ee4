"""Text that people and machines really send: accepted or refused, never a failure, and kept as it was sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from newswire.errors import CODES
from tests.api.test_hostile_input import ADDRESSES, ARRAYS, BODIES, LEAST, NUMBERS, TEXTS, TIMES, holding
from tests.support.databases import ENGINES
from tests.support.site import Site, opened, places_of, problem_of

TYPES = ("application/json", "text/markdown", "application/x-ndjson")
QUICK = settings(max_examples=60)


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with opened(request) as made:
        yield made


@pytest.fixture(scope="module")
def naughty(shared_data: Path) -> list[str]:
    """The big list of naughty strings."""
    lines = (shared_data / "hostile_text" / "naughty_strings.jsonl").read_text(encoding="utf-8").strip().split("\n")
    return [text for line in lines if (text := json.loads(line).get("text"))]


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def is_carriable(value: object) -> bool:
    """Whether XML 1.0 can carry every text in a JSON value."""
    if isinstance(value, dict):
        return is_carriable([*value, *value.values()])
    if isinstance(value, list):
        return all(map(is_carriable, value))
    if not isinstance(value, str):
        return True
    text = value.replace("\r", "\n")
    return (ElementTree.fromstring(f"<a>{escape(text)}</a>".encode()).text or "") == text


def answered(response: TestResponse) -> Any:
    """The JSON of an answer, which is a good one or a whole problem."""
    if response.status_code >= 400:
        problem = problem_of(response, response.get_json()["code"])
        assert CODES[problem["code"]].status < 500
        return problem
    return json.loads(response.data.decode("utf-8"))


@pytest.mark.slow
def test_naughty_strings_come_back_as_they_were_sent(site: Site, naughty: list[str]) -> None:
    """But markup is taken from plain fields, with a warning; what was served comes back as it is."""
    changed = 0
    for text in naughty:
        fields = {"headline": text, "section": text[:200], "byline": text, "keywords": [text[:200]], "summary": text}
        sent = {**fields, "authors": [{"name": text[:250], "bio": text}], "body_text": text, "external_id": text[:250]}
        response = site.publisher.post("/v1/articles", json=sent)
        if response.status_code != 201:
            problem = problem_of(response, "validation_failed")
            assert {fault["code"] for fault in problem["errors"]} <= {"unusable_character", "required", "too_long"}, (
                text
            )
            continue
        article = site.partner.get(f"/v1/articles/{response.get_json()['id']}").get_json()
        assert is_carriable(article)
        assert article["external_id"] == on_one_line(text[:250])
        assert article["body_text"] == article["authors"][0]["bio"] == text.strip()
        warned = {each["pointer"] for each in response.get_json().get("warnings", ()) if each["code"] == "plain_text"}
        plain = {
            "/headline": (article["headline"], on_one_line(text)),
            "/byline": (article["byline"], on_one_line(text)),
            "/section": (article["section"], on_one_line(text[:200])),
            "/keywords/0": (article["keywords"][0], on_one_line(text[:200])),
            "/authors/0/name": (article["authors"][0]["name"], on_one_line(text[:250])),
            "/summary": (article["summary"], text.strip()),
        }
        assert {pointer for pointer, (served, expected) in plain.items() if served != expected} == warned, text
        if warned:
            changed += 1
            again = site.publisher.put(
                f"/v1/publishers/reuters/articles/again-{changed}",
                json={name: article[name] for name in ("headline", "byline", "section", "keywords", "summary")},
            ).get_json()
            assert "warnings" not in again
            assert [again[name] for name in ("headline", "summary")] == [article["headline"], article["summary"]]
    assert 20 < changed < 60


@pytest.mark.slow
def test_naughty_strings_filter_what_has_them(site: Site, naughty: list[str]) -> None:
    for text in naughty:
        value = on_one_line(text)
        published = site.publisher.post("/v1/articles", json={"headline": "x", "section": value, "keywords": [value]})
        for name in ("section", "keyword", "author"):
            found = answered(site.partner.get(f"/v1/articles?{name}={quote(value)}&limit=3"))
            if published.status_code == 201 and value and "," not in value and name != "author":
                assert published.get_json()["id"] in [article["id"] for article in found["data"]], text


def is_sought(understood: dict[str, Any]) -> bool:
    """Whether a query has anything to look for; signs alone find nothing."""
    return any(understood[part] for part in ("words", "phrases", "prefixes"))


@pytest.mark.slow
def test_naughty_strings_can_be_searched_for(site: Site, naughty: list[str]) -> None:
    for text in naughty:
        published = site.publisher.post("/v1/articles", json={"headline": text})
        is_kept = published.status_code == 201 and published.get_json()["headline"] == on_one_line(text)
        for query in (text, f'"{text}"', f"{text}*", f"headline:({text})", f"a -{text}"):
            found = answered(site.partner.get(f"/v1/articles?limit=3&q={quote(query)}"))
            if "data" not in found:
                assert found["code"] == "invalid_query"
                assert places_of(found) == {"q"}
            elif is_kept and query == f'"{text}"' and '"' not in text and is_sought(found["meta"]["query"]):
                assert published.get_json()["id"] in [article["id"] for article in found["data"]], text


@pytest.mark.slow
def test_naughty_strings_are_only_names_in_a_path(site: Site, naughty: list[str]) -> None:
    for text in naughty:
        element = quote(text, safe="")
        for path in (f"/v1/articles/{element}", f"/v1/articles/{element}/versions", f"/v1/{element}"):
            problem_of(site.publisher.get(path), "not_found")
        address = f"/v1/publishers/reuters/articles/{element}"
        stored = site.publisher.put(address, json={"headline": "x", "body_text": text})
        if stored.status_code == 422:
            assert places_of(problem_of(stored, "validation_failed")) <= {"external_id", "/body_text"}
            continue
        assert answered(stored)["external_id"] == text
        killed = answered(site.publisher.delete(f"{address}?reason={quote(text)}"))
        if "code" not in killed:
            assert (killed["external_id"], killed["change"]["note"]) == (text, text)
            assert is_carriable(killed)


TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
PLAUSIBLE = {
    **dict.fromkeys((*TEXTS, *BODIES, "/language"), TEXT),
    **{pointer: TEXT | TEXT.map(lambda text: f"https://a.example/{text}") for pointer in ADDRESSES},
    **{pointer: st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()) for pointer in TIMES},
    **{pointer: st.integers(-1, most + 1) for pointer, most in NUMBERS.items()},
    **{pointer: st.lists(VALUES | st.just(LEAST[pointer[1:]]), max_size=5) for pointer in ARRAYS},
}


@st.composite
def articles(draw: st.DrawFn) -> dict[str, Any]:
    """Articles that nearly are right: real fields, with values that could be theirs or with any."""
    fields: dict[str, Any] = {"headline": draw(TEXT)}
    for pointer in draw(st.lists(st.sampled_from([*PLAUSIBLE]), max_size=6)):
        fields |= holding(pointer, draw(PLAUSIBLE[pointer] | VALUES if draw(st.booleans()) else PLAUSIBLE[pointer]))
        fields["headline"] = draw(TEXT)
    return fields


@QUICK
@given(value=VALUES)
def test_any_json_is_an_answer_away_from_a_problem(site: Site, value: Any) -> None:
    for method, path in (("POST", "/v1/articles"), ("POST", "/v1/articles/batch"), ("PATCH", site.address)):
        answered(
            site.publisher.call(
                method, f"{path}?dry_run=true", data=json.dumps(value),
                headers={"Content-Type": "application/json", "If-Match": "*"},
            )
        )  # fmt: skip


@pytest.mark.slow
@settings(QUICK, max_examples=150)
@given(fields=articles())
def test_what_is_accepted_can_be_read_carried_and_sent_again(site: Site, fields: dict[str, Any]) -> None:
    address = "/v1/publishers/reuters/articles/any"
    sent = {
        name: value
        for name, value in fields.items()
        if name not in ("external_id", "embargoed_until", "source_version")
    }
    response = site.publisher.put(address, data=json.dumps(sent), headers={"Content-Type": "application/json"})
    stored = answered(response)
    if response.status_code >= 400:
        assert stored["errors"]
        return
    assert is_carriable(stored)
    again = answered(site.publisher.put(address, data=json.dumps(sent), headers={"Content-Type": "application/json"}))
    assert (again["version"], again["seq"], again["digest"]) == (stored["version"], stored["seq"], stored["digest"])
    history = answered(site.publisher.get(f"/v1/articles/{stored['id']}/versions"))
    assert history["data"][0]["version"] == stored["version"]


@settings(QUICK, max_examples=100)
@given(text=TEXT | st.text('()"*-: ORaéж中', max_size=60))
@example(text="OR " * 1000)
@example(text="(" * 3000)
@example(text='"' * 3001)
def test_any_text_is_a_query_or_says_where_it_is_none(site: Site, text: str) -> None:
    found = answered(site.partner.get(f"/v1/articles?q={quote(text, errors='replace')}"))
    if "code" in found:
        assert places_of(found) == {"q"}


NAMES = """
    q search_in published_from published_to updated_from updated_to publisher author section keyword subject place
    language external_id ids not_section not_ids urgency_max has_image status sort limit cursor fields include count
    after dry_run reason
"""


@settings(QUICK, max_examples=100)
@given(parameters=st.lists(st.tuples(st.sampled_from(NAMES.split()) | TEXT, TEXT | st.integers().map(str)), max_size=5))
def test_any_parameters_are_understood_or_named(site: Site, parameters: list[tuple[str, str]]) -> None:
    query = "&".join(f"{quote(name, errors='replace')}={quote(value, errors='replace')}" for name, value in parameters)
    for path in ("/v1/articles", "/v1/changes", f"{site.address}/versions", site.address):
        found = answered(site.publisher.get(f"{path}?{query}"))
        assert "code" not in found or found["errors"] or found["code"] in ("cursor_ahead", "invalid_cursor")


@settings(QUICK, max_examples=100)
@given(
    body=st.binary(max_size=200),
    content_type=st.sampled_from(TYPES),
)
@example(body=b"---\n- \xc2\x85", content_type="text/markdown")
def test_any_bytes_are_a_body_or_a_problem(site: Site, body: bytes, content_type: str) -> None:
    for path in ("/v1/articles", "/v1/articles/batch"):
        for encoding in ("identity", "gzip"):
            headers = {"Content-Type": content_type, "Content-Encoding": encoding}
            answered(site.publisher.post(f"{path}?dry_run=true", data=body, headers=headers))


@settings(QUICK, max_examples=100)
@given(text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("#*_[]()!<>|-`\n\n: \\"), max_size=200))
@example(text="---\nheadline: x\n---\n")
@example(text="a\n![](")
def test_any_markdown_is_an_article_or_a_problem(site: Site, text: str) -> None:
    headers = {"Content-Type": "text/markdown"}
    article = answered(site.publisher.post("/v1/articles?dry_run=true", data=text.encode(), headers=headers))
    assert is_carriable(article) or "code" in article
    answered(site.publisher.post("/v1/articles?dry_run=true", json={"headline": "x", "body_markdown": text}))
    answered(site.publisher.post("/v1/articles?dry_run=true", json={"headline": "x", "body_html": text}))
