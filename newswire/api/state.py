"""What the views of one application share: its settings and its database."""

from dataclasses import dataclass

from flask import current_app

from newswire.config import Settings
from newswire.store.engine import Database


@dataclass(frozen=True)
class State:
    """Made once by `create_app`."""

    settings: Settings
    database: Database


def state() -> State:
    held: State = current_app.config["NEWSWIRE"]
    return held


def settings() -> Settings:
    return state().settings


def database() -> Database:
    return state().database
