"""The body of a request while it is received: framing, spooling to a file, bounds, and the least rate.

The event loop and the threads feed it with what arrives; the application gets the whole body as a file.
"""

import io
import tempfile
from typing import IO

from newswire.server.bounds import (
    BODY_BYTES_PER_SECOND,
    BODY_IN_MEMORY_BYTES,
    BODY_PAUSE_SECONDS,
    BODY_WINDOW_SECONDS,
)
from newswire.server.chunked import ChunkedDecoder

UNLIMITED = 2**63


class RequestBody:
    """The body of one request, `length` bytes long, or in the chunked coding if `length` is None.

    `limit` is the number of bytes that may be received; a longer body is refused, and what has arrived is dropped.
    `window_began` and `progress_at` are in seconds of the monotonic clock.
    """

    def __init__(self, length: int | None, now: float) -> None:
        self.length = length
        self.decoder = ChunkedDecoder() if length is None else None
        self.limit = UNLIMITED
        self.size = 0
        self.received = 0
        self.window_began = self.progress_at = now
        self.window_received = 0
        self.rest = b""
        self.file: IO[bytes] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the last byte has been received."""
        return self.size == self.length if self.decoder is None else self.decoder.is_finished

    @property
    def is_refused(self) -> bool:
        """Whether the body is longer than its limit. So is every body with a limit of 0 that is not whole yet."""
        if self.length is not None and self.length > self.limit:
            return True
        return self.size > self.limit or (self.limit == 0 and not self.is_whole)

    def receive(self, data: bytes, now: float) -> None:
        """Takes the next bytes of the connection; raises `MalformedChunks`, and OSError if the file cannot be written.

        What follows the body is kept in `rest`.
        """
        self.progress_at = now
        self.received += len(data)
        if self.decoder is None:
            missing = (self.length or 0) - self.size
            self.rest = data[missing:]
            self._write(data[:missing])
            return
        # The limit is checked once for all pieces: they are no longer than what was received at once.
        self._write(b"".join(self.decoder.decode(data)))
        self.rest = self.decoder.rest

    def _write(self, content: bytes) -> None:
        self.size += len(content)
        if content and self.size <= self.limit:
            if self.file is None:
                # Closed by `close`, which is called however the request ends.
                self.file = tempfile.SpooledTemporaryFile(BODY_IN_MEMORY_BYTES)  # noqa: SIM115
            self.file.write(content)

    def is_too_slow(self, now: float) -> bool:
        """Whether the body has paused for too long, or was slower than the least rate in the last window.

        The rate counts anew in each window: a client that has sent much at once would otherwise hold it for hours.
        """
        seconds = now - self.window_began
        if now - self.progress_at > BODY_PAUSE_SECONDS:
            return True
        if seconds < BODY_WINDOW_SECONDS:
            return False
        received, self.window_received = self.received - self.window_received, self.received
        self.window_began = now
        return received < seconds * BODY_BYTES_PER_SECOND

    def open_input(self) -> IO[bytes]:
        """The body as a file, from its beginning."""
        if self.file is None:
            return io.BytesIO()
        self.file.seek(0)
        return self.file

    def close(self) -> None:
        """Deletes the file."""
        if self.file is not None:
            self.file.close()
