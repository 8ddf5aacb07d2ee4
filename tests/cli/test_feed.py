"""`newswire feed`, and what `key revoke` says of feed tokens: the operator sees and ends the access of any party."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.command import Cli, api


def make_feed(client: FlaskClient, key: str, name: str, **fields: Any) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    made = client.post("/v1/feeds", json={"name": name, "query": "section=world"} | fields, headers=headers)
    assert made.status_code == 201, made.text
    token: str = made.get_json()["token"]
    return token


def status_of(client: FlaskClient, name: str, token: str) -> int:
    return client.get(f"/v1/feeds/{name}.rss?token={token}").status_code


def make_parties(cli: Cli) -> dict[str, str]:
    """A publisher and a partner of the same slug, another partner and an admin, each with a key, by their names."""
    cli.must("publisher", "add", "radio", "--name", "Radio")
    for slug in ("radio", "courier"):
        cli.must("partner", "add", slug, "--name", slug.title())
    owners = {"publisher:radio": ("--publisher", "radio"), "partner:radio": ("--partner", "radio"),
              "partner:courier": ("--partner", "courier"), "admin": ("--admin",)}  # fmt: skip
    return {party: cli.json("key", "create", *owner)["key"] for party, owner in owners.items()}


def test_the_feeds_of_every_party_are_listed_and_any_token_is_revoked(cli: Cli) -> None:
    keys = make_parties(cli)
    with api(cli) as client:
        tokens = {party: make_feed(client, key, "desk", title=f"Of {party}") for party, key in keys.items()}
        make_feed(client, keys["partner:courier"], "arts")
        listed = cli.json("feed", "list")
        assert [(feed["party"], feed["name"], feed["has_token"]) for feed in listed] == [
            ("admin", "desk", True), ("partner:courier", "arts", True), ("partner:courier", "desk", True),
            ("partner:radio", "desk", True), ("publisher:radio", "desk", True),
        ]  # fmt: skip
        assert listed[0]["query"] == {"section": ["world"]}
        assert [feed["title"] for feed in cli.json("feed", "list", "partner:radio")] == ["Of partner:radio"]
        assert [feed["name"] for feed in cli.json("feed", "list", "courier")] == ["arts", "desk"]
        assert [feed["title"] for feed in cli.json("feed", "list", "admin")] == ["Of admin"]
        everything = cli.must("feed", "list")
        assert "partner:courier  arts  -                   yes    20" in everything
        assert not any(token in everything for token in tokens.values())

        revoked = cli.json("feed", "revoke", "partner:radio", "desk")
        assert (revoked["party"], revoked["name"], revoked["has_token"]) == ("partner:radio", "desk", False)
        assert {party: status_of(client, "desk", token) for party, token in tokens.items()} == {
            "publisher:radio": 200, "partner:radio": 401, "partner:courier": 200, "admin": 200,
        }  # fmt: skip
        assert "Revoked the token of the feed desk; POST /v1/feeds/desk/token" in cli.must(
            "feed", "revoke", "admin", "desk"
        )
        assert status_of(client, "desk", tokens["admin"]) == 401
        assert "admin            desk  Of admin            no     20" in cli.must("feed", "list")
        headers = {"Authorization": f"Bearer {keys['partner:radio']}"}
        renewed = client.post("/v1/feeds/desk/token", headers=headers).get_json()["token"]
        assert status_of(client, "desk", renewed) == 200


def test_what_cannot_be_listed_or_revoked_is_one_sentence(cli: Cli) -> None:
    assert (cli.must("feed", "list"), cli.json("feed", "list")) == ("No feeds yet.\n", [])
    keys = make_parties(cli)
    assert cli.must("feed", "list", "courier") == "No feeds of courier yet.\n"
    with api(cli) as client:
        make_feed(client, keys["partner:courier"], "desk")
    for command in (("list",), ("revoke", "desk")):
        verb, *name = command
        assert cli.refused("feed", verb, "radio", *name) == (
            "Error: 'radio' is a publisher and a partner; say publisher:radio or partner:radio.\n"
        )
        for unknown in ("times", "publisher:courier", "admin:radio", "", ":"):
            said = cli.refused("feed", verb, unknown, *name)
            assert said.startswith(f"Error: There is no party {unknown!r}; name it as partner:SLUG")
    assert cli.refused("feed", "revoke", "courier", "arts") == (
        "Error: There is no feed 'arts' of courier; see `newswire feed list courier`.\n"
    )
    cli.must("feed", "revoke", "courier", "desk")
    assert "The feed 'desk' of courier has no token" in cli.refused("feed", "revoke", "courier", "desk")


@pytest.mark.parametrize("arguments", [("revoke",), ("revoke", "courier"), ("list", "a", "b"), ("delete", "a", "b")])
def test_wrong_usage_of_feed_is_told(sqlite_cli: Cli, arguments: tuple[str, ...]) -> None:
    result = sqlite_cli.run("feed", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: newswire feed" in result.stderr


def test_revoking_a_key_says_which_tokens_end_with_it(cli: Cli) -> None:
    keys = make_parties(cli)
    numbers = {(key["kind"], key["slug"]): str(key["id"]) for key in cli.json("key", "list")}
    with api(cli) as client:
        tokens = [make_feed(client, keys["partner:courier"], name) for name in ("a", "b")]
        spare = cli.json("key", "create", "--partner", "courier")["id"]
        first = cli.run("key", "revoke", numbers["partner", "courier"])
        assert (first.stdout, first.stderr) == (f"Revoked key {numbers['partner', 'courier']}.\n", "")
        assert status_of(client, "a", tokens[0]) == 200
        last = cli.run("key", "revoke", str(spare))
        assert last.stdout == f"Revoked key {spare}.\n"
        assert "the last key of partner:courier that may read: the tokens of 2 of its feeds" in last.stderr
        assert [status_of(client, name, token) for name, token in zip("ab", tokens, strict=True)] == [401, 401]
    assert cli.json("key", "revoke", numbers["admin", None]) == {
        "id": int(numbers["admin", None]), "state": "revoked", "revoked_tokens": 0,
    }  # fmt: skip
