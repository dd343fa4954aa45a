"""Once-for-all: the largest networks first, then smaller kernels, depths and widths in turn, taught by the largest.

Once-for-all (Cai et al., 2020, https://arxiv.org/abs/1908.09791): progressive shrinking in six phases, one for the full
network, one for kernels, two each for depths and widths, the first of which opens the two largest options. A step
trains 1, 1, 2, 2, 4 and 4 networks, each on the labels and on the soft predictions of the full network, which is copied
when the first phase ends. Smaller kernels are learnt transforms of larger ones. Before widths shrink, channels are put
in the order of their importance, so that the leading ones are the largest.

The phases' shares of the training are those of the published epochs: 120 for kernels, 25 and 120 for depths, 25 and
120 for widths; for the full network, whose training the paper describes apart, 180 are taken.

Departures: what a decision changes is read off the network, not its name: decisions between layers, and sizes that
change no weight, such as resolutions, are open from the beginning. The teacher is the full network with the student's
layers. One learning rate goes through all phases, with one optimizer, whose momentum does not follow reordered
channels; the losses of a step's networks are averaged. Importance counts all weights that read a channel. Channels that
heads or shortcuts tie together keep their order (see hidden_channels).
"""

import copy
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasengine.errors import SpaceError
from nasengine.interpreters.channels import chance
from nasengine.interpreters.elastic import elastic
from nasengine.interpreters.ordering import hidden_channels, sort_channels
from nasengine.search.strategy import Batch, Forward, Loss
from nasengine.space import Architecture, Picks, Space
from nasengine.strategies._once_for_all_phases import PHASES, WIDTHS, open_options, phase_at


class OnceForAll:
    """A sampler by progressive shrinking, with distillation from the full network.

    distillation: weight of the teacher's soft predictions beside the labels; 0 keeps no teacher
    kernels: smaller kernels are learnt from larger ones ("transform") or are their middles ("crop")
    """

    training: ClassVar[Mapping[str, Any]] = {
        "optimizer": "sgd", "nesterov": True, "weight_decay": 3e-5, "label_smoothing": 0.1,
    }  # fmt: skip

    def __init__(
        self, space: Space, distillation: float = 1.0, kernels: Literal["transform", "crop"] = "transform"
    ) -> None:
        if distillation < 0:
            raise SpaceError(f"strategy once-for-all: distillation came as {distillation}; it is a weight, 0 or more")
        self.space, self.distillation = space, distillation
        self.imitates = distillation > 0
        self.model_options = {"kernels": kernels}
        self.sizes = elastic(space)
        self.largest = {name: one.options[:1] for name, one in self.sizes.items()}
        self.teacher: nn.Module | None = None
        self.kept: dict[str, Tensor] = {}  # a teacher's weights, until there is a model to put them in
        self.sorted = 0  # the phase for which channels were sorted last
        self.at(0.0)

    def parameters(self) -> list[Tensor]:
        """None."""
        return []

    def at(self, progress: float) -> None:
        """Open the sizes of the phase."""
        self.phase = phase_at(progress)
        self.open = open_options(self.sizes, self.phase)

    def look(self, model: nn.Module, progress: float) -> None:
        """Keep the full network when its phase is over; sort the channels before widths shrink."""
        if self.distillation and self.teacher is None and (self.phase or self.kept):
            self.teacher = _at_rest(copy.deepcopy(model))
            if self.kept:
                self.teacher.load_state_dict(self.kept)
        if self.phase >= WIDTHS and self.sorted < self.phase:
            sort_channels(model, hidden_channels(self.space), open_options(self.sizes, self.sorted))
            self.sorted = self.phase

    def draws(self, generator: torch.Generator) -> Sequence[Picks]:
        """Networks of the sizes that are open, as many as the phase trains in a step."""
        rng = chance(generator)
        if self.phase == 0:
            return [self.space.complete(self.largest, rng)]
        return [self._drawn(rng) for _ in range(PHASES[self.phase].networks)]

    def _drawn(self, rng: random.Random) -> Architecture:
        return self.space.follow({name: (rng.choice(options),) for name, options in self.open.items()}, rng)

    def losses(self, forward: Forward, loss: Loss, batch: Batch, draws: Sequence[Picks]) -> Iterator[Tensor]:
        """Each network by the labels and, once there is a teacher, by what that thinks of the images."""
        images, labels = batch
        for picks in draws:
            logits = forward(images, picks)
            taught = loss(logits, labels)
            if self.teacher is not None and self.phase > 0:
                assert isinstance(picks, Architecture)
                taught = taught + self.distillation * functional.cross_entropy(logits, self._opinion(images, picks))
            yield taught / len(draws)

    def _opinion(self, images: Tensor, student: Architecture) -> Tensor:
        """The probabilities (batch, classes) that the full network gives, with the student's layers."""
        assert self.teacher is not None
        full = self.space.complete({**student.picks, **self.largest}, random.Random(0))
        with torch.no_grad():
            opinion: Tensor = self.teacher(images, full).float().softmax(1)
        return opinion

    def state(self) -> dict[str, Any]:
        """The teacher, and for which phase channels were sorted."""
        return {"sorted": self.sorted, "teacher": self.kept if self.teacher is None else self.teacher.state_dict()}

    def take_up(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.sorted, self.kept, self.teacher = state["sorted"], dict(state["teacher"]), None

    def gates(self) -> dict[str, dict[str, float]]:
        """None: no option is weighed against another."""
        return {}


def _at_rest(model: nn.Module) -> nn.Module:
    """Norms go by the batch, as in training, for whichever layers run; nothing is dropped, and nothing learns."""
    model.train().requires_grad_(False)
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd) or getattr(module, "training_only", False):
            module.training = False
    return model
