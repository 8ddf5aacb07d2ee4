"""The state file of a pull: the position from which the next run continues, and how far the output had been written."""

import fcntl
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from newswire.client import ClientError
from newswire.client.files import replace_file, sync_path


@dataclass
class PullState:
    """The position `after` (a sequence number; before the first page `oldest`, `now` or a time) on the wire `wire`.

    `chain` is the chain value of that entry: it tells whether the wire still has what was read. Files of earlier
    releases do not hold it; they are gone on with, and hold it from then on.
    `filters` is the fingerprint of the filters of the pull; `output` names its output, `size` is that in bytes.
    """

    after: str
    filters: str
    output: str
    size: int
    wire: str | None = None
    chain: str | None = None

    @property
    def seq(self) -> int:
        """The position as a sequence number; 0 before there is one."""
        return int(self.after) if self.after.isascii() and self.after.isdigit() else 0


def fingerprint_filters(parameters: Sequence[tuple[str, str]]) -> str:
    """A hash of filters, the same in whatever order they are given."""
    return hashlib.sha256(orjson.dumps(sorted(parameters))).hexdigest()[:16]


def load_state(path: Path) -> PullState | None:
    """The state in a file, None when there is no such file; raises `ClientError` when it holds something else."""
    try:
        return PullState(**orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError):
        raise ClientError(f"{path} is not the state of a pull; name another state file.") from None


def save_state(path: Path, state: PullState) -> None:
    replace_file(path, orjson.dumps(asdict(state), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sync_path(path.parent)


@contextmanager
def lock_state(path: Path) -> Iterator[None]:
    """Locks a state file (flock of a file beside it), or raises `ClientError` when another pull holds it."""
    # Two pulls with one state would write every entry twice, and cut off each other's lines. The lock is on another
    # file because `save_state` replaces the state file, and a lock stays with the replaced one.
    with path.with_name(path.name + ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClientError(f"Another pull is at work with {path}; wait for it, or stop it.") from None
        yield
