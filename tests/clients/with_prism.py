"""Sends recorded answers through Prism, a proxy that compares each with the OpenAPI document, and prints its findings.

The upstream of the proxy is a server that gives the recorded answers back. Requests against the document are no
concern: the tests send them on purpose. Arguments: the command of Prism, the file of the document, the folder of
`recording`.
"""

import base64
import http.client
import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any, ClassVar

NUMBER = "X-Recorded-Answer"
OF_EACH = 40
"""Answers to one operation with one status that are compared: of most there are thousands, and all alike."""
UNLISTED = '[{"message": "too many findings to be listed", "location": ["response"]}]'
SECONDS = 60


class Recorded(BaseHTTPRequestHandler):
    """Answers with the recorded answer whose number the request names."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[list[dict[str, Any]]] = []

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = self.answers[int(self.headers[NUMBER])]
        body = base64.b64decode(found["body"])
        self.send_response(found["status"])
        for name, value in found["headers"]:
            self.send_header(name, value)
        self.send_header(NUMBER, self.headers[NUMBER])
        if found["status"] not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and found["status"] not in (204, 304):
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: thousands of lines."""


def read_answers(folder: Path, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Recorded answers to operations of the document, at most `OF_EACH` of a kind."""
    counts: Counter[tuple[str, str, int, str]] = Counter()
    seen: set[str] = set()
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            answer = json.loads(line)
            path = match_path(answer["target"].partition("?")[0], answer["method"], document)
            kind = dict(answer["headers"]).get("Content-Type", "")
            counts[path or "", answer["method"], answer["status"], kind] += 1
            if path and line not in seen and counts[path, answer["method"], answer["status"], kind] <= OF_EACH:
                seen.add(line)
                yield answer


def match_path(path: str, method: str, document: dict[str, Any]) -> str | None:
    """The path of the document that an address belongs to, if it has the method, and if Prism can tell it from others.

    It takes /v1/feeds/desk.rss for /v1/feeds/{feed}, whatever the pattern of a feed's name is.
    """
    for template in sorted(document["paths"], key=lambda each: (each.count("{"), -len(each))):
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
            return template if method.lower() in document["paths"][template] and "}." not in template else None
    return None


def send(port: int, number: int, answer: dict[str, Any]) -> list[str]:
    """What Prism finds against an answer; raises `RuntimeError` where the answer did not come from the recording."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        headers = {NUMBER: str(number), "Authorization": "Bearer x", "If-Match": "*"}
        if answer["accept"] and "application/problem+json" not in answer["accept"]:
            headers["Accept"] = answer["accept"]
        if answer["method"] in ("POST", "PUT", "PATCH"):
            headers["Content-Type"] = "application/json"
        body = b'{"headline": "x"}' if "Content-Type" in headers else None
        connection.request(answer["method"], answer["target"], body, headers)
        response = connection.getresponse()
        response.read()
    finally:
        connection.close()
    if response.getheader(NUMBER) != str(number):
        raise RuntimeError(f"Prism did not ask for it: {response.status}")
    # Prism cuts a list off that makes too long a header.
    listed = response.getheader("sl-violations", "[]")
    found = json.loads(listed if listed.startswith("[") else UNLISTED)
    return [each["message"] + f" ({'/'.join(each['location'])})" for each in found if each["location"][0] == "response"]


def wait_until_listening(port: int, prism: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS
    while prism.poll() is None and time.monotonic() < deadline:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("Prism does not listen.")


def main(command: str, file: str, folder: str) -> None:
    Recorded.answers = [*read_answers(Path(folder), json.loads(Path(file).read_text(encoding="utf-8")))]
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Recorded)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{upstream.server_address[1]}"
    prism = subprocess.Popen(
        [command, "proxy", file, address, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    found: Counter[str] = Counter()
    unasked = 0
    try:
        wait_until_listening(port, prism)
        for number, answer in enumerate(Recorded.answers):
            try:
                violations = send(port, number, answer)
            except (RuntimeError, OSError, http.client.HTTPException):
                unasked += 1
                continue
            for violation in violations:
                found[f"{answer['method']} {answer['target'][:80]} {answer['status']}: {violation}"] += 1
    finally:
        prism.terminate()
        prism.wait(SECONDS)
        upstream.shutdown()
    for text, times in found.most_common(40):
        print(f"{times} x {text}")
    print(f"compares {len(Recorded.answers) - unasked} answers of the tests and finds {len(found)} faults"
          f" ({unasked} answers it cannot pass on)")  # fmt: skip
    if found or len(Recorded.answers) - unasked < 100:
        raise SystemExit(1)


main(*sys.argv[1:])
