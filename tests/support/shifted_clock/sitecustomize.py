"""Shifts the wall clock of a Python process and its children, as a machine with a wrong clock has it.

Python imports this file by its name at every start when its folder is in PYTHONPATH. SHIFTED_CLOCK names a file with
the shift in seconds, which is read again at each look at the clock: a test can set the clock of a running server.
"""

import os
import time

read_time, read_time_ns = time.time, time.time_ns


def read_shift() -> float:
    with open(os.environ["SHIFTED_CLOCK"], encoding="ascii") as file:
        return float(file.read() or 0)


time.time = lambda: read_time() + read_shift()
time.time_ns = lambda: read_time_ns() + int(read_shift() * 1_000_000_000)
