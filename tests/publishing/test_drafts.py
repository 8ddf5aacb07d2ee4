"""From what was sent to a draft: URLs are resolved once, and every fault is found before anything is refused."""

from typing import Any

import pytest

from newswire.article import Draft, Publisher
from newswire.errors import Problem
from newswire.schemas.article import load_draft

SITE = Publisher(1, "site", "Site", "https://site.example/news/", "en")
BASELESS = SITE._replace(url=None)


def faults_of(sent: dict[str, Any], publisher: Publisher) -> list[tuple[str | None, str]]:
    with pytest.raises(Problem) as refused:
        load_draft(sent, publisher)
    return [(fault.pointer, fault.code) for fault in refused.value.errors]


@pytest.mark.parametrize(
    ("sent", "url"),
    [
        ("2026/bridge", "https://site.example/news/2026/bridge"),
        ("/2026/bridge", "https://site.example/2026/bridge"),
        ("https://other.example/a/b", "https://other.example/a/b"),
    ],
)
def test_the_url_of_an_article_is_relative_to_its_publisher_and_the_rest_to_it(sent: str, url: str) -> None:
    draft = load_draft(
        {"headline": "x", "url": sent, "images": [{"url": "a.jpg"}], "body_html": "<a href=b>b</a>"}, SITE
    )
    base = url.rpartition("/")[0]
    assert draft.content["url"] == url
    assert draft.content["images"][0]["url"] == f"{base}/a.jpg"
    assert draft.content["body_html"] == f'<a href="{base}/b">b</a>'


def test_a_url_that_is_refused_is_no_base_for_the_others() -> None:
    sent = {"headline": "x", "url": "ftp://site.example/", "images": [{"url": "a.jpg"}]}
    assert faults_of(sent, SITE) == [("/url", "invalid_url")]
    assert faults_of(sent, BASELESS) == [("/url", "invalid_url"), ("/images/0/url", "relative_url")]


def test_faults_of_fields_and_of_urls_are_told_together_in_the_order_of_the_schema() -> None:
    sent = {
        "urgency": 10,
        "images": [None, {"url": "a.jpg", "role": "x"}, {"url": "https://e.example/b.jpg"}, {"url": "c.jpg", "ulr": 1}],
        "authors": ["x", {"name": "Ada", "avatar_url": "ada.jpg", "url": "ada"}],
        "body_html": "<a href=b>b</a><img src=c>",
        "headlin": "x",
    }
    assert faults_of(sent, BASELESS) == [
        ("/headline", "required"),
        ("/body_html", "relative_url"), ("/body_html", "relative_url"),
        ("/urgency", "out_of_range"),
        ("/authors/0", "invalid_type"), ("/authors/1/url", "relative_url"), ("/authors/1/avatar_url", "relative_url"),
        ("/images/0", "null"), ("/images/1/url", "relative_url"), ("/images/1/role", "invalid_choice"),
        ("/images/3/url", "relative_url"), ("/images/3/ulr", "unknown_field"),
        ("/headlin", "unknown_field"),
    ]  # fmt: skip


def test_fields_that_contradict_each_other_are_told_after_all_others() -> None:
    bodies = {"headline": "x", "body_text": "x", "body_markdown": "x"}
    assert faults_of({**bodies, "section": 5}, SITE) == [
        ("/section", "invalid_type"), ("/body_markdown", "several_bodies"), ("/body_text", "several_bodies")
    ]  # fmt: skip
    assert faults_of({**bodies, "body_html": "<a href=b>b</a>"}, BASELESS)[0] == ("/body_html", "relative_url")
    times = {"embargoed_until": "2026-02-01T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z"}
    assert faults_of({"headline": "x", **times}, SITE) == [("/expires_at", "out_of_range")]


def test_what_was_sent_is_kept_as_it_was_sent() -> None:
    sent = {"headline": " x ", "url": "a", "body_markdown": "[b](c)", "change": {"type": "update"}}
    draft = load_draft(sent, SITE)
    assert isinstance(draft, Draft)
    assert draft.source == {"headline": " x ", "url": "a", "body_markdown": "[b](c)"}
