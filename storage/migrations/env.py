"""What alembic runs: the steps, on the connection `storage/upgrade.py` holds open and locked."""

from alembic import context

from storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,  # the caller's transaction: all steps, or none
)
context.run_migrations()
