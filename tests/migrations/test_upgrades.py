"""A wire of every schema there has been is upgraded, and then answers at every door as if it had been born today."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.migrations.older_wires import REVISIONS, older_wire
from tests.support.command import REPOSITORY, Cli
from tests.support.wire import Caller, Wire

NEWEST_FIRST = [
    "Tickets are sold until the show",
    "棚田の収穫が始まった",
    "Häuser am Hafen wurden verkauft",
    "Ladder prices fell again",
    "Orchards were harvested early",
]
# Each word stands in the article in another form, or as it is written here.
FOUND = {
    "q=purchase": ["Orchards were harvested early"],
    "q=harvesting": ["Orchards were harvested early"],
    "q=Haus&language=de": ["Häuser am Hafen wurden verkauft"],
    "q=収穫": ["棚田の収穫が始まった"],
    "q=ladder": ["Ladder prices fell again", "Orchards were harvested early"],
    'q="prices fell again"': ["Ladder prices fell again"],
    "q=drawers&search_in=caption": ["Tickets are sold until the show"],
    "q=orch*": ["Orchards were harvested early"],
    "section=Business": ["Ladder prices fell again"],
    "keyword=fruit&publisher=gazette": ["Orchards were harvested early"],
    "q=killed": [],
    "q=withheld": [],
}
TOLD = [
    ("article.published", "orchards"),
    ("article.published", "ladders"),
    ("article.corrected", "ladders"),
    ("article.published", "haeuser"),
    ("article.published", "tanada"),
    ("article.published", "expiring"),
    # Its content is not shown any more.
    ("article.published", None),
    ("article.canceled", None),
]
LATER_COLUMN = "pinned_until"


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_wire_of_every_schema_answers_at_every_door_once_it_is_upgraded(empty_url: str, revision: str) -> None:
    older_wire(empty_url, revision)
    cli = Cli(empty_url)
    upgraded = cli.json("db", "upgrade")
    assert (upgraded["before"], upgraded["after"], upgraded["indexed"]) == (revision, REVISIONS[-1], 8)
    assert cli.json("verify")["whole"]
    wire = Wire(empty_url)
    publisher, partner = wire.as_publisher("gazette"), wire.as_partner()
    assert partner.listed() == NEWEST_FIRST
    for query, headlines in FOUND.items():
        assert partner.listed(query) == headlines, query
    told = [(entry["type"], (entry["article"] or {}).get("external_id")) for entry in partner.changes()]
    assert told == TOLD
    assert wire.client.get("/readyz").get_json() == {"status": "ready", "warning": None}
    names_are_listed(partner)
    goes_on(publisher, partner)
    wire.close()
    assert cli.json("db", "upgrade")["indexed"] == 0


def names_are_listed(partner: Caller) -> None:
    def names(path: str) -> list[str]:
        return [item["name"] for item in partner.get(f"/v1/{path}").get_json()["data"]]

    assert names("sections") == ["Business", "Wirtschaft", "World"]
    assert names("keywords") == ["Fruit", "Hafen", "Ladders", "Orchards"]
    assert names("publishers") == ["The Sample Gazette"]
    [writer] = partner.get("/v1/authors").get_json()["data"]
    assert (writer["name"], writer["role"]) == ("Sample Writer", "Reporter")
    assert (writer["bio"], writer["url"]) == ("Writes about orchards.", "https://gazette.example/writers/sample")


def goes_on(publisher: Caller, partner: Caller) -> None:
    """Old articles are changed and killed, new ones published, and found."""
    address = "/v1/publishers/gazette/articles"
    assert publisher.put(f"{address}/orchards", json={"headline": "Orchards rest"}).status_code == 200
    assert publisher.delete(f"{address}/haeuser").status_code == 200
    assert publisher.put(f"{address}/never-came", json={"headline": "Late"}).status_code == 410
    publisher.publish("Purchases of ladders", section="world")
    assert partner.listed("q=purchased") == ["Purchases of ladders"]
    assert partner.listed("q=resting") == ["Orchards rest"]
    assert partner.listed("section=World") == ["Purchases of ladders"]
    assert partner.listed("q=Häuser") == []
    found = publisher.get("/v1/articles?status=canceled").get_json()["data"]
    assert {item["external_id"] for item in found} == {"haeuser", "wrong", "never-came"}


@pytest.mark.slow
@pytest.mark.parametrize("revision", ["empty", REVISIONS[0], REVISIONS[-1]])
def test_a_later_column_of_the_article_breaks_no_upgrade(empty_url: str, revision: str, tmp_path: Path) -> None:
    """The product of a later day, with one column more, upgrades an empty and an older database and publishes."""
    later = later_product(tmp_path / "later")
    if revision != "empty":
        older_wire(empty_url, revision)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSWIRE_")}
    run: dict[str, Any] = {"env": {**kept, "NEWSWIRE_DATABASE_URL": empty_url, "PYTHONPATH": str(later)}, "cwd": later}
    for arguments in (
        ("db", "upgrade"), ("publisher", "add", "herald", "--name", "The Herald"),
        ("import", "new.jsonl", "--publisher", "herald"), ("stats",),
    ):  # fmt: skip
        done = subprocess.run([sys.executable, "-m", "newswire", *arguments], capture_output=True, text=True, **run)
        assert done.returncode == 0, done.stderr


def later_product(folder: Path) -> Path:
    """A copy of the product with one column more in the table `article`, its row type, and a migration for it."""
    for part in ("newswire", "migrations"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    insert_before_end(folder / "newswire/store/tables.py", "article", f'    Column("{LATER_COLUMN}", BigInteger),\n')
    insert_after(folder / "newswire/article.py", "ArticleState", f"    {LATER_COLUMN}: int | None = None\n")
    number = f"{int(REVISIONS[-1]) + 1:04}"
    (folder / f"migrations/versions/{number}_pinned.py").write_text(
        '"""A later column."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        f'revision = "{number}"\ndown_revision = "{REVISIONS[-1]}"\n\n\n'
        f'def upgrade() -> None:\n    op.add_column("article", sa.Column("{LATER_COLUMN}", sa.BigInteger()))\n'
    )
    (folder / "new.jsonl").write_text('{"headline": "A first one", "body_text": "It is published."}\n')
    return folder


def insert_before_end(file: Path, name: str, line: str) -> None:
    """A line before the last one of the assignment to `name`."""
    lines = file.read_text("utf-8").splitlines(keepends=True)
    [end] = [
        node.end_lineno or 0
        for node in ast.parse("".join(lines)).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    ]
    lines.insert(end - 1, line)
    file.write_text("".join(lines), "utf-8")


def insert_after(file: Path, name: str, line: str) -> None:
    """A line behind the class `name`."""
    lines = file.read_text("utf-8").splitlines(keepends=True)
    [end] = [
        node.end_lineno or 0
        for node in ast.parse("".join(lines)).body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    lines.insert(end, line)
    file.write_text("".join(lines), "utf-8")
