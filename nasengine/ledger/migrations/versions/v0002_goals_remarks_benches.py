"""What a search aims at and starts from, what strategies say, and comparisons of strategies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def _json(name: str) -> sa.Column:
    return sa.Column(name, sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"))


def _belongs_to(table: str, name: str) -> sa.Column:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    """Add the columns and the tables."""
    op.add_column("nas_searches", _json("goal"))
    op.add_column("nas_searches", _json("warm_start"))
    op.add_column("nas_trials", sa.Column("value", sa.Float))
    _make_remarks()
    _make_benches()


def _make_remarks() -> None:
    op.create_table(
        "nas_remarks",
        sa.Column("id", sa.Integer, primary_key=True),
        _belongs_to("nas_searches", "search_id"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        _json("values"),
        sa.Column("created", sa.DateTime, nullable=False),
    )


def _make_benches() -> None:
    op.create_table(
        "nas_benches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False, unique=True),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("command", sa.Text),
        _json("facts"),
        _json("environment"),
        sa.Column("version", sa.String(64)),
    )
    op.create_table(
        "nas_bench_runs",
        sa.Column("id", sa.Integer, primary_key=True),
        _belongs_to("nas_benches", "bench_id"),
        sa.Column("strategy", sa.String(255), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        _json("run"),
        sa.UniqueConstraint("bench_id", "strategy", "seed"),
    )
