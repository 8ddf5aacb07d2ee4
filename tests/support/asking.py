"""One HTTP request without a second try, for tests of servers in trouble: its status, and how long the answer took."""

import time
import urllib.error
import urllib.request

TIME_OUT = 25.0


def ask(address: str, key: str = "", body: bytes | None = None) -> tuple[int, float]:
    """The status of a GET, or of a POST of JSON (0: no answer in time), and how long it took, in seconds."""
    began = time.monotonic()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(address, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=TIME_OUT) as answer:
            answer.read()
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    except OSError:
        status = 0
    return status, time.monotonic() - began
