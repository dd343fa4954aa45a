"""The charts of a search as plotly figures, in colours that are read on light and on dark paper; needs plotly.

Text that came from users is escaped here: plotly reads tags in labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

from nasengine.errors import NasError

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#3d7fc4", "#c8742a", "#2f9164", "#d2504b", "#9469c4", "#858b94"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
OUTCOME_COLOURS = {
    "complete": BLUE, "reused": "#7fb0e0", "infeasible": GREY, "pruned": ORANGE, "failed": RED, "stopped": GREY,
    "running": GREEN, "supernet": PURPLE, "final": GREEN, "inherited": PURPLE, "on the front": ORANGE,
}  # fmt: skip
OUTCOME_WORDS = {
    "complete": "complete", "reused": "known from before", "infeasible": "beyond a bound", "pruned": "ended early",
    "failed": "failed", "stopped": "unfinished", "running": "running",
}  # fmt: skip
SHADE = "rgba(210,80,75,0.12)"  # beyond a bound
HEIGHT = 340
COUNTED = ("epoch", "results")  # axes of whole numbers
FEW = 10


@dataclass(frozen=True)
class Line:
    """One line of a chart: its name, its points, and how it looks."""

    name: str
    xs: Sequence[Any]
    ys: Sequence[float | None]
    colour: str = BLUE
    width: float = 2
    dash: str = "solid"
    step: bool = False
    marks: bool = False
    group: str | None = None  # lines of one group stand once in the legend
    texts: Sequence[str] | None = None


def need_plotly() -> None:
    """Raise NasError, with the command that installs it, where plotly is missing."""
    try:
        import plotly.graph_objects  # noqa: F401
    except ImportError as error:
        raise NasError("report: plotly draws its charts and is missing; pip install 'nasengine[viz]'") from error


def figure(traces: Iterable[Any], x: str, y: str, height: int = HEIGHT, **layout: Any) -> Any:
    """A figure with titled axes and a legend above, where there is more than one name in it."""
    import plotly.graph_objects as go

    made = go.Figure([*traces])
    made.update_layout(
        template="none", height=height, margin={"l": 56, "r": 12, "t": 36, "b": 48}, hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"title": {"text": _short(x)}, "zeroline": False},
        yaxis={"title": {"text": _short(y)}, "zeroline": False},
    )  # fmt: skip
    if x in COUNTED and max((max(trace.x, default=0) for trace in made.data), default=0) <= FEW:
        made.update_xaxes(dtick=1)
    made.update_layout(**layout)
    return made


def lines(given: Sequence[Line], x: str, y: str, **layout: Any) -> Any:
    """Lines over epochs, trials or costs."""
    return figure(_lines(given), x, y, **layout)


def _lines(given: Sequence[Line], legend: bool = False) -> Iterable[Any]:
    import plotly.graph_objects as go

    seen: set[str] = set()
    for line in given:
        group = line.group or line.name
        marks = "lines+markers" if line.marks or len(line.xs) == 1 else "lines"
        hover = "%{text}<extra></extra>" if line.texts else f"{escape(line.name)}<br>%{{x}}: %{{y:.4~f}}<extra></extra>"
        yield go.Scatter(
            x=list(line.xs), y=list(line.ys), mode=marks, name=escape(group), legendgroup=escape(group),
            showlegend=group not in seen and (legend or len(given) > 1), hovertemplate=hover,
            text=None if line.texts is None else [*map(escape, line.texts)], marker={"size": 5},
            line={"color": line.colour, "width": line.width, "dash": line.dash,
                  "shape": "hv" if line.step else "linear"},
        )  # fmt: skip
        seen.add(group)


def dots(groups: Mapping[str, Sequence[tuple[float, float, str]]], x: str, y: str, more: Sequence[Line] = (),
         **layout: Any) -> Any:  # fmt: skip
    """Points (x, y, words) in named groups, one colour an outcome; `more` are lines above them."""
    import plotly.graph_objects as go

    traces = []
    for place, (name, points) in enumerate(groups.items()):
        colour = OUTCOME_COLOURS.get(name, COLOURS[place % len(COLOURS)])
        symbol = {"infeasible": "x-thin-open", "pruned": "triangle-down"}.get(name, "circle")
        traces.append(
            go.Scatter(
                x=[point[0] for point in points],
                y=[point[1] for point in points],
                mode="markers",
                name=escape(OUTCOME_WORDS.get(name, name)),
                legendgroup=escape(name),
                text=[_br(point[2]) for point in points],
                hovertemplate="%{text}<extra></extra>",
                marker={"color": colour, "size": 6 if len(points) < 500 else 4, "opacity": 0.75, "symbol": symbol},
                showlegend=len(groups) + len(more) > 1,
            )  # fmt: skip
        )
    return figure([*traces, *_lines(more, legend=True)], x, y, **layout)


def beyond(made: Any, bound: float, furthest: float) -> None:
    """Shade what lies beyond an upper bound on the horizontal axis, as far as there are points, with a line at it."""
    made.add_vrect(x0=bound, x1=1.06 * max(furthest, bound), fillcolor=SHADE, line_width=0, layer="below")
    made.add_vline(bound, line={"color": RED, "width": 1, "dash": "dot"}, annotation={"text": f"bound {bound:,.6g}"})


@dataclass(frozen=True)
class Bar:
    """Something that took time: from when to when, in which lane, its outcome, what is said of it."""

    begin: datetime
    end: datetime
    lane: int
    outcome: str
    words: str


def timeline(bars: Sequence[Bar], pauses: Sequence[datetime] = ()) -> Any:
    """What ran when; a colour an outcome, a lane for each of those that ran at once; a line where it went on."""
    import plotly.graph_objects as go

    traces = []
    for outcome in dict.fromkeys(bar.outcome for bar in bars):
        mine = [bar for bar in bars if bar.outcome == outcome]
        traces.append(
            go.Bar(
                base=[bar.begin.isoformat() for bar in mine],
                orientation="h",
                name=OUTCOME_WORDS.get(outcome, outcome),
                width=0.82,
                x=[max((bar.end - bar.begin) / timedelta(milliseconds=1), 0.5) for bar in mine],
                y=[bar.lane + 1 for bar in mine],
                text=[_br(bar.words) for bar in mine],
                textposition="none",
                hovertemplate="%{text}<extra></extra>",
                marker={"color": OUTCOME_COLOURS.get(outcome, GREY), "line": {"width": 0}},
            )  # fmt: skip
        )
    lanes = max(bar.lane for bar in bars) + 1
    made = figure(
        traces, "time (UTC)", "at once", height=150 + 26 * min(max(lanes, 2), 32), barmode="overlay",
        xaxis={"type": "date", "title": {"text": "time (UTC)"}},
        yaxis={"autorange": "reversed", "dtick": 1 if lanes < 20 else 8, "tick0": 1,
               "showgrid": False, "zeroline": False},
    )  # fmt: skip
    made.update_traces(showlegend=True)
    for pause in pauses:
        made.add_vline(pause.isoformat(), line={"color": GREY, "width": 1, "dash": "dot"})
    return made


def lanes(spans: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """The first free lane for each span, in order of their beginnings: as many lanes as ran at once."""
    free: list[datetime] = []
    found = [0] * len(spans)
    for number in sorted(range(len(spans)), key=lambda one: spans[one]):
        begin, end = spans[number]
        lane = next((place for place, until in enumerate(free) if until <= begin), len(free))
        free[lane : lane + 1] = [end]
        found[number] = lane
    return found


def intervals(rows: Sequence[tuple[str, str, tuple[float, float, float]]], x: str) -> Any:
    """A point with its interval in each row: a label, what more is said, and (middle, low, high); a line at nought."""
    import plotly.graph_objects as go

    middles = [told[0] for _, _, told in rows]
    trace = go.Scatter(
        x=middles, y=list(range(len(rows))), mode="markers", showlegend=False, text=[_br(more) for _, more, _ in rows],
        marker={"color": BLUE, "size": 9},
        error_x={"type": "data", "array": [high - middle for _, _, (middle, _, high) in rows], "color": BLUE,
                 "arrayminus": [middle - low for _, _, (middle, low, _) in rows], "width": 4, "thickness": 1.5},
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    made = figure([trace], x, "", height=110 + 30 * len(rows), margin={"l": 12, "r": 12, "t": 12, "b": 48})
    made.update_xaxes(range=[-1.05, 1.05])
    labels = [_short(label, 26) for label, _, _ in rows]
    made.update_yaxes(
        range=[len(rows) - 0.5, -0.5], automargin=True, tickvals=list(range(len(rows))), ticktext=labels, showgrid=False
    )
    made.add_vline(0, line={"color": GREY, "width": 1, "dash": "dot"})
    return made


def _short(text: str, letters: int = 42) -> str:
    return escape(text if len(text) <= letters else f"{text[: letters - 1]}…")


def _br(text: str) -> str:
    return escape(text).replace("\n", "<br>")
