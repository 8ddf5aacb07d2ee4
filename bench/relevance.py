"""`python -m bench relevance`: whether what people type finds what they mean, beside what others find.

For each corpus and kind of query: nDCG at 10, and recall at 100 (of a topic with more stories, of a hundred of them).
For everyday queries, which nobody has judged: how much of our first ten the first ten of BM25 over any word has, and
whether we find fewer than ten where it finds ten relevant ones. Relevant to an everyday query is a story in whose text
at least half of the weight of the query is (by the inverse document frequency of its stems).
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, make_url

from bench.relevance_collection import Collected, everyday, fill
from bench.relevance_contenders import Contender, by_bm25s, by_fts5, by_ts_rank, ours, texts_of
from newswire.search.analysis import stem_tokens
from newswire.search.function_words import FUNCTION_WORDS
from newswire.store.database import Database
from newswire.timestamps import parse_instant
from tests.support.postgres import LOADING, folder_for_all, kept_postgres

LONG_AFTER = parse_instant("2100-01-01T00:00:00Z")
"""So late that no story is fresh. Freshness is measured at the time of the newest story of a corpus."""
NEWEST: Mapping[str | None, int] = {
    "BBC": LONG_AFTER, "Guardian": parse_instant("2026-04-03T13:00:00Z"),
    "Wikinews": parse_instant("2021-03-15T00:00:00Z"), "Reuters": parse_instant("1987-10-20T00:00:00Z"),
}  # fmt: skip
FIRST, DEEP = 10, 100
OURS, FRESH, REFERENCE = "ours, most", "ours, most, fresh", "bm25s"
LEAST_OVERLAP = 8.5


class Quality(NamedTuple):
    """The means of nDCG at 10 and of recall at 100 over some queries."""

    gain: float
    recall: float


class Everyday(NamedTuple):
    """An everyday query: stories found with `all` and `most` (to ten), relevant ones of BM25's ten, and the overlap."""

    text: str
    of_all: int
    of_most: int
    relevant: int
    overlap: int


class Report(NamedTuple):
    """The quality of each contender by corpus and kind of query, and the everyday queries."""

    qualities: Mapping[tuple[str, str], Mapping[str, Quality]]
    everyday: Sequence[Everyday]

    def faults(self) -> Iterator[str]:
        """Where ours is not as good as the best of the others."""
        for (corpus, kind), by_name in self.qualities.items():
            others = [quality for name, quality in by_name.items() if not name.startswith("ours")]
            for place, measure in enumerate(("nDCG@10", "recall@100")):
                best = max(quality[place] for quality in others)
                if round(by_name[OURS][place], 3) < round(best, 3):
                    yield f"WORSE: {corpus}, {kind}: {measure} {by_name[OURS][place]:.3f}, the best has {best:.3f}"
        if (overlap := mean([query.overlap for query in self.everyday])) < LEAST_OVERLAP:
            yield f"WORSE: everyday queries: overlap {overlap:.2f}, at least {LEAST_OVERLAP}"
        for query in self.everyday:
            if query.of_most < FIRST <= query.relevant:
                yield f"FEWER: {query.text!r} finds {query.of_most} with match=most"


def run(tell: Callable[[str], None]) -> Report:
    """Loads the collection and asks everything."""
    with stage() as (url, postgres):
        tell("publishing 15,829 stories")
        corpora = fill(url)
        database = Database(url)
        try:
            with database.read() as connection:
                found = contenders(connection, corpora, postgres)
                qualities = {}
                for corpus in corpora.values():
                    for kind in corpus.queries:
                        tell(f"{corpus.name}: {kind}")
                        qualities[corpus.name, kind] = {
                            name: quality_of(find, corpus, kind) for name, find in found.items()
                        }
                tell("everyday queries")
                return Report(qualities, [*ask_everyday(found, texts_of(corpora, None))])
        finally:
            database.dispose()


@contextmanager
def stage() -> Iterator[tuple[str, str]]:
    """The URL of an empty SQLite database, and of a PostgreSQL database for psycopg."""
    with folder_for_all() as folder, kept_postgres(folder / "postgresql", LOADING) as server:
        url = make_url(server.url).set(drivername="postgresql")
        yield f"sqlite:///{folder}/newswire.db", url.render_as_string(hide_password=False)


def contenders(connection: Connection, corpora: Mapping[str, Collected], postgres: str) -> dict[str, Contender]:
    long_after = dict.fromkeys((*corpora, None), LONG_AFTER)
    return {
        "ours, all": ours(connection, "all", long_after), OURS: ours(connection, "most", long_after),
        "ours, any": ours(connection, "any", long_after), FRESH: ours(connection, "most", NEWEST),
        REFERENCE: by_bm25s(corpora), "SQLite bm25()": by_fts5(corpora), "ts_rank": by_ts_rank(corpora, postgres),
    }  # fmt: skip


def quality_of(find: Contender, corpus: Collected, kind: str) -> Quality:
    judged = [(find(corpus.name, query.text), query.relevant) for query in corpus.queries[kind]]
    return Quality(mean([gain_of(*each) for each in judged]), mean([recall_of(*each) for each in judged]))


def gain_of(found: Sequence[str], relevant: Collection[str]) -> float:
    """nDCG at 10, a story being relevant or not."""
    gain = sum(discount(place) for place, key in enumerate(found[:FIRST]) if key in relevant)
    return gain / sum(discount(place) for place in range(min(FIRST, len(relevant))))


def discount(place: int) -> float:
    return 1 / math.log2(place + 2)


def recall_of(found: Sequence[str], relevant: Collection[str]) -> float:
    return len({*found[:DEEP]} & {*relevant}) / min(DEEP, len(relevant))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def ask_everyday(found: Mapping[str, Contender], texts: Mapping[str, str]) -> Iterator[Everyday]:
    """The everyday queries over all corpora together."""
    stems = {key: stem_tokens(text, "en") for key, text in texts.items()}
    for text in everyday():
        of_all, of_most, reference = (found[name](None, text)[:FIRST] for name in ("ours, all", OURS, REFERENCE))
        weights = weigh_words(text, stems.values())
        relevant = [key for key in reference if sum(weights[word] for word in weights if word in stems[key])
                    >= sum(weights.values()) / 2]  # fmt: skip
        overlap = len({*of_most} & {*reference})
        yield Everyday(text, len(of_all), len(of_most), len(relevant), overlap)


def weigh_words(text: str, stories: Collection[Collection[str]]) -> dict[str, float]:
    """The stems of a query without function words, each with its inverse document frequency."""
    words = " ".join(word for word in text.split() if word not in FUNCTION_WORDS)
    return {
        stem: math.log(1 + len(stories) / (1 + sum(stem in story for story in stories)))
        for stem in stem_tokens(words, "en")
    }


def told(report: Report) -> str:
    """The table in Markdown, and what the everyday queries found."""
    names = [*next(iter(report.qualities.values()))]
    lines = [["corpus", "queries", *names], [":--", ":--", *("--:" for _ in names)]]
    for (corpus, kind), by_name in report.qualities.items():
        best = max(quality.gain for name, quality in by_name.items() if not name.startswith("ours"))
        cells = [
            mark(f"{quality.gain:.3f} / {quality.recall:.3f}", quality.gain >= best) for quality in by_name.values()
        ]
        lines.append([corpus, kind, *cells])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    asked = report.everyday
    fewer, still = (sum(getattr(query, name) < FIRST for query in asked) for name in ("of_all", "of_most"))
    return (
        f"{table}\n\nnDCG at 10 / recall at 100; bold: at least as good as the best of the others. All but ours match"
        " any word. Fresh: at the time of the newest story of the corpus; elsewhere no story is fresh.\n\n"
        f"{len(asked)} everyday queries over all corpora: {fewer} find fewer than ten with match=all, {still} with"
        f" match=most. Of the first ten of BM25 over any word {mean([query.overlap for query in asked]):.2f} are among"
        " our first ten with match=most."
    )


def mark(text: str, is_best: bool) -> str:
    return f"**{text}**" if is_best else text
