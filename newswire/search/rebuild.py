"""The rebuild of the search index: every row of another index version is written again, in place.

A row is replaced in one transaction, under the lock of its article. So readers find the old or the new row of the
article's current version, and a publisher who waited for the lock replaces the new row. The progress is stored in the
rows themselves, as their versions: an interrupted rebuild resumes where it stopped, and a row that a server of an older
release still writes is found by the next rebuild.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, Select, and_, bindparam, func, literal_column, select, update

from newswire import wire
from newswire.article import ArticleState, Status
from newswire.document import decode_article
from newswire.search import index, names
from newswire.search.analysis import analyse_article, analyse_texts
from newswire.search.backend import Document
from newswire.search.index_version import INDEX_VERSION
from newswire.search.languages import register_language
from newswire.search.mapped_articles import MappedArticles
from newswire.search.signatures import is_story_term, story_terms
from newswire.store.articles import HELD
from newswire.store.backend import DatabaseError
from newswire.store.database import Database
from newswire.store.statements import Statement
from newswire.store.tables import article, label, publisher, version
from newswire.subjects import SubjectMap
from newswire.visibility import is_link_term, listed_term, listed_time, terms_of

BATCH = 50
"""Articles of one transaction. On SQLite publishers wait for it, about 0.1 seconds."""
LOCKED_SECONDS = 0.25
"""The time of a transaction after which it takes no further article: there are articles that take half a second."""
LABELS_AT_ONCE = 500
PASSES = 2
"""The second pass indexes the rows that servers of an older release wrote during the first."""


class Found(NamedTuple):
    """What an article adds to what all articles share: the languages of its stems, and its labels."""

    languages: Iterable[str] = ()
    labels: Iterable[names.Label] = ()


Work: TypeAlias = Callable[[Connection, int, MappedArticles], Found]
"""What is done with each locked article; see `index_current`."""

UNUSABLE = "The search index is not complete, or not one of this version of Newswire; run `newswire db upgrade`."
OTHER_ANALYSIS = (
    "The search index holds articles as an older version of Newswire indexed them: other spellings of a word are not"
    " found in these until `newswire db upgrade` has rebuilt it. With SQLite the worker does so by itself."
)
OTHER_STEMS = (
    "The search index holds stems of an unknown or another release of the stemmer: words are found only as they are"
    " written until `newswire db upgrade` has rebuilt it. With SQLite the worker does so by itself."
)

CURRENT = Statement(
    select(*HELD, publisher.c.slug, version.c.terms, version.c.rendered, version.c.body)
    .join_from(article, publisher, publisher.c.id == article.c.publisher_id)
    .join(version, and_(version.c.number == article.c.number, version.c.version == article.c.version))
    .where(article.c.number == bindparam("which"))
)

# A few at a time: the JSON of one version takes up to some megabytes.
VERSIONS = Statement(
    select(version.c.version, version.c.terms, version.c.rendered)
    .where(version.c.number == bindparam("which"), version.c.version > bindparam("after"))
    .order_by(version.c.version)
    .limit(literal_column("5"))
)
SET_TERMS = Statement(
    update(version)
    .where(version.c.number == bindparam("which"), version.c.version == bindparam("one"))
    .values(terms=bindparam("found"))
)


def check_index(connection: Connection) -> str | None:
    """Returns None for a current index, and a warning for one of an older analysis or of other stems that is searched.

    Raises `DatabaseError` for an index of another analysis, whose words and terms this code cannot look up.
    """
    found = index.read_versions(connection)
    if not found.fits_analysis():
        raise DatabaseError(UNUSABLE)
    if found.is_current():
        return None
    return OTHER_ANALYSIS if index.read_languages(connection) else OTHER_STEMS


def count_outdated(connection: Connection) -> int:
    """The number of articles that a rebuild has to index."""
    rows = index.search_backend(connection).rows
    counted = select(func.count()).select_from(rows).where(rows.c.index_version != INDEX_VERSION)
    return int(connection.execute(counted).scalar_one())


def rebuild_index(database: Database) -> Iterator[int]:
    """Indexes every article whose row is of another version; yields the number so far after each transaction.

    The caller may stop at any time, and a later rebuild resumes. Several processes may rebuild at once. Rows that
    servers of an older release write during the second pass are left for the next rebuild.
    """
    with database.read() as connection:
        found = index.read_versions(connection)
    if found.is_current():
        return
    if not found.is_of_this_analysis():
        for _ in refresh_labels(database):
            yield 0
    done = 0
    for _ in range(PASSES):
        after = 0
        while numbers := read_outdated(database, after):
            index_again(database, numbers, index_current)
            # The first new row in an index of one old version ends the search by stems, and the last old row that is
            # replaced starts it again. Lists and languages that were cached before are then wrong: a new revision
            # invalidates them.
            if (found.lowest == found.highest and not done) or is_whole(database):
                with database.begin() as connection:
                    wire.bump_revision(connection)
            done += len(numbers)
            yield done
            time.sleep(database.backend.pause_seconds)
            after = numbers[-1]


def is_whole(database: Database) -> bool:
    """Whether every row is of the current version."""
    with database.read() as connection:
        return index.read_versions(connection).is_current()


def read_outdated(database: Database, after: int) -> list[int]:
    """The numbers of the first `BATCH` articles above `after` whose rows are of another version."""
    with database.read() as connection:
        rows = index.search_backend(connection).rows
        outdated = select(rows.c.number).where(rows.c.index_version != INDEX_VERSION, rows.c.number > after)
        return list(connection.execute(outdated.order_by(rows.c.number).limit(BATCH)).scalars())


def index_again(database: Database, numbers: Collection[int], work: Work) -> None:
    """Does `work` for articles: in one transaction, and in one more for each article that another transaction locks."""
    locked = select(article.c.number).where(article.c.number.in_(numbers)).order_by(article.c.number)
    busy = set(numbers) - index_locked(database, locked.with_for_update(skip_locked=True), work)
    # Publishers hold these locks, or the time was used up. Each is awaited without holding another one: publishers lock
    # articles in an order of their own, so holding several could deadlock.
    for number in sorted(busy):
        index_locked(database, select(article.c.number).where(article.c.number == number).with_for_update(), work)


def index_locked(database: Database, locked: Select[int], work: Work) -> set[int]:
    """Does `work` for articles that `locked` selects for update, in one transaction of bounded time; returns their
    numbers."""
    with database.begin() as connection:
        # The current versions are read in statements after the lock: on PostgreSQL the locking statement itself still
        # sees the snapshot from before it waited.
        numbers, found, end = set[int](), [], time.monotonic() + LOCKED_SECONDS
        mapped = MappedArticles(connection)
        for number in sorted(connection.execute(locked).scalars()):
            found.append(work(connection, number, mapped))
            numbers.add(number)
            if time.monotonic() > end:
                break
        for language in sorted({language for each in found for language in each.languages}):
            register_language(connection, language)
        names.add_labels(connection, [label for each in found for label in each.labels])
        # Last, because it may lock the head.
        mapped.record()
    return numbers


def index_current(connection: Connection, number: int, mapped: MappedArticles) -> Found:
    """Replaces the terms and the index row of a locked article."""
    [row] = CURRENT.all(connection, {"which": number})
    held = ArticleState(*row[: len(HELD)])._replace(status=Status(row.status))
    content = decode_article(row.rendered, row.body)
    subjects = mapped.subjects_of(held.publisher_id)
    terms = terms_of(row.slug, content, subjects)
    analysed = analyse_texts({}, None) if held.status is Status.CANCELED else analyse_article(content, terms)
    story = story_terms(analysed)
    mapped.note(held, refresh_terms(connection, held, row.slug, subjects, story))
    index.remove_document(connection, number)
    index.index_documents(connection, [Document(held, terms | story | kept_terms(row.terms), analysed)])
    return Found(analysed.spoken, [*names.labels_in(content)])


def refresh_terms(
    connection: Connection, held: ArticleState, slug: str, subjects: SubjectMap, story: frozenset[str] | None
) -> dict[int, str]:
    """Computes the terms of every version of a locked article again, and stores those that differ.

    Returns the former terms of these, by version.

    The log decides by them who is told of a version, and access to one article is decided by them: they must be the
    terms that the index has. `story` are the story terms of the current version, the only one that lists show;
    None: those that it has.
    """
    after, former = 0, dict[int, str]()
    while rows := VERSIONS.all(connection, {"which": held.number, "after": after}):
        for row in rows:
            found = terms_of(slug, decode_article(row.rendered, None), subjects) | kept_terms(row.terms)
            if row.version == held.version:
                found |= set(filter(is_story_term, row.terms.split())) if story is None else story
            if (terms := " ".join(sorted(found))) != row.terms:
                former[row.version] = row.terms
                SET_TERMS.execute(connection, {"which": held.number, "one": row.version, "found": terms})
        after = rows[-1].version
    return former


def kept_terms(stored: str) -> frozenset[str]:
    """The terms of a version that its content does not give."""
    listed = listed_time(stored.split())
    # A tombstone has the links of the version before it; another version has them from its content as well.
    links = frozenset(filter(is_link_term, stored.split()))
    return links if listed is None else links | {listed_term(listed)}


def refresh_labels(database: Database) -> Iterator[None]:
    """Folds every label again, by the current analysis; yields after each `LABELS_AT_ONCE`.

    Only those that differ are written, and mostly none does: on SQLite publishers do not wait for the others.
    """
    after = ""
    wanted = select(label).order_by(label.c.term).limit(LABELS_AT_ONCE)
    while True:
        with database.read() as connection:
            rows = connection.execute(wanted.where(label.c.term > after)).all()
        if not rows:
            return
        folded = {row.term: names.label_words(names.Label(row.term, row.kind, row.label)) for row in rows}
        if changed := [row.term for row in rows if row.words != folded[row.term]]:
            with database.begin() as connection:
                for term in changed:
                    connection.execute(update(label).where(label.c.term == term).values(words=folded[term]))
        yield
        after = rows[-1].term
