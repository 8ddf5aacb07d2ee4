"""Puts a corpus into empty wires, many times as fast as the doors do, with the rows that they would write."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

from bench.loaders import LOADERS, Loader
from bench.preparing import batches

TOLD_EVERY = 5.0


def load(urls: Mapping[str, str], size: int, tell: Callable[[str], None]) -> None:
    """A corpus of `size` articles into an empty database for each engine: {"sqlite": URL, "postgresql": URL}.

    The articles are prepared once for both.
    """
    began = told = time.monotonic()
    done = 0
    with ExitStack() as ending:
        loaders = [ending.enter_context(closing(LOADERS[engine](url))) for engine, url in urls.items()]
        for batch in batches(size, urls):
            for loader in loaders:
                loader.add(batch)
            done += len(batch.articles)
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                tell(f"{done:,} of {size:,} articles, {done / (told - began):,.0f} a second")
        with ThreadPoolExecutor(len(loaders)) as pool:
            for future in [pool.submit(finish, loader, tell) for loader in loaders]:
                future.result()
    seconds = time.monotonic() - began
    tell(f"{size:,} articles in {seconds:,.0f} seconds, {size / seconds:,.0f} a second into {' and '.join(urls)}")


def finish(loader: Loader, tell: Callable[[str], None]) -> None:
    for step in loader.finish():
        tell(step)
