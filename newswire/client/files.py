"""Atomic replacement of files: a reader sees the old content or the new one, and never a part of it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEFAULT_MODE, OWNER_MODE = 0o666, 0o600


@contextmanager
def atomic_file(path: Path, mode: int = DEFAULT_MODE) -> Iterator[Path]:
    """Gives a new empty file beside `path`, and renames it to `path` when the block has ended well.

    After a failure the new file is deleted, and `path` is as it was. The content is on the disk before the rename;
    the rename itself is only after `sync_path` of the folder.
    """
    part = path.with_name(f".newswire-{secrets.token_hex(8)}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        yield part
        # Without this, a power cut after the rename could leave the name with an empty file.
        sync_path(part)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sync_path(path: Path) -> None:
    """Flushes a file, or the names in a folder, to the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Replaces the content of a file atomically."""
    with atomic_file(path) as part:
        part.write_bytes(content)
