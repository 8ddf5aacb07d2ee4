"""Merging of the segments of the FTS5 index in small steps, outside of publications.

Every commit of a publication adds a segment to the index, and a search looks each of its terms up in each segment: on
20,000 articles a rare word takes 0.21 ms in one segment, 0.31 in eleven and 0.40 in twenty-three. FTS5 merges by
itself within publications (`automerge`, set by migration 0019), and only where nobody has merged before.

How far a merge has come is stored in the index by FTS5 itself, in the transaction of each step: a step that was
interrupted is rolled back, and the next process goes on (sqlite.org/fts5.html, 6.9 and 6.10). Not here: when it is
done (`newswire.cli.worker`), and the rows of the index (`writer`).
"""

import time
from typing import NamedTuple

from sqlalchemy import Connection, text

from newswire.errors import Problem
from newswire.store.database import Database
from newswire.store.statements import Statement

STEP_PAGES = 64
"""Pages of 4 kB that one step writes: it holds the write lock for 3 ms. Its commit does not wait for the disk."""
REST = 2
"""A step is followed by a pause so many times as long, in which publishers find the write lock free."""
LEAST_REST_SECONDS = 0.002
FEW_SEGMENTS = 4
"""Up to so many segments are left alone. FTS5 merges a level from four on, its `usermerge`, so fewer take no merge."""
WHOLE_RATIO = 16
"""All segments are merged into one when the smaller ones have at least this part of the pages: 1/16.

So an article is written again at most 16 times for it, 0.1 MB; a smaller part would write more than FTS5 by itself.
"""

SEGMENTS = Statement(
    text(
        "WITH RECURSIVE segment(id) AS (SELECT min(segid) FROM search_index_idx"
        " UNION ALL SELECT (SELECT min(segid) FROM search_index_idx WHERE segid > id) FROM segment WHERE id > 0)"
        " SELECT id, (SELECT pgno >> 1 FROM search_index_idx WHERE segid = id ORDER BY term DESC LIMIT 1)"
        " FROM segment WHERE id > 0"
    )
)
"""The segments and the numbers of their last pages, by two look-ups for each (13 µs for seven).

The shadow table has a row for each page of a segment, with the page number in the upper bits of `pgno`.
"""
MERGE = Statement(text("INSERT INTO search_index (search_index, rank) VALUES ('merge', :pages)"))
CHANGES = Statement(text("SELECT total_changes()"))


class Segment(NamedTuple):
    """A segment of the index: its id, and about how many pages it has."""

    id: int
    pages: int


def merge_segments(database: Database, seconds: float) -> None:
    """Merges in short transactions, for about `seconds` or until there is nothing left to merge.

    Whoever holds the write lock is not waited for.
    """
    end = time.monotonic() + seconds
    while True:
        # Mostly there are few segments, and no lock is taken.
        with database.read() as connection:
            found = read_segments(connection)
        if len(found) < FEW_SEGMENTS:
            return
        began = time.monotonic()
        try:
            with database.begin(wait=0, durable=False) as connection:
                is_settled = not merge_step(connection, found)
        except Problem as problem:
            if problem.code != "unavailable":
                raise
            is_settled = False
        rest = max(LEAST_REST_SECONDS, REST * (time.monotonic() - began))
        if is_settled or time.monotonic() + rest > end:
            return
        time.sleep(rest)


def read_segments(connection: Connection) -> list[Segment]:
    return [Segment(*row) for row in SEGMENTS.execute(connection, {})]


def merge_step(connection: Connection, segments: list[Segment]) -> bool:
    """One step; returns whether it has merged anything.

    It goes on with a merge that was begun, or begins one of a level with at least four segments, or of all segments.
    """
    if merge_pages(connection, STEP_PAGES):
        return True
    # A negative number begins the merge of all; the next steps go on with it, as with any other. Begun again before
    # its end it would never end while articles are published.
    return is_whole_due(segments) and merge_pages(connection, -STEP_PAGES)


def is_whole_due(segments: list[Segment]) -> bool:
    """Whether all segments are to be merged into one."""
    pages = [segment.pages for segment in segments]
    return len(pages) > FEW_SEGMENTS and (sum(pages) - max(pages)) * WHOLE_RATIO >= sum(pages)


def merge_pages(connection: Connection, pages: int) -> bool:
    """Has FTS5 merge about so many pages; returns whether there was anything to merge.

    A statement that merged nothing counts as one change, and nothing is written then (sqlite.org/fts5.html, 6.9).
    """
    before = CHANGES.execute(connection, {}).fetchone()[0]
    MERGE.execute(connection, {"pages": pages}).close()
    changes: int = CHANGES.execute(connection, {}).fetchone()[0] - before
    return changes > 1
