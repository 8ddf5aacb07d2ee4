"""create_app: the only place where the parts meet."""

import time

from flask import Flask, g, request

from newswire.api import problems, request_log, responses
from newswire.api.application import Application
from newswire.api.cache import pages
from newswire.api.cache.callers import Callers
from newswire.api.cache.pages import Shortcut
from newswire.api.converters import CONVERTERS
from newswire.api.limits import Places
from newswire.api.pipeline import checked
from newswire.api.request_log import sane_request_id
from newswire.api.routes import ROUTES
from newswire.api.state import State
from newswire.api.views import docs_page
from newswire.changes.follow import READS_AT_ONCE, Feed
from newswire.config import Settings
from newswire.reading.expiry import Calendar
from newswire.search.languages import Languages
from newswire.store.database import Database


def create_app(settings: Settings) -> Flask:
    """The WSGI application on the database of `settings`; it neither creates nor migrates it."""
    # Beside the requests: the streams' own readings, and two that note the use of a key meanwhile.
    database = Database(settings.database_url, connections=settings.threads + READS_AT_ONCE + 2)
    places = Places(settings.threads, settings.streams)
    callers = Callers()
    # An answer is finished, then kept, then logged.
    app = Application((begin, places.enter), (responses.finish, pages.keep, request_log.write), places.leave)
    app.config["NEWSWIRE"] = State(settings, database, Feed(database), places, callers, Calendar(), Languages())
    app.url_map.converters |= CONVERTERS
    # A publisher's own id may be an address, as in /v1/publishers/reuters/articles/https://news.example/1.
    app.url_map.merge_slashes = False
    for route in ROUTES:
        app.add_url_rule(route.path, route.view.__name__, checked(route), methods=[route.method])
    docs_page.register_pages(app, samples=settings.demo)
    problems.register(app)
    app.wsgi_app = Shortcut(app.wsgi_app, database, callers, public_read=settings.public_read)  # type: ignore[method-assign]
    return app


def begin() -> None:
    """What every request has: a beginning, and an id, the caller's own if it is a sane one."""
    g.began = time.perf_counter()
    g.request_id = sane_request_id(request.environ.get("HTTP_X_REQUEST_ID", ""))
