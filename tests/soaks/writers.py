"""Soak `writers`: eight writers and two readers, and the wire holds exactly what was acknowledged, in order."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from itertools import pairwise

from tests.soaks.clients import Client
from tests.soaks.crew import crew
from tests.soaks.following import Follower, Told, check_whole, found, listed, meant_for, versions
from tests.soaks.newsroom import Receipt, Writer
from tests.soaks.report import Report, doubled, slowest
from tests.soaks.stage import Scale, Stage

WRITERS = 8
SECTION = "world"


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    keys = {slug: stage.publisher(slug) for slug in ("gazette", "herald")}
    all_of_it, part_of_it = stage.partner("daily"), stage.partner("weekly", section=[SECTION])
    with stage.served() as server, crew(server, WRITERS + 2) as (pool, stop):
        writers = [Writer(stage.client(keys[slug]), slug, n) for n, slug in enumerate(list(keys) * (WRITERS // 2))]
        for writer in writers[: len(keys)]:
            # `shared0` exists from the start, so that it can be refused.
            writer.keep(content := writer.content(), writer.expect_stored(writer.address("shared0"), content))
        readers = [Follower(stage.client(key)) for key in (all_of_it, part_of_it)]
        reading = [pool.submit(reader.follow, stop) for reader in readers]
        began = time.monotonic()
        writing = [pool.submit(write, writer, began + scale.seconds) for writer in writers]
        wait_for(writing)
        taken = time.monotonic() - began
        stop.set()
        wait_for(reading)
        receipts = [receipt for writer in writers for receipt in writer.receipts]
        check_told(report, readers[0].catch_up(), receipts)
        check_part(report, readers[1].catch_up(), readers[0].told, receipts)
        check_held(report, readers[0].client, receipts)
        report.none("writers whose numbers do not rise", [w.number for w in writers if not rising(w.receipts)])
        report.figures = figures(writers, readers, taken)
    stage.examine(report)


def write(writer: Writer, deadline: float) -> None:
    while time.monotonic() < deadline:
        writer.step()


def wait_for(futures: Iterable[Future[None]]) -> None:
    for future in futures:
        future.result()


def check_told(report: Report, entries: Sequence[Told], receipts: Sequence[Receipt]) -> None:
    """The wire is whole and holds exactly the acknowledged versions, at the numbers that were acknowledged."""
    check_whole(report, entries)
    acknowledged = {receipt[:2]: receipt for receipt in receipts}
    numbers = {(entry.article_id, entry.version): entry.seq for entry in versions(entries)}
    report.none("versions acknowledged twice", doubled([receipt[:2] for receipt in receipts]))
    report.none("acknowledged and not told", acknowledged.keys() - numbers.keys())
    report.none("told and never acknowledged", numbers.keys() - acknowledged.keys())
    report.none("told at another number", [r for r in receipts if r.seq not in (None, numbers.get(r[:2]))])
    killed = {receipt.article_id for receipt in receipts if receipt.word is None}
    report.none("told without their article", [e for e in entries if e.blank and e.article_id not in killed])


def check_part(report: Report, part: Sequence[Told], entries: Sequence[Told], receipts: Sequence[Receipt]) -> None:
    """A reader with an entitlement was told exactly what it should be, in the same order."""
    sections = {receipt[:2]: receipt.section for receipt in receipts}
    expected = as_entitled(entries, sections)
    seen = [(entry.seq, entry.type) for entry in part]
    report.none("not told to a reader with an entitlement", set(expected) - set(seen))
    report.none("told to it and not meant for it", set(seen) - set(expected))
    report.equal("in order and once", seen == expected, True)


def as_entitled(entries: Sequence[Told], sections: Mapping[tuple[str, int], str | None]) -> list[tuple[int, str]]:
    """Number and type of what a reader of one section is told of the whole wire."""
    part = meant_for(entries, lambda entry: sections.get((entry.article_id, entry.version)) == SECTION)
    return [(entry.seq, entry.type) for entry in part]


def check_held(report: Report, reader: Client, receipts: Sequence[Receipt]) -> None:
    """The list and the search hold the newest version of every article that was not killed, and nothing else."""
    newest: dict[str, Receipt] = {}
    for receipt in sorted(receipts, key=lambda receipt: receipt.version):
        newest[receipt.article_id] = receipt
    alive = {receipt.article_id: receipt for receipt in newest.values() if receipt.word is not None}
    ids = listed(reader)
    report.none("listed twice", doubled(ids))
    report.none("acknowledged and not listed", alive.keys() - set(ids))
    report.none("listed and never acknowledged", set(ids) - alive.keys())
    words = {receipt.word: [] if newest[receipt.article_id] != receipt else [receipt.article_id]
             for receipt in receipts if receipt.word is not None}  # fmt: skip
    by_word = found(reader, words)
    report.none("not found by its word, or by an old one", [word for word in words if by_word[word] != words[word]])


def rising(receipts: Sequence[Receipt]) -> bool:
    """Whether one writer's acknowledgements, which came one after the other, have rising numbers."""
    numbers = [receipt.seq for receipt in receipts if receipt.seq is not None]
    return all(before < after for before, after in pairwise(numbers))


def figures(writers: Sequence[Writer], readers: Sequence[Follower], taken: float) -> dict[str, float]:
    stored = sum(len(writer.receipts) for writer in writers)
    return {
        "versions": stored,
        "a second": stored / taken,
        "refused": sum(writer.refused for writer in writers),
        "dry runs": sum(writer.dry for writer in writers),
        "polls": sum(reader.polls for reader in readers),
        "sent again": sum(writer.client.repeats for writer in writers),
        "ms for 99 %": slowest([second for writer in writers for second in writer.client.seconds]),
    }
