"""Machines with wrong clocks: processes whose wall clock is shifted, and can be set while they run."""

import os
from pathlib import Path

from tests.support.command import REPOSITORY

FOLDER = Path(__file__).with_name("shifted_clock")


class ShiftedClock:
    """A clock that is wrong by a number of seconds, for the processes that get its `environment`."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.file = folder / "shift"
        self.set(seconds)

    def set(self, seconds: float) -> None:
        # Renamed, so that no process reads half of it.
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(seconds), encoding="ascii")
        fresh.replace(self.file)

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": os.pathsep.join([str(FOLDER), str(REPOSITORY)]), "SHIFTED_CLOCK": str(self.file)}
