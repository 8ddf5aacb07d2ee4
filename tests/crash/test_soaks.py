"""Every soak of `tests.soaks` in its short form, on both engines: processes that are really killed.

`python -m bench soak` runs the same with larger numbers, and crashes PostgreSQL as well.
"""

from pathlib import Path

import pytest

from tests.soaks.soak import run
from tests.soaks.stage import SHORT, Stage

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Stage:
    return Stage(database_url, tmp_path)


def faults(stage: Stage, name: str) -> list[str]:
    report = run(stage, name, SHORT)
    print(report.line, *report.faults, sep="\n")
    return report.faults


def test_eight_writers_and_two_polling_readers_lose_nothing_and_see_no_gap(stage: Stage) -> None:
    assert faults(stage, "writers") == []


def test_what_a_killed_server_acknowledged_is_there_once_however_often_it_was_sent(stage: Stage) -> None:
    assert faults(stage, "killed") == []


def test_twenty_readers_of_all_kinds_are_told_everything_once_though_commits_are_late_and_the_server_dies(
    stage: Stage,
) -> None:
    assert faults(stage, "readers") == []


def test_a_walk_by_cursor_sees_everything_once_while_others_publish_move_and_kill(stage: Stage) -> None:
    assert faults(stage, "paging") == []


def test_an_import_that_was_killed_twice_and_resumed_ends_like_an_undisturbed_one(stage: Stage) -> None:
    assert faults(stage, "import") == []


def test_fifty_requests_at_once_with_one_key_or_one_external_id_store_what_one_after_the_other_would(
    stage: Stage,
) -> None:
    assert faults(stage, "repeats") == []
