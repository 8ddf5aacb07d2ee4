"""A batch is stored in parts: cut anywhere and sent again, it gives the same answer, and each article is there once."""

import gzip
import json
import threading
import time
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from newswire.api.views import batch, publishing
from tests.support.wire import Caller, Wire

NDJSON = "application/x-ndjson"
SLUGS = count(1)

Line = dict[str, Any] | None


def in_lines(lines: list[Line]) -> bytes:
    return b"\n".join(b"no JSON" if line is None else json.dumps(line).encode() for line in lines)


def send(
    publisher: Caller, lines: list[Line], key: str | None = None, path: str = "/v1/articles/batch"
) -> TestResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    return publisher.post(path, data=in_lines(lines), content_type=NDJSON, headers=headers)


def results_of(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.get_json()["results"]
    assert [result["index"] for result in results] == list(range(len(results)))
    return results


def judged(results: list[dict[str, Any]]) -> list[tuple[int, int | None]]:
    return [(result["status"], result["version"]) for result in results]


def stories(number: int, **fields: Any) -> list[Line]:
    return [{"headline": f"Story {n}", "body_text": "The ferry was late again. " * 5, **fields} for n in range(number)]


def new_publisher(wire: Wire) -> Caller:
    return wire.as_publisher(f"p{next(SLUGS)}")


named = st.builds(
    lambda name, headline: {"external_id": name, "headline": headline},
    st.sampled_from("abc"), st.sampled_from(["One", "Two"]),
)  # fmt: skip
killed = st.builds(
    lambda name: {"uri": name, "pubstatus": "canceled", "headlines": [{"value": "x"}]}, st.sampled_from("abc")
)
anything = st.one_of(named, named, killed, st.just({"headline": "Nameless"}), st.just({"headline": ""}), st.none())


@pytest.mark.slow
@settings(max_examples=15)
@given(
    lines=st.lists(anything, min_size=1, max_size=12), seconds=st.lists(st.sampled_from([0.0, 0.0, 0.002]), max_size=5)
)
def test_a_batch_that_is_cut_anywhere_and_repeated_ends_like_an_undisturbed_one(
    shared_wire: Wire, lines: list[Line], seconds: list[float]
) -> None:
    undisturbed = judged(results_of(send(new_publisher(shared_wire), lines)))
    publisher, last = new_publisher(shared_wire), None
    with pytest.MonkeyPatch.context() as patch:
        # A request that was cut just after it had stored a part would be waited for.
        patch.setattr(batch, "OTHER_SECONDS", 0.0)
        for limit in seconds:
            patch.setattr(publishing, "PROCESSOR_SECONDS", limit)
            results = results_of(send(publisher, lines, "k"))
            reached = [result for result in results if result["status"] != 503]
            assert reached == results[: len(reached)]
            assert reached[: len(last or [])] == (last or [])
            assert len(reached) > len(last or []) or len(reached) == len(lines)
            assert {result["problem"]["code"] for result in results[len(reached) :]} <= {"unavailable"}
            last = reached
    final = send(publisher, lines, "k")
    assert judged(results_of(final)) == undisturbed
    again = send(publisher, lines, "k")
    assert (again.data, again.headers["Idempotent-Replayed"]) == (final.data, "true")
    assert results_of(final)[: len(last or [])] == (last or [])
    created = [result["id"] for result in results_of(final) if result["status"] == 201]
    entries = [entry for entry in publisher.changes() if entry["type"] == "article.published"]
    assert [entry["article_id"] for entry in entries] == created


@pytest.mark.slow
def test_repeats_at_the_same_time_get_the_same_answer_and_store_each_article_once(wire: Wire) -> None:
    publisher, lines, answers = wire.as_publisher(), stories(120), []
    senders = [wire.as_publisher() for _ in range(4)]
    threads = [threading.Thread(target=lambda s=s: answers.append(send(s, lines, "k"))) for s in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.data for answer in answers} == {answers[0].data}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    ids = [result["id"] for result in results_of(answers[0])]
    assert [entry["article_id"] for entry in publisher.changes()] == ids
    assert [entry["article"]["headline"] for entry in publisher.changes()] == [f"Story {n}" for n in range(120)]


def test_another_batch_under_the_key_of_one_that_was_cut_is_refused(
    shared_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = new_publisher(shared_wire)
    monkeypatch.setattr(publishing, "PROCESSOR_SECONDS", 0.0)
    assert results_of(send(publisher, stories(3), "k"))[-1]["status"] == 503
    refused = send(publisher, stories(4), "k")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "idempotency_key_reused")


def test_a_dry_run_in_parts_judges_like_one_in_a_single_part(
    shared_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = new_publisher(shared_wire)
    lines: list[Line] = [
        {"external_id": "a", "headline": "One"}, {"external_id": "b", "headline": "One"},
        {"external_id": "a", "headline": "One"}, {"external_id": "a", "headline": "Two"},
        {"uri": "b", "pubstatus": "canceled", "headlines": [{"value": "x"}]}, {"external_id": "b", "headline": "Two"},
    ]  # fmt: skip
    path = "/v1/articles/batch?dry_run=true"
    whole = judged(results_of(send(publisher, lines, path=path)))
    assert whole == [(201, 1), (201, 1), (200, 1), (200, 2), (200, 2), (410, None)]
    monkeypatch.setattr(batch, "PART_ARTICLES", 1)
    assert judged(results_of(send(publisher, lines, path=path))) == whole
    assert publisher.changes() == []


@pytest.mark.slow
def test_a_dry_run_of_one_article_again_and_again_takes_time_in_proportion(
    shared_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = new_publisher(shared_wire)
    monkeypatch.setattr(batch, "PART_ARTICLES", 1)
    began = time.monotonic()
    lines: list[Line] = [{"external_id": "same", "headline": f"Story {n}"} for n in range(300)]
    results = results_of(send(publisher, lines, path="/v1/articles/batch?dry_run=true"))
    assert [result["status"] for result in results] == [201] + [200] * 299
    # With each of the earlier ones received again for each one it takes 45,000 steps and more than half a minute.
    assert time.monotonic() - began < 20


def test_a_fault_in_the_last_article_of_an_array_refuses_the_batch_before_anything_is_stored(
    shared_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = new_publisher(shared_wire)
    monkeypatch.setattr(batch, "PART_ARTICLES", 1)
    body = json.dumps(stories(5)).encode()[:-1] + b',\n {"headline": x}]'
    response = publisher.post("/v1/articles/batch", data=body, content_type="application/json")
    assert (response.status_code, response.get_json()["code"]) == (400, "malformed_json")
    assert "line 2, column 15" in response.get_json()["detail"]
    assert publisher.changes() == []


def test_articles_of_an_array_may_be_longer_than_what_is_parsed_at_once(shared_wire: Wire) -> None:
    publisher = new_publisher(shared_wire)
    lines = [
        {"headline": f"Story {n}", "body_text": 'é, [1] {2} \\ "quoted" ' * size}
        for n, size in enumerate((1, 5000, 40_000, 3))
    ]
    body = json.dumps(lines, ensure_ascii=False).encode()
    sent = publisher.post("/v1/articles/batch", data=body, content_type="application/json")
    assert judged(results_of(sent)) == [(201, 1)] * 4
    stored = [entry["article"]["body_text"] for entry in publisher.changes()]
    assert stored == [line["body_text"].strip() for line in lines]


def test_a_gzip_body_of_many_members_is_refused(shared_wire: Wire) -> None:
    publisher = new_publisher(shared_wire)
    body = gzip.compress(b"") * 100_000 + gzip.compress(in_lines(stories(1)))
    refused = publisher.post("/v1/articles/batch", data=body, content_type=NDJSON, headers={"Content-Encoding": "gzip"})
    assert (refused.status_code, refused.get_json()["code"]) == (400, "malformed_json")
    few = b"".join(gzip.compress(in_lines([line]) + b"\n") for line in stories(100))
    taken = publisher.post("/v1/articles/batch", data=few, content_type=NDJSON, headers={"Content-Encoding": "gzip"})
    assert judged(results_of(taken)) == [(201, 1)] * 100
