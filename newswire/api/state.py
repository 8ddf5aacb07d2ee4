"""What the views of one application share: its settings, its database, the live wire, and the places for requests."""

from dataclasses import dataclass

from flask import current_app, request

from newswire.api.cache.callers import Callers
from newswire.api.limits import Places
from newswire.changes.follow import Feed
from newswire.config import Settings
from newswire.reading.at_one_head import glance
from newswire.reading.expiry import Calendar
from newswire.search.languages import Languages
from newswire.store.database import Database
from newswire.wire import Head

HEAD = "newswire.head"
"""Where the WSGI environment of a request holds the head."""


@dataclass(frozen=True)
class State:
    """Made once by `create_app`."""

    settings: Settings
    database: Database
    feed: Feed
    places: Places
    callers: Callers
    calendar: Calendar
    languages: Languages

    def looked(self) -> Head | None:
        """The head as this request found it at its beginning; None when the database is away."""
        if HEAD not in request.environ:
            request.environ[HEAD] = glance(self.database)
        found: Head | None = request.environ.get(HEAD)
        return found

    def close(self) -> None:
        """Ends every stream and lets go of the database."""
        self.feed.watcher.close()
        self.feed.watcher.join()
        self.database.dispose()


def state() -> State:
    held: State = current_app.config["NEWSWIRE"]
    return held


def settings() -> Settings:
    return state().settings


def database() -> Database:
    return state().database
