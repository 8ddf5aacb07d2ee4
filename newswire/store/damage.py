"""The mark of a damaged database: once damage was met, nothing is read or stored until a check finds none.

A damaged database may still answer most requests and store articles, which a backup that is put back would lose. So the
first error of that kind marks it. On SQLite the mark is a file beside the database, which all processes see and which
outlasts them; `newswire verify` removes it when it finds nothing broken, `newswire restore` when it has replaced the
database. On PostgreSQL each process has its own mark, until it ends.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from newswire.errors import DamageError, Problem
from newswire.store.backend import Backend

logger = logging.getLogger("newswire.database")


class DamageMark:
    """The mark of one database, as one process sees it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._file = backend.damage_file
        # The reason, where there is no file, or none can be written: a full disk, a folder that may not be changed.
        self._reason: str | None = None
        self.is_ignored = False
        """Lets `newswire verify` read a marked database."""

    def is_set(self) -> bool:
        # One system call, 1.5 µs: every transaction begins with it.
        return self._reason is not None or (self._file is not None and os.path.exists(self._file))

    def refuse_damaged(self) -> None:
        """Raises `DamageError` if the database is marked."""
        if self.is_set() and not self.is_ignored:
            raise DamageError(self._read_reason())

    def _read_reason(self) -> str:
        if self._reason is None and self._file is not None:
            with suppress(OSError):
                return Path(self._file).read_text(encoding="utf-8").strip()
        return self._reason or ""

    def set(self, reason: str) -> None:
        """Marks the database; the first process that does so logs it as critical, once."""
        if self._reason is not None:
            return
        if self._file is None:
            self._reason = reason
        else:
            try:
                with open(self._file, "x", encoding="utf-8") as file:
                    file.write(f"{reason}\n")
            except FileExistsError:
                return
            except OSError:
                self._reason = reason
        logger.critical(
            "the database is damaged: %s; nothing is served or stored until `newswire verify` finds nothing broken",
            reason,
        )

    def clear(self) -> bool:
        """Removes the mark; returns whether there was one."""
        was_set, self._reason = self.is_set(), None
        if self._file is not None:
            Path(self._file).unlink(missing_ok=True)
        return was_set

    def note_failure(self, error: BaseException) -> DamageError | None:
        """Marks the database if an error, or its cause, tells of damage; returns that as a `DamageError`, else None."""
        if isinstance(error, DamageError):
            self.set(error.reason)
            return error
        cause = error.__cause__ if isinstance(error, Problem) and error.__cause__ is not None else error
        driver_error = getattr(cause, "orig", None) or cause
        if not self._backend.is_damage(driver_error):
            return None
        found = DamageError(str(driver_error).strip().splitlines()[0])
        self.set(found.reason)
        return found

    @contextmanager
    def guard_transaction(self) -> Iterator[None]:
        """Refuses to begin on a marked database, and marks it if the block meets damage. Raises `DamageError`."""
        self.refuse_damaged()
        try:
            yield
        except Exception as error:
            found = self.note_failure(error)
            if found is None or found is error:
                raise
            raise found from error
