"""Publishes, lists and follows with the client that openapi-python-client makes (package `newswire_client`).

Arguments: the address of a demo, the key of its publisher, the key of a partner.
"""

import sys
from typing import Any

from newswire_client import AuthenticatedClient
from newswire_client.api.publishing import create_article, create_batch, kill_article, patch_article, put_external
from newswire_client.api.reading import list_articles, list_changes, read_article, read_wire
from newswire_client.models import (
    Article,
    ArticlePatch,
    Author,
    Change,
    ChangeTypeType0,
    EntryOut,
    ListArticlesInclude,
    ProblemOut,
    StoredArticle,
)


def follow(reader: AuthenticatedClient, after: int) -> list[EntryOut]:
    found: list[EntryOut] = []
    while True:
        page: Any = list_changes.sync(client=reader, after=after, limit=5)
        found += page.data
        after = page.page.next_after
        if not page.page.has_more:
            return found


def main(url: str, publisher_key: str, partner_key: str) -> None:
    publisher = AuthenticatedClient(base_url=url, token=publisher_key)
    reader = AuthenticatedClient(base_url=url, token=partner_key)
    wire: Any = read_wire.sync(client=reader)

    body = Article(headline="Kiosk opens", body_text="It sells papers.", authors=[Author(name="Ann Lee")])
    created = create_article.sync_detailed(client=publisher, body=body)
    assert created.status_code == 201, created
    made = created.parsed
    assert isinstance(made, StoredArticle)
    own = {"client": publisher, "body": Article(headline="Kiosk by its own id")}
    answers = [put_external.sync_detailed("samples", "kiosk/1", **own) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    batch: Any = create_batch.sync(client=publisher, body=[Article(headline="Kiosk in a batch"), Article(headline="")])
    assert [result.status for result in batch.results] == [201, 422]
    assert batch.results[0].problem is None
    assert batch.results[1].problem.errors[0].pointer == "/headline"
    change = Change(type_=ChangeTypeType0.CORRECTION, note="It sells tea too.")
    patch: dict[str, Any] = {
        "client": publisher, "if_match": created.headers["ETag"],
        "body": ArticlePatch(summary="Papers and tea.", change=change),
    }  # fmt: skip
    corrected: Any = patch_article.sync(made.id, **patch)
    assert (corrected.version, corrected.change.type_) == (2, "correction")
    stale = patch_article.sync(made.id, **patch)
    assert isinstance(stale, ProblemOut)
    assert stale.status == 412

    page: Any = list_articles.sync(client=reader, q="kiosk", limit=2, include=ListArticlesInclude.BODY)
    assert (len(page.data), page.page.has_more) == (2, True)
    rest: Any = list_articles.sync(
        client=reader, q="kiosk", limit=2, include=ListArticlesInclude.BODY, cursor=page.page.next_cursor
    )
    assert (len(rest.data), rest.links.next_) == (1, None)
    read: Any = read_article.sync(made.id, client=reader)
    assert (read.body_text, read.authors[0].name, read.url) == ("It sells papers.", "Ann Lee", None)

    killed: Any = kill_article.sync(made.id, client=publisher, reason="A hoax.")
    assert killed.status == "canceled"
    entries = [entry for entry in follow(reader, wire.head) if entry.article_id == made.id]
    assert entries[-1].type_ == "article.canceled"
    assert entries[-1].change.note == "A hoax."
    print("publishes, corrects, lists, follows, kills")


main(*sys.argv[1:])
