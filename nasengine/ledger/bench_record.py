"""One comparison of strategies being written: a row for each run, so that what was stopped goes on."""

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, insert, select

from nasengine.errors import LedgerError
from nasengine.job import Json, plain
from nasengine.ledger.database import Database
from nasengine.ledger.environment import version
from nasengine.ledger.lease import Lease
from nasengine.ledger.search_record import now
from nasengine.ledger.tables import bench_runs, benches

_ADD_RUN = insert(bench_runs)


class BenchRecord:
    """The one writer of one comparison; every run is one durable transaction.

    Without a name it gets the next of TABLE-1, -2, … Raises LedgerError when the name is there with other facts, and
    when another process is writing it. `resumed` says whether it was there before.
    """

    def __init__(
        self,
        database: Database,
        name: str | None,
        facts: Mapping[str, Any],
        *,
        command: str | None = None,
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        self._database = database
        given: Json = plain(facts)
        with database.writing() as connection:
            database.exclusively(connection)
            self.name = name or _free_name(connection, str(given.get("table", "bench")))
            known = connection.execute(select(benches).where(benches.c.name == self.name)).mappings().first()
            self.resumed = known is not None
            if known is not None:
                _check_same(self.name, known["facts"], given)
            self._lease = Lease(database, f"bench {self.name}", connection)
            self.id = known["id"] if known is not None else self._begin(connection, given, command, environment)

    def _begin(
        self, connection: Connection, facts: Json, command: str | None, environment: Mapping[str, Any] | None
    ) -> int:
        row = {"name": self.name, "created": now(), "command": command, "facts": facts, "version": version()}
        row["environment"] = plain(environment or {})
        return connection.execute(insert(benches).values(row).returning(benches.c.id)).scalar_one()

    def done(self) -> set[tuple[str, int]]:
        """The (strategy, seed) of every run that is there."""
        query = select(bench_runs.c.strategy, bench_runs.c.seed).where(bench_runs.c.bench_id == self.id)
        with self._database.reading() as connection:
            return {(strategy, seed) for strategy, seed in connection.execute(query)}

    def add(self, strategy: str, seed: int, run: Mapping[str, Any]) -> None:
        """Note one run."""
        row = {"bench_id": self.id, "strategy": strategy, "seed": seed, "run": plain(run)}
        self._lease.write(lambda connection: connection.execute(_ADD_RUN, row))

    def runs(self) -> list[Json]:
        """Every run, by strategy and seed, with `strategy` and `seed` among its facts."""
        query = select(bench_runs).where(bench_runs.c.bench_id == self.id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(bench_runs.c.strategy, bench_runs.c.seed)).mappings()
            return [{**row["run"], "strategy": row["strategy"], "seed": row["seed"]} for row in rows]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lease.release()


def _free_name(connection: Connection, table: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9]+", "-", table).strip("-") or "bench"
    taken = set(connection.execute(select(benches.c.name)).scalars())
    return next(name for number in range(1, len(taken) + 2) if (name := f"{stem}-{number}") not in taken)


def _check_same(name: str, known: Json, given: Json) -> None:
    differing = sorted(key for key in known.keys() | given.keys() if known.get(key) != given.get(key))
    if differing:
        words = "; ".join(f"{key} is recorded as {known.get(key)!r}, {given.get(key)!r} came" for key in differing)
        raise LedgerError(f"bench {name}: {words}; give the recorded facts to go on with it, or choose another --name")
