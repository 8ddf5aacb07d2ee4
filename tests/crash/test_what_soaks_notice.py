"""The checks of the soaks themselves: each kind of damage to a good wire is noticed."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.soaks.audience import WISHES, Listener
from tests.soaks.clients import Client
from tests.soaks.following import GENESIS, Told, check_whole
from tests.soaks.newsroom import Receipt
from tests.soaks.readers import check_audience
from tests.soaks.report import Report
from tests.soaks.servers import Server
from tests.soaks.soak import table
from tests.soaks.writers import as_entitled, check_part, check_told, rising

KINDS = ("article.published", "article.updated", "article.canceled")


def wire_of(*kinds: tuple[str, int]) -> list[Told]:
    """A good wire of these entries, each an article and a version; version 3 is a kill."""
    entries: list[Told] = []
    chain = GENESIS
    for seq, (article_id, version) in enumerate(kinds, 1):
        digest = hashlib.sha256(f"{article_id} {version}".encode()).hexdigest()
        chain = hashlib.sha256(f"{chain} {seq} {digest}".encode()).hexdigest()
        entries.append(Told(seq, KINDS[version - 1], article_id, version, digest, chain, blank=False))
    return entries


GOOD = wire_of(("a", 1), ("b", 1), ("a", 2), ("c", 1), ("a", 3))
RECEIPTS = [
    Receipt("a", 1, 1, "world", "one"), Receipt("b", 1, None, "sport", "two"), Receipt("a", 2, 3, "sport", "three"),
    Receipt("c", 1, 4, "world", "four"), Receipt("a", 3, 5, None, None),
]  # fmt: skip


def noticed(entries: Sequence[Told], receipts: Sequence[Receipt] = RECEIPTS) -> list[str]:
    report = Report("writers", "sqlite")
    check_told(report, entries, receipts)
    return [fault.partition(":")[0] for fault in report.faults]


def test_a_good_wire_is_without_fault() -> None:
    assert noticed(GOOD) == []


@pytest.mark.parametrize("lost", range(5))
def test_an_entry_that_is_lost_is_noticed(lost: int) -> None:
    found = noticed([*GOOD[:lost], *GOOD[lost + 1 :]])
    assert "acknowledged and not told" in found
    assert lost == 4 or {"numbers that are not the next one", "entries whose chain value is wrong"} <= set(found)


def test_two_entries_in_the_wrong_order_are_noticed() -> None:
    found = noticed([GOOD[0], GOOD[2], GOOD[1], *GOOD[3:]])
    assert "numbers that are not the next one" in found


def test_an_entry_that_is_told_twice_is_noticed() -> None:
    assert "versions told twice" in noticed([*GOOD, GOOD[-1]])
    assert "versions told twice" in noticed(wire_of(("a", 1), ("a", 1)))


def test_an_entry_that_nobody_was_promised_is_noticed() -> None:
    assert noticed(GOOD, RECEIPTS[:-1]) == ["told and never acknowledged"]


def test_an_entry_at_another_number_than_was_acknowledged_is_noticed() -> None:
    assert noticed(GOOD, [RECEIPTS[0]._replace(seq=2), *RECEIPTS[1:]]) == ["told at another number"]


def test_an_acknowledgement_given_twice_is_noticed() -> None:
    assert noticed(GOOD, [*RECEIPTS, RECEIPTS[0]]) == ["versions acknowledged twice"]


def test_an_entry_without_its_article_is_noticed_unless_the_article_was_killed() -> None:
    assert noticed([GOOD[0]._replace(blank=True), *GOOD[1:]]) == []
    assert noticed([*GOOD[:3], GOOD[3]._replace(blank=True), GOOD[4]]) == ["told without their article"]


def test_an_altered_digest_breaks_the_chain() -> None:
    report = Report("writers", "sqlite")
    check_whole(report, [*GOOD[:2], GOOD[2]._replace(digest="0" * 64), *GOOD[3:]])
    assert report.faults == ["entries whose chain value is wrong: 1, such as 3"]


def test_a_reader_with_an_entitlement_is_told_what_is_its_own_what_left_and_what_was_killed() -> None:
    sections = {receipt[:2]: receipt.section for receipt in RECEIPTS}
    expected = as_entitled(GOOD, sections)
    assert expected == [
        (1, "article.published"), (3, "article.removed"), (4, "article.published"), (5, "article.canceled"),
    ]  # fmt: skip


@pytest.mark.parametrize("told", [[0, 2, 3], [0, 1, 2, 3, 4], [0, 3, 2, 4], [0, 2, 3, 4, 4]])
def test_a_reader_with_an_entitlement_that_was_told_otherwise_is_noticed(told: list[int]) -> None:
    right = [GOOD[0], GOOD[2]._replace(type="article.removed"), GOOD[3], GOOD[4]]
    report = Report("writers", "sqlite")
    check_part(report, right, GOOD, RECEIPTS)
    assert report.faults == []
    shown = {0: right[0], 1: GOOD[1], 2: right[1], 3: right[2], 4: right[3]}
    check_part(report, [shown[number] for number in told], GOOD, RECEIPTS)
    assert report.faults


ARTICLES = {
    entry.seq: {"section": receipt.section, "headline": f"{receipt.word} cocoa", "expires_at": None}
    for entry, receipt in zip(GOOD, RECEIPTS, strict=True)
    if receipt.section
}
OF_WORLD = [GOOD[0], GOOD[2]._replace(type="article.removed", blank=True), GOOD[3], GOOD[4]]


def heard(told: Sequence[Told], wish: int = 1) -> Report:
    """What is found of an audience in which one reader of a page was told this, and nobody else listened."""
    listener = Listener(Client(Server("sqlite:///nowhere.db", Path()), ""), WISHES[wish], "page", 0)
    listener.told = list(told)
    report = Report("readers", "sqlite")
    check_audience(report, [listener], GOOD, ARTICLES)
    return report


def test_a_reader_that_was_told_what_the_fold_of_the_log_gives_is_without_fault() -> None:
    for told, wish in ((GOOD, 0), (OF_WORLD, 1), (GOOD, 2)):
        assert heard(told, wish).faults == []
    assert heard(OF_WORLD).notes[0].endswith("4 entries in       0 answers: 0 missed, 0 repeated, 0 out of order")


@pytest.mark.parametrize(("told", "said"), [
    (OF_WORLD[1:], "1 missed, 0 repeated, 0 out of order"), (OF_WORLD[:-1], "1 missed, 0 repeated, 0 out of order"),
    ([*OF_WORLD, OF_WORLD[-1]], "0 missed, 1 repeated, 0 out of order"),
    ([OF_WORLD[1], OF_WORLD[0], *OF_WORLD[2:]], "0 missed, 0 repeated, 1 out of order"),
    ([*OF_WORLD[:1], GOOD[1], *OF_WORLD[1:]], "0 missed, 0 repeated, 0 out of order"),
    ([OF_WORLD[0], GOOD[2], *OF_WORLD[2:]], "1 missed, 0 repeated, 0 out of order"),
    ([OF_WORLD[0]._replace(digest="0" * 64), *OF_WORLD[1:]], "1 missed, 0 repeated, 0 out of order"),
    ([*OF_WORLD[:2], OF_WORLD[2]._replace(blank=True), OF_WORLD[3]], "0 missed, 0 repeated, 0 out of order"),
])  # fmt: skip
def test_a_reader_that_was_told_otherwise_is_noticed(told: Sequence[Told], said: str) -> None:
    report = heard(told)
    assert report.faults
    assert report.notes[0].endswith(said)


def test_numbers_that_fall_from_one_acknowledgement_to_the_next_are_noticed() -> None:
    assert rising(RECEIPTS)
    assert not rising(RECEIPTS[::-1])


def test_the_table_says_which_soak_found_faults() -> None:
    good, bad = Report("writers", "sqlite", seconds=60.04), Report("killed", "postgresql", faults=["lost: 1"])
    assert table([good, bad]).splitlines() == [
        "SOAK     ENGINE      SECONDS  RESULT",
        "writers  sqlite         60.0  nothing lost, nothing twice, all in order",
        "killed   postgresql      0.0  1 FAULT",
    ]
