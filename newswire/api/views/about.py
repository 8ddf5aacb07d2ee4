"""Views about the caller and the server: the caller's key, the list of problem codes, health and readiness."""

import logging
from functools import lru_cache

from flask import Response

from newswire.api.context import RequestContext
from newswire.api.problems import dump_json, problem_type
from newswire.api.responses import NAMES_OF_A_WIRE, FixedDocument, document_response, json_response
from newswire.changes.forks import fork_warning
from newswire.errors import CODES, Problem
from newswire.quotas import describe_quotas
from newswire.search.rebuild import check_index
from newswire.store import migrate
from newswire.store.backend import DatabaseError
from newswire.timestamps import format_optional, now
from newswire.wire import check_newest_entry

logger = logging.getLogger("newswire.request")


def read_me(context: RequestContext) -> Response:
    """Who the key is, and what it may do and see

    A publisher sees its own articles, a partner those of its entitlement, an admin all. `limits` are the requests that
    the key may send in a window of time, by scope.
    """
    caller = context.caller
    return json_response(context, {
        "kind": caller.kind,
        "slug": caller.slug,
        "name": caller.name,
        "scopes": sorted(caller.scopes),
        "label": caller.label,
        "expires_at": format_optional(caller.expires_at),
        "limits": describe_quotas(context.state.quotas.quotas_of(caller)),
        "entitlement": {"publisher": [caller.slug]} if caller.kind == "publisher" else caller.limits or {},
    })  # fmt: skip


def list_problems(context: RequestContext) -> Response:
    """The closed list of problems that this API answers with

    Each with its HTTP status; `type` is the address of its line here.
    """
    return document_response(context, problems_document(context.base_url))


@lru_cache(NAMES_OF_A_WIRE)
def problems_document(base_url: str) -> FixedDocument:
    """The list of problems, for the base of our own URLs."""
    kinds = [
        {"code": code, "status": kind.status, "title": kind.title, "type": problem_type(code, base_url)}
        for code, kind in CODES.items()
    ]
    return FixedDocument.of(dump_json({"data": kinds}), "application/json")


def healthz(context: RequestContext) -> Response:
    """Whether the process is alive

    Asks nothing of the database.
    """
    return json_response(context, {"status": "alive"})


def readyz(context: RequestContext) -> Response:
    """Whether the database is reachable, its schema current, and its search index usable

    503 until all are so: send no traffic here. `warning` says what is wrong with a wire that is served all the same: a
    search index that has to be rebuilt, a newest entry that is dated more than an hour ahead of the clock, or entries
    that were lost in the last seven days.
    """
    try:
        if context.state.feed.history.look() is None:
            # Only a frozen server is refused here; what else is wrong is said by the check.
            context.database.refuse_if_silent()
        migrate.check(context.database)
        with context.database.read() as connection:
            moment = now()
            warnings = (
                check_index(connection), check_newest_entry(connection, moment), fork_warning(connection, moment)
            )  # fmt: skip
    except DatabaseError as error:
        # The error goes to the log only: it may name hosts and users, and this path is open to everyone.
        logger.error("not ready: %s", error)
        context.database.damage.refuse_damaged()
        raise Problem(
            "unavailable",
            "The database is unreachable, or its schema or search index is not current; the log says which.",
            headers={"Retry-After": "5"},
        ) from error  # fmt: skip
    return json_response(context, {"status": "ready", "warning": " ".join(filter(None, warnings)) or None})
