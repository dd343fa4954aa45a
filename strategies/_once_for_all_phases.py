"""The phases of progressive shrinking: which sizes are open when, and how many networks a step trains."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from nasengine.interpreters.elastic import Changes, Elastic

SOME = 2  # the largest options, which the first phase of a depth or width opens


@dataclass(frozen=True)
class Phase:
    """A stretch of the training: its published epochs, networks a step, and how many options it opens of each kind."""

    epochs: int
    networks: int
    opened: Mapping[Changes, int | None]  # of the largest options; None is all of them


PHASES = (
    Phase(180, 1, {"kernel": 1, "depth": 1, "width": 1}),
    Phase(120, 1, {"kernel": None, "depth": 1, "width": 1}),
    Phase(25, 2, {"kernel": None, "depth": SOME, "width": 1}),
    Phase(120, 2, {"kernel": None, "depth": None, "width": 1}),
    Phase(25, 4, {"kernel": None, "depth": None, "width": SOME}),
    Phase(120, 4, {"kernel": None, "depth": None, "width": None}),
)
WIDTHS = 4  # the first phase in which widths shrink


def phase_at(progress: float) -> int:
    """The number of the phase, when `progress` of the training (0 to 1) is over."""
    total = sum(phase.epochs for phase in PHASES)
    ends = [end / total for end in accumulate(phase.epochs for phase in PHASES)]
    return next((number for number, end in enumerate(ends) if progress < end), len(PHASES) - 1)


def open_options(sizes: Mapping[str, Elastic], phase: int) -> dict[str, tuple[str, ...]]:
    """The options of each size that networks are drawn from in a phase."""
    opened = PHASES[phase].opened
    return {name: one.options[: opened[one.changes]] for name, one in sizes.items()}
