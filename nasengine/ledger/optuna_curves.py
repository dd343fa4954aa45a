"""Learning curves as a plot of their own: Optuna's dashboard draws intermediate values of one objective only."""

import json
from collections.abc import Mapping

PLOT = "dashboard:plot_data:learning-curves:0"  # as `optuna_dashboard.save_plotly_graph_object` names it
MOST_CURVES = 40


def plot(curves: Mapping[str, Mapping[int, float]], name: str, large: bool) -> str:
    """Return a plotly figure of the best curves, as JSON, by the last value of each; `name` is what they show."""
    best = sorted(curves, key=lambda trial: _last(curves[trial]), reverse=large)[:MOST_CURVES]
    lines = [{"type": "scatter", "mode": "lines+markers", "name": one, **_points(curves[one])} for one in best]
    axes = {"xaxis": {"title": {"text": "epoch"}}, "yaxis": {"title": {"text": name}}}
    more = f", the best {MOST_CURVES} of {len(curves)}" if len(curves) > MOST_CURVES else ""
    return json.dumps({"data": lines, "layout": {"title": {"text": f"Learning curves{more}"}, **axes}})


def _last(curve: Mapping[int, float]) -> float:
    return curve[max(curve)]


def _points(curve: Mapping[int, float]) -> dict[str, list[float]]:
    return {"x": sorted(curve), "y": [float(f"{curve[step]:.4g}") for step in sorted(curve)]}
