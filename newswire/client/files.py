"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEFAULT_MODE, OWNER_MODE = 0o666, 0o600


@contextmanager
def atomic_file(path: Path, rights: int = DEFAULT_MODE) -> Iterator[Path]:
    """A new empty file beside `path`, which takes its name once the block has ended well.

    Its content is on the disk by then; its name is after `sync` of the folder. After a failure it is gone,
    and whatever had the name keeps it.
    """
    part = path.with_name(f".newswire-{secrets.token_hex(8)}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, rights))
    try:
        yield part
        sync_path(part)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sync_path(path: Path) -> None:
    """Puts a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Replaces what is in a file, at once and wholly."""
    with atomic_file(path) as part:
        part.write_bytes(content)
