"""`newswire push`: publishes articles from files over HTTP."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import click

from newswire.cli.support.article_files import open_source, read_articles
from newswire.cli.support.interrupts import raise_interrupts
from newswire.cli.support.options import INPUT_FILE, url_option
from newswire.cli.support.output import json_option, print_notice, print_result
from newswire.client.session import RemoteWire, RequestRefused, WireResponse, strip_controls
from newswire.errors import Fault, Problem
from newswire.schemas.fields import digits_of_number

JSON = {"Content-Type": "application/json"}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=INPUT_FILE)
@url_option
@json_option
def push_command(files: tuple[str, ...], url: str | None, as_json: bool) -> None:
    """Publish the articles in FILEs on the wire at NEWSWIRE_URL; - is standard input.

    The key in NEWSWIRE_KEY (or in the file NEWSWIRE_KEY_FILE) is that of a publisher. A FILE is one article in
    Markdown (its name ends in .md), a JSON object or array, or NDJSON, as for `newswire import`; ninjs too.

    A repeat does no harm. An article with an external_id is created or updated by it; for 24 hours one without
    is known by its content, and is a new article after that. Exit status 1 when any was refused.

    \b
    newswire push harbour.md
    newswire push --json *.md | jq '.[] | select(.problem)'
    """
    remote = RemoteWire.from_env(url, print_notice)
    publisher = key_publisher(remote)
    results = []
    with raise_interrupts():
        for result in publish_files(remote, publisher, files):
            results.append(result)
            if not as_json:
                click.echo(describe_result(result), err=result["problem"] is not None)
    if as_json:
        print_result("", results, as_json)
    raise SystemExit(1 if any(result["problem"] for result in results) else 0)


def key_publisher(remote: RemoteWire) -> str:
    """The slug of the publisher whose key this is; raises `ClickException` for a key of somebody else."""
    caller = remote.get("/v1/me")
    if caller.get("kind") != "publisher":
        raise click.ClickException(
            "To push takes the key of a publisher; `newswire key create --publisher SLUG` makes one."
        )
    return str(caller["slug"])


def publish_files(remote: RemoteWire, publisher: str, files: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Publishes one article after the other, and yields a result for each."""
    for file in files:
        with open_source(file) as source:
            for item in read_articles(source):
                yield {"file": file, "place": item.position, **publish_article(remote, publisher, item.content)}


def publish_article(remote: RemoteWire, publisher: str, article: Any) -> dict[str, Any]:
    """Publishes one article; the result of one that could not be read is the `Problem` that stands for it."""
    try:
        if isinstance(article, Problem):
            raise article
        response = send_article(remote, publisher, article)
    except (Problem, RequestRefused) as error:
        faults: list[Any] = [fault.as_dict() if isinstance(fault, Fault) else fault for fault in error.errors]
        problem = {"code": error.code, "detail": error.detail, "errors": faults}
        return {"status": "refused", "id": None, "version": None, "warnings": [], "problem": problem}
    stored = response.content
    return {"status": stored_status(response), "id": stored["id"], "version": stored["version"],
            "warnings": stored.get("warnings", []), "problem": None}  # fmt: skip


def send_article(remote: RemoteWire, publisher: str, article: Any) -> WireResponse:
    """Sends one article as an idempotent request: a PUT by its external_id, else a POST with an Idempotency-Key."""
    body = json.dumps(article, separators=(",", ":")).encode()
    external_id = digits_of_number(article.get("external_id")) if isinstance(article, dict) else None
    if isinstance(external_id, str) and external_id.strip():
        # The wire stores ids with single blanks. A dot is encoded because . and .. are steps of a path.
        name = quote(" ".join(external_id.split()), safe="", errors="replace").replace(".", "%2E")
        return remote.send("PUT", f"/v1/publishers/{quote(publisher)}/articles/{name}", body, JSON)
    return remote.send("POST", "/v1/articles", body, {**JSON, "Idempotency-Key": hashlib.sha256(body).hexdigest()})


def stored_status(response: WireResponse) -> str:
    if response.headers.get("Idempotent-Replayed"):
        return "repeated"
    return "created" if response.status == 201 else "stored"


def describe_result(result: dict[str, Any]) -> str:
    """The lines for a person about the result of one article, with its faults or warnings."""
    where = f"{result['file']}, {result['place']}" if result["place"] != "the article" else result["file"]
    if problem := result["problem"]:
        faults = [f"{fault.get('pointer') or fault.get('parameter') or '/'}: {fault['detail']}"
                  for fault in problem["errors"]]  # fmt: skip
        return "\n".join(strip_controls(f"{where}: refused: {each}") for each in faults or [problem["detail"]])
    words = {"created": "new", "stored": "stored", "repeated": "sent before"}
    lines = [f"{where}: {words[result['status']]}, version {result['version']}, {result['id']}"]
    lines += [f"{where}: warning: {warning['detail']}" for warning in result["warnings"]]
    return "\n".join(map(strip_controls, lines))
