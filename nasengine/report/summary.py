"""What a search was and what came of it, in sentences and figures."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median, stdev

from nasengine.commands import called
from nasengine.console.costs import cost_words
from nasengine.console.output import duration, number
from nasengine.fidelity.report import STRATEGY as OF_FIDELITY
from nasengine.job import Json
from nasengine.pareto import Trials
from nasengine.report.charts import OUTCOME_WORDS
from nasengine.report.drawn import counted, name_of_value, shown_value
from nasengine.report.findings import TESTED, Findings, figures_of
from nasengine.report.ranks import words
from nasengine.search.objective import Objective

TRAIN = "train"  # what the database calls the strategy of one network that is trained
FIRST = 10  # candidates that stand for what a search begins with


def lead(found: Findings) -> str:
    """What was searched, how, on what, for what."""
    search, epochs = found.search, found.search["epochs"]
    data = search["data"] or "no data"
    if search["strategy"] == TRAIN:
        return (
            f"One network of space {search['space']}, trained on {data} for {counted(epochs, 'epoch')} under each seed."
        )
    if search["strategy"] == OF_FIDELITY:
        supernet = search["options"]["supernet"]
        return f"Networks of space {search['space']}, measured with the weights of {supernet} and trained, on {data}."
    return f"Space {search['space']} by {search['strategy']}{_how(found)}, on {data}, to make {goal_words(found)}."


def _how(found: Findings) -> str:
    """How networks were measured, as a sentence goes on."""
    epochs, evaluator = found.search["epochs"], found.search["evaluator"]
    if any(row["kind"] == "supernet" for row in found.rows):
        return f", which trains a supernet for {counted(epochs, 'epoch')}"
    if evaluator == "table":
        return ", answered by a table of published results"
    if evaluator != "train":
        return f", candidates measured by {evaluator}"
    return f", each candidate trained for {counted(epochs, 'epoch')}" if epochs else ""


def goal_words(found: Findings) -> str:
    """The goal as a sentence goes on."""
    parts = [_objective(one) for one in found.goal.objectives]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _objective(one: Objective) -> str:
    if one.bound is not None:
        return f"{words(one.name)} at most {one.bound:,.6g}"
    return f"{words(one.name)} {'large' if one.sign > 0 else 'small'}"


def state(found: Findings) -> str:
    """How it stands, and when that was."""
    search, at = found.search, found.at.strftime("%Y-%m-%d %H:%M")
    told = {
        "running": "It is running; this page shows it as it was then.",
        "stopped": "It is stopped and not finished; the command below goes on with it.",
        "failed": "It failed; the errors stand below.",
    }.get(search["state"], "It is complete.")
    ended = [f"{count:,} {OUTCOME_WORDS[outcome]}" for outcome, count in found.outcomes.items()]
    of = f" of {search['trials']:,} planned" if search["trials"] and len(found.candidates) < search["trials"] else ""
    candidates = f" {len(found.candidates):,}{of} candidates: {', '.join(ended)}." if ended else ""
    return f"Begun {_time(search['created'])}, read {at} UTC. {told}{candidates}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def key_figures(found: Findings) -> list[tuple[str, str, str]]:
    """The best network's figures, and what all of it took: name, figure, what more is to be said."""
    best = found.best
    shown: list[tuple[str, str, str]] = []
    if best is not None:
        shown += _accuracies(found, best)
        shown += [(words(n), number(best[n]), "") for n in ("params", "macs") if best[n] is not None]
    seconds = [row["started"] for row in found.rows if row["started"]]
    ends = [row["finished"] for row in found.rows if row["finished"]]
    if seconds and ends and max(ends) > min(seconds):
        shown.append(("from first to last", duration((max(ends) - min(seconds)).total_seconds()), ""))
    cost = cost_words({**found.cost, "attempts": 0})
    return [*shown, ("cost", cost, "")] if cost else shown


def _accuracies(found: Findings, best: Json) -> list[tuple[str, str, str]]:
    """Test values over the seeds of final trainings, and the value of the candidate that was chosen."""
    shown = []
    finals = [row for row in found.of_kind("final") if row["digest"] == best["digest"]]
    for name in dict.fromkeys(name for row in finals for name in row["values"] if name.startswith("test_")):
        values = [row["values"][name] for row in finals if row["values"].get(name) is not None]
        if values and not name.endswith("_loss"):
            spread = f"± {stdev(values):.4f} over {len(values)} seeds" if len(values) > 1 else "one seed"
            shown.append((words(name), f"{sum(values) / len(values):.4f}", spread))
    twin = next((row for row in found.ranked if row["digest"] and row["digest"] == best["digest"]), None)
    candidate = best if best["kind"] == "candidate" else twin
    if candidate is not None and (value := shown_value(found, candidate)) is not None:
        shown.append((name_of_value(found), number(value), f"as candidate {candidate['trial']}"))
    return shown


def baselines(found: Findings) -> list[str]:
    """What the best is to be seen beside: chance, the median candidate, the first ones, the same network elsewhere."""
    told = []
    classes = (found.search["settings"] or {}).get("classes")
    if classes and "accuracy" in found.goal.first:
        told.append(f"Chance is {1 / classes:.4f} ({classes} classes).")
    values = [value for row in found.candidates if row["value"] is not None
              if (value := shown_value(found, row)) is not None]  # fmt: skip
    if len(values) > 2:
        name = name_of_value(found)
        told.append(f"The median candidate has {name} {median(values):.4g}.")
        if len(values) > 2 * FIRST:
            first, last = _best(found, values[:FIRST]), _best(found, values)
            told.append(f"The best of the first {FIRST} has {first:.4g}, of all {last:.4g}.")
    return told + _elsewhere(found)


def _best(found: Findings, values: Sequence[float]) -> float:
    return max(values) if found.goal.objectives[0].sign > 0 else min(values)


def _elsewhere(found: Findings) -> list[str]:
    """The best network, trained again under other names."""
    if found.best is None:
        return []
    by_name: dict[str, list[float]] = {}
    for row in found.elsewhere:
        name = next((one for one in TESTED if (row["values"] or {}).get(one) is not None), None)
        if row["kind"] == "final" and row["digest"] == found.best["digest"] and name is not None:
            by_name.setdefault(f"{row['search']}: {words(name)}", []).append(row["values"][name])
    return [
        f"The same network in {name} {sum(values) / len(values):.4f}"
        + (f" ± {stdev(values):.4f} over {len(values)} seeds." if len(values) > 1 else ", one seed.")
        for name, values in by_name.items()
    ]


def table_of(found: Findings, rows: Sequence[Json]) -> tuple[list[str], list[list[str]]]:
    """Columns and cells of a table of trials: the goal's values first, then size and time."""
    names = list(dict.fromkeys([*(one.name for one in found.goal.objectives), *_tests(rows), "params", "macs"]))
    figures = [figures_of(row) for row in rows]
    names = [name for name in names if any(name in one for one in figures)]
    cells = [
        [called(row), OUTCOME_WORDS[row["outcome"]], *(number(one.get(name)) for name in names),
         duration(row["seconds"])]
        for row, one in zip(rows, figures, strict=True)
    ]  # fmt: skip
    return ["trial", "state", *map(words, names), "time"], cells


def _tests(rows: Sequence[Json]) -> list[str]:
    return [name for row in rows for name in row["values"] if name.startswith("test_") and not name.endswith("_loss")]


def front_rows(found: Findings, front: Trials) -> list[Json]:
    """The candidates on the front, the best by the first objective first."""
    by_number = {row["trial"]: row for row in found.candidates}
    return [by_number[row["trial"]] for row in front.best]
