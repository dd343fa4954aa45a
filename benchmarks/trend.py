"""The history of all figures as pictures: one per benchmark, one panel per figure, with its goal.

    python -m benchmarks.trend [--from results/bench_history.jsonl] [--to results/trend]

Every run of the suite is a point; runs on different processors are different lines, for ratios do not carry over. The
pictures are SVG without a background, in colours that are read on light and on dark paper.
"""

import argparse
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from benchmarks.measure import Measured
from benchmarks.suite_record import HISTORY, RESULTS
from nasengine.errors import NasError

INK, GOAL = "#858b94", "#d2504b"
COLOURS = ("#3d7fc4", "#c8742a", "#2f9164", "#9469c4")
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "nasengine", "svg.fonttype": "none", "font.size": 9, "axes.titlesize": 10,
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.facecolor": "none", "figure.facecolor": "none",
}  # fmt: skip
COLUMNS = 3
LABELS = 4  # of runs under a panel, at most
WIDTH = 40  # of a title, in letters
Run = Mapping[str, Any]
Points = list[tuple[Run, Measured]]  # of one figure: the runs that have it


def runs(path: Path) -> list[Run]:
    """The runs of a history, oldest first; raises NasError where there is none."""
    if not path.exists():
        raise NasError(f"trend: {path} came, which does not exist; run `make bench`, which begins it")
    return sorted(map(json.loads, path.read_text().splitlines()), key=lambda run: run["date"])


def groups(history: Iterable[Run]) -> dict[str, dict[str, Points]]:
    """Benchmark -> figure -> the runs that have it, each with what it measured."""
    found: dict[str, dict[str, Points]] = {}
    for run in history:
        for module, figures in run["figures"].items():
            for figure in map(Measured.from_json, figures):
                found.setdefault(module, {}).setdefault(figure.name, []).append((run, figure))
    return found


def draw(module: str, figures: Mapping[str, Points], path: Path) -> None:
    """Write the picture of one benchmark."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(figures))
    rows = -(-len(figures) // columns)
    with matplotlib.rc_context(STYLE):
        picture = Figure(figsize=(3.6 * columns, 2.7 * rows + 0.3), layout="constrained")
        FigureCanvasSVG(picture)
        panels = list(picture.subplots(rows, columns, squeeze=False).flat)
        colours = _colours(figures)
        for axes, (name, points) in zip(panels, figures.items(), strict=False):
            _panel(axes, name, points, colours)
        for axes in panels[len(figures) :]:
            axes.set_visible(False)
        picture.suptitle(module)
        known = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        picture.legend(known.values(), known.keys(), loc="outside lower center", ncols=4, frameon=False)
        part = path.with_name(f".{os.getpid()}-{path.name}")
        picture.savefig(part, format="svg", metadata={"Date": None})
        part.replace(path)


def _colours(figures: Mapping[str, Points]) -> dict[str, str]:
    """A colour for each processor, the same in all panels."""
    processors = dict.fromkeys(run["cpu"] for points in figures.values() for run, _ in points)
    return dict(zip(processors, COLOURS * len(processors), strict=False))


def _panel(axes: Any, name: str, points: Points, colours: Mapping[str, str]) -> None:
    """One figure over the runs that have it, the newest at the right."""
    for processor, colour in colours.items():
        chosen = [place for place, (run, _) in enumerate(points) if run["cpu"] == processor]
        values = [points[place][1].ratio for place in chosen]
        if chosen:
            axes.plot(chosen, values, "o-", color=colour, linewidth=1.6, markersize=4, label=processor)
    newest = points[-1][1]
    axes.axhline(newest.goal, color=GOAL, linestyle="--", linewidth=1.2)
    word = "at most" if newest.at_most else "at least"
    axes.set_title(f"{fill(name, WIDTH)}\n{word} {newest.goal:g} {newest.unit}", loc="left")
    axes.set_ylim(0, 1.15 * max(newest.goal, *(figure.ratio for _, figure in points)))
    step = -(-len(points) // LABELS)
    places = range(len(points) - 1, -1, -step)
    axes.set_xticks(list(places), [_label(points[place][0]) for place in places])


def _label(run: Run) -> str:
    commit = (run["commit"] or "").removesuffix("-dirty")[:7]
    return f"{run['date'][5:10]}\n{commit}{'+' if (run['commit'] or '').endswith('-dirty') else ''}"


def main(words: list[str] | None = None) -> int:
    """Draw and name the pictures; 1 where there is nothing to draw, or nothing to draw with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", type=Path, default=RESULTS / HISTORY, dest="history")
    parser.add_argument("--to", type=Path, default=RESULTS / "trend")
    asked = parser.parse_args(words)
    try:
        if importlib.util.find_spec("matplotlib") is None:
            raise NasError("trend: matplotlib draws the pictures and is missing; run pip install 'nasengine[viz]'")
        grouped = groups(runs(asked.history))
    except NasError as error:
        print(f"nasengine: {error}", file=sys.stderr)
        return 1
    asked.to.mkdir(parents=True, exist_ok=True)
    for module, figures in grouped.items():
        draw(module, figures, asked.to / f"{module}.svg")
        print(asked.to / f"{module}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
