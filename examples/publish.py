"""Publishes articles, corrects one, kills one, and repeats it all without harm. It needs nothing but Python:

    NEWSWIRE_URL=http://127.0.0.1:8000 NEWSWIRE_KEY=… python3 examples/publish.py gazette articles.ndjson

Each line of the file is an article in JSON with an `external_id`: your own id, which never changes.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

WIRE, KEY, TRIES = os.environ["NEWSWIRE_URL"] + "/v1", os.environ["NEWSWIRE_KEY"], 5


def send(method: str, path: str, article: Any = None, **headers: str) -> tuple[int, Any]:
    """Sends a request until the wire has answered it: to repeat the same one does no harm."""
    body = None if article is None else json.dumps(article).encode()
    headers |= {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    for attempt in range(TRIES):
        try:
            with urlopen(Request(WIRE + path, body, headers, method=method), timeout=60) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            pause = int(error.headers.get("Retry-After") or 2**attempt)
            if error.code != 429 and error.code < 500:
                return error.code, json.load(error)  # A repeat would not help: `errors` says what to mend.
        except (URLError, TimeoutError):
            pause = 2**attempt
        time.sleep(pause)
    raise SystemExit(f"{method} {path}: the wire did not answer.")


publisher, file = sys.argv[1:]
articles = [json.loads(line) for line in Path(file).read_bytes().split(b"\n") if line]
mine = [f"/publishers/{publisher}/articles/{quote(str(article['external_id']), safe='')}" for article in articles]
for path, article in zip(mine, articles, strict=True):
    status, answer = send("PUT", path, article)  # 201: new. 200: it was there. 410: it was killed.
    print(status, answer["detail"] if status >= 400 else f"version {answer['version']}: {answer['headline']}")

change = {"type": "correction", "note": "The headline named another place."}
corrected = articles[0] | {"headline": articles[0]["headline"] + " (corrected)", "change": change}
status, answer = send("PUT", mine[0], corrected)
print(status, "corrected, version", answer["version"])
status, answer = send("DELETE", mine[1] + "?reason=" + quote("Published by mistake."))
print(status, answer["status"])
flash = {"headline": "Ferry service suspended"}  # It has no id: an Idempotency-Key makes the repeat safe for a day.
key = hashlib.sha256(json.dumps(flash).encode()).hexdigest()
first, again = (send("POST", "/articles", flash, **{"Idempotency-Key": key}) for _ in range(2))
print(first[0], "sent twice, stored once:", first[1]["id"] == again[1]["id"])
