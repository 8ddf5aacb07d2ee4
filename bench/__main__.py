"""The command `python -m bench` (`make bench ARGS=…`): one subcommand for each kind of trial."""

import argparse
import signal
import sys

from bench import soak
from bench.postgres import PostgresError
from bench.servers import ServerError
from bench.soaks import SOAKS
from bench.stage import Scale

DESCRIPTION = "Measurements and soaks of Newswire: real processes on 127.0.0.1, on databases made for the purpose."


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m bench", description=DESCRIPTION)
    parts = top.add_subparsers(dest="part", required=True, metavar="PART")
    add_soak(parts.add_parser(
        "soak", help="a server under strain: nothing may be lost, doubled or out of order",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Puts a server under strain and then holds everything it said against everything it has.\n\n"
                    + "\n".join(f"  {name:<8}  {item.summary}" for name, item in SOAKS.items()),
        epilog="All of it takes about twenty minutes.\n"
               "Exit status: 0 all is well, 1 something was lost, doubled or out of order, 2 wrong usage.",
    ))  # fmt: skip
    return top


def add_soak(part: argparse.ArgumentParser) -> None:
    size = "how long a soak writes; kills, articles and rounds go with it (default: 60)"
    part.add_argument("--seconds", type=duration, default=60.0, metavar="N", help=size)
    part.add_argument("--engine", choices=[*soak.ENGINES, "both"], default="both", help="default: both")
    part.add_argument("--only", choices=SOAKS, action="append", metavar="NAME", help="this soak; can be repeated")
    part.set_defaults(run=run_soak)


def duration(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError("must be above 0 and below a day")
    return seconds


def run_soak(chosen: argparse.Namespace) -> int:
    engines = soak.ENGINES if chosen.engine == "both" else (chosen.engine,)
    scale = Scale.of(chosen.seconds)
    reports = soak.run_all(chosen.only or list(SOAKS), engines, scale, lambda line: print(line, flush=True))
    print("\n" + soak.table(reports))
    return 1 if any(report.faults for report in reports) else 0


def main() -> int:
    chosen = parser().parse_args()
    # Being told to stop is answered like Ctrl-C: what was started is ended, what was written is removed.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return int(chosen.run(chosen))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except (PostgresError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
