"""Decoder of the chunked transfer coding (RFC 9112, section 7.1), which takes the bytes as they arrive.

It is strict: an ambiguous message is refused, because a proxy may have understood it otherwise.
"""

import re
from enum import Enum, auto

CHUNK_LINE_BYTES = 1024
TRAILER_BYTES = 8 * 1024
FREE_CHUNKS = 16_384
MEAN_CHUNK_BYTES = 64
"""Beyond `FREE_CHUNKS` chunks must have this many bytes on average: each costs as much time as kilobytes of content."""

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
EXTENSION = rb"[ \t]*;[ \t]*" + TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + TOKEN + rb"|" + QUOTED + rb"))?"
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:" + EXTENSION + rb")*")
TRAILER_LINE = re.compile(TOKEN + rb":[\t\x20-\x7e\x80-\xff]*")


class MalformedChunks(Exception):
    """The bytes are not the chunked coding; the text is a sentence for the client and quotes nothing."""


class Step(Enum):
    """What the next bytes are."""

    CHUNK_LINE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILER = auto()
    END = auto()


class ChunkedDecoder:
    """Decodes one body; after `END`, `rest` holds what was received behind it."""

    def __init__(self) -> None:
        self.step = Step.CHUNK_LINE
        self.buffer = bytearray()
        self.remaining = 0
        self.chunks = 0
        self.decoded = 0
        self.trailer_bytes = 0

    @property
    def is_finished(self) -> bool:
        return self.step is Step.END

    @property
    def rest(self) -> bytes:
        """Bytes of the next request that were received with the end of this body."""
        return bytes(self.buffer) if self.is_finished else b""

    def decode(self, received: bytes) -> list[bytes]:
        """The content in `received`, in pieces; raises `MalformedChunks`."""
        self.buffer += received
        data, self.buffer = bytes(self.buffer), bytearray()
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and self.step is not Step.END:
            if self.step is Step.CHUNK:
                piece = data[at : at + self.remaining]
                pieces.append(piece)
                at += len(piece)
                self.remaining -= len(piece)
                self.decoded += len(piece)
                if self.remaining == 0:
                    self.step = Step.CHUNK_END
                continue
            line = self._take_line(data, at)
            if line is None:
                break
            at += len(line) + 2
            self._read_line(line)
        self.buffer += data[at:]
        return pieces

    def _take_line(self, data: bytes, at: int) -> bytes | None:
        """The line at `at` without its CRLF; None while its end has not arrived."""
        end = data.find(b"\n", at)
        line = data[at : len(data) if end < 0 else end]
        # The content of a chunk is followed by CRLF alone: any other byte there is refused without waiting for a line.
        most = {Step.CHUNK_LINE: CHUNK_LINE_BYTES, Step.CHUNK_END: 1}.get(self.step, TRAILER_BYTES)
        if len(line) > most or (end >= 0 and not line.endswith(b"\r")) or (end < 0 and b"\r" in line[:-1]):
            raise MalformedChunks("A line of the chunked body is too long, or does not end with CR LF.")
        return None if end < 0 else line[:-1]

    def _read_line(self, line: bytes) -> None:
        if self.step is Step.CHUNK_END:
            self.step = Step.CHUNK_LINE
        elif self.step is Step.CHUNK_LINE:
            self._begin_chunk(line)
        elif line:
            self.trailer_bytes += len(line)
            if self.trailer_bytes > TRAILER_BYTES or not TRAILER_LINE.fullmatch(line):
                raise MalformedChunks("The trailer of the chunked body is too long, or not made of header fields.")
        else:
            self.step = Step.END

    def _begin_chunk(self, line: bytes) -> None:
        match = CHUNK_LINE.fullmatch(line)
        if match is None:
            raise MalformedChunks("A chunk of the body does not begin with its size in hexadecimal digits.")
        self.remaining = int(match[1], 16)
        self.step = Step.CHUNK if self.remaining else Step.TRAILER
        self.chunks += 1
        if self.chunks > FREE_CHUNKS + self.decoded // MEAN_CHUNK_BYTES:
            raise MalformedChunks(f"The body has too many chunks; make them {MEAN_CHUNK_BYTES} bytes or larger.")
