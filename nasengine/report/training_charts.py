"""The charts of what was trained: learning curves, and what ran when."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from nasengine.console.output import number
from nasengine.job import Json
from nasengine.report import charts
from nasengine.report.charts import BLUE, ORANGE, Line
from nasengine.report.drawn import Chart, about, counted
from nasengine.report.findings import CURVES_BEST, Findings
from nasengine.report.ranks import metric_of, words


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
    for what in ("loss", "figure"):
        mine = [key for key in keys if key.endswith("loss") == (what == "loss")]
        drawn = [
            Line(f"{label}: {words(key)}", [one["epoch"] for one in curve], [one.get(key) for one in curve],
                 charts.COLOURS[place % 5], marks=len(curve) < 30, group=words(key))
            for label, curve in named for place, key in enumerate(mine)
        ]  # fmt: skip
        if drawn:
            name = "loss" if what == "loss" else words(mine[0]).removeprefix("train ") if len(mine) == 1 else "value"
            yield Chart(
                charts.lines(drawn, "epoch", name), f"{title}: {name}", f"{counted(len(named[0][1]), 'epoch')}."
            )


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
    trained = counted(len(bars), "training")
    said = f"{trained}, up to {at_once} at once; the database does not say on which worker each ran."
    gone_on = f" Dotted lines: where it went on, {counted(len(pauses), 'time')}." if pauses else ""
    return Chart(charts.timeline(bars, pauses), "What ran when", said + gone_on)


def _colour_by(row: Json) -> str:
    """The outcome of candidates, and of what did not complete; else the kind."""
    return str(row["outcome"] if row["kind"] == "candidate" or row["state"] != "complete" else row["kind"])


def _end(found: Findings, row: Json) -> datetime:
    """Of what has no end: now for what runs, its beginning for what was cut off."""
    end: datetime = found.at if row["outcome"] == "running" else row["started"]
    return end
