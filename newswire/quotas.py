"""Quotas: how many requests a key may send in a window of time, written as `read=600/60s,publish=120/60s`.

A quota bears the name of the scope whose requests it counts. How requests are counted is in `newswire.api.limits`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from newswire.errors import suggest_name

COUNTED_SCOPES = ("read", "publish")
MOST_REQUESTS, MOST_SECONDS = 10**9, 86_400
QUOTA = re.compile(r"\s*([a-z]+)\s*=\s*([1-9][0-9]{0,9})\s*/\s*([1-9][0-9]{0,5})\s*s\s*", re.ASCII)


class Quota(NamedTuple):
    """At most `requests` in a window of `seconds`."""

    requests: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.requests}/{self.seconds}s"


def parse_quotas(texts: Iterable[str]) -> dict[str, Quota]:
    """The quotas by scope in texts such as `read=600/60s,publish=120/60s`; raises `ValueError` with one sentence."""
    found: dict[str, Quota] = {}
    for text in (part for joined in texts for part in joined.split(",")):
        matched = QUOTA.fullmatch(text)
        if matched is None:
            raise ValueError(f"A limit looks like read=600/60s (requests in seconds), not {text!r}.")
        name, quota = matched[1], Quota(int(matched[2]), int(matched[3]))
        if name not in COUNTED_SCOPES:
            raise ValueError(f"There is no limit for {name!r}. {suggest_name(name, COUNTED_SCOPES)}")
        if name in found:
            raise ValueError(f"The limit for {name} is given twice; keep one of them.")
        if quota.requests > MOST_REQUESTS or quota.seconds > MOST_SECONDS:
            raise ValueError(f"A limit has at most {MOST_REQUESTS:,} requests in at most {MOST_SECONDS:,} s.")
        found[name] = quota
    return found


def format_quotas(quotas: Mapping[str, Quota]) -> str:
    """The text that `parse_quotas` reads; "" for none."""
    return ",".join(f"{name}={quota}" for name, quota in quotas.items())


def describe_quotas(quotas: Mapping[str, Quota]) -> dict[str, dict[str, int]]:
    """Quotas as they are served in JSON."""
    return {name: {"requests": quota.requests, "seconds": quota.seconds} for name, quota in quotas.items()}
