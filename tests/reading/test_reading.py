"""Reading over HTTP: lists, filters, search, pages, conditional requests, negotiation."""

import gzip
import json
import time
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.support.wire import Caller, Wire

CORPUS: list[dict[str, Any]] = [
    {"headline": "Cocoa prices rise", "section": "Markets", "keywords": ["cocoa"], "external_id": "c-1", "urgency": 3,
     "published_at": "2026-01-01T00:00:00Z", "subjects": [{"code": "04000000", "name": "Economy"}],
     "places": [{"name": "Ghana"}]},
    {"headline": "Coffee falls", "section": "Markets", "language": "en-GB", "published_at": "2026-01-02T00:00:00Z",
     "external_id": "c-2", "urgency": 5,
     "authors": [{"name": "Ana Pérez"}]},
    {"headline": "Élections à Genève", "section": "Politique", "language": "fr", "urgency": 1,
     "published_at": "2026-01-03T00:00:00Z",
     "body_text": "Les études sont finies."},
    {"headline": "Howitzer sold", "published_at": "2026-01-04T00:00:00Z", "summary": "cocoa, again",
     "images": [{"url": "https://p.example/a.png", "caption": "A cannon of the army"}]},
    {"headline": "东京股市上涨", "language": "zh", "published_at": "2026-01-05T00:00:00Z"},
]  # fmt: skip


def fill(wire: Wire) -> Wire:
    publisher = wire.as_publisher()
    for fields in CORPUS:
        publisher.publish(**fields)
    return wire


@pytest.fixture
def filled(wire: Wire) -> Wire:
    """A wire with the corpus, for a test that changes something of it."""
    return fill(wire)


@pytest.fixture(scope="module")
def partner(shared_wire: Wire) -> Caller:
    """A reader without limits of a wire with the corpus, which nobody changes."""
    return fill(shared_wire).as_partner()


@pytest.fixture(scope="module")
def limited(shared_wire: Wire, partner: Caller) -> Caller:
    """A reader of the same wire who may see what is in French only."""
    return shared_wire.as_partner("french", language=["fr"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [4, 3, 2, 1, 0]),
        ("sort=published_at", [0, 1, 2, 3, 4]),
        ("q=cocoa", [3, 0]),
        ("q=COCOA+prices", [0]),
        ("q=price", [0]),
        ("q=" + quote('"cocoa prices"'), [0]),
        ("q=" + quote("“cocoa prices”"), [0]),
        ("q=" + quote('"prices cocoa"'), []),
        ("q=cocoa+-prices", [3]),
        ("q=coffee+OR+howitzers", [3, 1]),
        ("q=elections", [2]),
        ("q=" + quote("étude"), [2]),
        ("q=cannons", [3]),
        ("q=" + quote("股市"), [4]),
        ("q=" + quote("京股"), [4]),
        ("q=cof*", [1]),
        ("q=perez", [1]),
        ("section=markets", [1, 0]),
        ("section=Markets,Politique", [2, 1, 0]),
        ("section=Markets&section=Politique", [2, 1, 0]),
        ("section=Markets&q=cocoa", [0]),
        ("keyword=cocoa", [0]),
        ("language=en", [3, 1, 0]),
        ("language=en-gb", [1]),
        ("author=" + quote("ana pérez"), [1]),
        ("has_image=true", [3]),
        ("has_image=false&language=fr,zh", [4, 2]),
        ("publisher=reuters&section=politique", [2]),
        ("publisher=nobody", []),
        ("published_from=2026-01-02&published_to=2026-01-04", [2, 1]),
        ("published_from=2026-01-02T01:00:00%2B01:00&published_to=2026-01-02T00:00:00.001Z", [1]),
        ("q=cocoa&published_from=2026-01-02", [3]),
        ("utm_source=mail&_=1&q=coffee", [1]),
        ("not_section=markets", [4, 3, 2]),
        ("not_language=fr,zh&not_keyword=cocoa", [3, 1]),
        ("section=Markets&not_author=" + quote("Ana Pérez"), [0]),
        ("q=cocoa&search_in=headline", [0]),
        ("q=cocoa&search_in=summary,caption", [3]),
        ("q=headline:cocoa&search_in=body", [0]),
        ("q=" + quote("headline:(coffee OR howitzer)"), [3, 1]),
        ("urgency_max=3", [2, 0]),
        ("subject=04000000", [0]),
        ("subject=economy&place=ghana", [0]),
        ("not_place=Ghana", [4, 3, 2, 1]),
        ("external_id=c-1,c-2", [1, 0]),
        ("sort=-updated_at&section=Markets", [1, 0]),
        ("sort=updated_at", [0, 1, 2, 3, 4]),
        ("updated_from=now-1h&updated_to=2199-01-01", [4, 3, 2, 1, 0]),
        ("updated_from=2199-01-01", []),
        ("updated_to=now-1h&q=cocoa", []),
        ("published_to=now-1w&published_from=2026-01-05", [4]),
        ("status=withheld", []),
    ],
)
def test_a_list_holds_what_every_parameter_matches(partner: Caller, query: str, found: list[int]) -> None:
    assert partner.listed(query) == [CORPUS[number]["headline"] for number in found]


def test_a_list_comes_in_an_envelope_with_links(partner: Caller) -> None:
    response = partner.get("/v1/articles?limit=2&q=cocoa+OR+coffee+OR+howitzer")
    page = response.get_json()
    assert page["page"]["limit"] == 2
    assert page["page"]["has_more"] is True
    assert page["meta"]["head"] == 5
    assert page["links"]["self"] == "http://localhost/v1/articles?limit=2&q=cocoa+OR+coffee+OR+howitzer"
    assert response.headers["Link"] == f'<{page["links"]["next"]}>; rel="next"'
    assert response.headers["Cache-Control"].startswith("private")
    assert "body_html" not in page["data"][0]
    last = partner.get(address_of(page["links"]["next"]))
    assert [item["headline"] for item in last.get_json()["data"]] == ["Cocoa prices rise"]
    assert last.get_json()["links"]["next"] is None
    assert "Link" not in last.headers


def address_of(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def test_a_page_that_holds_all_that_is_left_is_the_last_one(partner: Caller) -> None:
    for query in ("", "q=cocoa+OR+coffee+OR+howitzer+OR+elections+OR+东京", "sort=-updated_at"):
        for limit in (1, 5):
            links, pages = [f"/v1/articles?limit={limit}&{query}"], []
            while links[-1]:
                pages.append(partner.get(address_of(links[-1])).get_json())
                links.append(pages[-1]["links"]["next"])
            assert [len(page["data"]) for page in pages] == [limit] * (5 // limit)
            assert [page["page"]["has_more"] for page in pages] == [True] * (5 // limit - 1) + [False]


def test_bodies_come_when_asked_for(partner: Caller) -> None:
    item = partner.get("/v1/articles?include=body&q=elections").get_json()["data"][0]
    assert item["body_text"] == "Les études sont finies."
    assert item["links"]["self"].startswith("http://localhost/v1/articles/")


def pages(caller: Caller, query: str, field: str = "external_id") -> list[str]:
    """Walks a list to its end by its links; one field of each article."""
    found: list[str] = []
    address: str | None = f"/v1/articles?{query}"
    while address:
        page = caller.get(address).get_json()
        found += [item[field] for item in page["data"]]
        address = page["links"]["next"] and address_of(page["links"]["next"])
    return found


def test_pages_of_articles_with_one_timestamp_skip_none_and_double_none(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    batch = [
        {"headline": f"Story {n}", "external_id": f"{n:03}", "section": "a", "published_at": "2026-05-05T05:05:05Z"}
        for n in range(120)
    ]
    assert publisher.post("/v1/articles/batch", json=batch).status_code == 200
    oldest_first = [f"{n:03}" for n in range(120)]
    for query in ("", "q=story", "section=a"):
        assert pages(partner, f"{query}&limit=25") == oldest_first[::-1]
    for query in ("sort=published_at", "q=story&sort=published_at"):
        assert pages(partner, f"{query}&limit=25") == oldest_first


def test_a_cursor_survives_inserts_moves_and_kills_around_it(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    when = "2026-05-05T05:05:05Z"
    for number in range(10):
        publisher.publish(f"Story {number}", external_id=str(number), published_at=when)
    for query in ("", "q=story"):
        first = partner.get(f"/v1/articles?limit=4&{query}").get_json()
        assert [item["external_id"] for item in first["data"]] == ["9", "8", "7", "6"]
        cursor = first["page"]["next_cursor"]
        assert pages(partner, f"limit=4&{query}&cursor={cursor}") == ["5", "4", "3", "2", "1", "0"]
    mover = "/v1/publishers/reuters/articles/"
    publisher.publish("Story new", external_id="new", published_at="2026-06-01T00:00:00Z")
    publisher.delete(mover + "6")
    publisher.delete(mover + "3")
    publisher.put(mover + "1", json={"headline": "Story one", "published_at": "2026-05-04T00:00:00Z"})
    for query in ("", "q=story"):
        cursor = partner.get(f"/v1/articles?limit=3&{query}").get_json()["page"]["next_cursor"]
        assert pages(partner, f"limit=3&{query}&cursor={cursor}") == ["7", "5", "4", "2", "0", "1"]
    # What moves to a time that others have takes the place of its first reception.
    publisher.put(mover + "1", json={"headline": "Story one", "published_at": when})
    for query in ("", "q=story"):
        assert pages(partner, f"limit=2&{query}") == ["new", "9", "8", "7", "5", "4", "2", "1", "0"]


def test_a_cursor_belongs_to_its_query(partner: Caller) -> None:
    cursor = partner.get("/v1/articles?limit=1&q=cocoa").get_json()["page"]["next_cursor"]
    assert partner.get(f"/v1/articles?limit=5&q=cocoa&cursor={cursor}").status_code == 200
    foreign = partner.get(f"/v1/articles?q=coffee&cursor={cursor}")
    assert (foreign.status_code, foreign.get_json()["code"]) == (400, "cursor_mismatch")
    garbage = partner.get("/v1/articles?cursor=xyz")
    assert (garbage.status_code, garbage.get_json()["code"]) == (400, "invalid_cursor")


def test_an_unchanged_list_and_article_are_304(filled: Wire) -> None:
    partner, publisher = filled.as_partner(), filled.as_publisher()
    listed = partner.get("/v1/articles?q=cocoa")
    article = f"/v1/articles/{listed.get_json()['data'][0]['id']}"
    for address in ("/v1/articles?q=cocoa", article):
        tag = partner.get(address).headers["ETag"]
        again = partner.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
    article_tag = partner.get(article).headers["ETag"]
    publisher.publish("Cocoa once more")
    changed = partner.get("/v1/articles?q=cocoa", headers={"If-None-Match": listed.headers["ETag"]})
    assert changed.status_code == 200
    assert partner.get(article, headers={"If-None-Match": article_tag}).status_code == 304


def test_a_cut_entitlement_changes_the_etag_of_a_list(filled: Wire) -> None:
    partner = filled.as_partner("cut")
    tag = partner.get("/v1/articles").headers["ETag"]
    filled.set_partner("cut", section=["Markets"])
    after = partner.get("/v1/articles", headers={"If-None-Match": tag})
    assert after.status_code == 200
    assert len(after.get_json()["data"]) == 2


def test_the_etag_of_a_list_is_good_for_those_only_who_may_see_the_same(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.publish("In the world", section="world")
    publisher.publish("Of the arts", section="arts")
    callers = {name: wire.as_partner(name, section=[name]) for name in ("world", "arts")} | {"all": wire.as_partner()}
    tags = {name: caller.get("/v1/articles").headers["ETag"] for name, caller in callers.items()}
    for name, caller in callers.items():
        for other, tag in tags.items():
            response = caller.get("/v1/articles", headers={"If-None-Match": tag})
            assert (response.status_code == 304) == (name == other), (name, other)


def test_answers_are_compressed_when_the_caller_takes_gzip(partner: Caller) -> None:
    plain = partner.get("/v1/articles")
    small = partner.get("/v1/articles", headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small.headers["Vary"]
    assert json.loads(gzip.decompress(small.data)) == plain.get_json()
    assert small.headers["ETag"] != plain.headers["ETag"]
    again = partner.get("/v1/articles", headers={"Accept-Encoding": "gzip", "If-None-Match": small.headers["ETag"]})
    assert again.status_code == 304
    assert "Content-Encoding" not in partner.get("/v1/articles", headers={"Accept-Encoding": "gzip;q=0"}).headers


def test_an_unknown_parameter_is_refused_with_a_suggestion(partner: Caller) -> None:
    problem = partner.get("/v1/articles?sectoin=World").get_json()
    assert problem["code"] == "unknown_parameter"
    assert problem["errors"] == [
        {"parameter": "sectoin", "code": "unknown_parameter", "detail": "There is no such parameter here.",
         "did_you_mean": "section"}
    ]  # fmt: skip


def test_broken_syntax_points_at_the_place(partner: Caller) -> None:
    response = partner.get("/v1/articles?q=" + quote("cocoa (coffee OR tea"))
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (400, "invalid_query")
    assert problem["errors"][0]["parameter"] == "q"
    assert isinstance(problem["position"], int)


def test_a_base_url_setting_decides_every_link(database_url: str) -> None:
    wire = Wire(database_url, base_url="https://wire.example.org")
    article = wire.as_publisher().publish(images=[{"url": "/a.png"}])
    assert article["links"]["self"] == f"https://wire.example.org/v1/articles/{article['id']}"
    assert "wire.example.org" not in json.dumps({**article, "links": None})
    wire.close()


def test_public_read_needs_no_key_and_publishing_still_does(database_url: str) -> None:
    wire = Wire(database_url, public_read=True)
    publisher = wire.as_publisher()
    publisher.publish("Open")
    publisher.publish("Secret", embargoed_until="2199-01-01T00:00:00Z")
    response = wire.client.get("/v1/articles")
    assert [item["headline"] for item in response.get_json()["data"]] == ["Open"]
    assert response.headers["Cache-Control"].startswith("public")
    assert "Authorization" in response.headers["Vary"]
    assert wire.client.post("/v1/articles", json={"headline": "x"}).status_code == 401
    assert wire.client.get("/v1/me").get_json()["kind"] == "public"
    wire.close()


def test_me_says_who_the_key_is(wire: Wire) -> None:
    publisher, partner, admin = wire.as_publisher(), wire.as_partner(section=["World"]), wire.as_admin()
    assert publisher.get("/v1/me").get_json() == {
        "kind": "publisher", "slug": "reuters", "name": "Reuters", "scopes": ["publish", "read"], "label": None,
        "expires_at": None, "entitlement": {"publisher": ["reuters"]}, "limits": {},
    }  # fmt: skip
    assert partner.get("/v1/me").get_json()["entitlement"] == {"section": ["World"]}
    assert admin.get("/v1/me").get_json()["scopes"] == ["admin", "publish", "read"]
    basic = wire.client.get("/v1/me", auth=("anyone", partner.key))
    assert basic.get_json()["slug"] == "partner"


def test_reading_waits_for_no_writer(filled: Wire) -> None:
    """Noting the first use of a key is a write; a long write of somebody else must not hold the reader up."""
    partner = filled.as_partner()
    with filled.database.begin() as connection:
        connection.exec_driver_sql("UPDATE head SET revision = revision + 1")
        began = time.monotonic()
        assert partner.get("/v1/articles").status_code == 200
        assert time.monotonic() - began < 5


def test_fields_leaves_out_the_rest(partner: Caller) -> None:
    items = partner.get("/v1/articles?q=cocoa&fields=headline,authors").get_json()["data"]
    assert [sorted(item) for item in items] == [["authors", "headline", "id"]] * 2
    body = partner.get("/v1/articles?q=elections&fields=body_text").get_json()["data"][0]
    assert body["body_text"] == "Les études sont finies."
    refused = partner.get("/v1/articles?fields=headlin").get_json()
    assert refused["errors"][0]["did_you_mean"] == "headline"


def test_a_count_is_given_when_asked_for_and_is_that_of_all_pages(partner: Caller, limited: Caller) -> None:
    for query in ("", "q=cocoa", "section=markets", "not_section=markets", "sort=-updated_at&language=en"):
        page = partner.get(f"/v1/articles?limit=1&count=true&{query}").get_json()
        assert page["meta"]["count"] == {"value": len(partner.listed(query)), "relation": "eq"}
    assert "count" not in partner.get("/v1/articles").get_json()["meta"]
    assert limited.get("/v1/articles?count=true").get_json()["meta"]["count"]["value"] == 1


def test_articles_can_be_had_by_their_ids(partner: Caller, limited: Caller) -> None:
    items = partner.get("/v1/articles").get_json()["data"]
    ids = ",".join(item["id"] for item in items[1:3])
    assert partner.listed(f"ids={ids}") == [item["headline"] for item in items[1:3]]
    assert partner.listed(f"not_ids={ids}") == [items[0]["headline"], *(item["headline"] for item in items[3:])]
    assert limited.listed(f"ids={ids}") == ["Élections à Genève"]


def test_a_publisher_finds_its_own_articles_in_every_state(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish("Usable")
    publisher.publish("Withheld zebra", embargoed_until="2199-01-01T00:00:00Z")
    killed = publisher.publish("Killed", external_id="k")
    publisher.delete(f"/v1/articles/{killed['id']}")
    assert publisher.listed() == ["Usable"]
    assert publisher.listed("status=withheld&q=zebra") == ["Withheld zebra"]
    stones = publisher.get("/v1/articles?status=canceled&count=true").get_json()
    assert [(stone["id"], stone["status"]) for stone in stones["data"]] == [(killed["id"], "canceled")]
    assert "headline" not in stones["data"][0]
    for status in ("withheld", "canceled"):
        answer = partner.get(f"/v1/articles?status={status}&count=true").get_json()
        assert (answer["data"], answer["meta"]["count"]) == ([], {"value": 0, "relation": "eq"})


def test_the_newest_version_comes_first_when_sorted_by_update(filled: Wire) -> None:
    publisher, partner = filled.as_publisher(), filled.as_partner()
    address = "/v1/publishers/reuters/articles/c-1"
    publisher.put(
        address, json={"headline": "Cocoa again", "section": "Markets", "published_at": "2026-01-01T00:00:00Z"}
    )
    assert partner.listed("sort=-updated_at")[0] == "Cocoa again"
    assert partner.listed("sort=-updated_at&section=markets") == ["Cocoa again", "Coffee falls"]
    assert partner.listed("sort=-published_at")[-1] == "Cocoa again"
    assert partner.get("/v1/articles?sort=-updated_at&q=cocoa").get_json()["errors"][0]["parameter"] == "sort"
    assert pages(partner, "sort=-updated_at&limit=2", "headline") == partner.listed("sort=-updated_at")


def test_a_cursor_keeps_the_time_that_now_was_on_the_first_page(partner: Caller) -> None:
    first = partner.get("/v1/articles?published_to=now-1w&limit=2").get_json()
    rest = partner.get(address_of(first["links"]["next"]))
    assert rest.status_code == 200
    assert "now-1w" in rest.get_json()["links"]["self"]
    other = partner.get(f"/v1/articles?published_to=now-2w&cursor={first['page']['next_cursor']}")
    assert other.get_json()["code"] == "cursor_mismatch"
