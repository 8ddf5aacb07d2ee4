"""The place of a reader of the wire, kept in a file, so that the next run goes on where this one has stopped."""

import fcntl
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import orjson

from newswire.client.files import replace_file, sync_path


@dataclass
class PullState:
    """Go on behind `after` (before anything was read: `oldest`, `now`, a time) on the wire with the id `wire`.

    `filters` stands for the filters that were read through, `output` and `size` say what was written.
    """

    after: str
    filters: str
    output: str
    size: int
    wire: str | None = None

    @property
    def number(self) -> int:
        """The sequence number; 0 before there is one."""
        return int(self.after) if self.after.isascii() and self.after.isdigit() else 0


def fingerprint_filters(parameters: Sequence[tuple[str, str]]) -> str:
    """The same for the same filters in any order."""
    return hashlib.sha256(orjson.dumps(sorted(parameters))).hexdigest()[:16]


def load_state(path: Path) -> PullState | None:
    """The place in a file; None when there is no such file."""
    try:
        return PullState(**orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError):
        raise click.ClickException(f"{path} is not the state of a pull; name another file with --state.") from None


def save_state(path: Path, place: PullState) -> None:
    replace_file(path, orjson.dumps(asdict(place), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sync_path(path.parent)


@contextmanager
def lock_state(path: Path) -> Iterator[None]:
    """Keeps every other pull from the same place: two would write everything twice, and cut off each other's lines."""
    with path.with_name(path.name + ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(f"Another pull is at work with {path}; wait for it, or end it.") from None
        yield
