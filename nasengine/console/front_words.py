"""The front of a search's candidates: as a table, as a plot of characters or a picture, and its volume over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nasengine.console.flags import named
from nasengine.console.output import duration, emit, number, say, table
from nasengine.errors import NasError
from nasengine.ledger import Ledger
from nasengine.ledger.collecting import uncollected
from nasengine.pareto import Trials, trials
from nasengine.search.objective import Goal

WIDTH, HEIGHT = 60, 16  # of the plot of characters
MANY = 2000  # dots that an .svg holds one by one; more of them are an image in it
PICTURES = (".svg", ".png", ".pdf")


@uncollected()
def show(
    name: str, objectives: Sequence[str], reference: Sequence[float], draw: str | None, db: str, json: bool
) -> None:
    """Read a search, and show its front."""
    if draw is not None and Path(draw).suffix not in PICTURES:
        raise NasError(f"--draw {draw}: a picture's name ends in {', '.join(PICTURES)}")
    with Ledger(named(db), create=False) as ledger:
        search, results = ledger.search(name), ledger.figures(name)
    goal = Goal.parse(objectives) if objectives else Goal.from_json(search["goal"])
    found = trials(results, goal, reference)
    if json:
        emit(_facts(found))
    else:
        _tell(name, found, draw is None)
    if draw is not None:
        _picture(name, found, Path(draw))


def _facts(found: Trials) -> dict[str, Any]:
    names = [one.name for one in found.goal.free]
    return {
        "objectives": [str(one) for one in found.goal.objectives],
        "reference": dict(zip(names, found.reference, strict=True)),
        "candidates": len(found.rows),
        "infeasible": found.infeasible,
        "lacking": found.lacking,
        "front": [{"trial": row["trial"], **row["values"]} for row in found.best],
        "hypervolume": [
            {"results": count, "seconds": seconds, "value": value} for count, seconds, value in found.volumes()
        ],
    }


def _tell(name: str, found: Trials, plot: bool) -> None:
    free = found.goal.free
    columns = ["trial", *(one.name for one in free)]
    rows = [(row["trial"], *(number(row["values"][one.name]) for one in free)) for row in found.best]
    table(columns, rows, right=columns)
    say(
        f"{name}: {len(found.best)} of {len(found.rows)} candidates are on the front of {' and '.join(map(str, free))}"
        f"; left out are {found.infeasible} that break a bound and {found.lacking} without all values"
    )
    if plot:
        say(_plot(found))
    volumes = found.volumes()
    marks = [volumes[(len(volumes) - 1) * part // 4] for part in range(1, 5)]
    told = "; ".join(
        f"{value:.6g} after {count} ({duration(seconds)})" for count, seconds, value in dict.fromkeys(marks)
    )
    where = ", ".join(f"{one.name} {value:.6g}" for one, value in zip(free, found.reference, strict=True))
    say(f"hypervolume from the reference {where}: {told}")


def _plot(found: Trials) -> str:
    """The first objective upwards, the second to the right; o is on the front, . is not."""
    up, right = found.goal.free[:2]
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    heights, widths = ([row["values"][one.name] for row in found.rows] for one in (up, right))
    high, wide = (min(heights), max(heights)), (min(widths), max(widths))
    for rows, mark in ((found.rows, "."), (found.best, "o")):
        for row in rows:
            line = HEIGHT - 1 - _cell(row["values"][up.name], *high, HEIGHT)
            grid[line][_cell(row["values"][right.name], *wide, WIDTH)] = mark
    lines = ["|" + "".join(line).rstrip() for line in grid]
    return "\n".join(
        [
            f"{up.name} {number(high[0])} to {number(high[1])}, upwards",
            *lines,
            "+" + "-" * WIDTH,
            f"{right.name} {number(wide[0])} to {number(wide[1])}",
        ]
    )


def _cell(value: float, low: float, high: float, cells: int) -> int:
    return 0 if low == high else min(cells - 1, int((value - low) / (high - low) * cells))


def _turns(volumes: Sequence[tuple[int, float, float]]) -> list[tuple[int, float, float]]:
    """The first, the last, and those where the volume is another than before."""
    pairs = zip(volumes, volumes[1:], strict=False)
    return [volumes[0], *(now for before, now in pairs if now[2] != before[2]), volumes[-1]]


def _picture(name: str, found: Trials, path: Path) -> None:
    """The first two objectives, and the hypervolume by results and by seconds; needs matplotlib."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from nasengine.bench.pictures import STYLE

    up, right = found.goal.free[:2]
    counts, seconds, values = zip(*_turns(found.volumes()), strict=True)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(15, 4.8), layout="constrained")
        FigureCanvasAgg(figure)
        plane, by_results, by_seconds = figure.subplots(1, 3)
        for rows, colour, size in ((found.rows, "#bbbbbb", 3.7), (found.best, "#0072b2", 5.5)):
            xs, ys = ([row["values"][one.name] for row in rows] for one in (right, up))
            plane.plot(xs, ys, "o", color=colour, markersize=size, rasterized=len(rows) > MANY)
        plane.set(title="the front", xlabel=right.name, ylabel=up.name)
        for axes, over, label in ((by_results, counts, "results"), (by_seconds, seconds, "seconds of training")):
            axes.step(over, values, where="post", color="#0072b2")
            axes.set(title="hypervolume", xlabel=label)
        where = ", ".join(
            f"{one.name} {value:.6g}" for one, value in zip(found.goal.free, found.reference, strict=True)
        )
        figure.suptitle(f"{name}; volumes from {where}")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    say(f"{path}: the front and its volume over time")
