"""`newswire tail`: the entries of the wire as they arrive, one line each, for a person at a terminal."""

import shutil
import sys
from collections.abc import Mapping
from typing import Any

import click
import orjson
from rich.cells import cell_len, set_cell_size

from newswire.cli.support.interrupts import INTERRUPTED, raise_interrupts
from newswire.cli.support.options import filter_option, query_option, url_option
from newswire.cli.support.output import color_setting, print_notice
from newswire.client.changes import PositionLost, iterate_verified_pages
from newswire.client.session import RemoteWire, strip_controls

COLOURS = {"published": "green", "updated": "cyan", "corrected": "yellow", "canceled": "red"}
LINE = "{at}  {type}  {publisher}  {section}  {headline}  {seq}"


@click.command()
@click.option(
    "--last", type=click.IntRange(0, 10_000), default=0, metavar="N",
    help="Begin with those of the last N entries of the wire that match.",
)  # fmt: skip
@filter_option
@query_option
@click.option("--json", "as_json", is_flag=True, help="Print NDJSON, every entry one line as in GET /v1/changes.")
@url_option
def tail_command(last: int, filters: list[tuple[str, str]], query: str | None, as_json: bool, url: str | None) -> None:
    """Watch the wire live: one line for each entry, as it comes, until Ctrl-C.

    Reads the wire at NEWSWIRE_URL with the key in NEWSWIRE_KEY (or in the file NEWSWIRE_KEY_FILE). Times are
    in UTC. Pipes get no colours, nor do terminals where NO_COLOR is set.

    \b
    newswire tail --last 20
    newswire tail --only section=world,markets --query "interest rate"
    """
    parameters = [*filters, *([("q", query)] if query is not None else [])]
    remote = RemoteWire.from_env(url, print_notice, forever=True)
    try:
        with raise_interrupts():
            start = str(max(0, remote.get("/v1/wire")["head"] - last)) if last else "now"
            for page in iterate_verified_pages(remote, parameters, start, follow=True):
                for entry in page.entries:
                    click.echo(orjson.dumps(entry) if as_json else format_entry(entry), color=color_setting())
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except PositionLost as error:
        raise click.ClickException(f"{error} Start again.") from None


def format_entry(entry: Mapping[str, Any]) -> str:
    """One entry on one line; on a terminal the headline is cut to fit, in a pipe it is not."""
    kind = str(entry["type"]).removeprefix("article.")
    article = entry["article"] or {}
    columns = {
        "at": click.style(strip_controls(f"{entry['at'][:10]} {entry['at'][11:19]}"), dim=True),
        "type": click.style(pad_text(strip_controls(kind), 9), fg=COLOURS.get(kind), bold=kind == "canceled"),
        "publisher": pad_text(strip_controls(article["publisher"]["slug"] if article else "-"), 10),
        "section": pad_text(strip_controls(article.get("section") or "-"), 10),
        "seq": click.style(f"#{int(entry['seq'])}", dim=True),
    }
    headline = strip_controls(article.get("headline") or missing_article_text(entry))
    if sys.stdout.isatty():
        used = cell_len(click.unstyle(LINE.format(**columns, headline="")))
        headline = shorten_text(headline, max(20, shutil.get_terminal_size().columns - used))
    return LINE.format(**columns, headline=headline)


def missing_article_text(entry: Mapping[str, Any]) -> str:
    """The text in place of the headline when the reader may not have the article: its id, and the note of the kill."""
    note = (entry.get("change") or {}).get("note")
    return f"{entry['article_id']}{f': {note}' if note else ''}"


def pad_text(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def shorten_text(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
