"""Searches written into a database without any training: each candidate takes a second, and has the value given."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from nasengine.job import Result
from nasengine.ledger import Ledger
from nasengine.ledger import Trial as TrialStart
from nasengine.ledger.tables import searches, trials

FACTS: dict[str, Any] = {
    "space": "small-cell", "strategy": "evolution", "evaluator": "train", "data": "digits", "data_fingerprint": "one",
    "settings": {"channels": 8}, "recipe": {"candidate": {"epochs": 1}, "final": {"epochs": 2}}, "trials": 4,
    "environment": {"host": "here", "threads": 1},
}  # fmt: skip


def write(
    db: Path, name: str, values: Sequence[float | None], test: float | None, *, seconds: float = 1.0,
    finish: bool = True, gpu: bool = False, **facts: Any,
) -> None:  # fmt: skip
    """A search whose candidates had these values in turn (None failed), and whose choice this test accuracy."""
    with Ledger(db) as ledger, ledger.open_search(name, **{**FACTS, **facts}) as record:
        for number, value in enumerate(values):
            picks = {"op": [f"option{number % 3}"]}
            record.propose(number, picks)
            cost = {"core_seconds": seconds, **({"gpu_seconds": 2 * seconds} if gpu else {})}
            found = {} if value is None else {"validation_accuracy": value}
            result = Result(
                number, picks, values=found, error="fell" if value is None else None, cost=cost, seconds=seconds
            )
            record.record(result, number, value=value)
        if test is not None:
            record.start(TrialStart(0, "final", architecture={"op": ["option1"]}, recipe={"epochs": 2}))
            measured = {"test_accuracy": test, "test_loss": 1 - test}
            record.record(Result(0, {"op": ["option1"]}, values=measured, digest=f"nas1:{name}"), kind="final")
        if finish:
            record.finish()
    _at_even_times(db, name, seconds)


def _at_even_times(db: Path, name: str, seconds: float) -> None:
    """Let candidates have ended one after the other, as the clock says."""
    with Ledger(db) as ledger, ledger.database.writing() as connection:
        row = ledger.search(name)
        for trial in ledger.results(name):
            at = row["created"] + timedelta(seconds=seconds * (trial["trial"] + 1))
            connection.execute(update(trials).where(trials.c.id == trial["id"]).values(finished=at))
        connection.execute(update(searches).where(searches.c.name == name).values(command=f"nasengine search {name}"))
