"""The same load by wrk (https://github.com/wg/wrk), where it is installed: it asks by a script made for the load.

wrk looks at no status below 400, so a load is tried with the driver of `compare_load` before.
"""

import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from shutil import which

from bench import compare_load
from bench.compare_load import ANSWER_SECONDS, MARK, Load, LoadError, Outcome

SCRIPT = """
local requests, number = {%s}, %d
request = function()
    number = number + 1
    return table.concat(requests[number %% #requests + 1], string.format("%%010d", number))
end
done = function(summary, latency)
    local wrong = summary.errors
    io.stderr:write(string.format("%%d %%d %%d %%d %%d", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout))
end
"""


def usable(seconds: float) -> bool:
    """Whether it is here, and can ask for so long: it counts in whole seconds."""
    return which("wrk") is not None and seconds == int(seconds)


@cache
def version() -> str:
    return " ".join(subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout.split()[:2])


def drive(address: tuple[str, int], load: Load, seconds: float, first: int) -> Outcome:
    """As `compare_load.drive`, but that the last requests are not waited for."""
    place, timing = "http://{}:{}".format(*address), ["-d", f"{seconds:.0f}", "--timeout", f"{ANSWER_SECONDS:.0f}"]
    with tempfile.TemporaryDirectory(prefix="newswire-wrk-") as folder:
        script = Path(folder) / "load.lua"
        script.write_text(SCRIPT % (",".join(map(table, load.requests)), first), "ascii")
        command = ["wrk", "-t", "1", "-c", str(load.connections), *timing, "-s", str(script), place]
        ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode or not ended.stderr:
        raise LoadError(f"wrk: {ended.stdout}{ended.stderr}")
    answers, microseconds, median, slowest, wrong = map(int, ended.stderr.split())
    if wrong:
        raise LoadError(f"{wrong} of {answers} requests failed\n{ended.stdout}")
    if not answers:
        # A busy machine: somebody has to wait for at least one.
        return compare_load.drive(address, load, seconds, first)
    return Outcome(answers, microseconds / 1e6, median / 1000, slowest / 1000)


def table(request: bytes) -> str:
    """A request as Lua has it: its parts before, between and behind its numbers."""
    return "{" + ",".join(f'"{escaped(part)}"' for part in request.split(MARK)) + "}"


def escaped(text: Iterable[int]) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}" for byte in text)
