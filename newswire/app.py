"""create_app: the only place where the parts meet."""

import time
from typing import Any

from flask import Flask, g, request
from flask_smorest import Api

from newswire import __version__
from newswire.api import problems, request_log, responses
from newswire.api.application import Application
from newswire.api.auth import SIGNATURE, TOKEN
from newswire.api.cache import pages
from newswire.api.cache.callers import Callers
from newswire.api.cache.pages import Shortcut
from newswire.api.limits import Places
from newswire.api.openapi import register
from newswire.api.request_log import sane_request_id
from newswire.api.routes import ROUTES
from newswire.api.state import State
from newswire.api.views import docs_page
from newswire.changes.follow import READS_AT_ONCE, Feed
from newswire.config import Settings
from newswire.reading.expiry import Calendar
from newswire.search.languages import Languages
from newswire.store.database import Database

DESCRIPTION = """
A newswire: publishers push articles, partners pull them as pages, searches and an ordered feed of changes.

Every call but the open ones needs a key: `Authorization: Bearer KEY`, or HTTP Basic with the key as password.
Problems are `application/problem+json` with a `code` of a closed list, served at `/v1/problems`.
"""


def create_app(settings: Settings) -> Flask:
    """The WSGI application on the database of `settings`; it neither creates nor migrates it."""
    # Beside the requests: the streams' own readings, and two that note the use of a key meanwhile.
    database = Database(settings.database_url, connections=settings.threads + READS_AT_ONCE + 2)
    places = Places(settings.threads, settings.streams)
    callers = Callers()
    # An answer is finished, then kept, then logged.
    app = Application((begin, places.enter), (responses.finish, pages.keep, request_log.write), places.leave)
    app.config["NEWSWIRE"] = State(settings, database, Feed(database), places, callers, Calendar(), Languages())
    app.config.update(openapi())
    api = Api()
    # Every operation names its problems; smorest's catch-all would describe another shape.
    api.DEFAULT_ERROR_RESPONSE_NAME = None
    api.init_app(app)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    api.spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    api.spec.components.security_scheme("token", {"type": "apiKey", "in": "query", "name": TOKEN})
    api.spec.components.security_scheme("signature", {"type": "apiKey", "in": "header", "name": SIGNATURE})
    register(app, api, ROUTES)
    docs_page.register(app, samples=settings.demo)
    problems.register(app)
    app.wsgi_app = Shortcut(app.wsgi_app, database, callers, public_read=settings.public_read)  # type: ignore[method-assign]
    return app


def begin() -> None:
    """What every request has: a beginning, and an id, the caller's own if it is a sane one."""
    g.began = time.perf_counter()
    g.request_id = sane_request_id(request.environ.get("HTTP_X_REQUEST_ID", ""))


def openapi() -> dict[str, Any]:
    """flask-smorest's settings: the document at /v1/openapi.json, its page at /docs."""
    return {
        "API_TITLE": "Newswire",
        "API_VERSION": __version__,
        "OPENAPI_VERSION": "3.0.3",
        "OPENAPI_URL_PREFIX": "/",
        "OPENAPI_JSON_PATH": "v1/openapi.json",
        "OPENAPI_SWAGGER_UI_PATH": "docs",
        "OPENAPI_SWAGGER_UI_URL": "/docs/assets/",
        "OPENAPI_SWAGGER_UI_CONFIG": {"deepLinking": True, "displayRequestDuration": True},
        "API_SPEC_OPTIONS": {"info": {"description": DESCRIPTION, "license": {"name": "MIT"}}},
    }
