"""Candidates that are ended early, the fidelity they are trained at, what trials cost, and numbered writes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"


def _json(name: str) -> sa.Column:
    return sa.Column(name, sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"))


def upgrade() -> None:
    """Add the columns."""
    op.add_column("nas_searches", _json("fidelity"))
    op.add_column("nas_searches", _json("stopper"))
    op.add_column("nas_trials", sa.Column("stopped", sa.Integer))
    op.add_column("nas_trials", _json("cost"))
    op.add_column("nas_leases", sa.Column("step", sa.Integer))
