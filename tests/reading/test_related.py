"""`GET /v1/articles/{id}/related`: links in both directions and more like this, of what the reader may know."""

import gzip
import json
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire.publishing.release import release_due_articles
from newswire.search.analysis import analyse_texts
from newswire.search.expression import Term
from newswire.search.matching import match_texts, matches_article
from newswire.search.rebuild import rebuild_index
from newswire.search.relaxation import at_least
from newswire.timestamps import format_instant, now
from newswire.visibility import EVOLVES, id_target, link_term
from tests.support.databases import empty_database
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

AHEAD = "2199-01-01T00:00:00Z"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_articles = pytest.mark.skipif(not (SHARED / "articles").is_dir(), reason="needs ../shared/data/articles")


def related(caller: Caller, article: dict[str, Any] | str, query: str = "") -> list[tuple[str, str, str | None]]:
    """Relation, status and headline of each story."""
    article_id = article if isinstance(article, str) else article["id"]
    response = caller.get(f"/v1/articles/{article_id}/related?{query}")
    assert response.status_code == 200, response.text
    return [
        (item["relation"], item["status"], item["article"] and item["article"]["headline"])
        for item in response.get_json()["data"]
    ]


# Headlines have no word in common, so that nothing is similar.


def test_links_are_followed_in_both_directions_however_they_name_the_story(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    first = publisher.publish("Alpha", external_id="Story/1 ä")
    names = ["Story/1 ä", first["id"], first["uri"], first["id"].upper()]
    for number, name in enumerate(names):
        later = publisher.publish(f"Later{number}", evolves_from=name)
        assert related(partner, later) == [("evolves_from", "usable", "Alpha")]
    links = [{"external_id": "Story/1 ä"}, {"id": first["id"]}, {"uri": first["uri"]}, {"uri": "urn:x:other"}]
    for number, link in enumerate(links[:3]):
        beside = publisher.publish(f"Beside{number}", related=[link, links[3]])
        assert related(partner, beside) == [("related", "usable", "Alpha")]
    into = [("evolved_into", "usable", f"Later{number}") for number in (3, 2, 1, 0)]
    beside_it = [("related", "usable", f"Beside{number}") for number in (2, 1, 0)]
    for caller in (partner, publisher):
        assert related(caller, first) == [*into, *beside_it]
    assert related(partner, first, "limit=2") == into[:2]
    assert related(partner, first, "limit=5") == [*into, beside_it[0]]
    # What came as ninjs has its URI as the publisher's own id.
    by_uri = publisher.publish("Beta", external_id="tag:x,2026:beta")
    assert related(partner, publisher.publish("Gamma", related=[{"uri": "tag:x,2026:beta"}])) == [
        ("related", "usable", "Beta")
    ]
    assert related(partner, by_uri) == [("related", "usable", "Gamma")]


def test_a_link_is_one_of_the_current_version_and_each_story_stands_once(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    first, second = publisher.publish("Alpha", external_id="a"), publisher.publish("Beta", external_id="b")
    both = {"evolves_from": "a", "related": [{"external_id": "a"}, {"id": first["id"]}, {"external_id": "c"}]}
    third = publisher.publish("Gamma", external_id="c", **both)
    assert related(partner, third) == [("evolves_from", "usable", "Alpha")]
    assert related(partner, first) == [("evolved_into", "usable", "Gamma")]
    changed = {"headline": "Gamma", "evolves_from": "b"}
    assert publisher.put("/v1/publishers/reuters/articles/c", json=changed).status_code == 200
    assert related(partner, first) == []
    assert related(partner, second) == [("evolved_into", "usable", "Gamma")]
    # Ids of publishers are told apart by case, and those of another one are others.
    other = wire.as_publisher("afp")
    alien = other.publish("Delta", evolves_from="a", related=[{"external_id": "b"}, {"external_id": "B"}])
    assert related(partner, alien) == []
    assert related(partner, first) == []


def test_a_killed_story_is_told_to_whoever_was_told_of_it(wire: Wire) -> None:
    publisher, partner, world = wire.as_publisher(), wire.as_partner(), wire.as_partner("world", section=["world"])
    first = publisher.publish("Alpha", external_id="a", section="world")
    inside = publisher.publish("Beta", evolves_from="a", section="world", related=[{"external_id": "c"}])
    outside = publisher.publish("Gamma", external_id="c", evolves_from="a", section="sport")
    for dead in (inside, outside):
        assert publisher.delete(f"/v1/articles/{dead['id']}").status_code == 200
    gone = ("evolved_into", "canceled", None)
    assert related(partner, first) == related(publisher, first) == [gone, gone]
    assert related(world, first) == [gone]
    # Forward: the story that one evolves from, and one that the link names.
    later = publisher.publish("Delta", evolves_from=inside["id"], related=[{"external_id": "c"}], section="world")
    assert related(partner, later) == [("evolves_from", "canceled", None), ("related", "canceled", None)]
    assert related(world, later) == [("evolves_from", "canceled", None)]
    ids = [item["id"] for item in partner.get(f"/v1/articles/{later['id']}/related").get_json()["data"]]
    assert ids == [inside["id"], outside["id"]]
    # A kill takes every link along with it that the reader never saw.
    hidden = publisher.publish("Epsilon", section="world", external_id="e")
    moved = {"headline": "Epsilon", "section": "sport", "evolves_from": "a"}
    publisher.put("/v1/publishers/reuters/articles/e", json=moved)
    assert publisher.delete(f"/v1/articles/{hidden['id']}").status_code == 200
    assert related(world, first) == [gone]
    assert related(partner, first) == [gone, gone, gone]
    # The article itself: gone for whoever was told, unknown to others.
    problem_of(partner.get(f"/v1/articles/{outside['id']}/related"), "article_canceled")
    problem_of(world.get(f"/v1/articles/{outside['id']}/related"), "not_found")


def test_what_is_hidden_leaves_no_trace(database_url: str, request: pytest.FixtureRequest) -> None:
    """The answers of a wire with hidden stories around an article are those of one without, byte by byte."""
    answers = []
    engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    for hides in (True, False):
        with empty_database(request, engine) as url, closing(Wire(url)) as wire:
            answers.append(answers_of(wire, hides=hides))
    assert answers[0] == answers[1]
    assert len(answers[0]) == 3


def answers_of(wire: Wire, *, hides: bool) -> list[bytes]:
    """Answers about one article to a partner, and how a stranger's article changes none; the ids are made alike."""
    publisher, other = wire.as_publisher(), wire.as_publisher("afp")
    world = wire.as_partner("world", section=["world"])
    words = {"body_text": "Cocoa growers of the coast met exporters about harvest prices and storage."}
    links: dict[str, Any] = {"evolves_from": "f", "related": [{"external_id": name} for name in ("e", "s", "x", "w")]}
    article = publisher.publish("Cocoa growers meet", external_id="a", section="world", **links, **words)
    if hides:
        back = {"evolves_from": article["id"], "related": [{"id": article["id"]}], **words}
        for external_id, fields in {
            "e": {"embargoed_until": AHEAD, "section": "world"}, "s": {"section": "sport"},
            "x": {"expires_at": "2001-01-01T00:00:00Z", "section": "world"}, "w": {"section": "sport"},
            "f": {"embargoed_until": AHEAD, "section": "world"},
        }.items():  # fmt: skip
            publisher.publish("Cocoa growers met", external_id=external_id, **back, **fields)
            other.publish("Cocoa growers of the coast", section="sport", **back)
        publisher.delete("/v1/publishers/reuters/articles/w")
        publisher.delete("/v1/publishers/reuters/articles/f")
    near = publisher.publish("Cocoa growers and exporters met", section="world", **words)
    found = []
    for query in ("", "limit=1", "limit=20"):
        response = world.get(f"/v1/articles/{article['id']}/related?{query}")
        assert response.status_code == 200
        items = response.get_json()["data"]
        assert [(item["relation"], item["id"]) for item in items] == [("similar", near["id"])]
        found.append(neutral(response.get_json()["data"]))
    return found


def neutral(items: list[dict[str, Any]]) -> bytes:
    """Items without what differs between two wires in any case: ids, times, numbers."""
    for item in items:
        for name in ("id", "uri", "seq", "links", "digest", "created_at", "published_at", "updated_at"):
            item["article"][name] = None
        item["id"] = None
    return json.dumps(items).encode()


def test_an_embargoed_story_appears_when_it_is_released(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    first = publisher.publish("Alpha", external_id="a")
    soon = format_instant(now() + 3_600_000)
    later = publisher.publish("Beta", evolves_from="a", embargoed_until=soon)
    address = f"/v1/articles/{first['id']}/related"
    own = publisher.get(address)
    assert related(partner, first) == []
    assert related(publisher, first) == [("evolved_into", "withheld", "Beta")]
    assert related(publisher, later) == [("evolves_from", "usable", "Alpha")]
    problem_of(partner.get(f"/v1/articles/{later['id']}/related"), "not_found")
    # What is withheld changes without the head, and its publisher's ETag with it.
    assert publisher.get(address, headers={"If-None-Match": own.headers["ETag"]}).status_code == 304
    publisher.patch(f"/v1/articles/{later['id']}", json={"headline": "Betas"}, headers={"If-Match": "*"})
    assert publisher.get(address, headers={"If-None-Match": own.headers["ETag"]}).status_code == 200
    with wire.database.begin() as connection:
        assert release_due_articles(connection, now() + 3_600_001) == 1
    assert related(partner, first) == [("evolved_into", "usable", "Betas")]


def test_it_is_answered_like_a_list(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    first = publisher.publish("Alpha", external_id="a/related")
    publisher.publish("Beta", external_id="b", evolves_from="a/related", body_text="Text", section="world")
    address = f"/v1/articles/{first['id']}/related"
    answer = partner.get(address)
    tag = answer.headers["ETag"]
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert partner.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert partner.call("HEAD", address).headers["ETag"] == tag
    item = answer.get_json()["data"][0]
    listed = partner.get("/v1/articles?limit=1").get_json()["data"][0]
    assert item == {"relation": "evolved_into", "id": listed["id"], "status": "usable", "article": listed}
    publisher.publish("Gamma")
    assert partner.get(address, headers={"If-None-Match": tag}).status_code == 200
    for query in ("limit=0", "limit=21", "cursor=1", "q=a", "limit=x"):
        assert partner.get(f"{address}?{query}").status_code == 400, query
    assert partner.post(address).status_code == 405
    assert wire.client.get(address).status_code == 401
    # By the publisher's own id, of which one ends as the address does.
    external = "/v1/publishers/reuters/articles/a/related"
    assert partner.get(external).get_json()["headline"] == "Alpha"
    by_name = partner.get(f"{external}/related")
    assert by_name.get_json()["data"] == answer.get_json()["data"]
    assert by_name.headers["Content-Location"].endswith(address)
    assert partner.get("/v1/publishers/reuters/articles/b/related?limit=1").get_json()["data"][0]["id"] == first["id"]
    for name in ("b", "unknown"):
        for query in ("limit=21", "cursor=1"):
            assert partner.get(f"/v1/publishers/reuters/articles/{name}/related?{query}").status_code == 400
    problem_of(partner.get("/v1/publishers/reuters/articles/unknown/related"), "not_found")


def test_an_index_that_is_built_again_keeps_the_links_of_killed_stories(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    first = publisher.publish("Alpha", external_id="a")
    dead = publisher.publish("Beta", evolves_from="a")
    publisher.publish("Gamma", related=[{"external_id": "a"}])
    publisher.delete(f"/v1/articles/{dead['id']}")
    before = related(partner, first)
    assert before == [("evolved_into", "canceled", None), ("related", "usable", "Gamma")]
    with wire.database.begin() as connection:
        table = "search_place" if wire.is_sqlite else "search_document"
        connection.exec_driver_sql(f"UPDATE {table} SET index_version = '0'")
    assert [*rebuild_index(wire.database)][-1] == 3
    assert related(partner, first) == before


def test_no_filter_can_ask_for_a_link(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    first = publisher.publish("Alpha", external_id="a")
    publisher.publish("Beta", evolves_from=first["id"])
    term = link_term(EVOLVES, id_target(first["id"]))
    for name in ("keyword", "section", "subject", "author", "place", "publisher", "external_id", "ids"):
        assert partner.listed(f"{name}={term}") == []
    for text in (term, f"_{term}", f"{term.partition('_')[2]}"):
        assert partner.listed(f"q={text}") == []
    # Nor can an article be given the term of another one's links.
    forger = wire.as_publisher("afp")
    forged = forger.publish("Gamma", keywords=[term], section=term, external_id=term, subjects=[{"code": term}])
    assert ("evolved_into", "usable", "Gamma") not in related(partner, first)
    assert forged["keywords"] == [term]


# More like this.


def publish_all(publisher: Caller, articles: list[dict[str, Any]]) -> list[str]:
    """Publishes articles; returns their ids."""
    results = publisher.post("/v1/articles/batch", json=articles).get_json()["results"]
    assert {result["status"] for result in results} == {201}
    return [result["id"] for result in results]


def real_articles(name: str, number: int, language: str) -> list[dict[str, Any]]:
    with gzip.open(SHARED / "articles" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        read = [json.loads(line) for line in islice(lines, number)]
    return [
        {"headline": each["headline"][:400] or "No headline", "body_text": each.get("body_text"), "language": language,
         "external_id": each["external_id"]}
        for each in read
    ]  # fmt: skip


@needs_articles
def test_more_like_this_finds_the_near_story_among_real_ones(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    english = real_articles("reuters21578", 300, "en")
    ids = publish_all(publisher, [*english, *real_articles("gnad10k_test", 40, "de")])
    by_name = {article["external_id"]: article_id for article, article_id in zip(english, ids, strict=False)}
    express = by_name["reuters21578-266"]
    found = [headline for relation, _, headline in related(partner, express) if relation == "similar"]
    assert found[0] is not None
    assert "AMERICAN EXPRESS <AXP>" in found[0]
    # The article itself, what is linked, and other languages are not among them.
    address = f"/v1/articles/{express}"
    for item in partner.get(f"{address}/related?limit=20").get_json()["data"]:
        assert item["article"]["language"] == "en"
        assert item["id"] != express
    first = partner.get(f"{address}/related?limit=1").get_json()["data"][0]["id"]
    linked = {**english[258], "related": [{"id": first}]}
    assert linked["external_id"] == "reuters21578-266"
    assert publisher.put(address, json=linked, headers={"If-Match": "*"}).status_code == 200
    again = partner.get(f"{address}/related").get_json()["data"]
    assert [item["relation"] for item in again if item["id"] == first] == ["related"]


@pytest.mark.parametrize(
    ("language", "other", "body", "near", "far"),
    [
        ("en-GB", "de", "Cocoa growers met exporters on the coast.", "Exporters meet a cocoa grower.", "Rain in Oslo."),
        ("ja", "zh", "東京の株式市場は大幅に下落した。", "株式市場が下落、東京で。", "北海道の天気は晴れ。"),
        ("th", "lo", "ตลาดหุ้นกรุงเทพตกหนักวันนี้", "ตลาดหุ้นตกหนัก", "ฝนตกที่เชียงใหม่"),
        ("eo", "en", "La registaro anoncis novan leĝon pri akvo.", "Nova leĝo pri akvo anoncita.", "Suno brilas."),
    ],
)
def test_more_like_this_knows_scripts_and_inflections_and_one_language_only(
    wire: Wire, language: str, other: str, body: str, near: str, far: str
) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    article = publisher.publish("1", body_text=body, language=language)
    publisher.publish("2", body_text=near, language=language.partition("-")[0])
    publisher.publish("3", body_text=far, language=language)
    publisher.publish("4", body_text=body, language=other)
    assert related(partner, article) == [("similar", "usable", "2")]


def test_an_article_without_words_has_no_similar_ones(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    for headline in ("…", "!!", "12", "x"):
        article = publisher.publish(headline)
        publisher.publish(headline)
        assert related(partner, article) == []
    flash = publisher.publish("Quake")
    publisher.publish("Quakes")
    assert related(partner, flash) == [("similar", "usable", "Quakes")]


@pytest.mark.parametrize("shared", [1, 2, 3])
@given(present=st.sets(st.integers(0, 4)), size=st.integers(3, 5))
def test_an_expression_asks_for_so_many_of_the_words(shared: int, present: set[int], size: int) -> None:
    words = [Term(f"word{number}x", f"word{number}x") for number in range(size)]
    text = " ".join(words[number].form for number in present if number < size)
    article = match_texts(analyse_texts({"headline": text}, "en"))
    assert matches_article(at_least(shared, words), article) == (len(text.split()) >= shared)
