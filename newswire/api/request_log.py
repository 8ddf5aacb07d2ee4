"""One structured line for each request. It holds neither keys nor query strings."""

import logging
import os
import re
import time

from flask import Response, g, request

from newswire.accounts.callers import Caller

logger = logging.getLogger("newswire.request")
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def sane_request_id(given: str) -> str:
    """The caller's own id of a request if it is a sane one, else a new one."""
    return given if SANE_REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def write(response: Response) -> Response:
    known = g._get_current_object()
    line(known.get("request_id"), request.method, request.path, response.status_code, known.began, known.get("caller"))
    return response


def line(request_id: str | None, method: str, path: str, status: int, began: float, caller: Caller | None) -> None:
    """What was asked and answered; `began` is on the clock of `time.perf_counter`."""
    if not logger.isEnabledFor(logging.INFO):
        return
    logger.info(
        "request",
        extra={
            "request_id": request_id,
            "method": method,
            "path": path,
            "status": status,
            "milliseconds": round((time.perf_counter() - began) * 1000, 1),
            "caller": caller and caller.party,
        },
    )
