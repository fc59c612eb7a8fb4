"""Run by alembic: the migration joins the transaction that `engine.upgrade` has opened."""

from alembic import context

from responder.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
