"""Edges where a plausible implementation goes wrong: each of these once did."""

import gzip
import json
import threading
import time
import tracemalloc
from contextlib import closing
from typing import Any

import pytest

from newswire.config import Settings, SettingsError
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

UPSERT = "/v1/publishers/reuters/articles/e"


@pytest.mark.parametrize("when", ["2200-12-31T23:59:59.999-23:59", "1800-01-01T00:00:00+23:59"])
def test_a_year_is_judged_after_the_offset(shared_publisher: Caller, when: str) -> None:
    response = shared_publisher.post("/v1/articles", json={"headline": "h", "published_at": when})
    assert (response.status_code, response.get_json()["errors"][0]["pointer"]) == (422, "/published_at")


def test_the_ends_of_time_can_be_paged_over(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("begin", published_at="1800-01-01T00:00:00Z")
    publisher.publish("middle")
    publisher.publish("end", published_at="2200-12-31T23:59:59.999Z")
    for query in ("", "&q=begin+OR+middle+OR+end", "&sort=published_at"):
        cursor, found = "", []
        for _ in range(3):
            page = partner.get(f"/v1/articles?limit=1{query}{cursor}").get_json()
            found += [article["headline"] for article in page["data"]]
            cursor = f"&cursor={page['page']['next_cursor']}"
        assert found == (["begin", "middle", "end"] if "sort" in query else ["end", "middle", "begin"])


def test_a_patch_makes_no_claim_of_a_source_version_that_it_does_not_name(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.put(UPSERT, json={"headline": "One", "source_version": 5})
    held = publisher.put(UPSERT, json={"headline": "One", "source_version": 9}).get_json()
    address, match = f"/v1/articles/{held['id']}", {"If-Match": "*"}
    assert publisher.patch(address, json={"summary": "new"}, headers=match).status_code == 200
    assert publisher.patch(address, json={"summary": "x", "source_version": 8}, headers=match).status_code == 409
    assert publisher.put(UPSERT, json={"headline": "old", "source_version": 8}).status_code == 409


def test_a_killed_article_is_gone_for_whoever_saw_it_alive(wire: Wire) -> None:
    publisher = wire.as_publisher()
    alive = publisher.put(UPSERT, json={"headline": "One"})
    address, tag = f"/v1/articles/{alive.get_json()['id']}", {"If-Match": alive.headers["ETag"]}
    stone = publisher.delete(address).get_json()
    assert stone["publisher"]["slug"] == "reuters"
    for response in (
        publisher.put(address, json={"headline": "x"}, headers=tag),
        publisher.patch(address, json={"headline": "x"}, headers=tag),
        publisher.put(UPSERT, json={"headline": "x"}, headers=tag),
        publisher.put(UPSERT, json={"headline": "x"}, headers={"If-None-Match": "*"}),
    ):
        assert response.get_json()["code"] == "article_canceled"
    kill = publisher.changes()[-1]
    assert (kill["article"], kill["change"]["type"]) == (None, "kill")


def test_batches_in_the_same_new_languages_do_not_block_each_other(wire: Wire) -> None:
    answers: list[tuple[int, set[int]]] = []

    def send(key: str, languages: list[str]) -> None:
        caller = Caller(wire.app.test_client(), key)
        batch = [{"headline": f"{language} {n}", "language": language} for language in languages for n in range(60)]
        response = caller.post("/v1/articles/batch", json=batch)
        answers.append((response.status_code, {item["status"] for item in response.get_json().get("results", [])}))

    orders = [["de", "fr", "es"], ["es", "fr", "de"]]
    keys = [wire.publisher_key(slug) for slug in ("one", "two")]
    threads = [threading.Thread(target=send, args=pair) for pair in zip(keys, orders, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(200, {201})] * 2


def test_a_small_gzip_of_millions_of_objects_is_refused_quickly(fresh_sqlite: str) -> None:
    with closing(Wire(fresh_sqlite)) as wire:
        publisher = wire.as_publisher()
        for item in ("{}", '{"a":{"b":[]}}', "[[],[]]"):
            body = gzip.compress(f"[{','.join([item] * (30_000_000 // (len(item) + 1)))}]".encode(), 1)
            began = time.process_time()
            response = publisher.post(
                "/v1/articles/batch", data=body, content_type="application/json", headers={"Content-Encoding": "gzip"}
            )
            assert response.status_code in {413, 422}
            assert time.process_time() - began < 10


def test_a_small_gzip_of_a_gigabyte_takes_no_more_memory_than_may_be_sent(shared_publisher: Caller) -> None:
    # One after the other, compressed parts are the compressed whole.
    body = gzip.compress(bytes(8 * 1024 * 1024)) * 128
    tracemalloc.start()
    try:
        response = shared_publisher.post(
            "/v1/articles", data=body, content_type="application/json", headers={"Content-Encoding": "gzip"}
        )
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    problem_of(response, "too_large")
    assert most < 40 * 1024 * 1024


def test_a_304_names_the_copy_that_the_caller_holds(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish(body_text="word " * 500)
    for address in (f"/v1/articles/{article['id']}", "/v1/articles?include=body"):
        tag = publisher.get(address, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
        assert tag.endswith('.gz"')
        held = {"Accept-Encoding": "gzip", "If-None-Match": tag}
        assert publisher.get(address, headers=held).headers["ETag"] == tag


@pytest.mark.slow
def test_a_page_of_giants_is_cut_short_and_goes_on(wire: Wire) -> None:
    publisher = wire.as_publisher()
    for number in range(12):
        publisher.publish(f"Giant {number}", body_text=f"{number} " * 400_000)
    for address in ("/v1/changes?limit=500&after=0", "/v1/articles?limit=100&include=body"):
        response = publisher.get(address)
        page = response.get_json()
        assert len(response.data) < 24 * 1024 * 1024
        assert 1 <= len(page["data"]) < 12
        assert page["page"]["has_more"] is True
    assert len(publisher.changes()) == 12


def test_a_replayed_answer_has_the_address_it_is_read_under(wire: Wire) -> None:
    publisher = wire.as_publisher()
    headers = {"Idempotency-Key": "k"}
    publisher.post("/v1/articles", json={"headline": "x"}, headers=headers)
    again = publisher.post("/v1/articles", json={"headline": "x"}, headers={**headers, "Host": "wire.example.org"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"].startswith("http://wire.example.org/")
    assert again.get_json()["links"]["self"] == again.headers["Location"]


def test_a_dry_run_names_no_address_that_does_not_exist(wire: Wire) -> None:
    response = wire.as_publisher().post("/v1/articles?dry_run=true", json={"headline": "x"})
    assert response.status_code == 200
    assert not {"Location", "ETag"} & set(response.headers.keys())


def test_removing_a_body_that_is_not_there_leaves_the_other(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article = publisher.publish(body_text="kept")
    address, match = f"/v1/articles/{article['id']}", {"If-Match": "*"}
    assert publisher.patch(address, json={"body_html": None}, headers=match).get_json()["body_text"] == "kept"
    assert publisher.patch(address, json={"body_text": None}, headers=match).get_json()["body_text"] is None


def test_a_refusal_is_not_larger_than_a_page(wire: Wire) -> None:
    query = "&".join(f"a{number}=" for number in range(9000))
    for address in (f"/healthz?{query}", f"/v1/articles?{query}"):
        response = wire.as_partner(f"p{len(address)}").get(address)
        assert (response.status_code, len(response.data) < 10_000) == (400, True)


@pytest.mark.parametrize("address", ["http://[::1", "http://h:99999", "https://例え.jp", "ftp://x", "http://a b"])
def test_a_base_url_that_cannot_stand_in_a_header_stops_the_start(address: str) -> None:
    with pytest.raises(SettingsError):
        Settings.from_env({"NEWSWIRE_BASE_URL": address})


@pytest.mark.parametrize(
    ("sent", "served"), [("EN-us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("de-x-us", "de-x-us"), ("english", None)]
)
def test_a_language_is_spelled_as_usual_or_refused(shared_publisher: Caller, sent: str, served: str | None) -> None:
    response = shared_publisher.post("/v1/articles", json={"headline": "x", "language": sent})
    assert response.get_json().get("language") == served


def test_warnings_are_told_again_when_nothing_changes(wire: Wire) -> None:
    publisher = wire.as_publisher()
    article: dict[str, Any] = {"headline": "x", "body_html": "<p>y</p><script>z</script>"}
    first, again = (publisher.put(UPSERT, json=article).get_json() for _ in range(2))
    assert again["version"] == 1
    assert json.dumps(again["warnings"]) == json.dumps(first["warnings"])


@pytest.mark.parametrize(
    ("sent", "served"),
    [
        ("http://a.example/b[1].jpg?c[]=2", "http://a.example/b%5B1%5D.jpg?c%5B%5D=2"),
        ("http://例え.example/ü?q=ß#é", "http://xn--r8jz45g.example/%C3%BC?q=%C3%9F#%C3%A9"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("//cdn.example/a b.png", "https://cdn.example/a%20b.png"),
    ],
)
def test_an_address_is_served_as_rfc_3986_writes_it(shared_wire: Wire, sent: str, served: str) -> None:
    assert shared_wire.as_publisher("p", url=None).publish(images=[{"url": sent}])["images"][0]["url"] == served
