"""An LRU cache of function results that is bounded in bytes: it keeps the results for short arguments only.

`functools.lru_cache` is bounded in number alone. A thousand entries are little for words, and 400 MB where a client
chooses arguments of 225 kB. Not here: caches that know the size of each value (`api.cache.pages`, `changes.watcher`).
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def cache_short(entries: int, longest: int = 100) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: `lru_cache(entries)` for calls whose texts have at most `longest` characters together.

    A longer call is computed each time. Arguments are positional and hashable.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        cached = lru_cache(entries)(function)

        @wraps(function)
        def call(*arguments: P.args, **named: P.kwargs) -> R:
            length = sum([len(argument) for argument in arguments if isinstance(argument, str)])
            return cached(*arguments) if length <= longest else function(*arguments, **named)

        return call

    return decorate
