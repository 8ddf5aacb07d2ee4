"""The deadlines and bounds of connections, and how many connections the descriptors of the process allow.

A deadline says how long the server waits for a client, a bound how many bytes or connections a client may take.
"""

import resource
from typing import NamedTuple

KIB, MIB = 1024, 1024 * 1024

HEAD_SECONDS = 10.0
"""From the accepting of a connection, or the first byte of its next request, to the end of the head."""
BODY_WINDOW_SECONDS = 10.0
BODY_BYTES_PER_SECOND = 1024
"""The least average rate of a body in each `BODY_WINDOW_SECONDS`."""
BODY_PAUSE_SECONDS = 20.0
"""The longest pause within a body, whatever its average rate is."""
SEND_SECONDS = 20.0
"""The longest time in which a client takes no byte of its response."""
LINGER_SECONDS = 2.0
"""The longest pause of a client that still sends while its connection is being closed."""
LINGER_TOTAL_SECONDS = 10.0
KEEPALIVE_SECONDS = 75
"""Longer than the 60 seconds of the usual proxies, which must not send on a connection that was just closed."""
STOP_SECONDS = 2.0
"""How long a process that stops keeps idle connections open, on which a request may be on its way."""
ACCEPT_PAUSE_SECONDS = 0.1
"""How long no connection is accepted after one could not be."""
SWEEP_SECONDS = 0.5
"""The interval at which deadlines are looked at, and so their precision."""

RECEIVE_BYTES = 64 * KIB
HEAD_BYTES = 128 * KIB
"""The longest head: a request line of 64 KiB (`gunicorn_patches.REQUEST_LINE_BYTES`) and as much of header fields."""
BODY_IN_MEMORY_BYTES = 64 * KIB
"""The part of a body that is kept in memory; a longer body is kept in a temporary file."""
BODIES_BYTES = 256 * MIB
"""All bodies that one process has received and not yet answered."""
RESPONSE_QUEUE_BYTES = 16 * MIB
"""The most of one response that is queued; the thread waits for the client when there is more."""
UNSENT_BYTES = 64 * MIB
"""All responses that one process has queued because their clients do not take them."""
LINGER_BYTES = 128 * MIB
"""The most that is read from a connection that is being closed: twice the largest body."""

NEWCOMER_SECONDS = 1.0
"""A younger connection that has not sent its first request yet is not closed to make room for another one."""
RESERVED_DESCRIPTORS = 100
"""Descriptors for files, pipes and logs; those of the database come on top."""


class ConnectionBounds(NamedTuple):
    """How many connections one process keeps open, and how many of them one address may have."""

    connections: int
    per_address: int


def raise_descriptor_limit() -> int:
    """Raises the soft limit of open files to the hard one; returns the number of descriptors that the process may open.

    The usual soft limit of 1,024 exists for programs that call select(2), which this server does not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        # macOS has a hard limit without end and refuses to set the soft limit to it.
        return soft
    return hard


def connections_within(descriptors: int, reserved: int, wanted: int) -> int:
    """The number of connections for which there are descriptors, at most `wanted`; `reserved` are for the application.

    Two thirds of the others are for connections, and the rest is for bodies in files.
    """
    if descriptors < 0:
        # RLIM_INFINITY
        return wanted
    return max(1, min(wanted, (descriptors - RESERVED_DESCRIPTORS - reserved) * 2 // 3))
