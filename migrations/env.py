"""The Alembic environment: runs the migrations in the transaction that `newswire.store.migrate` has begun.

Neither this file nor a revision imports `newswire`: a revision must always do the same, whatever the product becomes.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
