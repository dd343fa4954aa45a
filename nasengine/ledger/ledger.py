"""The results database, opened: read by anyone, each search written by one driver at a time."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, insert, select, update

from nasengine.errors import LedgerError, did_you_mean
from nasengine.job import Json, plain
from nasengine.ledger.bench_record import BenchRecord
from nasengine.ledger.database import Database
from nasengine.ledger.environment import version
from nasengine.ledger.integrity import check
from nasengine.ledger.lease import Lease
from nasengine.ledger.queries import Reader, lease_name
from nasengine.ledger.reopening import reopen
from nasengine.ledger.search_record import SearchRecord, now
from nasengine.ledger.tables import searches, trials

DEFAULT = Path("results/nasengine.db")

# what a search cannot change and still be the same search, and what it can
FIXED = (
    *("space", "settings", "decisions", "strategy", "options", "evaluator"),
    *("data", "data_fingerprint", "recipe", "seed", "epochs", "goal", "warm_start", "fidelity", "stopper"),
)
FREE = ("command", "trials", "environment", "words")


class Ledger(Reader):
    """The results database at a path, `sqlite:///path` or `postgresql+psycopg://…`; made or upgraded when opened.

    Where it goes away while it is open, reads and a search's writes wait for it; `on_note` hears of that.
    Raises LedgerError when it cannot be opened, was written by a newer version, or is missing with `create=False`.
    """

    def __init__(
        self, address: str | Path = DEFAULT, *, create: bool = True, on_note: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(Database(address, create=create))
        self.database.waiting.on_note = on_note

    def open_search(self, name: str | None = None, **facts: Any) -> SearchRecord:
        """Begin a search, or resume the one of that name, and become its one writer.

        Facts: space, strategy (both needed for a new search), settings, options, evaluator, data, data_fingerprint,
        recipe, seed, epochs, goal, warm_start, fidelity, stopper, trials, command, environment, words (what was asked),
        and decisions (the space's own). Without a name it gets the next of SPACE-STRATEGY-1, -2, … Raises LedgerError,
        listing what differs, when the name is there with other facts, and when another driver is writing it.
        """
        given = _given(facts)
        with self.database.writing() as connection:
            self.database.exclusively(connection)
            name = name or _free_name(connection, given)
            known = connection.execute(select(searches).where(searches.c.name == name)).mappings().first()
            if known is not None:
                _check_same(name, dict(known), given)
            row = _begin(connection, name, given) if known is None else _resume(connection, dict(known), given)
            lease = Lease(self.database, lease_name(name), connection)
        return SearchRecord(self.database, lease, row, resumed=known is not None)

    def open_bench(self, name: str | None, facts: Mapping[str, Any], **more: Any) -> BenchRecord:
        """Begin a comparison of strategies, or go on with the one of that name; `more`: command, environment."""
        return BenchRecord(self.database, name, facts, **more)

    def reopen(
        self, name: str, states: Sequence[str] = ("failed",), numbers: Collection[int] | None = None
    ) -> list[int]:
        """Put candidates that failed back among the open proposals: they run again when the search goes on.

        Returns their numbers. What each failed with is kept under `failed_before` in its lineage; the results that
        remain are told without gaps. `numbers` chooses among them. Raises LedgerError for an unknown search or number,
        and while a driver writes the search.
        """
        search = self.search(name)
        return reopen(self.database, lease_name(name), search["id"], states, numbers)

    def check(self) -> list[str]:
        """Return what is wrong with the database, one sentence a fault: the file itself, and every search's rows."""
        return check(self.database)

    def close(self) -> None:
        """Let go of the database; `with Ledger(…) as ledger` does so at the end."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _given(facts: Mapping[str, Any]) -> Json:
    unknown = [name for name in facts if name not in (*FIXED, *FREE)]
    if unknown:
        hint = did_you_mean(unknown[0], [*FIXED, *FREE])
        raise LedgerError(f"search: {', '.join(unknown)}; its facts are {', '.join([*FIXED, *FREE])}.{hint}")
    decisions = {name: _decision(decision) for name, decision in (facts.get("decisions") or {}).items()}
    return plain({**facts, "decisions": decisions} if decisions else facts)


def _decision(decision: Any) -> Json:
    """Return a decision of a space, or one already in plain form, as {options, keep}."""
    if isinstance(decision, Mapping):
        return {"options": list(decision["options"]), "keep": list(decision["keep"])}
    return {"options": list(decision.options), "keep": list(decision.keep)}


def _free_name(connection: Connection, given: Json) -> str:
    stem = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", Path(given.get(part, part)).stem) for part in ("space", "strategy"))
    taken = connection.execute(select(searches.c.name).where(searches.c.name.startswith(f"{stem}-"))).scalars()
    numbers = [int(name.removeprefix(f"{stem}-")) for name in taken if re.fullmatch(r"\d+", name[len(stem) + 1 :])]
    return f"{stem}-{max(numbers, default=0) + 1}"


def _begin(connection: Connection, name: str, given: Json) -> Json:
    missing = [part for part in ("space", "strategy") if not given.get(part)]
    if missing:
        raise LedgerError(f"search {name}: {' and '.join(missing)} not given; a new search needs both")
    row = {**given, "name": name, "created": now(), "state": "running", "version": version()}
    key = connection.execute(insert(searches).values(row).returning(searches.c.id)).scalar_one()
    return {**row, "id": key}


def _resume(connection: Connection, known: Json, given: Json) -> Json:
    """Note the resumption beside the first command, and what the last driver left running as stopped."""
    resumption = {"at": now().isoformat(), "command": given.get("command"), **(given.get("environment") or {})}
    first = known["environment"] or {}
    changes = {
        "state": "running",
        "trials": given.get("trials", known["trials"]),
        "words": given.get("words", known["words"]),
        "environment": {**first, "resumed": [*first.get("resumed", []), {**resumption, "version": version()}]},
    }
    connection.execute(update(searches).where(searches.c.id == known["id"]).values(changes))
    left = (trials.c.search_id == known["id"]) & (trials.c.state == "running")
    connection.execute(update(trials).where(left).values(state="stopped"))
    return {**known, **changes}


def _check_same(name: str, known: Json, given: Json) -> None:
    faults = [fault for fact in FIXED if fact in given for fault in _differences(fact, known[fact], given[fact])]
    if faults:
        raise LedgerError(
            f"search {name}: {'; '.join(faults)}; a search is resumed with the facts it began with; "
            "give those, or choose another --name"
        )


def _differences(place: str, known: Any, given: Any) -> Iterator[str]:
    if isinstance(known, Mapping) and isinstance(given, Mapping):
        for key in _all_keys(known, given):
            yield from _differences(f"{place}.{key}", known.get(key), given.get(key))
    elif known != given and (known or given):  # nothing given is nothing recorded
        yield f"{place} is recorded as {known!r}, {given!r} came"


def _all_keys(*tables: Iterable[str]) -> list[str]:
    return sorted({key for table in tables for key in table})
