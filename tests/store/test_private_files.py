"""The files of a SQLite wire: only their owner can read them, because embargoed articles are in them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Cli
from tests.support.served import Serving, started

SUFFIXES = ("", "-wal", "-shm")


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(file: Path) -> dict[str, int]:
    found = [Path(f"{file}{suffix}") for suffix in SUFFIXES]
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in found if each.exists()}


@pytest.mark.slow
def test_a_served_wire_has_private_files(tmp_path: Path, serving: Serving, usual_umask: None) -> None:
    file = tmp_path / "newswire.db"
    server, wire = started(serving, Cli(f"sqlite:///{file}"))
    wire.publisher().put("first")
    assert modes(file) == {"newswire.db": 0o600, "newswire.db-wal": 0o600, "newswire.db-shm": 0o600}
    assert not server.logged("Every user of this machine")


def test_upgrade_and_restore_make_private_files(tmp_path: Path, usual_umask: None) -> None:
    file, copy, other = tmp_path / "newswire.db", tmp_path / "copy", tmp_path / "other.db"
    cli = Cli(f"sqlite:///{file}")
    cli.must("db", "upgrade")
    cli.must("publisher", "add", "port", "--name", "Port")
    cli.must("backup", str(copy))
    Cli(f"sqlite:///{other}").must("restore", str(copy))
    for each in (file, copy, other):
        assert set(modes(each).values()) == {0o600}, each


@pytest.mark.slow
def test_a_file_that_others_can_read_is_kept_and_named_once(sqlite_cli: Cli, serving: Serving, tmp_path: Path) -> None:
    file = Path(sqlite_cli.database_url.removeprefix("sqlite:///"))
    file.chmod(0o644)
    server, _ = started(serving, sqlite_cli)
    server.wait_for(lambda: server.logged("Every user of this machine can read"), "the server says so")
    (line,) = server.logged("Every user of this machine can read")
    assert (line["level"], f"chmod 600 {file}" in line["message"]) == ("warning", True)
    assert modes(file)[file.name] == 0o644
