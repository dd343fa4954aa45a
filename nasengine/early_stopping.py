"""The stopper of a search, made from its plan and from the curves that an earlier run left in the database."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nasengine.ledger import Ledger
from nasengine.planned import Plan

if TYPE_CHECKING:  # it brings Optuna
    from nasengine.search.stopper import Curve, Stopper

STOPPED = "stopped"  # beside the values of an epoch after which a training was told to stop


def stopper_of(plan: Plan, ledger: Ledger, name: str) -> "Stopper | None":
    """What ends a search's candidates early; None where nothing does."""
    if plan.stopper is None:
        return None
    from nasengine.search.stopper import Stopper, direction_of

    stopper = Stopper(
        plan.stopper, plan.stop_by, epochs=plan.candidate_epochs, direction=direction_of(plan.stop_by), seed=plan.seed
    )
    rows = [row for row in ledger.results(name) if row["kind"] == "candidate"]
    stopper.replay(_curve(row, ledger.epochs(row["id"]), plan.stop_by) for row in rows)
    return stopper


def _curve(row: Mapping[str, Any], epochs: list[dict[str, Any]], metric: str) -> "Curve":
    read = {epoch["epoch"]: epoch[metric] for epoch in epochs if metric in epoch}
    points = [(number, math.nan if value is None else value) for number, value in read.items()]
    if row["state"] in ("complete", "failed"):
        return row["trial"], points, row["state"]
    stopped = row["state"] == "pruned" or any(STOPPED in epoch for epoch in epochs)
    return row["trial"], points, "stopped" if stopped else "running"
