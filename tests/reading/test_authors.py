"""One author: the newest of the articles that its reader may see wins, and an article keeps what it said then."""

from typing import Any

from newswire.accounts.publishers import change_publisher
from newswire.publishing.draft import author_id
from newswire.timestamps import format_instant, now
from tests.reading.test_directory import everything
from tests.support.site import problem_of
from tests.support.wire import Caller, Wire

ONE, TWO, THREE = (f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3))
FIELDS = ("role", "bio", "url", "avatar_url", "organization")
ANN = author_id("reuters", "Ann Lee")


def by(name: str = "Ann Lee", **said: Any) -> list[dict[str, Any]]:
    return [{"name": name, **said}]


def profile(caller: Caller, each: str = ANN) -> dict[str, Any]:
    """The page of an author, which must say what the list of authors says."""
    response = caller.get(f"/v1/authors/{each}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    assert [item for item in everything(caller, "/v1/authors?limit=1") if item["id"] == each] == [found]
    return found


def test_an_author_is_shown_whole(wire: Wire) -> None:
    said = {"role": "Editor", "bio": "Writes.\nEdits.", "url": "https://ann.example/", "organization": "Reuters"}
    wire.as_publisher().publish(authors=by(**said, avatar_url="/ann.png"), url="https://news.example/a/1")
    assert profile(wire.as_partner()) == {
        "id": ANN, "name": "Ann Lee", "publisher": {"slug": "reuters", "name": "Reuters", "url": "https://news.example/"},
        **said, "avatar_url": "https://news.example/ann.png", "count": {"value": 1, "relation": "eq"},
        "links": {"self": f"http://localhost/v1/authors/{ANN}", "articles": f"http://localhost/v1/articles?author={ANN}"},
    }  # fmt: skip


def test_for_each_field_the_article_published_last_that_gives_it_wins(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish(published_at=TWO, authors=by(bio="second", role="Writer"))
    publisher.publish(published_at=ONE, authors=by(bio="first", organization="Reuters", role="Trainee"))
    publisher.publish(published_at=THREE, authors=by("ANN  LEE", role="Editor"))
    found = profile(partner)
    assert {name: found[name] for name in ("name", *FIELDS)} == {
        "name": "ANN LEE", "role": "Editor", "bio": "second", "organization": "Reuters", "url": None, "avatar_url": None
    }  # fmt: skip
    assert found["count"]["value"] == 3
    items = partner.get("/v1/articles").get_json()["data"]
    assert [(item["authors"][0]["bio"], item["authors"][0]["role"]) for item in items] == [
        (None, "Editor"), ("second", "Writer"), ("first", "Trainee")
    ]  # fmt: skip


def test_of_articles_of_one_moment_the_one_received_last_wins(wire: Wire) -> None:
    publisher = wire.as_publisher()
    for bio in ("first", "second"):
        publisher.publish(published_at=ONE, authors=by(bio=bio))
    assert profile(publisher)["bio"] == "second"


def test_a_new_version_takes_back_what_the_one_before_said(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    publisher.publish(published_at=ONE, authors=by(bio="first"))
    address = "/v1/publishers/reuters/articles/a"
    for authors, bio, count in (
        (by(bio="wrong"), "wrong", 2), (by(bio="right"), "right", 2), (by(), "first", 2), (by("Bob"), "first", 1)
    ):  # fmt: skip
        publisher.put(address, json={"headline": "x", "published_at": TWO, "authors": authors})
        found = profile(partner)
        assert (found["bio"], found["count"]["value"]) == (bio, count)


def test_a_kill_takes_back_what_the_article_said_and_at_last_the_author(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    first = publisher.publish(published_at=ONE, authors=by(bio="first"))
    second = publisher.publish(published_at=TWO, authors=by(bio="second"))
    assert profile(partner)["bio"] == "second"
    publisher.delete(f"/v1/articles/{second['id']}")
    assert profile(partner)["bio"] == "first"
    publisher.delete(f"/v1/articles/{first['id']}")
    for caller in (partner, publisher, wire.as_admin()):
        problem_of(caller.get(f"/v1/authors/{ANN}"), "not_found")
        assert everything(caller, "/v1/authors") == []


def test_a_reader_is_told_what_the_articles_say_that_it_may_see(wire: Wire) -> None:
    publisher = wire.as_publisher()
    hour_ago, ahead = format_instant(now() - 3_600_000), "2199-01-01T00:00:00Z"
    publisher.publish(published_at=ONE, section="world", authors=by(bio="world", role="Writer"))
    publisher.publish(published_at=TWO, section="sport", authors=by("ann lee", bio="sport", organization="The Ball"))
    publisher.publish(published_at=THREE, section="world", authors=by(bio="expired"), expires_at=hour_ago)
    publisher.publish(
        section="world", authors=by(bio="embargoed", url="https://secret.example/"), embargoed_until=ahead
    )
    told = {
        name: profile(caller)
        for name, caller in {
            "everything": wire.as_partner(), "world": wire.as_partner("world", section=["World"]), "owner": publisher
        }.items()
    }  # fmt: skip
    assert {name: (found["bio"], found["count"]["value"]) for name, found in told.items()} == {
        "everything": ("sport", 2), "world": ("world", 1), "owner": ("expired", 3)
    }  # fmt: skip
    assert (told["world"]["name"], told["world"]["organization"], told["world"]["role"]) == ("Ann Lee", None, "Writer")
    assert {found["url"] for found in told.values()} == {None}
    problem_of(wire.as_partner("arts", section=["arts"]).get(f"/v1/authors/{ANN}"), "not_found")


def test_the_same_name_at_two_publishers_is_two_authors(wire: Wire) -> None:
    reuters, ap = wire.as_publisher(), wire.as_publisher("ap")
    reuters.publish(authors=by(bio="of Reuters"))
    ap.publish(authors=by(bio="of AP"))
    found = everything(wire.as_partner(), "/v1/authors?limit=1")
    assert {(item["bio"], item["publisher"]["slug"]) for item in found} == {("of Reuters", "reuters"), ("of AP", "ap")}
    problem_of(ap.get(f"/v1/authors/{ANN}"), "not_found")


def test_an_author_named_twice_in_an_article_is_one(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.publish(authors=[*by(role="Text"), *by("ann lee", role="Pictures", bio="Takes pictures."), *by("Bob")])
    found = profile(publisher)
    assert (found["name"], found["role"], found["bio"]) == ("Ann Lee", "Text", "Takes pictures.")
    assert [item["name"] for item in everything(publisher, "/v1/authors")] == ["Ann Lee", "Bob"]


def test_whoever_is_named_like_the_id_of_an_author_is_not_that_author(wire: Wire) -> None:
    reuters, ap, partner = wire.as_publisher(), wire.as_publisher("ap"), wire.as_partner()
    reuters.publish("Hers", authors=by(bio="true"), published_at=ONE)
    ap.publish("False", authors=by(ANN, bio="false"))
    ap.publish("False too", authors=by(ANN.upper(), bio="false"))
    assert (profile(partner)["bio"], profile(partner)["count"]["value"]) == ("true", 1)
    assert partner.listed(f"author={ANN}") == ["Hers"]
    problem_of(ap.get(f"/v1/authors/{ANN}"), "not_found")
    assert ap.listed(f"author={ANN}") == []


def test_what_an_article_says_of_an_author_cannot_be_asked_for_by_a_filter(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.publish(authors=by(bio="x"))
    for kind in ("author", "section", "keyword", "subject", "place", "ids", "external_id", "publisher", "language"):
        for value in (f"profile_bio_{ANN}", f"bio_{ANN}"):
            assert publisher.listed(f"{kind}={value}") == []


def test_what_is_no_id_of_an_author_is_not_found(wire: Wire) -> None:
    publisher = wire.as_publisher()
    publisher.publish(authors=by())
    assert publisher.get(f"/v1/authors/{ANN}").status_code == 200
    for each in ("none", ANN.upper(), ANN[:-1], f"{ANN}0", f" {ANN}", "Ann Lee", "*", "%25", "%00", "é", '"'):
        problem_of(publisher.get(f"/v1/authors/{each}"), "not_found")


def test_a_publisher_that_was_renamed_is_shown_as_it_is_called_now(wire: Wire) -> None:
    wire.as_publisher().publish(authors=by())
    partner = wire.as_partner()
    tag = partner.get(f"/v1/authors/{ANN}").headers["ETag"]
    with wire.database.begin() as connection:
        change_publisher(connection, "reuters", {"name": "Thomson Reuters", "url": None})
    response = partner.get(f"/v1/authors/{ANN}", headers={"If-None-Match": tag})
    assert response.get_json()["publisher"] == {"slug": "reuters", "name": "Thomson Reuters", "url": None}
    assert [item["name"] for item in everything(partner, "/v1/publishers?q=thom")] == ["Thomson Reuters"]
