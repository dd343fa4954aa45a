"""The anytime curves of a comparison as an interactive plot, drawn by plotly; it holds all that it needs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nasengine.bench.colours import UNIFORM, colour, dash
from nasengine.bench.comparison import Comparison, Panel
from nasengine.bench.pictures import UNIFORM_NAME, floor, view

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT, MARGIN = 430, 110  # pixels of a panel, and of what stands above and below all of them


def plot(comparison: Comparison) -> str:
    """The panels below each other as a part of an HTML page; needs plotly."""
    from plotly.subplots import make_subplots

    panels = comparison.panels()
    height = HEIGHT * len(panels)
    figure = make_subplots(rows=len(panels), cols=1, vertical_spacing=90 / height,
                           subplot_titles=[panel.title for panel in panels])  # fmt: skip
    for row, panel in enumerate(panels, 1):
        for trace in _traces(panel, comparison.queries, named=row == 1):
            figure.add_trace(trace, row=row, col=1)
        if panel.best is not None:
            figure.add_hline(panel.best, row=row, col=1, line={"dash": "dot", "width": 1, "color": "#444"},
                             annotation={"text": f"the table's best: {panel.best:g}", "font_size": 11})  # fmt: skip
        figure.update_yaxes(**_y_axis(panel, comparison.queries), row=row, col=1)
        figure.update_xaxes(title="queries (duplicates count)", type="log", row=row, col=1)
    figure.update_layout(
        template="plotly_white", height=height + MARGIN, margin={"l": 70, "r": 20, "t": MARGIN, "b": 60},
        legend={"orientation": "h", "y": 1, "yanchor": "top", "yref": "container"}, updatemenus=[_scales(panels)],
    )  # fmt: skip
    html: str = figure.to_html(include_plotlyjs=True, full_html=False, config={"displayModeBar": False})
    return html


def _traces(panel: Panel, queries: "NDArray[np.int64]", named: bool) -> Iterator[Any]:
    """A band and a line for each strategy; those of one strategy are hidden together."""
    import plotly.graph_objects as go

    x = queries.tolist()
    for place, (label, curve) in enumerate(panel.curves.items()):
        low = np.maximum(curve.low, floor(panel)) if panel.logarithmic else curve.low
        shown = np.isfinite(curve.mean)
        around = np.concatenate([queries[shown], queries[shown][::-1]])
        edge = np.concatenate([curve.high[shown], low[shown][::-1]])
        yield go.Scatter(
            x=around.tolist(), y=edge.tolist(), fill="toself", fillcolor=_faint(colour(place)), mode="none",
            legendgroup=label, showlegend=False, hoverinfo="skip",
        )  # fmt: skip
        line = {"color": colour(place), "dash": dash(place), "width": 2}
        yield go.Scatter(x=x, y=_entries(curve.mean, panel), name=label, legendgroup=label, showlegend=named, line=line)
    yield go.Scatter(
        x=x, y=_entries(panel.uniform, panel), name=UNIFORM_NAME, legendgroup=UNIFORM_NAME, showlegend=named,
        line={"color": UNIFORM, "dash": "dash", "width": 1.2},
    )  # fmt: skip


def _entries(values: "NDArray[np.float64]", panel: Panel) -> list[float | None]:
    """A logarithmic axis has no place for zero, JSON none for what is not finite."""
    return [value if np.isfinite(value) and (value > 0 or not panel.logarithmic) else None for value in values.tolist()]


def _y_axis(panel: Panel, queries: "NDArray[np.int64]") -> dict[str, Any]:
    if panel.logarithmic:
        return {"title": panel.axis, "type": "log", "dtick": "D2", "exponentformat": "none"}
    return {"title": panel.axis, "range": view(panel, queries)}


def _scales(panels: list[Panel]) -> dict[str, Any]:
    """Two buttons: queries by powers of ten, or evenly."""
    axes = [f"xaxis{number or ''}" for number in (0, *range(2, len(panels) + 1))]
    buttons = [
        {"label": label, "method": "relayout", "args": [{f"{axis}.{key}": value for axis in axes
                                                         for key, value in (("type", kind), ("autorange", True))}]}
        for label, kind in (("logarithmic queries", "log"), ("linear queries", "linear"))
    ]  # fmt: skip
    return {"type": "buttons", "direction": "right", "buttons": buttons, "x": 1, "xanchor": "right",
            "y": 1, "yanchor": "bottom", "pad": {"b": 25}}  # fmt: skip


def _faint(shade: str) -> str:
    red, green, blue = (int(shade[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
