"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def _json(name: str) -> sa.Column:
    return sa.Column(name, sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"))


def _trial() -> sa.Column:
    return sa.Column("trial_id", sa.Integer, sa.ForeignKey("nas_trials.id", ondelete="CASCADE"), primary_key=True)


def _search() -> sa.Column:
    return sa.Column("search_id", sa.Integer, sa.ForeignKey("nas_searches.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    """Make all tables."""
    _make_searches()
    _make_proposals()
    _make_trials()
    _make_trial_details()
    _make_leases()


def _make_searches() -> None:
    op.create_table(
        "nas_searches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(255), nullable=False, unique=True),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("command", sa.Text),
        sa.Column("space", sa.Text, nullable=False),
        _json("settings"),
        _json("decisions"),
        sa.Column("strategy", sa.Text, nullable=False),
        _json("options"),
        sa.Column("evaluator", sa.Text),
        sa.Column("data", sa.Text),
        sa.Column("data_fingerprint", sa.String(255)),
        _json("recipe"),
        sa.Column("seed", sa.BigInteger),
        sa.Column("epochs", sa.Integer),
        sa.Column("trials", sa.Integer),
        _json("environment"),
        sa.Column("version", sa.String(64)),
    )


def _make_proposals() -> None:
    op.create_table(
        "nas_proposals",
        sa.Column("id", sa.Integer, primary_key=True),
        _search(),
        sa.Column("number", sa.Integer, nullable=False),
        _json("architecture"),
        sa.Column("state", sa.String(16), nullable=False),
        sa.UniqueConstraint("search_id", "number"),
    )


def _make_trials() -> None:
    op.create_table(
        "nas_trials",
        sa.Column("id", sa.Integer, primary_key=True),
        _search(),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        _json("architecture"),
        sa.Column("digest", sa.String(255), index=True),
        _json("values"),
        sa.Column("params", sa.BigInteger),
        sa.Column("macs", sa.BigInteger),
        sa.Column("seconds", sa.Float),
        sa.Column("seed", sa.BigInteger),
        _json("recipe"),
        sa.Column("error", sa.Text),
        _json("lineage"),
        sa.Column("told_order", sa.Integer),
        sa.Column("reuse_key", sa.String(64), index=True),
        sa.Column("reused_from", sa.Integer, sa.ForeignKey("nas_trials.id", ondelete="SET NULL")),
        sa.Column("weights", sa.Text),
        sa.Column("started", sa.DateTime),
        sa.Column("finished", sa.DateTime),
        sa.UniqueConstraint("search_id", "number", "kind"),
        sa.UniqueConstraint("search_id", "told_order"),
    )


def _make_trial_details() -> None:
    epoch = ("epoch", sa.Integer)
    op.create_table("nas_epochs", _trial(), sa.Column(*epoch, primary_key=True, autoincrement=False), _json("values"))
    op.create_table("nas_gates", _trial(), sa.Column(*epoch, primary_key=True, autoincrement=False), _json("gates"))
    op.create_table(
        "nas_artifacts",
        _trial(),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
    )


def _make_leases() -> None:
    op.create_table(
        "nas_leases",
        sa.Column("name", sa.String(300), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("process_started", sa.Text),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("heartbeat", sa.Float, nullable=False),
    )
