"""One structured line for each request. It holds neither keys nor query strings."""

import logging
import time

from flask import Response, g, request

logger = logging.getLogger("newswire.request")


def write(response: Response) -> Response:
    caller = g.get("caller")
    logger.info(
        "request",
        extra={
            "request_id": g.get("request_id"),
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - g.began) * 1000, 1),
            "caller": caller and f"{caller.kind}:{caller.slug or ''}",
        },
    )
    return response
