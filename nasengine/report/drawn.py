"""Which charts a search gets, from its findings: progress, fronts, learning curves, timeline, gates, agreement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from nasengine.console.output import duration, number
from nasengine.job import Json
from nasengine.pareto import Trials
from nasengine.report import charts
from nasengine.report.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, Line
from nasengine.report.findings import CURVES_BEST, Findings, figures_of
from nasengine.report.gates import GateStory
from nasengine.report.ranks import Early, Ranking, metric_of, words
from nasengine.search.objective import Objective

TAU = {"range": [-1.05, 1.05]}
POINTS = 400  # of a scatter of two measures


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
        yield Chart(figure, f"Best so far over {axis}", f"{len(reached)} results; {last}.")


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
        yield Chart(figure, title, f"{sum(map(len, groups.values()))} networks.{shaded}")


def _step(points: Sequence[tuple[float, float, str]]) -> Line:
    ordered = sorted(points)
    return Line("front", [x for x, *_ in ordered], [y for _, y, _ in ordered], ORANGE, 1.5, "dot")


def learning(found: Findings) -> Iterator[Chart]:
    """Learning curves: of the best candidates and of those ended early, and of final trainings."""
    best = [row for row in found.ranked[:CURVES_BEST] if row["id"] in found.curves]
    early = [row for row in found.candidates if row["state"] == "pruned" and row["id"] in found.curves]
    metric = metric_of(found, [found.curves[row["id"]] for row in (*best, *early)])
    if metric is not None:
        drawn = [_curve(found, row, metric, ORANGE, 1, "ended early") for row in early]
        drawn += [_curve(found, row, metric, BLUE, 1.5, "the best") for row in reversed(best)]
        more = f", and of {len(early)} that were ended early" if early else ""
        said = f"Curves of the {len(best)} best candidates{more}."
        yield Chart(charts.lines(drawn, "epoch", words(metric)), "Learning curves of candidates", said)
    finals = [row for row in found.rows if row["kind"] == "final" and row["id"] in found.curves]
    if finals:
        yield from _losses([(f"final {row['trial']}", found.curves[row["id"]]) for row in finals], "Final training")


def _curve(found: Findings, row: Json, metric: str, colour: str, width: float, group: str) -> Line:
    curve = found.curves[row["id"]]
    texts = [f"trial {row['trial']}, epoch {one['epoch']}: {number(one.get(metric))}" for one in curve]
    ys = [one.get(metric) for one in curve]
    return Line(group, [one["epoch"] for one in curve], ys, colour, width, marks=True, group=group, texts=texts)


def supernets(found: Findings) -> Iterator[Chart]:
    """How supernets learned."""
    rows = [row for row in found.rows if row["kind"] == "supernet"]
    named = [("supernet", found.curves[row["id"]]) for row in rows if row["id"] in found.curves]
    if named:
        yield from _losses(named, "Training of the supernet")


def _losses(named: Sequence[tuple[str, Sequence[Json]]], title: str) -> Iterator[Chart]:
    """Accuracies and the like in one chart, losses in another; a colour a value."""
    every = dict.fromkeys(key for _, curve in named for key in curve[-1])
    keys = [key for key in every if key.startswith(("train_", "gate_", "validation_")) and key != "gate_entropy"]
    for what in ("loss", "accuracy"):
        mine = [key for key in keys if key.endswith("loss") == (what == "loss")]
        drawn = [
            Line(f"{label}: {words(key)}", [one["epoch"] for one in curve], [one.get(key) for one in curve],
                 charts.COLOURS[place % 5], marks=len(curve) < 30, group=words(key))
            for label, curve in named for place, key in enumerate(mine)
        ]  # fmt: skip
        if drawn:
            name = "loss" if what == "loss" else words(mine[0]).removeprefix("train ") if len(mine) == 1 else "value"
            yield Chart(charts.lines(drawn, "epoch", name), f"{title}: {name}", f"{len(named[0][1])} epochs.")


def when(found: Findings) -> Chart | None:
    """What ran when; None where nothing of it is known, as with answers of a table."""
    rows = [row for row in found.rows if row["started"] is not None]
    if not rows:
        return None
    spans = [(row["started"], max(row["finished"] or _end(found, row), row["started"])) for row in rows]
    bars = [
        charts.Bar(*span, lane, _colour_by(row), about(found, row))
        for row, span, lane in zip(rows, spans, charts.lanes(spans), strict=True)
    ]
    resumed = (found.search["environment"] or {}).get("resumed", [])
    pauses = [datetime.fromisoformat(one["at"]) for one in resumed]
    at_once = max(bar.lane for bar in bars) + 1
    said = f"{len(bars)} trainings, up to {at_once} at once; the database does not say on which worker each ran."
    gone_on = f" Dotted lines: where it went on, {len(pauses)} times." if pauses else ""
    return Chart(charts.timeline(bars, pauses), "What ran when", said + gone_on)


def _colour_by(row: Json) -> str:
    """The outcome of candidates, and of what did not complete; else the kind."""
    return str(row["outcome"] if row["kind"] == "candidate" or row["state"] != "complete" else row["kind"])


def _end(found: Findings, row: Json) -> datetime:
    """Of what has no end: now for what runs, its beginning for what was cut off."""
    end: datetime = found.at if row["outcome"] == "running" else row["started"]
    return end


def of_gates(told: GateStory) -> Iterator[Chart]:
    """Skip share and entropy, and how many decisions changed, epoch by epoch."""
    if not told.records:
        return
    xs = [record["epoch"] for record in told.records]
    names = list(dict.fromkeys(name for record in told.records for name in record.get("skip_shares", {})))
    drawn = [Line("entropy of the gates", xs, [r.get("gate_entropy") for r in told.records], BLUE, marks=len(xs) < 30)]
    for place, name in enumerate(names):
        ys = [record.get("skip_shares", {}).get(name) for record in told.records]
        colour = (ORANGE, PURPLE, GREEN, GREY)[place % 4]
        drawn.append(Line(f"skips in {name or 'the network'}", xs, ys, colour, marks=len(xs) < 30))
    figure = charts.lines(drawn, "epoch", "share", yaxis={"range": [-0.03, 1.03], "title": {"text": "share"}})
    yield Chart(figure, "Skip connections and entropy", "1 is all, or open; 0 is none, or decided.")
    counts = {change.epoch: change for change in told.changes}
    ys = [len(counts[x].decisions) if x in counts else 0 for x in xs]
    texts = [f"epoch {x}: {counts[x].words if x in counts else 'no change'}" for x in xs]
    line = Line("decisions that changed", xs, ys, PURPLE, step=len(xs) > 30, marks=len(xs) <= 60, texts=texts)
    figure = charts.lines([line], "epoch", "decisions that changed")
    yield Chart(figure, "When the network changed", f"{len(counts)} epochs in which it changed.")


def agreement(all_of: Sequence[Ranking]) -> Iterator[Chart]:
    """All agreements beside each other, and the points of the first few."""
    if all_of:
        rows = [
            (
                one.cheap,
                f"{one.cheap}\nand {one.dear}\ntau {one.told.tau:.2f} ({one.told.low:.2f} to {one.told.high:.2f})",
                (one.told.tau, one.told.low, one.told.high),
            )
            for one in all_of
        ]
        figure = charts.intervals(rows, "Kendall's tau")
        yield Chart(figure, "How far rankings agree", f"{len(all_of)} comparisons; 1 is the same order, 0 chance.")
    for one in [one for one in all_of if one.points and one.kind != "size alone"][:2]:
        every = -(-len(one.points) // POINTS)
        figure = charts.dots({"networks": one.points[::every]}, one.cheap, one.dear)
        yield Chart(figure, f"{one.cheap.capitalize()} and {one.dear}", f"tau {one.told.tau:.2f}")


def rounds(of: Sequence[Mapping[str, float]]) -> Chart:
    """Kendall's tau of a strategy's predictions, round by round."""
    line = Line("tau", [one.get("told", n) for n, one in enumerate(of)], [one["tau"] for one in of], BLUE, marks=True)
    figure = charts.lines([line], "results known then", "Kendall's tau", yaxis=TAU)
    return Chart(figure, "Predictions and results, round by round", f"{len(of)} rounds.")


def early_epochs(told: Early) -> Chart:
    """Tau of early epochs against the last one."""
    xs, ys = list(told.epochs), [one.tau for one in told.told]
    texts = [
        f"after epoch {x}: tau {one.tau:.2f} ({one.low:.2f} to {one.high:.2f})"
        for x, one in zip(xs, told.told, strict=True)
    ]
    ends = {"low": [one.low for one in told.told], "high": [one.high for one in told.told]}
    edges = [Line(name, xs, end, BLUE, 1, "dot", group="95 %") for name, end in ends.items()]
    figure = charts.lines(
        [Line("tau", xs, ys, BLUE, marks=True, texts=texts), *edges], "epoch", "Kendall's tau", yaxis=TAU
    )
    said = f"Ranking by {words(told.metric)} after early epochs, against the last."
    return Chart(figure, "Early epochs and the last", said)


def about(found: Findings, row: Json) -> str:
    """What is said of a trial when the pointer is on it."""
    name = f"trial {row['trial']}" if row["kind"] == "candidate" else f"{row['kind']} {row['trial']}"
    values = figures_of(row)
    names = dict.fromkeys([*(one.name for one in found.goal.objectives), "test_accuracy", "params", "macs"])
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
