"""How many connections a process and an address may have, and which peers are trusted proxies."""

import pytest

from newswire.api.request.address import find_client
from newswire.config import Settings, SettingsError, parse_networks
from newswire.server.bounds import RESERVED_DESCRIPTORS, connections_within


@pytest.mark.parametrize(
    ("descriptors", "connections"), [(1024, 549), (20_000, 1208), (-1, 1208), (300, 66), (RESERVED_DESCRIPTORS, 1)]
)
def test_connections_leave_descriptors_for_files(descriptors: int, connections: int) -> None:
    assert connections_within(descriptors, 100, 1208) == connections


def test_addresses_are_counted_one_by_one_and_networks_of_subscribers_as_one() -> None:
    trusted = Settings().trusted_proxies
    assert find_client("127.0.0.1", "", trusted) is None
    assert find_client("::1", "", trusted) is None
    assert find_client("::ffff:127.0.0.1", "", trusted) is None
    assert find_client("192.0.2.7", "", trusted) == find_client("::ffff:192.0.2.7", "", trusted) == "192.0.2.7"
    assert find_client("2001:db8::1", "", trusted) == find_client("2001:db8::ffff:2", "", trusted) == "2001:db8::/64"
    assert find_client("fe80::1%eth0", "", trusted) == "fe80::/64"
    assert find_client("192.0.2.7", "", "192.0.2.0/24") is None


@pytest.mark.parametrize("text", ["proxy.example", "127.0.0.1;::1", "*"])
def test_a_proxy_that_is_no_address_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="NEWSWIRE_TRUSTED_PROXIES must name addresses or networks"):
        Settings.from_env({"NEWSWIRE_TRUSTED_PROXIES": text})


def test_proxies_and_connections_can_be_set() -> None:
    environ = {"NEWSWIRE_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1", "NEWSWIRE_CONNECTIONS_PER_ADDRESS": "7"}
    settings = Settings.from_env(environ)
    assert [str(each) for each in parse_networks(settings.trusted_proxies)] == ["10.0.0.0/8", "192.0.2.1/32"]
    assert settings.connections_per_address == 7
    assert parse_networks(Settings.from_env({"NEWSWIRE_TRUSTED_PROXIES": ""}).trusted_proxies) == ()
