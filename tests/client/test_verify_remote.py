"""`newswire verify --remote`: what a partner can prove about a wire, and about its copy of it, from outside."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, delete, update

from newswire.store.database import Database
from newswire.store.tables import entry, head, version
from newswire.wire import chain_value
from tests.support.command import Cli
from tests.support.databases import ENGINES, copied_database, empty_database
from tests.support.served import Client, Wire, answering, page, served

STORIES = 20
Told = list[dict[str, Any]]


@pytest.fixture(scope="module", params=ENGINES)
def written(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of the database of a wire of 20 stories, an update and a kill, which is not served any more."""
    with empty_database(request, request.param) as url:
        with served(Cli(url)) as wire:
            publisher = wire.publisher()
            for number in range(STORIES):
                publisher.put(
                    f"tide-{number}", headline=f"Tide {number}", body_text="High.", keywords=["sea"],
                    images=[{"url": "/tide.jpg", "caption": "The quay."}], authors=[{"name": "Ada Lark"}],
                )  # fmt: skip
            publisher.put("tide-3", headline="Tide 3, corrected")
            publisher.kill("tide-5")
        yield url


@pytest.fixture(scope="module")
def wire(request: pytest.FixtureRequest, written: str) -> Iterator[Wire]:
    """The wire, for tests that only read it."""
    with copied_database(request, written) as url, served(Cli(url)) as wire:
        yield wire


@pytest.fixture(scope="module")
def partner(wire: Wire) -> Client:
    return wire.partner()


@pytest.fixture
def wire_of_its_own(request: pytest.FixtureRequest, written: str) -> Iterator[Wire]:
    """The wire again, to be tampered with."""
    with copied_database(request, written) as url, served(Cli(url)) as wire:
        yield wire


def proof(client: Client, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.run("verify", "--remote", "--json", *arguments).stdout)
    return found


def test_a_wire_as_it_was_written_is_proved_whole(wire: Wire, partner: Client) -> None:
    found = proof(partner)
    inside = wire.cli.json("verify")
    assert found == {
        "whole": True, "wire": inside["wire"], "head": 22, "entries": 22, "blank": 2, "chain": inside["chain"],
        "broken": None, "reason": None,
    }  # fmt: skip
    assert partner.must("verify", "--remote") == (
        f"The wire is whole: 22 entries, 2 of them without their content, chain {inside['chain']};"
        " the wire stands at 22.\n"
    )


def test_an_empty_wire_is_whole(sqlite_cli: Cli) -> None:
    with served(sqlite_cli) as wire:
        found = proof(wire.partner())
    assert (found["whole"], found["entries"], found["chain"]) == (True, 0, "0" * 64)


@pytest.mark.parametrize(
    ("change", "broken", "reason"),
    [
        (update(version).where(version.c.number == 7).values(body=b'"body_html":"<p>Forged","body_text":"Forged"'), 7,
         "its content was altered"),
        (update(entry).where(entry.c.seq == 8).values(digest="0" * 64), 8, "its content was altered"),
        (update(entry).where(entry.c.seq == 6).values(digest="0" * 64), 6,
         "its chain value does not follow from the entry before it"),
        (update(entry).where(entry.c.seq == 9).values(chain="0" * 64), 9,
         "its chain value does not follow from the entry before it"),
        (delete(entry).where(entry.c.seq == 10), 10, "entry 10 is missing"),
        (delete(entry).where(entry.c.seq == 22), 22, "the wire says that it stands at 22"),
        (update(head).values(chain="0" * 64), 22, "the head has another chain value"),
    ],
    ids=["forged", "another digest", "killed, another digest", "another chain", "dropped", "cut off", "another head"],
)  # fmt: skip
def test_the_first_entry_that_somebody_touched_is_named(
    wire_of_its_own: Wire, change: Executable, broken: int, reason: str
) -> None:
    partner = wire_of_its_own.partner()
    database = Database(wire_of_its_own.cli.database_url)
    with database.begin() as connection:
        connection.execute(change)
    database.dispose()
    result = partner.run("verify", "--remote")
    assert result.exit_code == 1
    assert result.stdout == f"The wire is broken at entry {broken}: {reason}.\n"
    found = proof(partner)
    assert (found["whole"], found["broken"], found["reason"]) == (False, broken, reason)
    assert found["entries"] == (22 if "head has" in reason else broken - 1)


def test_who_sees_a_part_of_the_wire_only_can_prove_nothing_and_is_told_why(wire: Wire) -> None:
    for client in (wire.partner("world", "section=World"), wire.publisher()):
        said = client.refused("verify", "--remote")
        assert said == (
            "Error: This key sees a part of the wire only, and the chain holds over the whole: only a key that sees"
            " everything can prove that nothing is missing.\n"
        )


@pytest.mark.parametrize(
    ("change", "broken", "reason"),
    [
        (lambda told: told, None, None),
        (lambda told: told[:7], None, None),
        (lambda told: told[:3] + told[4:], 4, "entry 4 is missing"),
        (lambda told: told[:4] + told[3:], 5, "it comes twice"),
        (lambda told: [*told[:3], told[3] | {"article": told[3]["article"] | {"headline": "Forged"}}], 4,
         "its content was altered"),
        (lambda told: [*told[:3], told[3] | {"article": {}}], 4, "its content was altered"),
        (lambda told: [*told[:3], told[3] | {"article": 7}], 4, "it has not the form of an entry"),
        (lambda told: [*told[:3], {}], 4, "it has not the form of an entry"),
        (lambda told: [*told[:6], forked(told, 6)], 7, "the wire has another entry at this position, or none"),
        (lambda told: [*told, forked(told, 22)], 23, "the wire has another entry at this position, or none"),
    ],
    ids=["whole", "behind", "a gap", "doubled", "forged", "blanked", "no article", "nothing", "forked", "ahead"],
)  # fmt: skip
def test_a_copy_is_held_against_the_wire(
    partner: Client, tmp_path: Path, change: Callable[[Told], Told], broken: int | None, reason: str | None
) -> None:
    copy = tmp_path / "wire.ndjson"
    partner.must("pull", "--output", copy)
    told = [json.loads(line) for line in copy.read_text().splitlines()]
    copy.write_text("".join(json.dumps(item) + "\n" for item in change(told)))
    found = proof(partner, "--copy", copy)
    assert (found["broken"], found["reason"], found["whole"]) == (broken, reason, broken is None)


def forked(told: Told, after: int) -> dict[str, Any]:
    """An entry that follows rightly from the one before, and was never on the wire."""
    digest = "1" * 64
    return {
        "seq": after + 1, "type": "article.canceled", "digest": digest, "article": None,
        "chain": chain_value(told[after - 1]["chain"], after + 1, digest),
    }  # fmt: skip


def test_a_copy_that_is_none_is_one_sentence(wire: Wire, partner: Client, tmp_path: Path) -> None:
    for content in ("Dear Madam\n", "7\n", "[1]\n"):
        (tmp_path / "copy").write_text(content)
        assert "copy, line 1: this is no entry of a wire." in partner.refused(
            "verify", "--remote", "--copy", tmp_path / "copy"
        )
    assert partner.run("verify", "--copy", tmp_path / "copy").exit_code == 2
    assert partner.run("verify", "--url", wire.url).exit_code == 2


def test_a_liar_who_alters_an_article_and_its_digest_is_found_by_the_chain(sqlite_cli: Cli) -> None:
    with served(sqlite_cli) as wire:
        wire.publisher().put("a")
        (told,) = wire.log()
    forged = told | {"article": None, "digest": "2" * 64}
    stands = json.dumps({"wire": "w", "head": 1, "chain": told["chain"]}).encode()
    with answering((200, {}, b'{"entitlement": {}}'), (200, {}, stands), page([forged])) as (url, _):
        found = proof(Client(url))
    assert (found["broken"], found["reason"]) == (1, "its chain value does not follow from the entry before it")
