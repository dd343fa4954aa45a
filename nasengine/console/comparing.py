"""What the compare command does and says."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nasengine.bench.scatter import check_picture
from nasengine.bench.wording import verdicts
from nasengine.compare.comparison import Comparison, Row
from nasengine.compare.groups import grouped
from nasengine.compare.members import WAYS
from nasengine.compare.picture import write_picture
from nasengine.compare.sides import Sides, sides
from nasengine.console.flags import named
from nasengine.console.output import emit, note, number, say, table
from nasengine.errors import NasError, did_you_mean
from nasengine.ledger import Ledger
from nasengine.runs import TRIAL, Run

SHOWN = 50  # letters of a value


def compare(names: Sequence[str], by: str, draw: str | None, db: str, json: bool) -> None:
    """Compare searches, or two networks, and say it."""
    way = next((one for one in WAYS if one == by), None)
    if way is None:
        raise NasError(f"compare: --by {by} came; allowed are {', '.join(WAYS)}.{did_you_mean(by, WAYS)}")
    if len(names) < 2 and not any(mark in name for name in names for mark in "*?["):
        raise NasError(
            f"compare: {' '.join(names) or 'nothing'} came; name two searches or more, or two networks NAME:TRIAL"
        )
    if draw is not None:
        check_picture(Path(draw))
    with Ledger(named(db), create=False) as ledger:
        known = {search["name"] for search in ledger.searches()}
        trials = [name for name in names if name not in known and TRIAL.fullmatch(name)]
        if trials:
            _networks(names, trials, draw, db, json)
            return
        made = Comparison(grouped(ledger, names), way)
        single = _single(made, db)
        if json:
            emit({**made.to_json(), "side_by_side": None if single is None else single.to_json()})
        else:
            show(made)
            if single is not None:
                say("\nTheir best networks, side by side:\n")
                show_sides(single)
        if draw is not None:
            note(f"drawn into {write_picture(made, Path(draw))}")


def _networks(names: Sequence[str], trials: Sequence[str], draw: str | None, db: str, json: bool) -> None:
    if len(names) != 2 or len(trials) != 2:
        raise NasError(f"compare: {' '.join(names)} came; networks are compared two at a time: NAME:TRIAL NAME:TRIAL")
    if draw is not None:
        raise NasError("compare: --draw came with two networks; it draws the curves of searches")
    one, other = (Run(name.rpartition(":")[0], named(db)).trial(name.rpartition(":")[2]) for name in names)
    found = sides(one, other)
    if json:
        emit(found.to_json())
    else:
        show_sides(found)


def _single(made: Comparison, db: str) -> Sides | None:
    """The best networks of two single searches; None for groups, and where there is none yet."""
    runs = [Run(group.first.name, named(db)) for group in made.groups if len(group.members) == 1]
    if len(runs) != 2 or len(made.groups) != 2:
        return None
    if any(run.ledger.best(run.name) is None for run in runs):
        return None
    return sides(runs[0].best, runs[1].best)


def show(made: Comparison) -> None:
    """The table, which group beats which, and what to be wary of."""
    equal = "" if made.equal is None else f" after {_amount(made.equal)} {made.unit}"
    columns = ["searches", "seeds", f"spent, {made.unit}", f"best {made.metric}{equal}", made.tested or "test"]
    table(columns, [_cells(row) for row in made.rows], right=columns[1:])
    say("")
    for name, pairs in made.verdicts.items():
        say(f"By {name} (rank test of Mann and Whitney, 5 % after Holm):")
        for text in verdicts([row.label for row in made.rows], pairs):
            say(f"  {text}")
    for text in made.remarks():
        say(text)


def _cells(row: Row) -> tuple[Any, ...]:
    spent = "" if row.budget is None else f"{'' if len(row.seeds) == 1 else 'from '}{_amount(row.budget)}"
    return row.label, len(row.seeds), spent, _spread(row.equal), _spread(row.tests)


def _spread(values: Sequence[float]) -> str:
    """Mean ± deviation (n - 1)."""
    if not values:
        return ""
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{deviation}"


def _amount(spent: float) -> str:
    return f"{spent:,.0f}" if spent >= 100 or spent == int(spent) else f"{spent:.3g}"


def show_sides(found: Sides) -> None:
    """A table of figures, and of all that differs."""
    rows: list[tuple[str, ...]] = []
    for name, both in found.figures.items():
        rows.append(("figures" if not rows else "", name.replace("_", " "), *map(_value, both)))
    for group, changes in found.different.items():
        for place, (name, both) in enumerate(changes.items()):
            rows.append(("" if place else group, name, *map(_value, both)))
    table(["", "", *found.names], rows)
    if found.same:
        say(f"\nthe same in both: {', '.join(found.same)}")


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value) if isinstance(value, int) or abs(value) >= 0.01 or value == 0 else f"{value:g}"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
