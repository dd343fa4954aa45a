"""What alembic runs: only tables named nas_*, with a version table of our own beside Optuna's.

The connection is handed in by `nasengine.ledger.upgrade`; there is no alembic.ini.
"""

from alembic import context

from nasengine.ledger.tables import VERSION_TABLE, metadata
from nasengine.ledger.upgrade import include_name

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_name=include_name,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
