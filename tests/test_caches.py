"""The cache of results for short arguments: what is long is computed, and never kept."""

import gc
import weakref

from newswire.caches import cache_short


class Result:
    """Something that a weak reference can point to."""


def test_short_calls_are_remembered_and_long_ones_are_not() -> None:
    calls: list[str] = []

    @cache_short(10, longest=5)
    def compute(text: str, other: str) -> Result:
        calls.append(text)
        return Result()

    assert compute("abc", "d") is compute("abc", "d")
    assert compute("abc", "def") is not compute("abc", "def")
    assert calls == ["abc"] * 3


def test_nothing_of_a_long_call_stays_in_memory() -> None:
    @cache_short(10, longest=5)
    def compute(text: str) -> Result:
        return Result()

    kept, computed = (weakref.ref(compute(text)) for text in ("short", "longer"))
    gc.collect()
    assert kept() is not None
    assert computed() is None
