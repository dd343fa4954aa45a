"""Learning curves in one line of text each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nasengine.console.output import number

BARS = "▁▂▃▄▅▆▇█"
MOST = 40  # bars; longer curves are thinned


def bars(values: Sequence[float | None]) -> str:
    """A curve as a row of bars from its least to its largest value; those that are missing are left blank."""
    step = max(len(values) / MOST, 1.0)
    thinned = [values[int(i * step)] for i in range(min(len(values), MOST))]
    known = [value for value in thinned if value is not None]
    if len(known) < 2:
        return ""
    low, span = min(known), max(known) - min(known)
    return "".join(" " if v is None else BARS[round((v - low) / (span or 1) * (len(BARS) - 1))] for v in thinned)


def curve_lines(epochs: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """For each loss and quality of an epoch where it began, where it ended, and how it went."""
    if epochs:
        for name in (name for name in epochs[-1] if name.endswith(("accuracy", "loss", "r2", "iou"))):
            values = [epoch.get(name) for epoch in epochs]
            ways = f"{number(values[0])} to {number(values[-1])}"
            yield f"{name.replace('_', ' ')} {ways}  {bars(values)}".rstrip()
