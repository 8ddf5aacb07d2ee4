"""`newswire db upgrade`."""

import click

from newswire.cli.support.output import json_option, tell
from newswire.config import Settings
from newswire.store.database import create_backend, public_url
from newswire.store.migrate import upgrade as migrate


@click.group()
def db() -> None:
    """Create or migrate the database that NEWSWIRE_DATABASE_URL names (default: newswire.db in this folder)."""


@db.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Bring the database to the schema of this version of Newswire.

    An empty database gets all tables; an older one is migrated, in one transaction; a current one is
    left alone. Start it before the servers of a new version.
    """
    url = Settings.from_env().database_url
    before, after = migrate(url)
    place = public_url(create_backend(url).url)
    if before == after:
        sentence = f"{place} is up to date (schema {after})."
    elif before is None:
        sentence = f"{place} was created (schema {after})."
    else:
        sentence = f"{place} was migrated from schema {before} to {after}."
    tell(sentence, {"database": place, "before": before, "after": after}, as_json)
