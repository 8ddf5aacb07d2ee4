"""Times and language tags in the spellings of libraries are understood at every door where they are sent."""

from urllib.parse import quote

import pytest

from tests.support.cases import case
from tests.support.wire import Caller

MOMENT = "2026-05-01T08:00:00.000Z"
SPELLINGS = (
    "2026-05-01T10:00+02:00", "2026-05-01T10:00:00+0200", "2026-05-01 10:00:00+02", "2026-05-01t08:00z",
    "2026-05-01 10:00:00 +0200", "2026-05-01T08:00:00,000Z",
)  # fmt: skip


@pytest.mark.parametrize("field", ["published_at", "embargoed_until", "expires_at"])
def test_a_body_may_have_any_spelling(shared_publisher: Caller, field: str) -> None:
    for text in SPELLINGS:
        with case(text):
            answer = shared_publisher.post("/v1/articles?dry_run=true", json={"headline": "x", field: text})
            assert answer.get_json()[field] == MOMENT


def test_front_matter_and_ninjs_may_have_any_spelling(shared_publisher: Caller) -> None:
    for text in SPELLINGS:
        with case(text):
            sent = {
                "text/markdown": f"---\npublished_at: '{text}'\nlanguage: zh_hant_tw\n---\n# Head\n\nText.\n",
                "application/vnd.iptc.ninjs+json": '{"uri": "urn:x:9", "type": "text", "headline": "Head",'
                f' "firstcreated": "{text}", "language": "zh_hant_tw"}}',
            }
            for kind, body in sent.items():
                answer = shared_publisher.post(
                    "/v1/articles?dry_run=true", data=body.encode(), headers={"Content-Type": kind}
                )
                assert answer.status_code == 200, answer.text
                article = answer.get_json()
                assert (article["published_at"], article["language"]) == (MOMENT, "zh-Hant-TW")


def test_a_query_may_have_any_spelling_also_with_an_unescaped_plus(shared_publisher: Caller) -> None:
    made = shared_publisher.publish("At this very moment", published_at=MOMENT, keywords=["moment"])
    for text in SPELLINGS:
        for sent in (quote(text), text.replace(" ", "%20"), text.replace(" ", "+")):
            with case(sent):
                found = shared_publisher.get(f"/v1/articles?keyword=moment&published_from={sent}&limit=1")
                assert [item["id"] for item in found.get_json()["data"]] == [made["id"]], found.text
                later = shared_publisher.get(f"/v1/articles?keyword=moment&published_to={sent}")
                assert later.get_json()["data"] == []


@pytest.mark.parametrize("text", ["2026-05-01T10:00:00", "2026-05-01 10:00"])
def test_a_time_without_an_offset_is_refused_with_what_to_do(shared_publisher: Caller, text: str) -> None:
    refused = shared_publisher.post("/v1/articles", json={"headline": "x", "published_at": text})
    [fault] = refused.get_json()["errors"]
    assert (refused.status_code, fault["pointer"], fault["code"]) == (422, "/published_at", "invalid_time")
    assert f"{text}Z" in fault["detail"]
    refused = shared_publisher.get(f"/v1/articles?published_from={text.replace(' ', '%20')}")
    assert refused.status_code == 400
    assert "Has no offset from UTC" in refused.get_json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("en_US", "en-US"), ("EN-us", "en-US"), ("iw", "he"), ("i-klingon", "tlh"), ("zh-yue", "yue"), ("x-own", "x-own"),
     (" de-at ", "de-AT"), ("", "en"), (None, "en")],
)  # fmt: skip
def test_a_language_is_stored_in_its_canonical_form(shared_publisher: Caller, sent: str | None, stored: str) -> None:
    made = shared_publisher.post("/v1/articles?dry_run=true", json={"headline": "x", "language": sent})
    assert made.get_json()["language"] == stored


@pytest.mark.parametrize(
    "sent", ["english", "en-", "_en", "en_US.UTF-8", "e", "en us", "x", "\u0435n", "en--US", 5, ["en"]]
)
def test_what_is_no_language_tag_is_refused(shared_publisher: Caller, sent: object) -> None:
    refused = shared_publisher.post("/v1/articles", json={"headline": "x", "language": sent})
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (422, "/language")
