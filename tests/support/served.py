"""Served wires, command-line clients of them, and a fake server with canned answers; all on the loopback interface."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from newswire.app import create_app
from newswire.cli import main
from newswire.client.session import RemoteWire, WireResponse
from newswire.config import Settings
from newswire.wire import GENESIS, chain_value
from tests.support.command import Cli, Server, process

Serving = Callable[["subprocess.Popen[str]"], Server]


class Client:
    """`newswire` as a client of a wire, with a key."""

    def __init__(self, url: str, key: str = "") -> None:
        self.url = url
        self.key = key
        self.environment = {"NEWSWIRE_URL": url, "NEWSWIRE_KEY": key}

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env=self.environment)

    def must(self, *arguments: object) -> str:
        """Runs a command that must succeed; returns what it prints."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *arguments: object) -> str:
        """Runs a command that must fail; returns its one-line error message."""
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("Error: "), result.stderr
        assert result.stderr.count("\n") == 1, result.stderr
        return result.stderr

    def process(self, *arguments: object, **settings: Any) -> "subprocess.Popen[str]":
        environment = self.environment | settings.pop("env", {})
        return process([str(argument) for argument in arguments], "sqlite:///nowhere.db", env=environment, **settings)

    def call(self, method: str, path: str, content: object = None) -> WireResponse:
        """Sends one request, past the command line."""
        body = None if content is None else json.dumps(content).encode()
        return RemoteWire(self.url, self.key).send(method, path, body, {"Content-Type": "application/json"})

    def put(self, external_id: str, **article: Any) -> dict[str, Any]:
        """Creates or updates an article of the publisher `port`."""
        return self.call("PUT", f"/v1/publishers/port/articles/{external_id}", {"headline": "x"} | article).content

    def kill(self, external_id: str) -> None:
        self.call("DELETE", f"/v1/publishers/port/articles/{external_id}?reason=Wrong")


class Wire:
    """A served wire with the publisher `port`."""

    def __init__(self, cli: Cli, url: str) -> None:
        self.cli = cli
        self.url = url

    def publisher(self) -> Client:
        if not self.cli.json("publisher", "list"):
            self.cli.must("publisher", "add", "port", "--name", "Port Authority", "--url", "https://port.example")
        return Client(self.url, self.cli.json("key", "create", "--publisher", "port")["key"])

    def partner(self, slug: str = "radio", *limits: str) -> Client:
        self.cli.must("partner", "add", slug, "--name", slug, *(word for limit in limits for word in ("--only", limit)))
        return Client(self.url, self.cli.json("key", "create", "--partner", slug)["key"])

    def log(self) -> list[dict[str, Any]]:
        """The whole wire, as an admin reads it at this address."""
        exported = CliRunner().invoke(
            main, ["export"], env={"NEWSWIRE_DATABASE_URL": self.cli.database_url, "NEWSWIRE_BASE_URL": self.url}
        )
        return [json.loads(line) for line in exported.stdout.splitlines()]


@contextmanager
def served(cli: Cli) -> Iterator[Wire]:
    """Serves the wire over HTTP from a thread of this process."""
    app = create_app(Settings(database_url=cli.database_url))
    with make_server("127.0.0.1", 0, app, threaded=True) as server, working(server):
        yield Wire(cli, f"http://127.0.0.1:{server.port}")
    app.config["NEWSWIRE"].close()


@contextmanager
def working(server: Any) -> Iterator[None]:
    # Whoever stops the server waits for as long as it looks away.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def started(serving: Serving, cli: Cli, port: str = "0", workers: int = 1, **environment: str) -> tuple[Server, Wire]:
    """Serves the wire over HTTP with processes of `newswire serve`."""
    server = serving(cli.process("serve", "--port", port, "--workers", str(workers), "--json", env=environment))
    server.wait_for(lambda: "}" in server.out, "it says where it listens")
    return server, Wire(cli, json.loads("\n".join(server.out))["url"])


@contextmanager
def answering(*answers: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[str, list[str]]]:
    """A fake server that gives these answers one after the other, and the last one from then on.

    Yields its address and the requests as they come, method and path.
    """
    asked: list[str] = []
    remaining = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(f"{self.command} {self.path}")
            status, headers, body = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            # Whoever closes without saying so may be asked once more at that moment.
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST = do_DELETE = do_GET

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, working(server):
        yield f"http://127.0.0.1:{server.server_address[1]}", asked


def page(entries: Sequence[dict[str, Any]], after: int = 0, **more: Any) -> tuple[int, dict[str, str], bytes]:
    """The answer of a wire with one page of changes."""
    last = entries[-1]["seq"] if entries else after
    content = {"data": entries, "page": {"has_more": False, "next_after": last}, "head": last, "wire": "w"}
    return 200, {}, json.dumps(content | more).encode()


def entry(seq: int, **fields: Any) -> dict[str, Any]:
    """An entry as a wire might tell it."""
    article = {"headline": f"Story {seq}", "section": None, "publisher": {"slug": "port", "name": "Port"}}
    chain = GENESIS
    for number in range(1, seq + 1):
        chain = chain_value(chain, number, "0" * 64)
    return {
        "seq": seq, "type": "article.published", "at": "2026-11-22T09:30:00.000Z", "article_id": f"id-{seq}",
        "version": 1, "digest": "0" * 64, "chain": chain, "article": article,
    } | fields  # fmt: skip


def problem(status: int, code: str, detail: str = "No.", **headers: str) -> tuple[int, dict[str, str], bytes]:
    content = {"status": status, "code": code, "detail": detail, "errors": []}
    return status, {"Content-Type": "application/problem+json"} | headers, json.dumps(content).encode()
