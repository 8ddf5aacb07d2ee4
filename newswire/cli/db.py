"""The command `newswire db upgrade`: schema first, then the search index."""

import click

from newswire.cli.support.database import update_index
from newswire.cli.support.output import json_option, print_result
from newswire.config import Settings
from newswire.store.database import Database, public_url
from newswire.store.migrate import upgrade as migrate


@click.group()
def db_group() -> None:
    """Create or migrate the database that NEWSWIRE_DATABASE_URL names (default: newswire.db in this folder)."""


@db_group.command(short_help="Create, migrate and index the database.")
@json_option
def upgrade_command(as_json: bool) -> None:
    """Bring the database to the schema and the search index of this version of Newswire.

    An empty database gets all tables; an older one is migrated, in one transaction; a current one is
    left alone. Stop the servers of the old version, run it, and start those of the new one.

    Then the search index is rebuilt where it was made by another version of Newswire or of its stemmer. The
    rebuild goes in small transactions, and may go on while the wire is served; it can be interrupted, and the
    next `newswire db upgrade` continues it.
    """
    settings = Settings.from_env()
    before, after = migrate(settings.database_url, pooler=settings.database_pooler)
    database = Database.of_settings(settings)
    try:
        indexed = update_index(database)
    finally:
        database.dispose()
    place = public_url(database.url)
    if before == after:
        sentence = f"{place} is up to date (schema {after})."
    elif before is None:
        sentence = f"{place} was created (schema {after})."
    else:
        sentence = f"{place} was migrated from schema {before} to {after}."
    if indexed:
        sentence += f" {indexed:,} articles were indexed again."
    print_result(sentence, {"database": place, "before": before, "after": after, "indexed": indexed}, as_json)
