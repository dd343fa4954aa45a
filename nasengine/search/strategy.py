"""The two protocols that a search strategy may follow: propose architectures, or learn gates inside a supernet."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from nasengine.space import Architecture, Picks, Space

if TYPE_CHECKING:  # strategies that only propose need no torch
    import torch
    from torch import Tensor

Batch: TypeAlias = "tuple[Tensor, Tensor]"  # images (batch, channels, height, width) and labels (batch,)
Forward: TypeAlias = "Callable[[Tensor, Picks], Tensor]"  # images and picks to (batch, classes)
Loss: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"  # (batch, classes) and labels to a scalar


@dataclass(frozen=True)
class Told:
    """What a strategy learns about one of its proposals."""

    number: int  # the proposal's
    architecture: Architecture
    values: Mapping[str, float]
    value: float | None  # what is to be made large; None where the job failed, or a bound is broken
    error: str | None = None
    objectives: tuple[float, ...] = ()  # one for each objective, all to be made large; empty where the job failed
    weights: str | None = None  # the file of the trained weights, where they were kept
    stopped: int | None = None  # the epoch after which it was ended early: its value is of that epoch
    violation: float = 0.0  # by how much it breaks bounds; then it has no value, though it was measured


@dataclass(frozen=True)
class Remark:
    """Something a strategy wants kept beside its results: a prompt, a reply, how well a predictor predicts."""

    kind: str  # "note" and "warning" are shown to the user as well; any other word is kept only
    text: str
    values: Mapping[str, float] = field(default_factory=dict)


class Strategy(Protocol):
    """Proposes architectures; made as `Name(space, **options)`, its signature is its configuration.

    Three members are optional. `remarks() -> list[Remark]` gives, once, what came up since it was last called: it is
    called after every `ask` and `tell`. `recall(remarks)` hears the remarks of an earlier run before its results are
    told again. `inherit(architecture) -> dict[str, tuple[str, str]]` names, for places of the network, the weights to
    start from: (file, place in it).
    """

    def __init__(self, space: Space) -> None: ...

    def ask(self, rng: random.Random) -> Architecture | None:
        """The next proposal, changing nothing; None: nothing until a running job has reported."""

    def tell(self, result: Told) -> None:
        """Take a result; all of a strategy's state comes from here."""


class Relaxation(Protocol):
    """Learns gates inside a supernet; made as `Name(space, **options)`, its signature is its configuration.

    Parameters stay on the CPU: drawing there never makes a GPU wait, and the loop moves all gates of a draw at once.
    Initial values come from torch's global generator, which the caller has seeded. Two members are optional:
    `step(forward, loss, batch, draws) -> Tensor` replaces the loss averaged over the draws, and `outside` names, after
    `settle`, the decisions where the published rule would have left the space.
    """

    order: int  # 1; or 2, where the loop differentiates through one step of the weights
    gate_rate: float  # learning rate of the gates' Adam
    gate_decay: float  # its weight decay, coupled to the gradient

    def __init__(self, space: Space) -> None: ...

    def parameters(self) -> "list[Tensor]":
        """What the gates are computed from and Adam changes."""

    def at(self, progress: float) -> None:
        """Take note of the time: 0 in the first epoch, 1 in the last."""

    def draws(self, generator: "torch.Generator") -> Sequence[Picks]:
        """The gates of one forward (or several); without gradient tracking they are constants."""

    def penalty(self) -> "Tensor":
        """What is added to the loss of the gates; it may depend on the latest draw."""

    def ranking(self) -> dict[tuple[str, str], float]:
        """The published scores by (decision, option), best first."""

    def settle(self) -> Architecture:
        """The best legal architecture of that ranking."""

    def gates(self) -> dict[str, dict[str, float]]:
        """How strong each option of each decision is now, for the record."""
