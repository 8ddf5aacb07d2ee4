"""A version that was stored before a field existed lacks it for ever: every door serves it with the field empty.

There is an article for every field, and for every field of the objects in it; the versions of each are stored without
that one. So each door is asked once for all of them, or once for each.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any, NamedTuple

import orjson
import pytest
from lxml import etree
from marshmallow import Schema, fields
from sqlalchemy import insert, select, update

from newswire import wire as log
from newswire.api.schemas.directory import AuthorList, AuthorProfile, NameList, PublisherList
from newswire.api.schemas.envelopes import ArticleList, ChangesOut, EntryOut, VersionList
from newswire.api.schemas.responses import FullArticle, Tombstone, VersionOut
from newswire.article import FIELDS
from newswire.cli.export import export_entries as export
from newswire.document import FORM, decode_stored, digest_of, render_version, unpack_source
from newswire.publishing.release import release_due_articles
from newswire.search.rebuild import rebuild_index
from newswire.store.tables import article, entry, head, version
from newswire.timestamps import format_instant, now
from tests.support.databases import ENGINES, empty_database
from tests.support.ways_of_reading import events, ndjson
from tests.support.wire import Caller, Wire

SENT: dict[str, Any] = {
    "headline": "Cocoa rises", "slugline": "COCOA", "summary": "Up again.", "body_html": "<p>Cocoa rose.</p>",
    "byline": "By Ann Lee", "dateline": "ACCRA", "language": "en", "section": "Markets", "keywords": ["cocoa"],
    "subjects": [{"code": "04016000", "name": "commodities", "scheme": "medtop"}],
    "places": [{"name": "Accra", "country": "GH"}], "urgency": 3,
    "authors": [{"name": "Ann Lee", "role": "Writer", "bio": "Writes.", "url": "https://a.example/",
                 "avatar_url": "https://a.example/a.png", "organization": "AP"}],
    "images": [{"url": "https://a.example/c.jpg", "role": "lead", "caption": "Cocoa", "alt_text": "Beans",
                "credit": "AP", "copyright_notice": "AP", "width": 8, "height": 6, "mime_type": "image/jpeg"}],
    "url": "https://a.example/cocoa", "copyright_notice": "AP", "usage_terms": "None", "editor_note": "First",
    "expires_at": "2199-01-01T00:00:00Z", "evolves_from": "cocoa-1",
    "related": [{"external_id": "cocoa-2", "relation": "background"}],
}  # fmt: skip


class Missing(NamedTuple):
    """A field that is not in the stored versions of the article with this external id: of it, or of its `of`."""

    name: str
    of: str | None = None

    @property
    def external_id(self) -> str:
        return self.name if self.of is None else f"{self.of}.{self.name}"

    def strip(self, members: dict[str, Any]) -> None:
        for each in [members] if self.of is None else members[self.of]:
            each.pop(self.name, None)


def members_of(schema: Any) -> Iterator[Missing]:
    """The fields that the OpenAPI document promises, but for those that are added when a version is served."""
    for name, field in schema().fields.items():
        if name not in ("seq", "status", "links"):
            yield Missing(name)
        if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
            yield from (Missing(part, name) for part, each in field.inner.schema.fields.items() if each.required)


ARTICLES, TOMBSTONES = [*members_of(FullArticle)], [*members_of(Tombstone)]
TABLE = {field.name: field for field in FIELDS}


class Old(NamedTuple):
    """A wire whose versions are older than their fields, and who asks it."""

    wire: Wire
    publisher: Caller
    partner: Caller
    ids: Mapping[Missing, str]
    stones: Mapping[Missing, str]

    def asked(self, address: str, caller: Caller | None = None, **headers: str) -> Any:
        response = (caller or self.partner).get(address, headers=headers)
        assert response.status_code == 200, (address, response.status_code, response.text)
        return response

    def answer(self, address: str, schema: type[Schema], caller: Caller | None = None) -> Any:
        """An answer in JSON, which must be what the OpenAPI document says of it."""
        content = self.asked(address, caller).get_json()
        assert schema().validate(content) == {}, address
        return content

    def check_whole(self, served: Mapping[str, Any], missing: Missing, *without: str) -> None:
        """An article as served has every member, and the one that its version lacks is empty."""
        assert FullArticle().validate({**dict.fromkeys(without), **served}) == {}, missing
        assert served.keys() >= {field.name for field in FIELDS if field.is_stored} - {*without}
        if missing.of is None and missing.name not in without:
            assert served[missing.name] == TABLE[missing.name].empty, missing
        if missing.of is not None:
            empty = {part.name: part.empty for part in TABLE[missing.of].parts}
            assert [item[missing.name] for item in served[missing.of]] == [empty[missing.name]], missing

    def check_each(self, served: list[dict[str, Any]], *without: str) -> None:
        """The same of articles that are told apart by their links, as `id` may be what is missing."""
        found = {each["links"]["self"].rpartition("/")[2]: each for each in served}
        assert found.keys() >= {*self.ids.values()}
        for missing, article_id in self.ids.items():
            self.check_whole(found[article_id], missing, *without)


def make_old(wire: Wire) -> Old:
    publisher, partner = wire.as_publisher("agency"), wire.as_partner("desk")
    missing = {each.external_id: each for each in ARTICLES}
    for note in ("First", "Second"):
        batch = [{**SENT, "external_id": name, "editor_note": note} for name in missing]
        batch += [{**SENT, "external_id": f"dead {each.name}", "editor_note": note} for each in TOMBSTONES]
        results = publisher.post("/v1/articles/batch", json=batch).get_json()["results"]
        assert {result["status"] for result in results} <= {200, 201}
    ids = dict(zip(missing.values(), (result["id"] for result in results), strict=False))
    stones = dict(zip(TOMBSTONES, (result["id"] for result in results[len(ids) :]), strict=True))
    for article_id in stones.values():
        assert publisher.delete(f"/v1/articles/{article_id}?reason=Wrong").status_code == 200
    lacking = {article_id: each for each, article_id in [*ids.items(), *stones.items()]}
    store_without(wire, lacking)
    return Old(wire, publisher, partner, ids, stones)


def store_without(wire: Wire, lacking: Mapping[str, Missing]) -> None:
    """Stores every version as one that never had its article's field; the log vouches for that."""
    with wire.database.begin() as connection:
        for row in connection.execute(
            select(version, article.c.id).join(article).where(article.c.id.in_(lacking))
        ).all():
            content = decode_stored(row.rendered, row.body)
            lacking[row.id].strip(content)
            # The versions before the links existed have none of them.
            made = render_version({"evolves_from": None, "related": [], **content})
            bare = decode_stored(made.rendered, made.body)
            lacking[row.id].strip(bare)
            rest, body = ({name: value for name, value in bare.items() if name.startswith("body_") is is_body}
                          for is_body in (False, True))  # fmt: skip
            # Their sources are older than the packed ones, which could not be unpacked with another version.
            source = unpack_source(row.source, row.rendered, row.body)
            stripped = {"rendered": orjson.dumps(rest)[1:-1], "body": orjson.dumps(body)[1:-1]}
            connection.execute(
                update(version)
                .where(version.c.number == row.number, version.c.version == row.version)
                .values(digest=made.digest, source=source, form=0, **stripped)
            )
        told = select(entry, version.c.digest.label("own")).join(
            version, (version.c.number == entry.c.number) & (version.c.version == entry.c.version)
        )
        chain, rows = log.GENESIS, connection.execute(told.order_by(entry.c.seq)).all()
        connection.execute(entry.delete())
        for row in rows:
            chain = log.chain_value(chain, row.seq, row.own)
            again = {**row._asdict(), "digest": row.own, "chain": chain}
            connection.execute(insert(entry), {column.name: again[column.name] for column in entry.c})
        connection.execute(update(head).values(chain=chain))
        log.bump_revision(connection)


@pytest.fixture(scope="module", params=ENGINES)
def old(request: pytest.FixtureRequest) -> Iterator[Old]:
    with empty_database(request, request.param) as url, closing(Wire(url)) as wire:
        yield make_old(wire)


def test_every_list_serves_them_whole(old: Old) -> None:
    bodies = ("body_html", "body_text")
    listed = old.answer("/v1/articles?limit=100", ArticleList)["data"]
    assert not {*bodies} & {name for each in listed for name in each}
    old.check_each(listed, *bodies)
    old.check_each(old.answer("/v1/articles?limit=100&include=body", ArticleList)["data"])
    for field in FullArticle().fields:
        for each in old.answer(f"/v1/articles?limit=100&fields={field}", ArticleList)["data"]:
            assert each.keys() == {"id", field}
    old.publisher.post("/v1/feeds", json={"name": "desk", "query": "has_image=true"})
    old.asked("/v1/feeds/desk/articles?limit=100", old.publisher)


def test_a_search_marks_its_words_in_them(old: Old) -> None:
    found = old.answer("/v1/articles?q=cocoa&highlight=true&limit=100", ArticleList)["data"]
    old.check_each(found, "body_html", "body_text")
    for sort in ("relevance", "published_at"):
        old.asked(f"/v1/articles?q=rises&sort={sort}&highlight=true&include=body&limit=100")


def test_each_is_served_alone_in_every_form_and_version(old: Old) -> None:
    for missing, article_id in old.ids.items():
        address = f"/v1/articles/{article_id}"
        old.check_whole(old.answer(address, FullArticle), missing)
        for form in (".html", ".md", ".ninjs"):
            assert old.asked(address + form).data
        history = old.answer(f"{address}/versions", VersionList)["data"]
        assert len(history) == 2
        for each in history:
            old.check_whole(each, missing, "body_html", "body_text")
        for number in (1, 2):
            old.check_whole(old.answer(f"{address}/versions/{number}", VersionOut), missing)


def test_documents_for_feed_readers_hold_them(old: Old) -> None:
    for form in ("rss", "atom"):
        root = etree.fromstring(old.asked(f"/v1/articles.{form}?limit=100").data)
        assert len([*root.iter("{*}item", "{*}entry")]) == len(old.ids)
    items = old.asked("/v1/articles.json?limit=100").get_json()["items"]
    assert len(items) == len(old.ids)
    assert len({frozenset(each["_newswire"]) for each in items}) == 1
    assert len(old.asked("/v1/articles.ninjs?limit=100").get_json()["data"]) == len(old.ids)


def test_every_way_of_following_the_wire_tells_them_whole(old: Old) -> None:
    stands, caller = old.partner.get("/v1/wire").get_json()["head"], old.partner
    page = old.answer("/v1/changes?limit=500&q=cocoa", ChangesOut)["data"]
    lines, _ = ndjson(caller, "", 0, stands)
    streamed = [*islice((event.data for event in events(caller, "") if event.data is not None), stands)]
    exported = io.BytesIO()
    export(old.wire.database, 0, "http://localhost", exported)
    for told in (page, lines, streamed, [*map(orjson.loads, exported.getvalue().splitlines())]):
        assert len(told) >= 2 * len(old.ids)
        for each in told:
            assert EntryOut().validate(each) == {}
        newest = {each["article_id"]: each["article"] for each in told}
        for missing, article_id in old.ids.items():
            old.check_whole(newest[article_id], missing)
    dressed = old.asked("/v1/changes.ninjs?limit=500").get_json()["data"]
    assert len([each for each in dressed if each["article"]]) == 2 * len(old.ids)


def test_names_and_authors_are_counted_out_of_them(old: Old) -> None:
    lists = {"authors": AuthorList, "publishers": PublisherList, "sections": NameList, "keywords": NameList}
    for name, schema in lists.items():
        assert old.answer(f"/v1/{name}", schema)["data"]
    author = old.answer("/v1/authors", AuthorList)["data"][0]
    assert old.answer(f"/v1/authors/{author['id']}", AuthorProfile)["bio"] == "Writes."
    meta = old.answer("/v1/articles?count=true&facets=publisher,section,author", ArticleList)["meta"]
    assert meta["count"]["value"] == len(old.ids)


def test_what_remains_of_killed_ones_gets_no_other_members(old: Old) -> None:
    stones = old.answer("/v1/articles?status=canceled&limit=100", ArticleList, old.publisher)["data"]
    found = {each["links"]["self"].rpartition("/")[2]: each for each in stones}
    assert found.keys() == {*old.stones.values()}
    for missing, article_id in old.stones.items():
        if missing.name != "change":
            assert found[article_id].keys() == Tombstone().fields.keys(), missing
            assert found[article_id][missing.name] == TABLE[missing.name].empty, missing
        assert old.publisher.get(f"/v1/articles/{article_id}").status_code == 410
        old.answer(f"/v1/articles/{article_id}/versions", VersionList, old.publisher)
        again = old.publisher.delete(f"/v1/articles/{article_id}")
        assert again.status_code == 200
        assert Tombstone().validate(again.get_json()) == {}, missing
    assert b"deleted-entry" in old.asked("/v1/articles.atom?limit=1").data


def test_sending_again_what_was_sent_before_there_was_a_field_is_no_change(wire: Wire) -> None:
    publisher = wire.as_publisher()
    fields = {"dateline": None, "keywords": [], "authors": [{"name": "Ann Lee"}], "evolves_from": None, "related": []}
    names = ("dateline", "keywords", "evolves_from", "related")
    for missing in (*map(Missing, names), Missing("bio", "authors")):
        sent = {**SENT, **fields, "external_id": missing.external_id}
        stored = publisher.publish(**sent)
        store_without(wire, {stored["id"]: missing})
        address = f"/v1/publishers/reuters/articles/{missing.external_id}"
        again = publisher.put(address, json=sent)
        assert (again.status_code, again.get_json()["version"]) == (200, 1), missing
        assert again.get_json().keys() == stored.keys()
        assert publisher.patch(
            f"/v1/articles/{stored['id']}", json={"dateline": "ACCRA"}, headers={"If-Match": "*"}
        ).get_json()["change"]["fields"] == ["dateline"]


def test_the_log_still_vouches_for_them(old: Old) -> None:
    with old.wire.database.read() as connection:
        found = log.verify_log(connection)
    assert (found.broken, found.reason) == (None, None)


def test_they_can_be_released_and_indexed_again(wire: Wire) -> None:
    publisher = wire.as_publisher()
    ahead = format_instant(now() + 3_600_000)
    batch = [{**SENT, "external_id": each.external_id, "embargoed_until": ahead} for each in ARTICLES]
    results = publisher.post("/v1/articles/batch", json=batch).get_json()["results"]
    store_without(wire, dict(zip((result["id"] for result in results), ARTICLES, strict=True)))
    with wire.database.begin() as connection:
        assert release_due_articles(connection, now() + 3_600_001) == len(ARTICLES)
    # A release opens the row of the index as it was written when the version was stored, with its pictures.
    assert len(publisher.listed("limit=100&has_image=true&q=cocoa")) == len(ARTICLES)
    with wire.database.begin() as connection:
        table = "search_place" if wire.is_sqlite else "search_document"
        connection.exec_driver_sql(f"UPDATE {table} SET index_version = '0'")
    assert [*rebuild_index(wire.database)][-1] == len(ARTICLES)
    assert len(publisher.listed("limit=100&q=cocoa")) == len(ARTICLES)
    assert len(publisher.listed("limit=100&has_image=true&q=cocoa")) == len(ARTICLES) - 1


def test_a_member_that_a_version_did_not_have_does_not_count_in_its_digest(wire: Wire) -> None:
    served = wire.as_publisher().publish(**SENT)
    assert digest_of(served) == served["digest"]
    later = {**served, "genre": None, "credits": []}
    later["authors"] = [{**author, "pronouns": None} for author in served["authors"]]
    later["publisher"] = {**served["publisher"], "logo_url": None}
    assert digest_of(later) == served["digest"]
    for altered in (
        {**served, "genre": "analysis"},
        {**served, "credits": ["x"]},
        {**served, "authors": [{**served["authors"][0], "pronouns": "she"}]},
        {**served, "publisher": {**served["publisher"], "logo_url": "https://a.example/"}},
        {**served, "dateline": None},
        {name: value for name, value in served.items() if name != "embargoed_until"},
    ):
        assert digest_of(altered) != served["digest"]


def test_what_is_stored_today_is_of_the_first_form_that_holds_it(wire: Wire) -> None:
    publisher = wire.as_publisher()
    plain = {name: value for name, value in SENT.items() if name not in ("evolves_from", "related")}
    articles = [publisher.publish(**sent) for sent in (SENT, plain)]
    with wire.database.read() as connection:
        rows = connection.execute(select(version.c.form, version.c.rendered).order_by(version.c.number)).all()
    assert [row.form for row in rows] == [FORM, 1]
    assert [b"evolves_from" in row.rendered for row in rows] == [True, False]
    assert [*articles[0]] == [*articles[1]]
    for field in (*FIELDS, *(part for each in FIELDS for part in each.parts)):
        # Else the digest of an older version would not hold where it is served with the field.
        assert field.since == 1 or field.empty in (None, []), field.name
