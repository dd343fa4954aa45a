"""The charts of what a search found, from its findings: progress and fronts; and what is said of a trial in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from nasengine.console.output import duration, number
from nasengine.job import Json
from nasengine.pareto import Trials
from nasengine.report import charts
from nasengine.report.charts import GREEN, ORANGE, Line
from nasengine.report.findings import TESTED, Findings, figures_of
from nasengine.report.ranks import words
from nasengine.search.objective import Objective


@dataclass(frozen=True)
class Chart:
    """A figure, what stands below it, and what is said of it to those who do not see it."""

    figure: Any
    title: str
    words: str


def progress(found: Findings) -> Iterator[Chart]:
    """The best so far, over trials and over what they cost."""
    ended = [row for row in found.candidates if row["outcome"] not in ("running", "stopped")]
    reached = [row for row in ended if shown_value(found, row) is not None]
    if not reached:
        return
    name, places = name_of_value(found), {row["id"]: place for place, row in enumerate(ended, 1)}
    better = max if found.goal.objectives[0].sign > 0 or found.is_reward else min
    spent = list(accumulate(_cost(row) for row in ended))
    for axis, xs in (("results", list(places.values())), (f"{_cost_name(ended)} of all trials so far", spent)):
        groups: dict[str, list[tuple[float, float, str]]] = {}
        best: list[tuple[float, float]] = []
        for x, row in zip(xs, ended, strict=True):
            value = shown_value(found, row)
            if value is not None:
                groups.setdefault(row["outcome"], []).append((x, value, about(found, row)))
            if value is not None and row["state"] == "complete" and row["outcome"] != "infeasible":
                best.append((x, value if not best else better(best[-1][1], value)))
        line = Line("best so far", [x for x, _ in best], [y for _, y in best], GREEN, 2.5, step=True)
        figure = charts.dots(groups, axis, name, [line] if best else [])
        last = f"the best so far ends at {best[-1][1]:.4g}" if best else "none is complete"
        yield Chart(figure, f"Best so far over {axis}", f"{counted(len(reached), 'result')}; {last}.")


def planes(found: Findings, front: Trials | None) -> Iterator[Chart]:
    """The first objective against each other one, and each bounded value, with the front and what bounds forbid."""
    first, *others = found.goal.objectives
    others = others or [Objective("params", -1)]
    on_front = {row["trial"] for row in front.best} if front else set()
    rows = [row for row in found.candidates if row["state"] in ("complete", "failed")]
    for other in others:
        groups: dict[str, list[tuple[float, float, str]]] = {}
        for row in rows:
            values = figures_of(row)
            if first.name in values and other.name in values:
                group = "on the front" if row["trial"] in on_front else row["outcome"]
                groups.setdefault(group, []).append((values[other.name], values[first.name], about(found, row)))
        if not groups:
            continue
        more = [_step(groups["on the front"])] if other in found.goal.free and "on the front" in groups else []
        figure = charts.dots(groups, words(other.name), words(first.name), more)
        if other.bound is not None:
            charts.beyond(figure, other.bound, max(x for points in groups.values() for x, *_ in points))
        title = f"{words(first.name).capitalize()} and {words(other.name)}"
        shaded = f" Shaded: beyond the bound of {other.bound:,.6g}." if other.bound is not None else ""
        yield Chart(figure, title, f"{counted(sum(map(len, groups.values())), 'network')}.{shaded}")


def _step(points: Sequence[tuple[float, float, str]]) -> Line:
    ordered = sorted(points)
    return Line("front", [x for x, *_ in ordered], [y for _, y, _ in ordered], ORANGE, 1.5, "dot")


def about(found: Findings, row: Json) -> str:
    """What is said of a trial when the pointer is on it."""
    name = f"trial {row['trial']}" if row["kind"] == "candidate" else f"{row['kind']} {row['trial']}"
    values = figures_of(row)
    names = dict.fromkeys([*(one.name for one in found.goal.objectives), *TESTED, "params", "macs"])
    figures = [f"{words(key)} {number(values[key])}" for key in names if key in values]
    ended = f"ended after epoch {row['stopped']}" if row["stopped"] else row["outcome"]
    fault = [row["error"].strip().splitlines()[-1][:120]] if row["error"] and row["error"].strip() else []
    return "\n".join([f"{name}: {ended}", *figures, duration(row["seconds"]), *fault]).replace("\n\n", "\n")


def name_of_value(found: Findings) -> str:
    """What candidates are compared by."""
    return "reward" if found.is_reward else words(found.goal.first)


def shown_value(found: Findings, row: Json) -> float | None:
    """A candidate's value as it was measured, not turned."""
    value = row["value"] if found.is_reward else figures_of(row).get(found.goal.first)
    return None if value is None else float(value)


def _cost(row: Json) -> float:
    if row["reused_from"]:
        return 0.0
    return float(row["cost"].get("gpu_seconds") or row["cost"].get("core_seconds") or row["seconds"] or 0.0)


def _cost_name(rows: Sequence[Json]) -> str:
    if any(row["cost"].get("gpu_seconds") for row in rows):
        return "GPU seconds"
    return "core seconds" if any(row["cost"].get("core_seconds") for row in rows) else "seconds"


def volumes(front: Trials) -> Chart:
    """How much of the plane the front covers, over the results."""
    told = front.volumes()
    line = Line("front", [count for count, _, _ in told], [value for _, _, value in told], GREEN, 2.5, step=True)
    worst = zip(front.goal.free, front.reference, strict=True)
    where = ", ".join(f"{words(one.name)} {number(value)}" for one, value in worst)
    figure = charts.lines([line], "results", "hypervolume")
    said = f"The hypervolume from the worst of each: {where}."
    return Chart(figure, "What the front covers, over the results", said)


def counted(number_of: int, what: str) -> str:
    """A number with its noun: 1 epoch, 5,000 results."""
    return f"{number_of:,} {what}{'' if number_of == 1 else 's'}"
