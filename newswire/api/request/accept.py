"""Content negotiation: the offered media type that an Accept header prefers (RFC 9110, section 12.5.1).

The header is read as clients write it. Java sends `text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2` by itself, and
frameworks send ranges such as `application/*+json`. An item that cannot be read is passed over.
"""

import re

from newswire.caches import cache_short
from newswire.errors import Problem

LONGEST_HEADER = 8192
"""Characters of an Accept header that are read; browsers send about 150."""
TOKEN = r"[!#$%&'*+.^_`|~0-9a-z-]+"
RANGE = re.compile(rf"\*/\*|(?!\*/){TOKEN}/{TOKEN}")
QUALITY = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
PROBLEMS = frozenset({"application/problem+json", "application/problem+xml"})
"""Types of errors only: who names them says how errors may come, and asks for no representation."""


def negotiate_media_type(header: str, offered: tuple[str, ...], *, is_strict: bool = True) -> str:
    """The offered type with the highest quality in an Accept header, the first of equals.

    Where none is acceptable, the first one, or with `is_strict` the problem `not_acceptable`.
    """
    best = find_best_type(header, offered)
    if best is None and is_strict:
        detail = (
            f"This address answers in {', '.join(offered)}; ask for one of these or for */*. RSS, Atom and JSON Feed"
            " have addresses of their own, such as /v1/articles.rss."
        )
        raise Problem("not_acceptable", detail)
    return best or offered[0]


@cache_short(100, longest=1000)
def find_best_type(header: str, offered: tuple[str, ...]) -> str | None:
    """The best of `offered` by an Accept header, None if none is acceptable.

    Of types with the same quality the one wins that the header names more exactly, then the one that is offered first.
    """
    ranges = parse_accept(header[:LONGEST_HEADER], frozenset(each.partition(";")[0] for each in offered if ";" in each))
    if not ranges:
        return offered[0]
    best, best_rank = None, (0.0, 0)
    for media_type in offered:
        rank = rank_type(media_type, ranges)
        if rank[0] > 0 and rank > best_rank:
            best, best_rank = media_type, rank
    return best


def rank_type(media_type: str, ranges: dict[str, float]) -> tuple[float, int]:
    """The quality that the most specific matching range gives a media type, and how specific that range is."""
    main, _, subtype = media_type.partition(";")[0].partition("/")
    suffix = subtype.rpartition("+")[2]
    for specificity, name in ((3, media_type), (2, f"{main}/*+{suffix}"), (1, f"{main}/*"), (0, "*/*")):
        if name in ranges:
            return ranges[name], specificity
    return 0.0, 0


def parse_accept(header: str, versioned: frozenset[str]) -> dict[str, float]:
    """The media ranges of an Accept header in lower case, with their qualities from 0 to 1.

    Of parameters only `version` counts, and only for types that are offered in several versions (`versioned`). All
    answers are in UTF-8, and others, such as the `type=feed` of Atom clients, distinguish nothing here.
    """
    ranges: dict[str, float] = {}
    for item in header.lower().split(","):
        media, *parameters = (part.strip(" \t") for part in item.split(";"))
        # Java writes the range for everything as a bare asterisk.
        media = "*/*" if media == "*" else media
        quality, version = read_parameters(parameters)
        if quality is None or not RANGE.fullmatch(media) or media in PROBLEMS:
            continue
        name = f"{media};version={version}" if version and media in versioned else media
        ranges[name] = max(quality, ranges.get(name, 0.0))
    return ranges


def read_parameters(parameters: list[str]) -> tuple[float | None, str]:
    """The quality among the parameters of a range, None if it cannot be read, and the version, "" without one.

    More decimals than the three of the grammar are taken, and no digit before the point; more than 1 counts as 1.
    """
    version = ""
    for parameter in parameters:
        name, _, value = (part.strip(" \t") for part in parameter.partition("="))
        if name == "q":
            # What follows the quality is an extension, and no parameter of the type.
            return (min(float(value), 1.0) if QUALITY.fullmatch(value) else None), version
        if name == "version":
            version = value.strip('"')
    return 1.0, version
