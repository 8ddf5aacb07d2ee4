"""`create_app`, the factory of the WSGI application. It joins the parts, and nothing else does."""

from threading import BoundedSemaphore

from flask import Flask

from newswire.api.auth import Authenticator
from newswire.api.context import SharedState
from newswire.api.converters import CONVERTERS
from newswire.api.pipeline import install_pipeline, make_view
from newswire.api.routes import ROUTES
from newswire.api.views import docs_page
from newswire.changes.follow import LiveWire
from newswire.config import Settings
from newswire.reading.lists import Calendar
from newswire.store.database import Database
from newswire.wire import PerHead


def create_app(settings: Settings) -> Flask:
    """Builds the WSGI application on the database of `settings`, which must exist and be migrated already."""
    database = Database.of_settings(settings, settings.connections, deadlines=True)
    app = Flask("newswire", static_folder=None)
    app.config["NEWSWIRE"] = state = SharedState(
        settings,
        database,
        LiveWire(database),
        Authenticator(settings, database),
        Calendar(),
        languages=PerHead(),
        request_slots=BoundedSemaphore(settings.threads),
        stream_slots=BoundedSemaphore(settings.streams),
    )
    app.url_map.converters |= CONVERTERS
    # An external_id may be a URL, as in /v1/publishers/reuters/articles/https://news.example/1; merged slashes would
    # redirect to another id.
    app.url_map.merge_slashes = False
    for route in ROUTES:
        app.add_url_rule(route.path, route.operation_id, make_view(route), methods=[route.method])
    docs_page.register_pages(app, samples=settings.demo)
    install_pipeline(app, state)
    return app
