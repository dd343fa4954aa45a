"""The tables of the results database; all names begin with nas_, for Optuna's tables may stand beside them.

A change here needs a new file in `migrations/versions` and its number in HEAD; a test holds the two together.
Times are UTC. They are described for readers of the database in `docs/results.md`.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

HEAD = "0004"
PREFIX = "nas_"
VERSION_TABLE = "nas_alembic_version"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _json(name: str) -> Column:
    return Column(name, JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"))


def _belongs_to(table: str, name: str, primary_key: bool = False) -> Column:
    key = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, Integer, key, nullable=False, primary_key=primary_key)


searches = Table(
    "nas_searches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("created", DateTime, nullable=False),
    Column("state", String(16), nullable=False),  # running, complete, failed, stopped
    Column("command", Text),
    Column("space", Text, nullable=False),
    _json("settings"),
    _json("decisions"),  # name -> {options, keep}: what the Optuna view needs to know of the space
    Column("strategy", Text, nullable=False),
    _json("options"),
    Column("evaluator", Text),
    Column("data", Text),
    Column("data_fingerprint", String(255)),
    _json("recipe"),
    Column("seed", BigInteger),
    Column("epochs", Integer),
    Column("trials", Integer),
    _json("environment"),
    Column("version", String(64)),  # of nasengine
    _json("goal"),  # {objectives, reward}; none in old searches: validation_accuracy
    _json("warm_start"),  # earlier search -> how many of its results were told first
    _json("fidelity"),  # of its candidates: epochs, share of the images, resolution; none: in full
    _json("stopper"),  # what ends candidates early: {kind, metric}; none: nothing does
    _json("words"),  # what was asked: the arguments of nasengine.plan.make that were not as usual; none: not known
)

proposals = Table(
    "nas_proposals",
    metadata,
    Column("id", Integer, primary_key=True),
    _belongs_to("nas_searches", "search_id"),
    Column("number", Integer, nullable=False),
    _json("architecture"),
    Column("state", String(16), nullable=False),  # open, done
    UniqueConstraint("search_id", "number"),
)

trials = Table(
    "nas_trials",
    metadata,
    Column("id", Integer, primary_key=True),
    _belongs_to("nas_searches", "search_id"),
    Column("number", Integer, nullable=False),
    Column("kind", String(16), nullable=False),  # candidate, supernet, final
    Column("state", String(16), nullable=False),  # running, complete, pruned, failed, stopped
    _json("architecture"),
    Column("digest", String(255), index=True),
    _json("values"),
    Column("params", BigInteger),
    Column("macs", BigInteger),
    Column("seconds", Float),
    Column("seed", BigInteger),
    _json("recipe"),
    Column("error", Text),
    _json("lineage"),
    Column("told_order", Integer),
    Column("reuse_key", String(64), index=True),
    Column("reused_from", Integer, ForeignKey("nas_trials.id", ondelete="SET NULL")),
    Column("weights", Text),  # path
    Column("started", DateTime),
    Column("finished", DateTime),
    Column("value", Float),  # the one number by which candidates are compared; larger is better
    Column("stopped", Integer),  # the epoch after which a pruned trial was ended
    _json("cost"),  # what it took, over all attempts: core_seconds, gpu_seconds, joules, attempts, …
    UniqueConstraint("search_id", "number", "kind"),
    UniqueConstraint("search_id", "told_order"),
)

epochs = Table(
    "nas_epochs",
    metadata,
    _belongs_to("nas_trials", "trial_id", primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    _json("values"),
)

gates = Table(  # decision -> option -> strength
    "nas_gates",
    metadata,
    _belongs_to("nas_trials", "trial_id", primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    _json("gates"),
)

artifacts = Table(
    "nas_artifacts",
    metadata,
    _belongs_to("nas_trials", "trial_id", primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("path", Text, nullable=False),
)

remarks = Table(  # what a strategy said: prompts, replies, how well its predictions held
    "nas_remarks",
    metadata,
    Column("id", Integer, primary_key=True),
    _belongs_to("nas_searches", "search_id"),
    Column("number", Integer, nullable=False),  # of proposals when it was said
    Column("kind", String(32), nullable=False),
    Column("text", Text, nullable=False),
    _json("values"),
    Column("created", DateTime, nullable=False),
)

benches = Table(  # comparisons of strategies on a table
    "nas_benches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("created", DateTime, nullable=False),
    Column("command", Text),
    _json("facts"),
    _json("environment"),
    Column("version", String(64)),
)

bench_runs = Table(  # one strategy with one seed
    "nas_bench_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    _belongs_to("nas_benches", "bench_id"),
    Column("strategy", String(255), nullable=False),  # with its options
    Column("seed", BigInteger, nullable=False),
    _json("run"),
    UniqueConstraint("bench_id", "strategy", "seed"),
)

leases = Table(  # who is writing: `search NAME`, `view NAME`, `bench NAME`
    "nas_leases",
    metadata,
    Column("name", String(300), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", Text),  # tells a process from a later one with the same number
    Column("token", String(32), nullable=False),
    Column("heartbeat", Float, nullable=False),  # seconds since 1970
    Column("step", Integer),  # the number of the holder's last write
)
