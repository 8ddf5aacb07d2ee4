"""`newswire db upgrade`, and the sentence that every command says when the database cannot be used."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from newswire.store.database import Database
from tests.support.command import Cli


@pytest.fixture
def unwritable_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which no file can be made. Rights mean nothing to root, but /proc obeys nobody."""
    if os.geteuid() == 0:
        yield Path("/proc")
        return
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    yield folder
    folder.chmod(0o755)


def test_upgrade_creates_an_empty_database_once_and_then_leaves_it_alone(tmp_path: Path) -> None:
    cli = Cli(f"sqlite:///{tmp_path}/new.db")
    assert "was created" in cli.must("db", "upgrade")
    again = cli.json("db", "upgrade")
    assert again["before"] == again["after"]
    assert "is up to date" in cli.must("db", "upgrade")
    assert cli.json("stats")["head"] == 0


def test_a_command_names_the_database_that_is_not_there_and_does_not_make_it(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    said = Cli(f"sqlite:///{file}").refused("publisher", "list")
    assert said == f"Error: There is no database {file}; create it with `newswire db upgrade`.\n"
    assert not file.exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "cannot be understood"),
        ("mysql://host/name", "not mysql"),
        ("sqlite://", "names no file"),
        ("postgresql://user:secret@127.0.0.1:port/name", "cannot be understood"),
        ("postgresql://user:secret@127.0.0.1:1/name", "Connection refused"),
        ("postgresql://user@127.0.0.1:1/name?password=secret", "Connection refused"),
    ],
)
def test_a_wrong_database_url_gives_one_sentence_without_its_password(url: str, said: str) -> None:
    for arguments in (("stats",), ("db", "upgrade")):
        sentence = Cli(url).refused(*arguments)
        assert said in sentence
        assert sentence.count("\n") == 1
        assert "secret" not in sentence


def test_a_folder_that_cannot_be_written_gives_one_sentence(unwritable_folder: Path) -> None:
    said = Cli(f"sqlite:///{unwritable_folder}/newswire.db").refused("db", "upgrade")
    assert said == (
        f"Error: The database sqlite:///{unwritable_folder}/newswire.db cannot be used: unable to open database file.\n"
    )


def test_a_file_that_is_no_database_gives_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Madam, this is not a database at all.\n" * 100)
    for arguments in (("stats",), ("db", "upgrade")):
        said = Cli(f"sqlite:///{tmp_path}/letter.db").refused(*arguments)
        assert said.endswith("letter.db cannot be used: file is not a database.\n")


@pytest.mark.parametrize(
    ("revision", "said"),
    [("0000", "run `newswire db upgrade`"), ("9999", "install the version that it was migrated with")],
)
def test_another_schema_is_refused_and_the_way_out_is_told(cli: Cli, revision: str, said: str) -> None:
    database = Database(cli.database_url)
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    database.dispose()
    assert said in cli.refused("publisher", "list")


def test_upgrade_refuses_a_schema_that_it_does_not_know(cli: Cli) -> None:
    database = Database(cli.database_url)
    for revision in ("0000", "9999"):
        with database.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        assert f"The database schema is at {revision}" in cli.refused("db", "upgrade")
    database.dispose()


@pytest.mark.slow
def test_a_database_that_somebody_else_is_writing_to_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        with Cli(f"sqlite:///{file}").process("db", "upgrade") as upgrade:
            with pytest.raises(subprocess.TimeoutExpired):
                upgrade.wait(2.0)
            other.execute("COMMIT")
            out, _ = upgrade.communicate(timeout=30)
    assert "was created" in out
