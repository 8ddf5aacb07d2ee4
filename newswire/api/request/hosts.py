"""The hosts by which the wire may be reached: NEWSWIRE_ALLOWED_HOSTS, and the one of NEWSWIRE_BASE_URL."""

from functools import lru_cache
from urllib.parse import urlsplit

ALLOWED_HOSTS = "NEWSWIRE_ALLOWED_HOSTS"


@lru_cache(1000)
def is_allowed_host(host: str, allowed: tuple[str, ...], base_url: str | None) -> bool:
    """Whether a Host header, with or without a port, is one of `allowed` or that of the base of our own URLs."""
    name = strip_port(host.lower())
    if base_url is not None and name == strip_port(urlsplit(base_url).netloc.lower()):
        return True
    return any(name == each or (each.startswith("*.") and name.endswith(each[1:])) for each in allowed)


def strip_port(host: str) -> str:
    """A host without its port; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdigit() or not port) else host
