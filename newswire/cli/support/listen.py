"""The listening socket of a server, opened before anything else is started, so that a refusal is the first output."""

import errno
import ipaddress
import socket
from contextlib import suppress

import click


def open_listener(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the kernel choose. Raises `ClickException` with what to do."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise click.ClickException(f"The host {host!r} is unknown here; try --host 127.0.0.1.") from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # Without it a restarted server would be refused while connections of the old one are in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise click.ClickException(describe_refusal(host, port, error)) from None
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener at `host`; true also for a host that is unknown here."""
    with suppress(socket.gaierror, UnicodeError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return ipaddress.ip_address(str(found[0][4][0]).partition("%")[0]).is_loopback
    return True


def describe_refusal(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} of {host} is in use already; choose another one with --port."
        case errno.EACCES:
            return f"Port {port} of {host} needs more rights than this user has; choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"This machine has no address {host}; try --host 127.0.0.1."
    return f"Port {port} of {host} cannot be listened at: {error.strerror}."


def listener_url(listener: socket.socket) -> str:
    """http://HOST:PORT of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
