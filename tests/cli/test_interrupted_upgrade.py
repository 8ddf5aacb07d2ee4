"""Ctrl-C ends `newswire db upgrade` with the exit status of an interruption, also before anything is indexed."""

import signal
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from tests.support.command import Cli, waited


def test_ctrl_c_while_the_upgrade_waits_for_the_database_is_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "newswire.db"
    cli = Cli(f"sqlite:///{file}")
    cli.must("db", "upgrade")
    holder = sqlite3.connect(file, isolation_level=None)
    # Nobody else can even read: as a program does that copies or checks the file.
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    with cli.process("db", "upgrade") as started:
        try:
            waited(lambda: has_open(started.pid, file), "the command opens the database")
            time.sleep(0.2)
            started.send_signal(signal.SIGINT)
            holder.execute("COMMIT")
            _, said = started.communicate(timeout=30)
        finally:
            started.kill()
    holder.close()
    assert started.returncode == 130
    assert said == "Stopped.\n"


def has_open(process: int, file: Path) -> bool:
    """Whether a process has opened a file."""
    for link in Path(f"/proc/{process}/fd").glob("*"):
        # It may be closed meanwhile.
        with suppress(OSError):
            if link.samefile(file):
                return True
    return False
