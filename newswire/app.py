"""`create_app`, the factory of the WSGI application. It joins the parts, and nothing else does."""

from flask import Flask

from newswire.api.auth import Authenticator
from newswire.api.context import SharedState
from newswire.api.converters import CONVERTERS
from newswire.api.limits.quotas import RequestQuotas
from newswire.api.limits.slots import SlotLedger
from newswire.api.limits.windows import WindowTable
from newswire.api.open_routes import OPEN_ROUTES, SAMPLE_ROUTES
from newswire.api.pipeline import install_pipeline, make_view
from newswire.api.routes import ROUTES
from newswire.changes.follow import LiveWire
from newswire.config import Settings
from newswire.reading.lists import Calendar
from newswire.search.dictionary import SynonymCache
from newswire.store.database import Database
from newswire.wire import PerHead


def create_app(settings: Settings, windows: WindowTable | None = None) -> Flask:
    """Builds the WSGI application on the database of `settings`, which must exist and be migrated already.

    Requests are counted in `windows`, which several processes may share; without it this one counts for itself.
    """
    database = Database.of_settings(settings, settings.connections, deadlines=True, lock_seconds=settings.wait_seconds)
    app = Flask("newswire", static_folder=None)
    app.config["NEWSWIRE"] = state = SharedState(
        settings,
        database,
        LiveWire(database),
        Authenticator(settings, database),
        Calendar(),
        languages=PerHead(),
        synonyms=SynonymCache(),
        slots=SlotLedger.of(settings),
        quotas=RequestQuotas(settings, windows or WindowTable()),
    )
    app.url_map.converters |= CONVERTERS
    # An external_id may be a URL, as in /v1/publishers/reuters/articles/https://news.example/1; merged slashes would
    # redirect to another id.
    app.url_map.merge_slashes = False
    for route in (*ROUTES, *OPEN_ROUTES, *(SAMPLE_ROUTES if settings.demo else ())):
        app.add_url_rule(route.path, route.operation_id, make_view(route), methods=[route.method])
    install_pipeline(app, state)
    return app
