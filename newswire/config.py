"""Settings: a frozen dataclass, read from `NEWSWIRE_*` environment variables.

Nothing else in the project reads the environment. An unknown `NEWSWIRE_*` variable
stops the start, so that a typing error cannot silently leave a default in force.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from newswire.errors import suggest_name
from newswire.quotas import Quota, parse_quotas

PREFIX = "NEWSWIRE_"
URL, KEY = "NEWSWIRE_URL", "NEWSWIRE_KEY"
# Read by the HTTP clients and by the test suite, not by the server.
FOREIGN = frozenset({URL, KEY, f"{KEY}_FILE", "NEWSWIRE_TEST_DATABASE_URL"})
SECRET_CHARACTERS = 32
CONNECTIONS_BESIDE_REQUESTS = 8
LONGEST_SHARED_AGE = 86_400
# A name, *.NAME, an address, or an IPv6 address in brackets.
HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


class SettingsError(Exception):
    """A setting is unknown or its value cannot be used; the text is one sentence for the operator."""


@dataclass(frozen=True)
class Settings:
    """Everything that an operator can set; each field is the variable `NEWSWIRE_<FIELD>`."""

    database_url: str = field(
        default="sqlite:///newswire.db",
        metadata={"help": "Where the wire is stored: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."},
    )
    database_connections: int | None = field(
        default=None,
        metadata={"help": "Connections to the database that one web process opens at most; default: threads + 8."},
    )
    database_pooler: bool = field(
        default=False,
        metadata={"help": "true if NEWSWIRE_DATABASE_URL leads to a pooler in transaction mode, such as PgBouncer."},
    )
    listen_url: str | None = field(
        default=None,
        metadata={"help": "Behind a pooler: PostgreSQL itself, to hear of new entries at once; else within a second."},
    )
    durability: str = field(
        default="local",
        metadata={
            "help": "local: stored is what is on the disk of the database; replicated: what a standby has too"
            " (PostgreSQL with synchronous_standby_names)."
        },
    )
    base_url: str | None = field(
        default=None,
        metadata={"help": "The public address in links, e.g. https://wire.example.org; default: that of the request."},
    )
    public_read: bool = field(default=False, metadata={"help": "true lets anyone read the whole wire without a key."})
    shared_max_age: int = field(
        default=0,
        metadata={
            "help": "With NEWSWIRE_PUBLIC_READ: seconds for which CDNs and caching proxies may answer keyless readers"
            " without asking; a kill reaches those that much later."
        },
    )
    cors_origins: tuple[str, ...] | None = field(
        default=None,
        metadata={
            "help": "Origins whose scripts may call the API from a browser, with commas between, e.g."
            " https://app.example.org; * is every site; default: none."
        },
    )
    log_level: str = field(
        default="info",
        metadata={"help": "debug, info, warning or error: the least serious log line written."},
    )
    threads: int = field(default=8, metadata={"help": "Requests that one web process answers at the same time."})
    streams: int = field(
        default=200,
        metadata={"help": "Open streams and waiting polls that one web process holds beside its requests."},
    )
    connections_per_address: int = field(
        default=64,
        metadata={
            "help": "Connections that one web process keeps open with one address; trusted proxies have no such bound."
        },
    )
    streams_per_party: int | None = field(
        default=None,
        metadata={"help": "Of these, how many one party may have; default: half."},
    )
    wait_seconds: int = field(
        default=2,
        metadata={"help": "How long a request may wait to be served, or to write, before it is refused (503)."},
    )
    limits: Mapping[str, Quota] | None = field(
        default=None,
        metadata={"help": "Requests that each key may send, e.g. read=600/60s,publish=120/60s; default: no limit."},
    )
    allowed_hosts: tuple[str, ...] | None = field(
        default=None,
        metadata={
            "help": "The names by which the wire is reached, with commas between; *.example.org is any name in it."
        },
    )
    trusted_proxies: str = field(
        default="127.0.0.1,::1",
        metadata={"help": "Addresses and networks whose X-Forwarded headers are believed, separated by commas."},
    )
    query_seconds: int = field(
        default=10,
        metadata={"help": "How long the queries of one request may take together; then it is refused as too slow."},
    )
    secret: str | None = field(
        default=None,
        repr=False,
        metadata={"help": "At least 32 characters, from which the secrets of signing keys are derived; keep it."},
    )
    demo: bool = field(
        default=False, metadata={"help": "Serves the sample pictures under /samples; set by `newswire demo`."}
    )

    @property
    def connections(self) -> int:
        """The bound of a web process: one connection for each request, and some for streams and what else goes on."""
        return self.database_connections or self.threads + CONNECTIONS_BESIDE_REQUESTS

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Settings from the environment (default: that of the process); raises `SettingsError`."""
        environ = os.environ if environ is None else environ
        known = {PREFIX + f.name.upper(): f for f in fields(cls)}
        # A mistyped name would otherwise leave a default in force without a word.
        for name in environ:
            if name.startswith(PREFIX) and name not in FOREIGN and name.removesuffix("_FILE") not in known:
                # All names share a prefix, so that a short one resembles wrong ones: NEWSWIRE_CORS and NEWSWIRE_DEMO.
                likely = [each for each in known if each.startswith(name)] or sorted(known)
                raise SettingsError(f"{name} is not a setting of Newswire. {suggest_name(name, likely)}")
        values: dict[str, Any] = {}
        for name, setting in known.items():
            if (text := read_variable(environ, name)) is not None:
                values[setting.name] = convert_value(name, text, setting.default)
        return cls(**values)


def client_settings(url: str | None = None, environ: Mapping[str, str] | None = None) -> tuple[str, str | None]:
    """The URL for an HTTP client (`url`, else NEWSWIRE_URL) and its key, or None; raises `SettingsError`."""
    environ = os.environ if environ is None else environ
    # Only for its errors: a mistyped variable must not be ignored by a client either.
    Settings.from_env(environ)
    given = parse_address(URL, url or environ.get(URL, ""))
    if given is None:
        raise SettingsError(f"Where is the wire? Set {URL}, or give --url, such as https://wire.example.org.")
    key = (read_variable(environ, KEY) or "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError(f"{KEY} does not hold a key, which is one word such as nw_….")
    return given, key or None


def read_variable(environ: Mapping[str, str], name: str) -> str | None:
    """The value of a variable, or the content of the file that NAME_FILE names instead; None without either."""
    path = environ.get(f"{name}_FILE")
    if path is None:
        return environ.get(name)
    if name in environ:
        raise SettingsError(f"{name} and {name}_FILE are both set; keep one of them.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}_FILE points to {path!r}, which cannot be read: {error}.") from None


def convert_value(name: str, text: str, default: object) -> object:
    """Converts the text of a variable to the type of its default; raises `SettingsError`."""
    if name in CONVERTERS:
        return CONVERTERS[name](name, text)
    if isinstance(default, bool):
        if text.lower() not in TRUE | FALSE:
            raise SettingsError(f"{name} must be true or false, not {text!r}.")
        return text.lower() in TRUE
    if isinstance(default, int) or name in ("NEWSWIRE_DATABASE_CONNECTIONS", "NEWSWIRE_STREAMS_PER_PARTY"):
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
            raise SettingsError(f"{name} must be a whole number from 1 to 1000, not {text!r}.")
        return int(text)
    if name == "NEWSWIRE_LOG_LEVEL" and text.lower() not in {"debug", "info", "warning", "error"}:
        raise SettingsError(f"{name} must be debug, info, warning or error, not {text!r}.")
    if name == "NEWSWIRE_DURABILITY" and text.lower() not in {"local", "replicated"}:
        raise SettingsError(f"{name} must be local or replicated, not {text!r}.")
    if name == "NEWSWIRE_SECRET" and len(text) < SECRET_CHARACTERS:
        raise SettingsError(f"{name} must have at least {SECRET_CHARACTERS} characters: `openssl rand -hex 32`.")
    return text.lower() if name in {"NEWSWIRE_LOG_LEVEL", "NEWSWIRE_DURABILITY"} else text


def parse_address(name: str, text: str) -> str | None:
    try:
        parts = urlsplit(text)
        usable = text.isascii() and text.isprintable() and not set(text) & set(' "\\') and parts.port != 0
    except ValueError:
        raise SettingsError(f"{name} is not an address that can be read: {text!r}.") from None
    if text and (
        not usable or parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment
    ):
        raise SettingsError(f"{name} must be an address such as https://wire.example.org, not {text!r}.")
    return text.rstrip("/") or None


def parse_limits(name: str, text: str) -> Mapping[str, Quota] | None:
    try:
        return parse_quotas([text]) if text.strip() else None
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from None


def parse_hosts(name: str, text: str) -> tuple[str, ...] | None:
    """Host names in lower case, without ports."""
    hosts = [host.strip().lower() for host in text.split(",") if host.strip()]
    for host in hosts:
        if not HOST.fullmatch(host):
            raise SettingsError(f"{name} must be names such as wire.example.org,*.example.net, not {host!r}.")
    return tuple(hosts) or None


def parse_shared_age(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= LONGEST_SHARED_AGE):
        raise SettingsError(f"{name} must be a whole number of seconds from 0 to {LONGEST_SHARED_AGE}, not {text!r}.")
    return int(text)


def parse_origins(name: str, text: str) -> tuple[str, ...] | None:
    """Origins as browsers write them (RFC 6454, section 6.2), or `*` alone; None for no origin."""
    origins = tuple(dict.fromkeys(origin.strip() for origin in text.split(",") if origin.strip()))
    if "*" in origins and origins != ("*",):
        raise SettingsError(f"{name}: * means every origin; leave out the others, or the *.")
    return origins if origins == ("*",) else tuple(parse_origin(name, origin) for origin in origins) or None


def parse_origin(name: str, text: str) -> str:
    """One origin; raises `SettingsError` for what no browser sends as one, with what is probably meant."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsError(f"{name} holds {text!r}, which cannot be read as an origin.") from None
    named = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    origin = f"{parts.scheme}://{named}" + (f":{port}" if port not in (None, usual) else "")
    if usual is None or not HOST.fullmatch(named) or "*" in named:
        raise SettingsError(
            f"{name} must be origins such as https://app.example.org, without a wildcard, or * alone; not {text!r}."
        )
    # Compared with what a browser sends character by character, so that a near miss would never match.
    if text != origin:
        raise SettingsError(f"{name} holds {text!r}, which no browser sends as its origin; write {origin}.")
    return origin


def parse_proxies(name: str, text: str) -> str:
    parse_networks(text, name)
    return text


def parse_networks(text: str, name: str = "NEWSWIRE_TRUSTED_PROXIES") -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks in a list of addresses and networks that is separated by commas; raises `SettingsError`."""
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise SettingsError(f"{name} must name addresses or networks such as 10.0.0.0/8: {error}.") from None


CONVERTERS: Mapping[str, Callable[[str, str], object]] = {
    "NEWSWIRE_BASE_URL": parse_address,
    "NEWSWIRE_SHARED_MAX_AGE": parse_shared_age,
    "NEWSWIRE_CORS_ORIGINS": parse_origins,
    "NEWSWIRE_LIMITS": parse_limits,
    "NEWSWIRE_ALLOWED_HOSTS": parse_hosts,
    "NEWSWIRE_TRUSTED_PROXIES": parse_proxies,
}
