"""Runs the migrations inside one transaction on the engine that `newswire.store.migrate` hands over."""

from alembic import context

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=False)
    # Two processes that start together on one empty database: the second waits here.
    context.config.attributes["lock"](connection)
    with connection.begin(), context.begin_transaction():
        context.run_migrations()
