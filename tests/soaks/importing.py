"""Soak `import`: an import that is killed and started again ends like one that nobody disturbed.

The undisturbed one goes to a SQLite file beside, whatever the engine: what is compared are
entries of the wire without what must differ (ids, times and what is made from them).
"""

import io
import json
import random
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from newswire import wire
from newswire.cli import export
from newswire.store.database import Database
from newswire.store.migrate import upgrade
from tests.soaks.report import Report
from tests.soaks.servers import COMMAND_SECONDS, environment, newswire, run
from tests.soaks.stage import Scale, Stage

PUBLISHER = "archive"
KILLS_EACH = 4000
DIFFERENT = ("id", "uri", "created_at", "updated_at", "published_at", "digest", "links")
BAD = 99


def soak(stage: Stage, scale: Scale, report: Report) -> None:
    corpus = stage.folder / "corpus.jsonl"
    refused = write_corpus(corpus, scale.imported)
    calm = Stage(f"sqlite:///{stage.folder}/undisturbed.db", stage.folder)
    upgrade(calm.database_url)
    for each in (calm, stage):
        each.publisher(PUBLISHER)
    undisturbed = imported(calm, corpus)
    kills = [killed(stage, corpus, part) for part in parts(undisturbed["head"], 2 + scale.imported // KILLS_EACH)]
    report.none("imports that were over before their kill", [part for part, early in kills if early])
    resumed = imported(stage, corpus)
    repeated = imported(stage, corpus)
    report.equal("head after a resumed import", resumed["head"], undisturbed["head"])
    report.equal("lines refused", (undisturbed["refused"], resumed["refused"]), (refused, refused))
    report.equal("a repeat: new, updated, head", (repeated["created"], repeated["updated"], repeated["head"]),
                 (0, 0, undisturbed["head"]))  # fmt: skip
    expected, entries = state(calm), state(stage)
    report.none("entries unlike those of an undisturbed import", [
        number for number, (one, other) in enumerate(zip(expected, entries, strict=False), 1) if one != other
    ])  # fmt: skip
    report.equal("entries", len(entries), len(expected))
    report.figures = {
        "articles": undisturbed["created"],
        "entries": undisturbed["head"],
        "kills": len(kills),
        "already there at the last start": resumed["unchanged"],
        "lines a second where nothing is new": repeated["read"] / repeated["seconds"],
    }
    stage.examine(report)


def write_corpus(corpus: Path, number: int) -> int:
    """So many lines: new articles, later versions, exact repeats, some without an id, some bad. Says how many bad."""
    chance = random.Random(11)
    lines: list[dict[str, Any]] = []
    for n in range(number):
        article: dict[str, Any] = {
            "external_id": f"a{n}", "headline": f"a{n} in the archive", "section": chance.choice(["world", "sport"]),
            "body_text": "Cocoa rose. " * chance.randrange(40), "authors": [{"name": f"Writer {n % 20}"}],
        }  # fmt: skip
        kind = chance.random()
        if lines and kind < 0.1:
            article["external_id"] = chance.choice(lines).get("external_id", f"a{n}")
        elif lines and kind < 0.15:
            article = chance.choice(lines)
        elif kind < 0.2:
            del article["external_id"]
        elif kind < 0.22:
            article["urgency"] = BAD
        lines.append(article)
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return sum(line.get("urgency") == BAD for line in lines)


def parts(head: int, kills: int) -> list[int]:
    """Random positions, rising, at which an import of so many entries is killed; never in its last two fifths."""
    return sorted(random.sample(range(1, head * 3 // 5), kills))


def killed(stage: Stage, corpus: Path, part: int) -> tuple[int, bool]:
    """Starts the import and kills it once the wire stands at `part`; says whether it was over before.

    It gets all lines but the last, for which it waits: however fast it is, it cannot be over.
    """
    database = Database(stage.database_url)
    process = subprocess.Popen(
        newswire("import", "-", "--publisher", PUBLISHER),
        env=environment(stage.database_url), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    beginning = b"".join(corpus.read_bytes().splitlines(keepends=True)[:-1])
    assert process.stdin is not None
    feeder = threading.Thread(target=feed, args=(process.stdin, beginning))
    feeder.start()
    try:
        deadline = time.monotonic() + COMMAND_SECONDS
        while head_of(database) < part and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.1))
        return part, process.poll() is not None
    finally:
        process.kill()
        process.wait()
        feeder.join()
        with suppress(BrokenPipeError):
            process.stdin.close()
        database.dispose()


def feed(pipe: IO[bytes], content: bytes) -> None:
    """Writes until nobody reads any more."""
    with suppress(BrokenPipeError):
        pipe.write(content)
        pipe.flush()


def head_of(database: Database) -> int:
    with database.read() as connection:
        return wire.read_head(connection).seq


def imported(stage: Stage, corpus: Path) -> Any:
    """What `newswire import` tells at its end."""
    return run(stage.database_url, "import", str(corpus), "--publisher", PUBLISHER)


def state(stage: Stage) -> list[Any]:
    """Every entry of the wire, without what two imports cannot have in common."""
    database = Database(stage.database_url)
    lines = io.BytesIO()
    try:
        export.export_entries(database, 0, "http://localhost", lines)
    finally:
        database.dispose()
    return [comparable(json.loads(line)) for line in lines.getvalue().splitlines()]


def comparable(entry: dict[str, Any]) -> Any:
    article = {name: value for name, value in (entry["article"] or {}).items() if name not in DIFFERENT}
    return entry["seq"], entry["type"], entry["version"], article
