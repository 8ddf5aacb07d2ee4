"""A pytest plugin that writes down the answers of the HTTP tests: `pytest -p tests.clients.recording tests/api`.

Each process writes a file of JSON lines into the folder that `RECORDED_ANSWERS` names. `with_prism` reads them.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

from werkzeug.test import Client, EnvironBuilder, TestResponse

LARGEST = 200_000
FOLDER = Path(os.environ["RECORDED_ANSWERS"])
open_client = Client.open


def open_and_record(self: Client, *arguments: Any, **settings: Any) -> TestResponse:
    response = open_client(self, *arguments, **settings)
    # An endless stream has no length; its test reads it.
    if int(response.headers.get("Content-Length", LARGEST)) < LARGEST or response.status_code in (204, 304):
        record(response)
    return response


def record(response: TestResponse) -> None:
    request = response.request
    if not request.path.isascii() or not request.path.startswith("/"):
        return
    answer = {
        "method": request.method,
        "target": EnvironBuilder.from_environ(request.environ).request_uri,
        "accept": request.headers.get("Accept"),
        "status": response.status_code,
        "headers": [each for each in response.headers if each[0] in ("Content-Type", "ETag", "Location", "Allow")],
        "body": base64.b64encode(response.data).decode(),
    }
    if "Content-Encoding" not in response.headers:
        with (FOLDER / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(answer) + "\n")


Client.open = open_and_record  # type: ignore[method-assign]
