"""Soak `readers`: twenty readers of all kinds, eight writers whose commits are late, a server that is killed meanwhile.

At the end each reader was told exactly what a fold of the whole log through its filter gives,
entry by entry, once, in order. The log is what an admin reads of it.
"""

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from newswire.store.database import FEWEST_CONNECTIONS, Database
from tests.soaks.audience import LAST, WAYS, WISHES, Finish, Listener, without_blank
from tests.soaks.clients import Client
from tests.soaks.crew import crew
from tests.soaks.desks import Desk, LateDesk, RemoteDesk, make_commits_late, wait_for_releases
from tests.soaks.following import Told, meant_for, told
from tests.soaks.report import Report, doubled
from tests.soaks.stage import Scale, Stage
from tests.soaks.striking import Progress, crashes, strike
from tests.soaks.writers import check_told, wait_for

WRITERS = 8
READERS = 20
PUBLISHER = "gazette"
FINISH_SECONDS = 60.0


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    sender, admin = stage.publisher(PUBLISHER), stage.admin()
    keys = [stage.partner(wish.name, **wish.limits) for wish in WISHES]
    make_commits_late(stage.database_url)
    database, finish = Database(stage.database_url, connections=FEWEST_CONNECTIONS), Finish()
    with stage.served() as server, crew(server, WRITERS + READERS) as (pool, stop):
        desks: list[Desk] = [RemoteDesk(stage.client(sender), PUBLISHER, number) for number in range(1, WRITERS)]
        desks.append(LateDesk(database, PUBLISHER, WRITERS))
        listeners = audience(stage, keys)
        reading = [pool.submit(listener.listen, finish) for listener in listeners]
        writing = [pool.submit(desk.run, stop) for desk in desks]
        progress = Progress(lambda: [len(desk.receipts) for desk in desks], [*writing, *reading])
        began = time.monotonic()
        for number in range(1, scale.kills + 1):
            strike(stage, server, progress, number)
        time.sleep(max(0.0, began + scale.seconds - time.monotonic()))
        stop.set()
        wait_for(writing)
        taken = time.monotonic() - began
        report.equal("every embargo and expiry was told", wait_for_releases(database), True)
        desks[0].put("last", LAST)
        finish.set(desks[0].receipts[-1].seq or 0, FINISH_SECONDS)
        wait_for(reading)
        log, articles = whole_log(stage.client(admin))
        check_log(report, log, articles, desks)
        check_audience(report, listeners, log, articles)
        report.figures = figures(stage, scale, desks, taken)
    database.dispose()
    stage.examine(report)


def audience(stage: Stage, keys: Sequence[str]) -> list[Listener]:
    """Twenty readers; no two of them ask for the same in the same way."""
    ways = list(WAYS)
    return [
        Listener(stage.client(keys[wish]), WISHES[wish], way, number)
        for number in range(READERS)
        for wish, way in [((number + number // len(ways)) % len(WISHES), ways[number % len(ways)])]
    ]


def whole_log(admin: Client) -> tuple[list[Told], dict[int, Mapping[str, Any]]]:
    """Every entry, and by number the article of those that have one, as one walk by pages gives them."""
    entries: list[Any] = []
    page: Any = {"has_more": True, "next_after": 0}
    while page["has_more"]:
        got = admin.get(f"/v1/changes?after={page['next_after']}&limit=500")
        entries += got["data"]
        page = got["page"]
    articles: dict[int, Mapping[str, Any]] = {
        entry["seq"]: {**entry["article"], "at": entry["at"]} for entry in entries if entry["article"]
    }
    return list(map(told, entries)), articles


def check_log(
    report: Report, log: Sequence[Told], articles: Mapping[int, Mapping[str, Any]], desks: Sequence[Desk]
) -> None:
    """The log is whole and holds what was acknowledged; of an embargoed story nothing before its time."""
    receipts = [receipt for desk in desks for receipt in desk.receipts]
    there = {(entry.article_id, entry.version) for entry in log}
    withheld = {receipt for receipt in receipts if receipt.seq is None}
    check_told(report, log, [receipt for receipt in receipts if receipt not in withheld or receipt[:2] in there])
    early = [seq for seq, found in articles.items() if (found["embargoed_until"] or "") > found["at"]]
    report.none("told before their embargo ended", early)
    killed = {receipt.article_id for receipt in receipts if receipt.word is None}
    released = {entry.article_id for entry in log}
    report.none("never released", [one for one in withheld if one.article_id not in released | killed])


def check_audience(
    report: Report, listeners: Sequence[Listener], log: Sequence[Told], articles: Mapping[int, Mapping[str, Any]]
) -> None:
    """A line for each way of reading, and a fault for whatever a reader was told otherwise."""
    for way in dict.fromkeys(listener.way for listener in listeners):
        some = [listener for listener in listeners if listener.way == way]
        found = [heard(report, listener, log, articles) for listener in some]
        entries, missed, repeated, disordered = (sum(column) for column in zip(*found, strict=True))
        report.notes.append(
            f"{way:<12} {len(some)} readers {entries:>9,} entries in {sum(each.polls for each in some):>7,} answers:"
            f" {missed} missed, {repeated} repeated, {disordered} out of order"
        )


def heard(
    report: Report, listener: Listener, log: Sequence[Told], articles: Mapping[int, Mapping[str, Any]]
) -> tuple[int, int, int, int]:
    """How much one reader was told, and how much it missed, got again, and got out of order."""
    expected = without_blank(list(meant_for(log, lambda entry: listener.wish.holds(articles[entry.seq]))))
    seen = without_blank(listener.told)
    missed, foreign = set(expected) - set(seen), set(seen) - set(expected)
    repeated = doubled(entry.seq for entry in seen)
    disordered = [after.seq for before, after in pairwise(seen) if before.seq > after.seq]
    who = f"{listener.name}, {listener.way}, {listener.wish.name}"
    report.none(f"missed by {who}", [(entry.seq, entry.type) for entry in missed])
    report.none(f"told to {who}, and not meant for it", [(entry.seq, entry.type) for entry in foreign])
    report.none(f"told twice to {who}", repeated)
    report.none(f"told out of order to {who}", disordered)
    gone = ended(log, articles, listener)
    blank = [entry.seq for entry in listener.told if entry.blank and entry.article_id not in gone]
    report.none(f"told without its article to {who}", blank)
    return len(seen), len(missed), len(repeated), len(disordered)


def ended(log: Sequence[Told], articles: Mapping[int, Mapping[str, Any]], listener: Listener) -> set[str]:
    """The articles that it may have been told of without their content: killed, with an expiry, no longer its own."""
    return {
        entry.article_id
        for entry in log
        if entry.seq not in articles
        or articles[entry.seq]["expires_at"] is not None
        or not listener.wish.holds(articles[entry.seq])
    }


def figures(stage: Stage, scale: Scale, desks: Sequence[Desk], taken: float) -> dict[str, float]:
    stored = sum(len(desk.receipts) for desk in desks)
    return {
        "versions": stored,
        "a second": stored / taken,
        "kills": scale.kills,
        "crashes of the database": crashes(stage, scale.kills),
        "sent again": sum(desk.client.repeats for desk in desks if isinstance(desk, RemoteDesk)),
        "rolled back": sum(desk.rolled_back for desk in desks if isinstance(desk, LateDesk)),
    }
