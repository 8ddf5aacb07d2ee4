"""Runs the migrations in the transaction that `newswire.store.migrate` has begun and hands over.

Nothing of the product is imported here or in a revision: a revision has to do tomorrow what it does today.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
