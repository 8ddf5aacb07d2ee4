"""What the pages of docs/ promise in prose, where no command on them shows it."""

import re
import socket
from pathlib import Path
from typing import Any

import pytest

from newswire.publishing import release
from newswire.timestamps import format_instant, now
from tests.support.command import Cli, api
from tests.support.wire import Caller, Wire

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs"
LATER = "2099-01-15T06:00:00Z"


def withheld(publisher: Caller, name: str, **fields: Any) -> dict[str, Any]:
    """An article under an embargo, as it is served to its publisher."""
    sent = {"headline": "Budget", "embargoed_until": LATER, **fields}
    article: dict[str, Any] = publisher.put(f"/v1/publishers/reuters/articles/{name}", json=sent).get_json()
    assert (article["status"], article["seq"]) == ("withheld", None)
    return article


def test_an_embargoed_article_is_there_for_its_publisher_and_an_admin_and_nobody_else(wire: Wire) -> None:
    article = withheld(wire.as_publisher(), "1")
    address = f"/v1/articles/{article['id']}"
    seen = {"publisher": wire.as_publisher(), "admin": wire.as_admin(), "partner": wire.as_partner(),
            "another publisher": wire.as_publisher("gazette")}  # fmt: skip
    assert {name: caller.get(address).status_code for name, caller in seen.items()} == {
        "publisher": 200, "admin": 200, "partner": 404, "another publisher": 404,
    }  # fmt: skip
    for caller in (seen["partner"], seen["another publisher"]):
        assert caller.get("/v1/articles?status=withheld").get_json()["data"] == []
        assert caller.changes() == []


def test_an_embargo_is_lifted_by_a_put_without_it_and_by_a_patch_with_null(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    withheld(publisher, "1")
    second = withheld(publisher, "2")
    lifted = publisher.put("/v1/publishers/reuters/articles/1", json={"headline": "Budget"}).get_json()
    patched = publisher.patch(
        f"/v1/articles/{second['id']}", json={"embargoed_until": None}, headers={"If-Match": "*"}
    ).get_json()
    assert [article["status"] for article in (lifted, patched)] == ["usable", "usable"]
    assert [entry["type"] for entry in partner.changes()] == ["article.published"] * 2


def test_an_embargo_that_has_passed_withholds_nothing(wire: Wire) -> None:
    sent = {"headline": "Budget", "embargoed_until": "2020-01-15T06:00:00Z"}
    assert wire.as_publisher().put("/v1/publishers/reuters/articles/1", json=sent).get_json()["status"] == "usable"


def test_a_release_changes_no_date_and_needs_a_worker(wire: Wire) -> None:
    publisher, partner = wire.as_publisher(), wire.as_partner()
    soon = now() + 60_000
    dated = withheld(publisher, "1", embargoed_until=format_instant(soon), published_at="2026-05-05T05:05:05.000Z")
    undated = withheld(publisher, "2", embargoed_until=format_instant(soon))
    assert partner.changes() == []
    with wire.database.begin() as connection:
        # What a worker does a minute later; nothing else releases.
        assert release.release_due_articles(connection, soon + 1) == 2
    found = {entry["article"]["external_id"]: entry["article"]["published_at"] for entry in partner.changes()}
    assert found == {"1": dated["published_at"], "2": undated["published_at"]}


@pytest.mark.parametrize("public", [True, False])
def test_an_event_source_without_a_key_follows_a_public_wire_and_no_other(cli: Cli, public: bool) -> None:
    cli.must("publisher", "add", "port", "--name", "Port Authority")
    key = cli.json("key", "create", "--publisher", "port")["key"]
    with api(cli, public_read=public) as client:
        sent = {"Authorization": f"Bearer {key}"}
        for number in (1, 2):
            client.post("/v1/articles", json={"headline": f"Story {number}"}, headers=sent)
        # All that a browser's EventSource sends: its type, and from the second time on the last id.
        first = client.get("/v1/changes", headers={"Accept": "text/event-stream"}, buffered=False)
        if not public:
            assert first.status_code == 401
            return
        text = read_events(first.response, 2)
        assert re.findall(r"^event: (.*)$", text, re.MULTILINE) == ["article.published"] * 2
        last = re.findall(r"^id: (.*)$", text, re.MULTILINE)[-2]
        again = client.get(
            "/v1/changes", headers={"Accept": "text/event-stream", "Last-Event-ID": last}, buffered=False
        )
        assert read_events(again.response, 1).count("Story 2") == 1
        first.close()
        again.close()


def read_events(stream: Any, number: int) -> str:
    """The beginning of a stream, up to so many events with data."""
    text = ""
    for piece in stream:
        text += bytes(piece).decode()
        if text.count("\ndata: ") >= number:
            return text
    raise AssertionError("the stream has ended")


def test_no_page_promises_that_an_event_source_sends_a_key() -> None:
    for page in sorted(DOCUMENTATION.rglob("*.md")):
        for paragraph in re.split(r"\n\n|\n- ", page.read_text(encoding="utf-8")):
            if "EventSource" in paragraph:
                assert "key" in paragraph, f"{page.name}: {paragraph}"


def error_lines(name: str) -> list[str]:
    """The error messages that a page shows, each without `Error: `."""
    page = (DOCUMENTATION / "how-to" / name).read_text(encoding="utf-8")
    return [str(found[1]) for found in re.finditer(r"^ *Error: (.*)$", page, re.MULTILINE)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "name", "value"),
    [
        ("is not a setting of Newswire", "NEWSWIRE_DATABSE_URL", "sqlite:///x.db"),
        ("must begin with sqlite:///", "NEWSWIRE_DATABASE_URL", "mysql://db/newswire"),
        ("unable to open database file", "NEWSWIRE_DATABASE_URL", "sqlite:////var/lib/newswire/newswire.db"),
    ],
)
def test_a_server_that_cannot_start_says_what_the_page_shows(shown: str, name: str, value: str) -> None:
    if Path("/var/lib/newswire").exists():
        pytest.skip("there is a wire on this machine, at the address of the example")
    [line] = [line for line in error_lines("deploy.md") if shown in line]
    done = Cli("sqlite:///nowhere.db").finished("serve", "--port", "0", env={name: value})
    assert (done.returncode, done.stderr) == (1, f"Error: {line}\n")


@pytest.mark.slow
def test_a_port_that_is_in_use_is_named_as_the_page_shows(sqlite_cli: Cli) -> None:
    [line] = [line for line in error_lines("deploy.md") if "is in use already" in line]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = sqlite_cli.finished("serve", "--port", port)
    assert (done.returncode, done.stderr) == (1, f"Error: {line.replace('8000', port)}\n")
