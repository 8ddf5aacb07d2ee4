"""URLs: absolute, in ASCII, without credentials. One reading of them for the fields of an article and for its body.

Which attributes of a body may hold which URL is decided in `formats.html`; here nothing is fetched or looked up.
"""

import re
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1F]+")
"""An absolute URI of any scheme (RFC 3986), of which no more is asked: it is a name of a thing."""
C0_AND_SPACE = "".join(map(chr, range(0x21)))
UNSAFE = re.compile(r'[\x00-\x20\x7f-\xa0"<>\u2028\u2029]')
SAFE = "/:@!$&'()*+,;=%~?-._"
# What needs no work: most URLs of a wire are such, and take 1 µs instead of 10.
PLAIN = re.compile(
    r"https?://[a-z0-9._~-]+(?:/[A-Za-z0-9/:@!$&'()*+,;=%~._-]*+)?+"
    r"(?:\?[A-Za-z0-9/:@!$&'()*+,;=%~?._-]++)?+(?:#[A-Za-z0-9/:@!$&'()*+,;=%~?._-]++)?+"
)
# Underscores are no part of a host name (RFC 952), but of names that are in use.
ASCII_HOST = re.compile(r"[a-z0-9._~-]+|[0-9a-f:.]*:[0-9a-f:.]*")

LONGEST_CONTACT = 2_000
# RFC 6068, section 4, warns of others: a mail program could attach a file, or send in somebody's name.
MAIL_FIELDS = frozenset({"to", "cc", "bcc", "subject", "body", "keywords", "in-reply-to"})
TELEPHONE = re.compile(r"(?=.*[0-9*#])[0-9A-Za-z+*#().,;=_~/-]{1,100}")


class NoBaseError(ValueError):
    """A relative URL cannot be resolved, because no base URL is known."""


def absolute_url(url: str, base_url: str | None) -> str | None:
    """Resolves `url` as a browser does (WHATWG URL); None when the result is no http or https URL.

    The host is written in ASCII by IDNA 2008 after the mapping of UTS 46, not transitional; None where IDNA excludes
    it. User name and password are left out. All other characters that RFC 3986 does not allow are percent-encoded.
    Without a base URL, `//host/…` becomes https, and a fragment alone is None; raises `NoBaseError` for every other
    relative URL.
    """
    if PLAIN.fullmatch(url):
        return url
    try:
        parts = _split_absolute(url, base_url)
        return _url_in_ascii(parts) if parts.scheme in ("http", "https") and parts.hostname else None
    except NoBaseError:
        raise
    except ValueError:
        return None


def has_credentials(url: str) -> bool:
    """Whether `url` has a user name or a password, which `absolute_url` leaves out."""
    if "@" not in url:
        return False
    try:
        return bool(_split_absolute(url, "https://none.invalid/").netloc.rpartition("@")[0].strip(":"))
    except ValueError:
        return False


def _split_absolute(url: str, base_url: str | None) -> SplitResult:
    """The parts of the URL once it is absolute; raises `ValueError` for a malformed authority."""
    url = re.sub("[\t\n\r]", "", url.strip(C0_AND_SPACE))
    path, mark, rest = re.match("([^?#]*)([?#]?)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
    url = UNSAFE.sub(lambda unsafe: quote(unsafe[0]), path.replace("\\", "/") + mark + rest)
    return urlsplit(url if SCHEME.match(url) else _resolve_relative(url, base_url))


def _resolve_relative(url: str, base_url: str | None) -> str:
    if base_url is not None:
        return urljoin(base_url, url) if url else ""
    if url.startswith("//"):
        return f"https:{url}"
    if url and not url.startswith("#"):
        raise NoBaseError(url)
    return ""


def _url_in_ascii(parts: SplitResult) -> str:
    """The URL with its host in IDNA, the rest percent-encoded; raises `ValueError` for a host that is none."""
    host = _host_in_ascii(parts.hostname or "")
    port = "" if parts.port is None else f":{parts.port}"
    netloc = (f"[{host}]" if ":" in host else host) + port
    return urlunsplit(
        (parts.scheme, netloc, *(quote(part, safe=SAFE) for part in (parts.path, parts.query, parts.fragment)))
    )


def _host_in_ascii(host: str) -> str:
    if "%" in host:
        host = unquote(host, errors="strict").lower()
    if not host.isascii():
        # Imported late: its tables take 30 ms, and hosts in other scripts are rare.
        import idna

        # Labels in ASCII are left to the pattern below: IDNA would exclude underscores, and hyphens in third place.
        labels = idna.uts46_remap(host, std3_rules=False, transitional=False).split(".")
        host = ".".join(label if label.isascii() else idna.alabel(label).decode("ascii") for label in labels)
        if len(host) > 253:
            raise ValueError("a name of the DNS has at most 253 characters")
    if not ASCII_HOST.fullmatch(host):
        raise ValueError("this is no host")
    return host


def contact_url(url: str) -> str | None:
    """A `mailto:` URL (RFC 6068) or a `tel:` URL (RFC 3966) as a link may hold it; None for any other.

    A message has only the fields `MAIL_FIELDS`, and only its body may have line breaks: anything else could add headers
    to it.
    """
    scheme, _, rest = re.sub("[\t\n\r]", "", url.strip(C0_AND_SPACE)).partition(":")
    if len(url) > LONGEST_CONTACT:
        return None
    if scheme.lower() == "tel":
        number = "".join(unquote(rest).split())
        return f"tel:{quote(number, safe='+*().,;=/')}" if TELEPHONE.fullmatch(number) else None
    return _mail_url(rest) if scheme.lower() == "mailto" else None


def _mail_url(rest: str) -> str | None:
    receivers, _, query = rest.partition("#")[0].partition("?")
    fields = [field.partition("=") for field in query.split("&") if field]
    if (not receivers and not fields) or re.search("[\r\n]", unquote(receivers)):
        return None
    for name, _, value in fields:
        if name.lower() not in MAIL_FIELDS or (name.lower() != "body" and re.search("[\r\n]", unquote(value))):
            return None
    encoded = [f"{name}={quote(value, safe=SAFE)}" for name, _, value in fields]
    return f"mailto:{quote(receivers, safe=SAFE)}" + (f"?{'&'.join(encoded)}" if encoded else "")
