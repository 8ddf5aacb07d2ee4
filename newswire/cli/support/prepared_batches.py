"""The articles of a file in prepared batches, in order: other processes prepare the next ones while a batch is stored.

Reading and analysing an article takes twice the processor time of storing it, and needs no database. So the process of
the command reads the file, in a thread, and stores; as many others as there are processors prepare. They are spawned,
not forked: this process has connections and threads. A few batches are on their way at a time, and a batch is bounded
in articles and in bytes, so that memory does not grow with the file.
"""

import copyreg
import dataclasses
import hashlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from itertools import chain, islice
from queue import Empty, Queue
from typing import Any, NamedTuple, TypeAlias

import orjson

from newswire.article import Draft, Publisher
from newswire.cli.support.article_files import ArticleSource, FileArticle, read_articles
from newswire.errors import Problem
from newswire.publishing.prepare import prepare_article
from newswire.publishing.receive import Sent
from newswire.schemas.article import load_sent
from newswire.search.analysis import Analysed
from newswire.subjects import SubjectMap

BATCH, BATCH_BYTES = 200, 1024 * 1024
"""The most articles of one batch, and the bytes of their JSON at which it ends: publishers wait for its transaction."""
ALONE = 2
"""Batches at the beginning of a file that this process prepares: to start another one takes half a second, in which
these are stored."""
MOST_PROCESSES = 3
"""Processes that prepare. Three give one that stores on SQLite as much as it can take."""
AHEAD = 2
"""Batches on their way for each process: one that it works on, and one that waits for it."""

Positioned: TypeAlias = list[tuple[str, Sent]]
"""Prepared articles, or the problems of reading them, each with its position in the file for messages."""


class FileBatch(NamedTuple):
    """Articles of a file as they were read, and how many bytes of the file were read by then."""

    articles: list[FileArticle]
    bytes_read: int


class PreparedBatch(NamedTuple):
    """What became of a `FileBatch`."""

    articles: Positioned
    bytes_read: int


def prepared_batches(source: ArticleSource, publisher: Publisher) -> Generator[PreparedBatch]:
    """The articles of a file, prepared, in order. Close the iterator: it may have processes, which end with it.

    Raises the `Problem` `unsupported_media_type` for a file of another kind, and `BrokenExecutor` when a process has
    ended that should have prepared articles.
    """
    batches, processes = read_batches(source), min(count_processors(), MOST_PROCESSES)
    for batch in islice(batches, ALONE if processes > 1 else None):
        yield PreparedBatch(prepare_batch(batch.articles, publisher), batch.bytes_read)
    if (following := next(batches, None)) is not None:
        yield from prepare_ahead(chain([following], batches), publisher, processes)


def count_processors() -> int:
    """The processors that this process may use."""
    # macOS has no affinity.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_batches(source: ArticleSource) -> Iterator[FileBatch]:
    """The articles of a file as they were read: `BATCH` at a time, or fewer large ones."""
    found = read_articles(source)
    while batch := take_batch(found):
        yield FileBatch(batch, source.bytes_read())


def take_batch(found: Iterator[FileArticle]) -> list[FileArticle]:
    batch, length = list[FileArticle](), 0
    for item in found:
        batch.append(item)
        length += item.size
        if len(batch) == BATCH or length > BATCH_BYTES:
            break
    return batch


def prepare_batch(articles: list[FileArticle], publisher: Publisher) -> Positioned:
    return [(item.position, load_input(item, publisher)) for item in articles]


def load_input(item: FileArticle, publisher: Publisher) -> Sent:
    """The prepared article or the kill that an article of the file stands for, or the `Problem` of reading it."""
    if isinstance(item.content, Problem):
        if item.content.code == "unsupported_media_type":
            # The whole file is of another kind: there is nothing to count.
            raise item.content
        return item.content
    try:
        sent = load_sent(item.content, publisher)
    except Problem as problem:
        return problem
    if isinstance(sent, Draft):
        return prepare_article(replace(sent, external_id=sent.external_id or content_id(sent)), publisher)
    return sent


def content_id(draft: Draft) -> str:
    """The external_id for an article that has none: the SHA-256 of its content as sent."""
    content: Any = dict(draft.source)
    return "sha256-" + hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def prepare_ahead(batches: Iterator[FileBatch], publisher: Publisher, processes: int) -> Iterator[PreparedBatch]:
    """Prepares batches in other processes, which start with the first one; yields them in their order."""
    reader = AheadReader(batches, publisher, processes)
    try:
        while (turn := reader.turns.get()) is not None:
            if isinstance(turn, BaseException):
                raise turn
            bytes_read, prepared = turn
            yield PreparedBatch(pickle.loads(prepared.result()), bytes_read)
    finally:
        reader.close()


class AheadReader:
    """A thread that reads batches and has them prepared: `turns` are the batches in order, then None or an exception.

    It is a thread because standard input may be silent for as long as it likes while batches wait to be stored.
    """

    def __init__(self, batches: Iterator[FileBatch], publisher: Publisher, processes: int) -> None:
        self.batches = batches
        # Its thread waits where the queue is full: that bounds what is on its way.
        self.turns = Queue[tuple[int, Future[bytes]] | BaseException | None](processes * AHEAD)
        self._executor = ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), begin_process, (plain_publisher(publisher),)
        )
        self._is_closed = False
        threading.Thread(target=self._read, name="reading ahead", daemon=True).start()

    def _read(self) -> None:
        # Processes inherit the mask of the thread that starts them. Ctrl-C goes to all of a terminal's processes, and
        # only the command is to hear of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            for batch in self.batches:
                self.turns.put((batch.bytes_read, self._executor.submit(prepare_here, batch.articles)))
                if self._is_closed:
                    return
        except BaseException as error:
            self.turns.put(error)
        else:
            self.turns.put(None)

    def close(self) -> None:
        """Ends the processes after the batches that they work on. The thread ends with what it waits for."""
        self._is_closed = True
        try:
            while True:
                self.turns.get_nowait()
        except Empty:
            self._executor.shutdown(cancel_futures=True)


_publisher: Publisher
"""The publisher whose articles this process prepares."""


def begin_process(publisher: Publisher) -> None:
    """Makes a new process ready to prepare articles, and lets it end when the command is killed."""
    global _publisher
    _publisher = publisher
    threading.Thread(target=end_with_command, daemon=True).start()


def end_with_command() -> None:
    """Waits for the end of the process of the command, and ends this one: nobody else would."""
    if (command := multiprocessing.parent_process()) is not None:
        command.join()
        os._exit(1)


def prepare_here(articles: list[FileArticle]) -> bytes:
    """Prepares a batch, in a process that `begin_process` has made ready; returns it pickled.

    The executor would unpickle it at once, and a waiting batch take several times the memory.
    """
    return pickle.dumps(prepare_batch(articles, _publisher), pickle.HIGHEST_PROTOCOL)


def plain_publisher(publisher: Publisher) -> Publisher:
    """A publisher in a form that can be sent to another process."""
    return publisher._replace(subjects=SubjectMap(*map(dict, publisher.subjects)))


def reduce_problem(problem: Problem) -> tuple[Any, ...]:
    """The reduction of a `Problem` for pickle: that of an exception leaves out what is passed by name."""
    given = (problem.code, problem.detail, problem.errors, problem.headers, problem.members)
    return restore_problem, given


def restore_problem(code: str, detail: str, errors: Any, headers: dict[str, str], members: dict[str, Any]) -> Problem:
    return Problem(code, detail, errors, headers=headers, **members)


def reduce_analysed(analysed: Analysed) -> tuple[Any, ...]:
    """The reduction of tokens for pickle: joined (no token holds a blank) they take a third of the time."""
    members = {field.name: getattr(analysed, field.name) for field in dataclasses.fields(analysed)}
    forms = {field: " ".join(tokens) for field, tokens in analysed.forms.items()}
    stems = {field: " ".join(tokens) for field, tokens in analysed.stems.items()}
    return restore_analysed, (members | {"forms": forms, "stems": stems},)


def restore_analysed(members: dict[str, Any]) -> Analysed:
    forms = {field: text.split(" ") if text else [] for field, text in members["forms"].items()}
    stems = {field: frozenset(text.split(" ") if text else ()) for field, text in members["stems"].items()}
    return Analysed(**members | {"forms": forms, "stems": stems})


def reduce_fragment(fragment: orjson.Fragment) -> tuple[Any, ...]:
    return orjson.Fragment, (orjson.dumps(fragment),)


copyreg.pickle(Problem, reduce_problem)
copyreg.pickle(orjson.Fragment, reduce_fragment)
copyreg.pickle(Analysed, reduce_analysed)
