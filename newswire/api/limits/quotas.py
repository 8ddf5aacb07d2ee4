"""Quotas of requests: a request is counted before its work, refused when its key has used up its quota, and answered
with the fields of draft-ietf-httpapi-ratelimit-headers-11.

Requests whose caller is not known are counted by address, but only those that fail: a guessed key, token or signature.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from newswire.accounts.callers import Caller
from newswire.api.limits.windows import ADDRESSES, KEYS, QuotaWindow, WindowTable
from newswire.api.request.address import client_address
from newswire.config import Settings
from newswire.errors import Problem
from newswire.quotas import Quota

FAILURES = Quota(60, 60)
"""Requests with an invalid key, token or signature that an address may send before the next ones are not looked at."""


EDITS = Quota(300, 60)
"""Edits of saved feeds by one party. Each raises the revision, after which the access of every caller and every open
stream is resolved again: without a bound one reader could slow down all others."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A request that was counted under the quota called `policy`; `window` is its window right after that."""

    policy: str
    quota: Quota
    part: str
    name: str
    window: QuotaWindow

    @property
    def is_granted(self) -> bool:
        return self.window.used <= self.quota.requests

    def headers(self, now: float, *, given_back: bool = False) -> tuple[tuple[str, str], tuple[str, str]]:
        """RateLimit-Policy and RateLimit: the quota, and what is left of it for how many seconds."""
        left = max(self.quota.requests - self.window.used + given_back, 0)
        return (
            ("RateLimit-Policy", policy_field(self.policy, self.quota)),
            ("RateLimit", f'"{self.policy}";r={left};t={seconds_left(self.window, now)}'),
        )

    def refusal(self, now: float) -> Problem:
        wait = seconds_left(self.window, now)
        detail = (
            f"The limit of this key for {self.policy} is {self.quota.requests:,} requests in {self.quota.seconds} s."
        )
        return quota_problem(detail, wait)


class RequestQuotas:
    """Counts requests in a `WindowTable`, by key or by address."""

    def __init__(self, settings: Settings, table: WindowTable) -> None:
        self._defaults = settings.limits or {}
        self._trusted = settings.trusted_proxies
        self._table = table

    def quotas_of(self, caller: Caller) -> Mapping[str, Quota]:
        """The quotas of a caller by scope: those of its key, and the default ones where it has none."""
        return {**self._defaults, **caller.quotas}

    def reserve(self, caller: Caller, scope: str, environ: Mapping[str, Any]) -> Reservation | None:
        """Counts a request; None if no quota applies to it. Check `is_granted` of what it returns."""
        quota, counted = self._find_quota(caller, scope, environ)
        if quota is None:
            return None
        part, name = counted
        return Reservation(scope, quota, part, name, self._table.count(part, name, quota, time.monotonic()))

    def is_used_up(self, caller: Caller, scope: str, environ: Mapping[str, Any]) -> bool:
        """Whether `reserve` would grant nothing now; counts nothing."""
        quota, counted = self._find_quota(caller, scope, environ)
        window = None if quota is None else self._table.look(*counted, time.monotonic())
        return quota is not None and window is not None and window.used >= quota.requests

    def _find_quota(
        self, caller: Caller, scope: str, environ: Mapping[str, Any]
    ) -> tuple[Quota | None, tuple[str, str]]:
        """The quota of a request, if there is one, and under which part and name of the table it is counted."""
        quota = caller.quotas.get(scope) or self._defaults.get(scope)
        part, name = KEYS, caller.key_name
        if quota is not None and name is None:
            # The public has no key, and a trusted proxy's own address is that of everybody.
            part, name = ADDRESSES, client_address(environ, self._trusted)
            if name is None:
                quota = None
        return quota, (part, f"{scope} {name}")

    def give_back(self, reservation: Reservation) -> None:
        self._table.give_back(reservation.part, reservation.name, reservation.window, time.monotonic())

    def count_edit(self, party: str) -> None:
        """Counts an edit of a saved feed; raises `quota_exceeded` for a party that has made too many."""
        now = time.monotonic()
        window = self._table.count(KEYS, f"edit {party}", EDITS, now)
        if window.used > EDITS.requests:
            detail = f"A party may change its saved feeds {EDITS.requests} times in {EDITS.seconds} s."
            raise quota_problem(detail, seconds_left(window, now))

    def check_failures(self, address: str | None) -> None:
        """Raises `quota_exceeded` for an address that has sent too many invalid keys."""
        if address is None:
            return
        now = time.monotonic()
        window = self._table.look(ADDRESSES, address, now)
        if window is not None and window.used >= FAILURES.requests:
            detail = "Too many requests with invalid keys came from your address; a valid key is looked at after that."
            raise quota_problem(detail, seconds_left(window, now))

    def note_failure(self, address: str | None) -> None:
        """Counts a request whose key, token or signature was invalid."""
        if address is not None:
            self._table.count(ADDRESSES, address, FAILURES, time.monotonic())


@lru_cache(100)
def policy_field(policy: str, quota: Quota) -> str:
    return f'"{policy}";q={quota.requests};w={quota.seconds}'


def seconds_left(window: QuotaWindow, now: float) -> int:
    return max(math.ceil(window.ends_at - now), 1)


def quota_problem(detail: str, wait: int) -> Problem:
    return Problem("quota_exceeded", f"{detail} Ask again in {wait} s.", headers={"Retry-After": str(wait)})
