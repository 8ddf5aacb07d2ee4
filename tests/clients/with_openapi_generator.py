"""Publishes, lists and follows with the client that openapi-generator makes for Python (package `openapi_client`).

Arguments: the address of a demo, the key of its publisher, the key of a partner.
"""

import sys

import openapi_client
from openapi_client import Article, ArticlePatch, Change, PublishingApi, ReadingApi, StoredOrKilled
from openapi_client.exceptions import ApiException


def api_client(url: str, key: str) -> openapi_client.ApiClient:
    return openapi_client.ApiClient(openapi_client.Configuration(host=url, access_token=key))


def follow(reading: ReadingApi, after: int) -> list[openapi_client.EntryOut]:
    found: list[openapi_client.EntryOut] = []
    while True:
        page = reading.list_changes(after=after, limit=5)
        found += page.data
        after = page.page.next_after
        if not page.page.has_more:
            return found


def main(url: str, publisher_key: str, partner_key: str) -> None:
    publishing = PublishingApi(api_client(url, publisher_key))
    reading = ReadingApi(api_client(url, partner_key))
    start = reading.read_wire().head

    article = Article(headline="Kiosk opens", body_text="It sells papers.", authors=[{"name": "Ann Lee"}])
    created = publishing.create_article_with_http_info(article)
    assert created.status_code == 201, created
    made = created.data
    put = publishing.put_external_with_http_info("samples", "kiosk/1", Article(headline="Kiosk by its own id"))
    again = publishing.put_external_with_http_info("samples", "kiosk/1", Article(headline="Kiosk by its own id"))
    assert (put.status_code, again.status_code, again.data.version) == (201, 200, 1)
    batch = publishing.create_batch([Article(headline="Kiosk in a batch"), Article.model_construct(summary="lost")])
    assert [result.status for result in batch.results] == [201, 422]
    assert batch.results[0].problem is None
    assert batch.results[1].problem.errors[0].pointer == "/headline"
    patch = ArticlePatch(summary="Papers and tea.", change=Change(type="correction", note="It sells tea too."))
    corrected = publishing.patch_article(made.id, created.headers["ETag"], patch)
    assert (corrected.version, corrected.change.type, corrected.editor_note) == (2, "correction", None)
    refused = 0
    try:
        publishing.patch_article(made.id, created.headers["ETag"], patch)
    except ApiException as error:
        refused = error.status
    assert refused == 412

    page = reading.list_articles(q="kiosk", limit=2, include="body", count="true")
    assert (len(page.data), page.meta.count.value) == (2, 3)
    rest = reading.list_articles(q="kiosk", limit=2, include="body", count="true", cursor=page.page.next_cursor)
    assert len(rest.data) == 1
    assert rest.links.next is None
    read = reading.read_article(made.id)
    assert (read.body_text, read.authors[0].name, read.url) == ("It sells papers.", "Ann Lee", None)

    killed = publishing.kill_article(made.id, reason="A hoax.")
    assert killed.status == "canceled"
    entries = [entry for entry in follow(reading, start) if entry.article_id == made.id]
    assert [entry.type for entry in entries][-1] == "article.canceled"
    assert entries[-1].change.note == "A hoax."
    assert isinstance(again.data, StoredOrKilled)
    print("publishes, corrects, lists, follows, kills")


main(*sys.argv[1:])
