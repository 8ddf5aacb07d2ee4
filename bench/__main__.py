"""The command `python -m bench` (`make bench ARGS=…`): one subcommand for each kind of trial."""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import (
    compare,
    compare_table,
    failover,
    following,
    growth,
    live,
    patroni,
    profiles,
    relevance_collection,
    searching,
    walks,
)  # fmt: skip
from bench.compare_jobs import JOBS, READING, WRITING
from bench.corpus import REAL_TEXTS
from tests.soaks import SOAKS, soak
from tests.soaks.clients import Unanswered, Unexpected
from tests.soaks.servers import ServerError
from tests.soaks.stage import Scale
from tests.support.postgres import PostgresError

COMPARED = {
    "compare": (tuple(JOBS), "reading and publishing"), "read": (READING, "reading"), "publish": (WRITING, "publishing")
}  # fmt: skip
DESCRIPTION = "Measurements and soaks of Newswire: real processes on 127.0.0.1, on databases made for the purpose."


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m bench", description=DESCRIPTION)
    parts = top.add_subparsers(dest="part", required=True, metavar="PART")
    add_soak(parts.add_parser(
        "soak", help="a server under strain: nothing may be lost, doubled or out of order",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Puts a server under strain and then holds everything it said against everything it has.\n\n"
                    + "\n".join(f"  {name:<8}  {item.summary}" for name, item in SOAKS.items()),
        epilog="All of it takes about half an hour.\n"
               "Exit status: 0 all is well, 1 something was lost, doubled or out of order, 2 wrong usage.",
    ))  # fmt: skip
    add_failover(parts.add_parser(
        "failover", help="the leader of a PostgreSQL cluster is killed under writers and followers",
        description="Runs three PostgreSQL servers under Patroni, kills the leader again and again under 8 writers and"
                    " 20 followers of every kind, and holds what they got against what the wire has.",
        epilog="It needs `pip install '.[bench]'` and etcd (Debian: etcd-server). A kill takes 40 seconds.\n"
               "Exit status: 0 all is well, 1 something was lost or somebody was not told, 2 wrong usage.",
    ))  # fmt: skip
    add_search(parts.add_parser(
        "search", help="reading and searching a large wire: every answer right, none much slower than the latest page",
        description="Loads a corpus of invented articles, asks a server for lists of every kind, holds the answers"
                    " against what is known of the corpus, and prints one Markdown table: milliseconds, and how many"
                    " times as long as the latest page of everything on the same engine in the same run.",
        epilog="Loading takes about an hour for a million articles on two cores, asking a few minutes.\n"
               "Exit status: 0 all is well, 1 an answer was wrong or too slow, 2 wrong usage.",
    ))  # fmt: skip
    add_relevance(parts.add_parser(
        "relevance", help="whether searches find what is meant: our order beside BM25, SQLite's and PostgreSQL's",
        description="Publishes four corpora of real stories, asks for topics, known items and everyday queries by"
                    " relevance, and prints one Markdown table: nDCG at 10 and recall at 100 of ours and of bm25s,"
                    " SQLite's bm25() and PostgreSQL's ts_rank over the same texts.",
        epilog="It needs `pip install '.[bench]'` and the stories in ../shared/data/articles; three minutes.\n"
               "Exit status: 0 ours is at least as good as the best, 1 it is not, 2 wrong usage.",
    ))  # fmt: skip
    add_live(parts.add_parser(
        "live", help="open streams: how soon an event arrives, how many are held, what they cost",
        description="Publishes at a steady rate beside open event streams, some that get everything and some that get"
                    " nothing, and prints a line for each number of them: time from the 201 to the event, of an"
                    " ordinary list and of a publication, memory, share of a processor, events lost.",
    ))  # fmt: skip
    add_follow(parts.add_parser(
        "follow", help="waiting followers and pollers of a list beside publications: how long each takes",
        description="Publishes at a steady rate on a loaded wire, beside followers that wait for each entry, open"
                    " streams and pollers of the latest list, and prints a line for each scene: time of a publication,"
                    " from the 201 to each follower, and of a list, processor time of the server for each publication,"
                    " and entries that a follower did not get once and in order. The server is `newswire serve` as it"
                    " starts.",
    ))  # fmt: skip
    add_growth(parts.add_parser(
        "growth", help="the same jobs on wires of several sizes: what they cost by size",
        description="Loads corpora of invented articles, asks a server on each for the same in turn, and prints a"
                    " Markdown table of milliseconds by size, and a plot of them.",
    ))  # fmt: skip
    add_profile(parts.add_parser(
        "profile", help="where the processor time of a request goes",
        description="Calls the application in this process again and again, for a list never asked for before, an"
                    " article, changes, a search and a publication, and writes the tree of calls of each, sampled.",
        epilog="It needs `pip install '.[bench]'`.",
    ))  # fmt: skip
    add_walks(parts.add_parser(
        "walks", help="how many calls, functions and files a request passes, and how deep its way to the database is",
        description="Calls the application in this process, on SQLite, once for each kind of request, and prints a"
                    " Markdown table of the calls, functions and files of Newswire that each passes.",
    ))  # fmt: skip
    for name, (jobs, what) in COMPARED.items():
        add_compare(parts.add_parser(
            name, help=f"{what} beside a floor and what people use today: how many times as many requests a second",
            description="Serves Newswire, a Flask view that does nothing, a bare WSGI function over serialised rows,"
                        " Datasette and, on PostgreSQL, applications as tutorials of Flask, FastAPI and Django REST"
                        " framework have them; asks all of them for the same in turn, and prints Markdown tables of"
                        " ratios and figures.",
            epilog="The peers need `pip install '.[bench]'`. All of it takes about a quarter of an hour.",
        ), jobs)  # fmt: skip
    return top


def add_compare(part: argparse.ArgumentParser, jobs: Sequence[str]) -> None:
    part.add_argument("--articles", type=size, default=20_000, metavar="N", help="default: 20,000; 1,000 at least")
    part.add_argument("--engine", choices=[*soak.ENGINES, "both"], default="both", help="default: both")
    part.add_argument("--seconds", type=duration, default=1.0, metavar="N", help="each of three runs (default: 1)")
    add_output(part)
    part.set_defaults(run=run_compare, jobs=jobs)


def add_output(part: argparse.ArgumentParser) -> None:
    part.add_argument("--output", type=Path, default=Path("bench-results"), metavar="FOLDER",
                      help="what is printed, and plots, are written there too (default: bench-results)")  # fmt: skip


def run_compare(chosen: argparse.Namespace) -> int:
    found = compare.run(chosen.articles, engines_of(chosen), chosen.seconds, chosen.jobs, tell=aside)
    publish(compare_table.told(found, command(), chosen.articles, chosen.seconds), chosen, compare_table.plot(found))
    return 0


def command() -> str:
    return " ".join(["python -m bench", *sys.argv[1:]])


def add_relevance(part: argparse.ArgumentParser) -> None:
    add_output(part)
    part.set_defaults(run=run_relevance)


def run_relevance(chosen: argparse.Namespace) -> int:
    if not relevance_collection.is_there():
        print(f"The stories are not in {REAL_TEXTS}.", file=sys.stderr)
        return 1
    if find_spec("bm25s") is None:
        print("bm25s is not installed (pip install '.[bench]')", file=sys.stderr)
        return 1
    # Only here: without the group `bench` the other parts must run.
    from bench import relevance

    report = relevance.run(tell=aside)
    publish(relevance.told(report), chosen)
    faults = [*report.faults()]
    print("\n".join(["", *faults] if faults else ["", "Ours is at least as good as the best of the others."]))
    return 1 if faults else 0


def add_profile(part: argparse.ArgumentParser) -> None:
    part.add_argument("--articles", type=size, default=5_000, metavar="N", help="default: 5,000; 1,000 at least")
    part.add_argument("--engine", choices=[*soak.ENGINES, "both"], default="both", help="default: both")
    part.add_argument("--seconds", type=duration, default=3.0, metavar="N", help="each job (default: 3)")
    add_output(part)
    part.set_defaults(run=run_profile)


def run_profile(chosen: argparse.Namespace) -> int:
    if find_spec("pyinstrument") is None:
        print("pyinstrument is not installed (pip install '.[bench]')", file=sys.stderr)
        return 1
    chosen.output.mkdir(parents=True, exist_ok=True)
    for name, told in profiles.run(chosen.articles, engines_of(chosen), chosen.seconds, tell=aside):
        print(*told.splitlines()[:2], sep="\n")
        (chosen.output / f"profile-{name}.txt").write_text(told + "\n", "utf-8")
    return 0


def add_walks(part: argparse.ArgumentParser) -> None:
    part.add_argument("--details", action="store_true", help="also the files and the deepest stack of each")
    part.set_defaults(run=run_walks)


def run_walks(chosen: argparse.Namespace) -> int:
    with TemporaryDirectory(prefix="newswire-walks-") as folder:
        walked = walks.run(Path(folder))
    print(walks.table(walked))
    if chosen.details:
        print(walks.details(walked))
    return 0


def aside(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def publish(told: str, chosen: argparse.Namespace, plot: str | None = None) -> None:
    print(told)
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / f"{chosen.part}.md").write_text(told + "\n", "utf-8")
    if plot is not None:
        (chosen.output / f"{chosen.part}.svg").write_text(plot, "utf-8")


def add_growth(part: argparse.ArgumentParser) -> None:
    part.add_argument("--articles", type=sizes, default=[10_000, 100_000], metavar="N,N", help="default: 10000,100000")
    part.add_argument("--engine", choices=[*soak.ENGINES, "both"], default="both", help="default: both")
    part.add_argument("--seconds", type=duration, default=2.0, metavar="N", help="each of three runs (default: 2)")
    part.add_argument("--keep", type=Path, metavar="FOLDER", help="the folder of the wires of `search --keep`")
    add_output(part)
    part.set_defaults(run=run_growth)


def run_growth(chosen: argparse.Namespace) -> int:
    found = growth.run(chosen.articles, engines_of(chosen), chosen.keep, chosen.seconds, tell=aside)
    publish(growth.told(found, command(), chosen.seconds), chosen, growth.plot(found))
    return 0


def add_live(part: argparse.ArgumentParser) -> None:
    part.add_argument("--seconds", type=duration, default=live.SECONDS, metavar="N", help="a trial (default: 10)")
    part.add_argument("--rate", type=float, default=live.RATE, metavar="N", help="publications a second (default: 100)")
    part.add_argument("--engine", choices=[*live.ENGINES, "both"], default="both", help="default: both")
    part.set_defaults(run=run_live)


def run_live(chosen: argparse.Namespace) -> int:
    engines = live.ENGINES if chosen.engine == "both" else (chosen.engine,)
    lost = 0
    for line in live.run(engines, chosen.rate, chosen.seconds):
        print(line, flush=True)
        lost += line.split()[-1] not in ("0", "LOST", "process")
    return 1 if lost else 0


def add_follow(part: argparse.ArgumentParser) -> None:
    part.add_argument("--articles", type=size, default=100_000, metavar="N", help="default: 100,000; 1,000 at least")
    part.add_argument("--seconds", type=duration, default=10.0, metavar="N", help="a scene (default: 10)")
    part.add_argument("--engine", choices=[*soak.ENGINES, "both"], default="both", help="default: both")
    part.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the loaded wires there, and use what is kept")
    part.set_defaults(run=run_follow)


def run_follow(chosen: argparse.Namespace) -> int:
    faults = 0
    for line in following.run(engines_of(chosen), chosen.articles, chosen.seconds, chosen.keep):
        print(line, flush=True)
        faults += line.startswith(soak.ENGINES) and line.split()[-1] != "0"
    return 1 if faults else 0


def add_soak(part: argparse.ArgumentParser) -> None:
    size = "how long a soak writes; kills, articles and rounds go with it (default: 60)"
    part.add_argument("--seconds", type=duration, default=60.0, metavar="N", help=size)
    part.add_argument("--engine", choices=[*soak.ENGINES, "both"], default="both", help="default: both")
    part.add_argument("--only", choices=SOAKS, action="append", metavar="NAME", help="this soak; can be repeated")
    part.set_defaults(run=run_soak)


def add_search(part: argparse.ArgumentParser) -> None:
    part.add_argument("--articles", type=size, default=100_000, metavar="N", help="default: 100,000; 1,000 at least")
    part.add_argument("--engine", choices=[*soak.ENGINES, "both"], default="both", help="default: both")
    part.add_argument("--requests", type=times, default=40, metavar="N", help="measured for each row (default: 40)")
    keep = "keep the loaded wires in this folder, 15 GB for a million articles, and use what is kept there"
    part.add_argument("--keep", type=Path, metavar="FOLDER", help=keep)
    part.add_argument("--fresh", action="store_true", help="load again what is kept")
    add_output(part)
    part.set_defaults(run=run_search)


def add_failover(part: argparse.ArgumentParser) -> None:
    part.add_argument("--rounds", type=times, default=10, metavar="N", help="kills in each mode (default: 10)")
    part.add_argument("--mode", choices=["strict", "asynchronous", "both"], default="both", help="default: both")
    part.add_argument("--etcd", default="etcd", metavar="FILE", help="the program etcd (default: as found in PATH)")
    part.set_defaults(run=run_failover)


def run_failover(chosen: argparse.Namespace) -> int:
    if missing := patroni.what_is_missing(chosen.etcd):
        print(missing, file=sys.stderr)
        return 1
    modes = ("strict", "asynchronous") if chosen.mode == "both" else (chosen.mode,)
    reports = []
    for mode in modes:
        reports.append(failover.run(mode, chosen.rounds, chosen.etcd, lambda line: print(line, flush=True)))
        print("\n".join([reports[-1].line, *(f"  FAULT {fault}" for fault in reports[-1].faults)]), flush=True)
    return 1 if any(report.faults for report in reports) else 0


def times(text: str) -> int:
    if not 0 < (number := int(text)) < 10_000:
        raise argparse.ArgumentTypeError("must be above 0 and below 10,000")
    return number


def size(text: str) -> int:
    number = int(text.replace(",", "").replace("_", ""))
    if not 1_000 <= number <= 9_999_999:
        raise argparse.ArgumentTypeError("must be from 1,000 to 9,999,999")
    return number


def sizes(text: str) -> list[int]:
    return [size(each) for each in text.split(",")]


def duration(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError("must be above 0 and below a day")
    return seconds


def engines_of(chosen: argparse.Namespace) -> tuple[str, ...]:
    return soak.ENGINES if chosen.engine == "both" else (chosen.engine,)


def run_search(chosen: argparse.Namespace) -> int:
    columns = searching.run(
        chosen.articles, engines_of(chosen), chosen.keep, chosen.requests, fresh=chosen.fresh,
        tell=aside,
    )  # fmt: skip
    publish(searching.told(columns, chosen.articles, chosen.requests), chosen)
    faults = [fault for column in columns for fault in column.faults()]
    print("\n".join(["", *faults] if faults else ["", "Every answer was right and quick enough."]))
    return 1 if faults else 0


def run_soak(chosen: argparse.Namespace) -> int:
    engines = engines_of(chosen)
    scale = Scale.of(chosen.seconds)
    reports = soak.run_all(chosen.only or list(SOAKS), engines, scale, lambda line: print(line, flush=True))
    print("\n" + soak.table(reports))
    return 1 if any(report.faults for report in reports) else 0


def main() -> int:
    chosen = parser().parse_args(sys.argv[1:] or ["compare"])
    # A database that we crash ourselves is no news.
    logging.getLogger("newswire").addHandler(logging.NullHandler())
    # Being told to stop is answered like Ctrl-C: what was started is ended, what was written is removed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return int(chosen.run(chosen))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except (PostgresError, ServerError, Unanswered, Unexpected) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
