"""`newswire publisher`, `partner`, `key`: who may call."""

from pathlib import Path

import pytest

from newswire.accounts.callers import find_caller
from newswire.store.database import Database
from newswire.timestamps import now, parse_instant
from tests.support.command import Cli


def test_a_publisher_is_added_changed_and_listed(cli: Cli) -> None:
    cli.must(
        "publisher",
        "add",
        "gazette",
        "--name",
        "The  Gazette",
        "--url",
        "https://gazette.example",
        "--language",
        "EN-gb",
    )
    assert cli.json("publisher", "list") == [
        {"slug": "gazette", "name": "The Gazette", "url": "https://gazette.example", "language": "en-GB"}
    ]
    changed = cli.json("publisher", "set", "gazette", "--url", "", "--language", "de")
    assert changed == {"slug": "gazette", "name": "The Gazette", "url": None, "language": "de"}
    assert [changed] == cli.json("publisher", "list")
    assert "gazette  The Gazette  -    de" in cli.must("publisher", "list")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "x"), "Missing option '--name'"),
        (("add", "x", "--name", " "), "Must not be blank"),
        (("add", "x", "--name", "X", "--url", "ftp://x.example"), "http or https"),
        (("add", "x", "--name", "X", "--url", "/only/a/path"), "http or https"),
        (("add", "x", "--name", "X", "--language", "the English one"), "BCP 47"),
        (("set", "x"), "Nothing to change"),
        (("set", "x", "--language", ""), "needs a language"),
    ],
)
def test_wrong_usage_of_publisher_is_told(sqlite_cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    result = sqlite_cli.run("publisher", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_what_cannot_be_done_with_publishers_is_one_sentence(sqlite_cli: Cli) -> None:
    sqlite_cli.must("publisher", "add", "gazette", "--name", "The Gazette")
    refused = sqlite_cli.refused
    assert refused("publisher", "add", "gazette", "--name", "G") == "Error: There is a publisher 'gazette' already.\n"
    assert "is not a slug" in refused("publisher", "add", "The Gazette", "--name", "The Gazette")
    assert "There is no publisher 'times'" in refused("publisher", "set", "times", "--name", "The Times")


def test_a_partner_gets_an_entitlement_another_one_and_none(cli: Cli) -> None:
    cli.must("publisher", "add", "gazette", "--name", "The Gazette")
    only = (
        "--only",
        "section=world,uk",
        "--only",
        "section= sport ,uk",
        "--only",
        "language=EN",
        "--only",
        "publisher=gazette",
    )
    added = cli.json("partner", "add", "radio", "--name", "Radio Nord", *only)
    entitlement = {"section": ["world", "uk", "sport"], "language": ["en"], "publisher": ["gazette"]}
    assert added == {"slug": "radio", "name": "Radio Nord", "entitlement": entitlement}
    assert "section=world,uk,sport language=en publisher=gazette" in cli.must("partner", "list")
    assert cli.json("partner", "set", "radio", "--name", "Radio Süd")["entitlement"] == entitlement
    assert cli.json("partner", "set", "radio", "--only", "keyword=tide")["entitlement"] == {"keyword": ["tide"]}
    assert cli.json("partner", "set", "radio", "--everything") == {
        "slug": "radio", "name": "Radio Süd", "entitlement": {},
    }  # fmt: skip
    assert "everything" in cli.must("partner", "list")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "p", "--name", "P", "--only", "langauge=en"), "Did you mean language?"),
        (("add", "p", "--name", "P", "--only", "author=jane"), "publisher, section, language, keyword, subject."),
        (("add", "p", "--name", "P", "--only", "section"), "say which: --only section=A,B"),
        (("add", "p", "--name", "P", "--only", "section= ,"), "say which: --only section=A,B"),
        (("add", "p", "--name", "P", "--only", "language=e"), "BCP 47"),
        (("set", "p"), "Nothing to change"),
        (("set", "p", "--everything", "--only", "section=world"), "exclude each other"),
    ],
)
def test_wrong_usage_of_partner_is_told(sqlite_cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    result = sqlite_cli.run("partner", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_entitlement_to_a_publisher_that_is_not_there_is_refused(sqlite_cli: Cli) -> None:
    said = sqlite_cli.refused("partner", "add", "radio", "--name", "Radio", "--only", "publisher=gazete")
    assert "There is no publisher 'gazete'" in said
    assert sqlite_cli.json("partner", "list") == []


def test_a_key_is_alone_on_standard_output_and_opens_the_wire(cli: Cli) -> None:
    cli.must("publisher", "add", "gazette", "--name", "The Gazette")
    made = cli.run(
        "key", "create", "--publisher", "gazette", "--scope", "publish", "--expires", "90d", "--label", "CMS"
    )
    key = made.stdout.removesuffix("\n")
    assert key.startswith("nw_")
    assert len(key.split()) == 1
    assert "Key 1 of publisher gazette, for publish; expires at" in made.stderr
    assert key not in made.stderr
    database = Database(cli.database_url)
    with database.read() as connection:
        caller = find_caller(connection, key, now())
    database.dispose()
    assert caller is not None
    assert (caller.kind, caller.slug, caller.label) == ("publisher", "gazette", "CMS")
    assert caller.scopes == {"publish"}


def test_keys_are_listed_without_themselves_and_revoked(cli: Cli) -> None:
    cli.must("partner", "add", "radio", "--name", "Radio Nord")
    made = cli.json("key", "create", "--partner", "radio", "--expires", "12h")
    cli.must("key", "create", "--admin", "--label", "for the desk")
    assert abs(parse_instant(made["expires_at"]) - now() - 12 * 3600_000) < 60_000
    first, second = cli.json("key", "list")
    assert (first["id"], first["kind"], first["slug"], first["scopes"]) == (made["id"], "partner", "radio", ["read"])
    assert (second["kind"], second["scopes"], second["label"]) == (
        "admin",
        ["admin", "publish", "read"],
        "for the desk",
    )
    assert made["key"] not in cli.must("key", "list")
    cli.must("key", "revoke", str(made["id"]))
    assert [key["state"] for key in cli.json("key", "list")] == ["revoked", "in use"]
    assert "There is no key 1 in use" in cli.refused("key", "revoke", "1")


def test_a_signing_key_needs_the_setting_that_its_secret_is_derived_from(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cli.must("publisher", "add", "gazette", "--name", "The Gazette")
    assert "Set it" in cli.refused("key", "create", "--publisher", "gazette", "--signing")
    monkeypatch.setenv("NEWSWIRE_SECRET", "x" * 31)
    assert "at least 32 characters" in cli.refused("key", "create", "--publisher", "gazette", "--signing")
    monkeypatch.delenv("NEWSWIRE_SECRET")
    (tmp_path / "secret").write_text("x" * 32 + "\n")
    monkeypatch.setenv("NEWSWIRE_SECRET_FILE", str(tmp_path / "secret"))
    made = cli.json("key", "create", "--publisher", "gazette", "--signing", "--label", "superdesk", "--expires", "90d")
    assert made["secret"].startswith("nws_")
    (listed,) = cli.json("key", "list")
    assert (listed["signing"], listed["scopes"], listed["label"]) == (True, ["publish"], "superdesk")
    shown = cli.must("key", "list")
    assert "signing" in shown
    assert made["secret"] not in shown
    cli.must("key", "revoke", str(made["id"]))
    for wrong in (["--admin"], ["--publisher", "gazette", "--scope", "read"]):
        assert cli.run("key", "create", "--signing", *wrong).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say whose key it is"),
        (("--admin", "--partner", "radio"), "Say whose key it is"),
        (("--admin", "--scope", "write"), "'write' is not one of"),
        (("--admin", "--expires", "soon"), "such as 12h, 90d or 52w"),
        (("--admin", "--expires", "0d"), "such as 12h, 90d or 52w"),
        (("--admin", "--expires", "9999999w"), "a hundred years at most"),
    ],
)
def test_wrong_usage_of_key_create_is_told(sqlite_cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    result = sqlite_cli.run("key", "create", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_key_of_nobody_or_with_a_scope_beyond_its_party_is_refused(sqlite_cli: Cli) -> None:
    sqlite_cli.must("partner", "add", "radio", "--name", "Radio Nord")
    assert "There is no publisher 'gazette'" in sqlite_cli.refused("key", "create", "--publisher", "gazette")
    assert "cannot have the scope publish" in sqlite_cli.refused(
        "key", "create", "--partner", "radio", "--scope", "publish"
    )


def test_lists_that_are_empty_say_so(sqlite_cli: Cli) -> None:
    for what in ("publisher", "partner", "key"):
        assert sqlite_cli.must(what, "list") == f"No {what}s yet.\n"
        assert sqlite_cli.json(what, "list") == []
