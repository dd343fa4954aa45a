"""The curves of a comparison of searches as SVG, PNG or PDF, drawn by matplotlib."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from nasengine.bench.colours import colour, dash
from nasengine.bench.pictures import LINES, STYLE
from nasengine.bench.scatter import check_picture
from nasengine.compare.comparison import Comparison, Curve
from nasengine.compare.ranks import LEAST
from nasengine.errors import NasError


def write_picture(of: Comparison, path: Path) -> Path:
    """One line a group, the mean over its seeds with a band of 95 %, and each seed where they are few."""
    check_picture(path)
    if not of.curves:
        raise NasError(f"draw: {path} came, but none of the searches has candidates: there are no curves to draw")
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.8), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for place, (label, curve) in enumerate(of.curves.items()):
            _draw(axes, curve, f"{label}, {_seeds(len(curve.seeds))}", place)
        if of.equal is not None:
            axes.axvline(of.equal, color="#444444", linewidth=0.8, linestyle=":")
            axes.annotate(
                "equal budget", (of.equal, 0), xycoords=("data", "axes fraction"), xytext=(-3, 4), ha="right",
                textcoords="offset points", fontsize=8, color="#444444",
            )  # fmt: skip
        axes.set(xlabel=of.unit, ylabel=f"best {of.metric} so far")
        figure.legend(loc="outside lower center", ncols=min(len(of.curves), 4), frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{os.getpid()}-{path.name}")
        try:
            figure.savefig(part, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else None)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    return path


def _draw(axes: Any, curve: Curve, label: str, place: int) -> None:
    style: dict[str, Any] = {"color": colour(place), "drawstyle": "steps-post"}
    if len(curve.seeds) < LEAST:
        for seed in curve.seeds[1:]:
            axes.plot(curve.spent, seed, linewidth=1.2, alpha=0.7, **style)
        axes.plot(curve.spent, curve.seeds[0], linewidth=1.2, alpha=0.7, label=label, **style)
        return
    axes.plot(curve.spent, curve.mean, linewidth=1.8, linestyle=LINES[dash(place)], label=label, **style)
    band = np.isfinite(curve.low)
    axes.fill_between(
        curve.spent[band], curve.low[band], curve.high[band], step="post", color=colour(place), alpha=0.18, linewidth=0
    )


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"
