"""Attacks with clocks: machines whose clock is wrong, and clocks that are set while the wire is served."""

import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from newswire.timestamps import format_instant, now
from tests.support.clocks import ShiftedClock
from tests.support.command import Cli, waited
from tests.support.served import Serving, started
from tests.support.wire import Wire

pytestmark = pytest.mark.slow
HOUR = 3600


def in_seconds(seconds: float) -> str:
    return format_instant(now() + int(seconds * 1000))


def test_no_entry_is_skipped_by_a_reader_from_a_time_after_the_clock_was_set_back(
    cli: Cli, serving: Serving, tmp_path: Path
) -> None:
    clock = ShiftedClock(tmp_path, 0)
    server, wire = started(serving, cli, workers=1, **clock.environment)
    server.wait_for(lambda: server.logged("the worker has started"), "the worker has started")
    publisher, partner = wire.publisher(), wire.partner()
    for number in range(5):
        publisher.put(f"before-{number}")
    clock.set(-HOUR)
    for number in range(5):
        publisher.put(f"after-{number}")
    since = partner.call("GET", f"/v1/changes?start={in_seconds(-60)}").content
    assert [entry["seq"] for entry in since["data"]] == list(range(1, 11))
    times = [entry["at"] for entry in since["data"]]
    assert times == sorted(times)
    if cli.database_url.startswith("sqlite"):
        server.wait_for(lambda: server.logged("the clock of this machine was set back by 3600"), "the step is logged")
    else:
        # The machine's clock counts for nothing here: embargoes, expiries and entries go by that of the database.
        assert all(entry["at"] > in_seconds(-60) for entry in since["data"])


def test_a_worker_with_a_wrong_clock_says_so_once_and_releases_nothing_until_it_is_right(
    fresh_postgresql: str, serving: Serving, tmp_path: Path
) -> None:
    with closing(Wire(fresh_postgresql)) as wire:
        publisher, partner = wire.as_publisher(), wire.as_partner()
        publisher.publish("Due at once", embargoed_until=in_seconds(1))
        publisher.publish("Due in half a minute", embargoed_until=in_seconds(30))
        clock = ShiftedClock(tmp_path, 60)
        worker = serving(Cli(fresh_postgresql).process("worker", env=clock.environment))
        said = "the clock of this machine is 60.0 s ahead of that of the database: this worker releases"
        worker.wait_for(lambda: worker.logged(said), "the worker says that its clock is wrong")
        time.sleep(2)
        assert partner.listed() == []
        clock.set(0)
        waited(lambda: partner.listed() == ["Due at once"], "the worker releases once its clock is right")
        clock.set(-5)
        worker.wait_for(lambda: worker.logged("the clock of this machine is 5.0 s behind"), "it says so again")
        assert [line["level"] for line in worker.logged(said)] == ["critical"]


def test_a_reader_on_a_machine_with_a_wrong_clock_goes_by_that_of_the_database(
    fresh_postgresql: str, serving: Serving, tmp_path: Path
) -> None:
    server, wire = started(serving, Cli(fresh_postgresql), workers=1, **ShiftedClock(tmp_path, HOUR).environment)
    publisher, partner = wire.publisher(), wire.partner()
    publisher.put("soon-expired", expires_at=in_seconds(600))
    publisher.put("embargoed", embargoed_until=in_seconds(600))
    listed = partner.call("GET", "/v1/articles").content["data"]
    assert [article["external_id"] for article in listed] == ["soon-expired"]
    assert listed[0]["created_at"] < in_seconds(60)
    assert server.logged("the clock of this machine is 3600.0 s ahead of that of the database")


def test_an_entry_that_is_dated_far_ahead_is_critical_and_named_by_readyz(
    sqlite_cli: Cli, serving: Serving, tmp_path: Path
) -> None:
    clock = ShiftedClock(tmp_path, 2 * HOUR)
    server, wire = started(serving, sqlite_cli, workers=1, **clock.environment)
    workers = server.wait_for(lambda: server.logged("the worker has started"), "the worker has started")
    publisher = wire.publisher()
    publisher.put("ahead")
    assert publisher.call("GET", "/readyz").content["warning"] is None
    clock.set(0)
    ready = publisher.call("GET", "/readyz")
    assert (ready.status, ready.content["status"]) == (200, "ready")
    assert "hours ahead of the clock" in ready.content["warning"]
    os.kill(workers[0]["process"], signal.SIGKILL)
    said = server.wait_for(lambda: server.logged("The newest entry of the wire is dated"), "the next worker says it")
    assert [line["level"] for line in said] == ["critical"]
