"""What a search was and what came of it, in sentences and figures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median, stdev
from typing import Any

from nasengine.commands import called, export_command, search_command, show_command, train_command
from nasengine.console.costs import cost_words
from nasengine.console.output import duration, number
from nasengine.job import Json
from nasengine.pareto import Trials
from nasengine.report.charts import OUTCOME_WORDS
from nasengine.report.drawn import name_of_value, shown_value
from nasengine.report.findings import Findings, figures_of
from nasengine.report.ranks import words
from nasengine.search.objective import Objective

FIRST = 10  # candidates that stand for what a search begins with


def lead(found: Findings) -> str:
    """What was searched, how, on what, for what."""
    search = found.search
    supernet = found.of_kind("supernet") or [row for row in found.rows if row["kind"] == "supernet"]
    how = f"by {search['strategy']}"
    if supernet and search["epochs"]:
        how += f", which trains a supernet for {search['epochs']} epochs"
    elif search["evaluator"] == "table":
        how += ", answered by a table of published results"
    elif search["evaluator"] != "train":
        how += f", candidates measured by {search['evaluator']}"
    elif search["epochs"]:
        how += f", each candidate trained for {search['epochs']} epochs"
    return f"Space {search['space']} {how}, on {search['data'] or 'no data'}, to make {goal_words(found)}."


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
        value = (row["values"] or {}).get("test_accuracy")
        if row["kind"] == "final" and row["digest"] == found.best["digest"] and value is not None:
            by_name.setdefault(row["search"], []).append(value)
    return [
        f"The same network in {name}: test accuracy {sum(values) / len(values):.4f}"
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


def commands(found: Findings, db: str) -> list[tuple[str, str]]:
    """What one does next, and the exact command for it."""
    search, best = found.search, found.best
    told = []
    if search["state"] != "complete":
        told.append(("Go on with this search", search_command(search, db)))
    if best is None and found.of_kind("supernet") and search["state"] == "complete":
        from nasengine.engine import next_search

        told.append(("Search the supernet", next_search(search["name"], db)))
    if best is not None and search["evaluator"] != "table" and best["kind"] != "supernet":
        told.append(("Take the best network away", export_command(search, best, db)))
    if best is not None:
        told.append(("Look at it", show_command(search, best, db)))
        told.append(("Train it again under three seeds", train_command(search, best, db)))
    if search["state"] == "complete" and search["words"]:
        told.append(("Search once more", search_command({**search, "name": f"{search['name']}-again"}, db)))
    return [(title, command) for title, command in told if command]


def costs(found: Findings) -> list[tuple[str, str]]:
    """What all attempts took, with units."""
    told = []
    for name, value in found.cost.items():
        if value:
            words_of = (
                duration(value) if name.endswith("seconds") else f"{value:,.0f}" if value >= 100 else f"{value:.4g}"
            )
            more = f" ({value / 3.6e6:.3g} kWh)" if name == "joules" else ""
            told.append((name.replace("_", " ").replace("seconds", "time"), words_of + more))
    return told


def environment(found: Findings) -> Mapping[str, Any]:
    """Where it ran; each time that it went on is counted, not listed."""
    known = dict(found.search["environment"] or {})
    resumed = known.pop("resumed", [])
    known |= {"nasengine": found.search["version"], "data": found.search["data"]}
    known |= {"data fingerprint": (found.search["data_fingerprint"] or "")[:16] or None, "seed": found.search["seed"]}
    known |= {"went on": f"{len(resumed)} times"} if resumed else {}
    return {name: value for name, value in known.items() if value is not None}
