"""The charts of what can be learned from a search: its gates, and how far cheap measures agree with dear ones."""

from collections.abc import Iterator, Mapping, Sequence

from nasengine.report import charts
from nasengine.report.charts import BLUE, GREEN, GREY, ORANGE, PURPLE, Line
from nasengine.report.drawn import Chart, counted
from nasengine.report.gates import GateStory
from nasengine.report.ranks import Early, Ranking, words

TAU = {"range": [-1.05, 1.05]}
POINTS = 400  # of a scatter of two measures


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
    yield Chart(figure, "When the network changed", f"It changed in {counted(len(counts), 'epoch')}.")


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
        yield Chart(
            figure, "How far rankings agree", f"{counted(len(all_of), 'comparison')}; 1 is the same order, 0 chance."
        )
    for one in [one for one in all_of if one.points and one.kind != "size alone"][:2]:
        every = -(-len(one.points) // POINTS)
        figure = charts.dots({"networks": one.points[::every]}, one.cheap, one.dear)
        yield Chart(figure, f"{one.cheap.capitalize()} and {one.dear}", f"tau {one.told.tau:.2f}")


def rounds(of: Sequence[Mapping[str, float]]) -> Chart:
    """Kendall's tau of a strategy's predictions, round by round."""
    line = Line("tau", [one.get("told", n) for n, one in enumerate(of)], [one["tau"] for one in of], BLUE, marks=True)
    figure = charts.lines([line], "results known then", "Kendall's tau", yaxis=TAU)
    return Chart(figure, "Predictions and results, round by round", f"{counted(len(of), 'round')}.")


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
