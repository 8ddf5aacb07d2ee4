"""The address of a client, for limits that go by address: the peer's, or behind a trusted proxy the forwarded one.

A proxy appends the address of its own peer to `X-Forwarded-For`. So the header is read from its end, as long as the
hop that wrote an address is trusted; whatever a client wrote into it stands further to the front.
"""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from newswire.caches import cache_short
from newswire.config import parse_networks

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MOST_HOPS = 20
trusted_networks = lru_cache(10)(parse_networks)
NETWORK_BITS = 64
"""The part of an IPv6 address that counts: whoever has one address of a /64 has all of them."""


def client_address(environ: Mapping[str, Any], trusted: str) -> str | None:
    """The address that a request is counted for; None if a trusted proxy sent it for itself, or the peer is unknown.

    `trusted` is NEWSWIRE_TRUSTED_PROXIES, addresses or networks with commas between. IPv6 addresses are those of their
    network of `NETWORK_BITS`.
    """
    return find_client(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""), trusted)


@cache_short(1000, longest=300)
def find_client(peer: str, forwarded: str, trusted: str) -> str | None:
    networks = trusted_networks(trusted)
    # The peer of a UNIX socket has no address; only a proxy on this machine can be one.
    hops = [peer, *reversed(forwarded.split(",")[-MOST_HOPS:])] if forwarded else [peer]
    for hop in hops:
        address = parse_address(hop)
        if address is None and hop != peer:
            return None
        if address is not None and not any(address in network for network in networks):
            return name_address(address)
    return None


def parse_address(text: str) -> Address | None:
    """The address in a hop, which some proxies write with a port; None if there is none. Mapped IPv4 is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def name_address(address: Address) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, NETWORK_BITS), strict=False))
    return str(address)
