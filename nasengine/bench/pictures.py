"""The anytime curves of a comparison as PNG and SVG, drawn by matplotlib."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasengine.bench.colours import UNIFORM, colour, dash
from nasengine.bench.comparison import Comparison, Panel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "nasengine",  # the same picture is the same file
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "figure.facecolor": "white",
}
LINES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-."}
UNIFORM_NAME = "uniform draws, exactly"


def write_pictures(comparison: Comparison, title: str, folder: Path) -> list[Path]:
    """Write comparison.png and comparison.svg; needs matplotlib."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = comparison.panels()
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6 * len(panels), 5.2), layout="constrained")
        FigureCanvasAgg(figure)
        for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            _draw(axes, panel, comparison.queries)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5), frameon=False)
        figure.suptitle(title)
        written = [folder / "comparison.png", folder / "comparison.svg"]
        figure.savefig(written[0], dpi=130)
        figure.savefig(written[1], metadata={"Date": None})
    return written


def _draw(axes: Any, panel: Panel, queries: "NDArray[np.int64]") -> None:
    for place, (label, curve) in enumerate(panel.curves.items()):
        style = {"color": colour(place), "linestyle": LINES[dash(place)]}
        axes.plot(queries, _positive(curve.mean, panel), label=label, linewidth=1.8, **style)
        axes.fill_between(queries, _floored(curve.low, panel), curve.high, color=colour(place), alpha=0.18, linewidth=0)
    axes.plot(queries, _positive(panel.uniform, panel), color=UNIFORM, linestyle="--", linewidth=1, label=UNIFORM_NAME)
    if panel.best is not None:
        axes.axhline(panel.best, color="#444444", linewidth=0.8, linestyle=":")
        axes.annotate(
            f"the table's best: {panel.best:g}", (1, panel.best), xycoords=("axes fraction", "data"),
            xytext=(-2, 3), textcoords="offset points", ha="right", fontsize=8, color="#444444",
        )  # fmt: skip
    axes.set_xscale("log")
    if panel.logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(*view(panel, queries))
    axes.set(title=panel.title, xlabel="queries (duplicates count)", ylabel=panel.axis)


def view(panel: Panel, queries: "NDArray[np.int64]") -> tuple[float, float]:
    """The range of entries that is shown: from where curves are after a twentieth of the budget."""
    early = int(np.searchsorted(queries, max(queries[-1] // 20, 1)))
    drawn = [panel.uniform[early:], *(part[early:] for curve in panel.curves.values() for part in curve)]
    shown = np.concatenate([*drawn, [] if panel.best is None else [panel.best]])
    shown = shown[np.isfinite(shown)]
    low, high = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _positive(entries: "NDArray[np.float64]", panel: Panel) -> "NDArray[np.float64]":
    """Zeros cannot be shown on a logarithmic axis: the line ends there."""
    return np.where(entries > 0, entries, np.nan) if panel.logarithmic else entries


def _floored(entries: "NDArray[np.float64]", panel: Panel) -> "NDArray[np.float64]":
    """A band that reaches zero ends a little below the lowest line there is."""
    return np.maximum(entries, floor(panel)) if panel.logarithmic else entries


def floor(panel: Panel) -> float:
    """Half of the smallest mean above zero."""
    means = np.concatenate([panel.uniform, *(curve.mean for curve in panel.curves.values())])
    means = means[np.isfinite(means) & (means > 0)]
    return float(means.min()) / 2 if len(means) else 1e-12
