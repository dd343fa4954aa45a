"""BigNAS: the largest, the smallest and random networks in every step, all but the first taught by the largest.

BigNAS (Yu et al., 2020, https://arxiv.org/abs/2003.11142): the gradients of all networks of a step add up; the largest
learns from the labels, the others from its soft predictions alone (in-place distillation); every residual branch starts
as zero; the learning rate falls exponentially and stays at 5 % of where it began; only the largest is regularised.
`divergence` "alpha": the adaptive alpha-divergence of AlphaNet (Wang et al., 2021, https://arxiv.org/abs/2102.07954),
which teaches each image by the side, alpha -1 or 1, that is further from the teacher.
`delay` and `ramp`: Delayed Epsilon-Shrinking (Annavajjala et al., 2024, https://arxiv.org/abs/2407.06167), which trains
the largest network alone at first and then scales the others' gradients up.
`channels`: BCNet (Su et al., 2021, https://arxiv.org/abs/2105.10533), ViTAS (Su et al., 2022,
https://arxiv.org/abs/2106.13700).

Departures: a branch starts as zero by its last norm's scale and shift or, where it ends without a norm, by its last
layer's weights; branches inside one layer, and options without weights, start as they are. Dropout and drop path rest
in all networks but the largest; weight decay, a matter of the optimizer, acts on the shared weights as a whole. Largest
and smallest are by multiply-adds, and need not meet a condition of the space. The others' gradients are scaled by
epochs, not by steps. Between networks found this way BigNAS chooses from coarse to fine; here any strategy does.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from nasengine.errors import SpaceError
from nasengine.interpreters.channels import Channels, chance, windows
from nasengine.interpreters.ends import largest, smallest
from nasengine.interpreters.residual import silencers
from nasengine.interpreters.slicing import Dressed
from nasengine.search.strategy import Batch, Forward, Loss
from nasengine.space import Picks, Space
from nasengine.strategies._sandwich_divergence import adaptive, kl


class Sandwich:
    """A sampler by the sandwich rule, with in-place distillation.

    random: networks drawn at random in each step, beside the largest and the smallest
    divergence: what is between the predictions of teacher and student, "kl" or the adaptive "alpha"
    channels: which channels a narrow layer trains: the "leading" ones, from both sides ("bilateral"), or "cyclic"
    delay: share of the training in which the largest network trains alone; 1 is all of it
    ramp: share of the training, after the delay, over which the others' gradients grow from epsilon to 1
    epsilon: what the others' gradients are multiplied by at the beginning of the ramp
    """

    training: ClassVar[Mapping[str, Any]] = {"schedule": "constant-ending"}
    imitates: ClassVar[bool] = True

    def __init__(
        self,
        space: Space,
        random: int = 2,
        divergence: Literal["kl", "alpha"] = "kl",
        channels: Channels = "leading",
        delay: float = 0.0,
        ramp: float = 0.0,
        epsilon: float = 0.1,
    ) -> None:
        _refuse(random, delay, ramp, epsilon)
        self.space, self.random, self.channels = space, random, channels
        self.divergence = kl if divergence == "kl" else adaptive
        self.delay, self.ramp, self.epsilon = delay, ramp, epsilon
        self.largest, self.smallest = largest(space), smallest(space)
        self.scale = 1.0  # of the others' gradients
        self.at(0.0)

    def parameters(self) -> list[Tensor]:
        """None."""
        return []

    def at(self, progress: float) -> None:
        """The others' gradients are nothing, then grow linearly, then count in full."""
        past = progress - self.delay
        if self.delay == 1 or past < 0:
            self.scale = 0.0
        else:
            risen = 1.0 if past >= self.ramp else past / self.ramp
            self.scale = self.epsilon + (1 - self.epsilon) * risen

    def look(self, model: nn.Module, progress: float) -> None:
        """Begin with residual branches that add nothing."""
        if progress == 0:
            for name in silencers(self.space):
                model.get_parameter(name).zero_()

    def draws(self, generator: torch.Generator) -> Sequence[Picks]:
        """The largest network first; those whose gradients count nothing are not run."""
        rng = chance(generator)
        if self.scale == 0:
            return [self.largest]
        others = [self.smallest, *(self.space.sample(rng) for _ in range(self.random))]
        return [self.largest, *(Dressed(one, window) for one in others for window in windows(self.channels, rng))]

    def losses(self, forward: Forward, loss: Loss, batch: Batch, draws: Sequence[Picks]) -> Iterator[Tensor]:
        """The largest by the labels, the others by what it thinks of the images; both sides of one are averaged."""
        images, labels = batch
        logits = forward(images, draws[0])
        yield loss(logits, labels)
        teacher, sides = logits.detach(), 2 if self.channels == "bilateral" else 1
        for picks in draws[1:]:
            yield self.divergence(forward(images, picks, calm=True), teacher) * (self.scale / sides)

    def gates(self) -> dict[str, dict[str, float]]:
        """None: no option is weighed against another."""
        return {}


def _refuse(random: int, delay: float, ramp: float, epsilon: float) -> None:
    faults = [] if random >= 0 else [f"random came as {random}; give 0 or more"]
    for name, value in {"delay": delay, "ramp": ramp, "epsilon": epsilon}.items():
        if not 0 <= value <= 1:
            faults.append(f"{name} came as {value}; it is a share, from 0 to 1")
    if faults:
        raise SpaceError("\n".join(f"strategy sandwich: {fault}" for fault in faults))
