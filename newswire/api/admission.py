"""Admission of request bodies: how many bytes the server may receive before the request is processed.

The server asks only for a body that has not arrived together with its head. The application checks bodies itself; here
it is only decided what is worth receiving.
"""

from collections.abc import Mapping
from typing import Any

from newswire.api.auth import SIGNATURE
from newswire.api.context import SharedState
from newswire.api.request.bodies import BATCH_BYTES
from newswire.formats.strict_json import ARTICLE_BYTES

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
BATCH_PATH = "/v1/articles/batch"
SIGNATURE_VARIABLE = "HTTP_" + SIGNATURE.upper().replace("-", "_")


def body_limit(state: SharedState, environ: Mapping[str, Any]) -> int:
    """The number of bytes that the body of this request may have; with 0 it is refused without its body.

    Without a key or a signature no operation takes a body, so none is received. `state` is that of the process.
    """
    has_credentials = "HTTP_AUTHORIZATION" in environ or SIGNATURE_VARIABLE in environ
    if environ["REQUEST_METHOD"] not in WITH_BODY or not has_credentials:
        return 0
    return BATCH_BYTES if environ["PATH_INFO"] == BATCH_PATH else ARTICLE_BYTES
