"""The protocols that a search strategy may follow: propose architectures, or train a supernet and learn gates in it."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from nasengine.space import Architecture, Picks, Space

if TYPE_CHECKING:  # strategies that only propose need no torch
    import torch
    from torch import Tensor

Batch: TypeAlias = "tuple[Tensor, Tensor]"  # images (batch, channels, height, width) and labels (batch,)
Loss: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"  # (batch, classes) and labels to a scalar


class Forward(Protocol):
    """Runs a network of the supernet."""

    def __call__(self, images: "Tensor", picks: Picks, calm: bool = False) -> "Tensor":
        """Images and picks to (batch, classes); `calm`: dropout and drop path rest, as in evaluation."""


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


class Sampler(Protocol):
    """Trains a supernet whose networks share weights, and chooses none; made as `Name(space, **options)`.

    A class without `settle` is a sampler. It says which networks a step trains; the weights learn from the whole
    training split, or, where `parameters()` are learned beside them, from one half of it.

    These members are optional, here and in a relaxation:

    `losses(forward, loss, batch, draws) -> Iterator[Tensor]`: what a step learns from. Each scalar is backpropagated
    before the next is asked for, so that no two networks are in memory at once; gradients add up, and one step of the
    optimizer follows. One that needs no gradient is only heard of. Default: one loss for each draw, divided by their
    number.
    `hear(losses)`: after a step of the weights, its scalars as numbers, in a group averaged over the processes.
    `look(model, progress)`: before every epoch, after `at`, without gradient tracking: to initialise weights at
    progress 0, to sort channels, to keep a teacher.
    `state() -> dict` and `take_up(state)`: tensors (given back on the CPU), numbers, text, and lists and tables of
    them: what has to survive an interruption beside `parameters()`.
    `training`, a class attribute: values of the recipe that the paper trains supernets with.
    `imitates`: whether networks learn from another's class probabilities, so that images need classes.
    `model_options`: keyword arguments for `Model(space, …)`.
    `dress(architecture) -> Picks`: how an architecture runs with the finished weights. Default: as itself.
    """

    def __init__(self, space: Space) -> None: ...

    def parameters(self) -> "list[Tensor]":
        """What Adam changes in turns with the weights, `gate_rate` and `gate_decay` being its settings; often none."""

    def at(self, progress: float) -> None:
        """Take note of the time: 0 in the first epoch, 1 in the last."""

    def draws(self, generator: "torch.Generator") -> Sequence[Picks]:
        """The networks that a step trains; chance comes from the generator alone, whatever came before is `state`."""

    def gates(self) -> dict[str, dict[str, float]]:
        """How strong each option of each decision is now, for the record; empty where nothing is gated."""


class Relaxation(Sampler, Protocol):
    """Learns gates inside a supernet; made as `Name(space, **options)`, its signature is its configuration.

    Parameters stay on the CPU: drawing there never makes a GPU wait, and the loop moves all gates of a draw at once.
    Initial values come from torch's global generator, which the caller has seeded. Beside the optional members of a
    `Sampler`, `outside` names, after `settle`, the decisions where the published rule would have left the space.
    """

    order: int  # 1; or 2, where the loop differentiates through one step of the weights
    gate_rate: float  # learning rate of the gates' Adam
    gate_decay: float  # its weight decay, coupled to the gradient

    def draws(self, generator: "torch.Generator") -> Sequence[Picks]:
        """The gates of one forward (or several); without gradient tracking they are constants."""

    def penalty(self) -> "Tensor":
        """What is added to the loss of the gates; it may depend on the latest draw. A sampler may lack it."""

    def ranking(self) -> dict[tuple[str, str], float]:
        """The published scores by (decision, option), best first."""

    def settle(self) -> Architecture:
        """The best legal architecture of that ranking."""
