"""What the views of one application share: its settings, its database, the live wire, and the places for requests."""

from dataclasses import dataclass

from flask import current_app

from newswire.api.places import Places
from newswire.config import Settings
from newswire.readers.following import Feed
from newswire.store.engine import Database


@dataclass(frozen=True)
class State:
    """Made once by `create_app`."""

    settings: Settings
    database: Database
    feed: Feed
    places: Places

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
