"""Halves of a search step as CUDA graphs: recorded once, from then on launched as a whole.

A half is the forward, the loss and its gradients. A graph repeats the same kernels on the same memory, so it serves
where nothing but numbers changes from step to step: every option of every choice is on, and its gate is a tensor, as in
DARTS. Gates that are sampled, batches of another size, and layers that draw random numbers run as without graphs. The
optimizers stay outside: their learning rate is another number in each step, which a graph would keep as it was.
A graph keeps the memory of its half, and the other is first run beside it: a step whose activations take more than
about half of the device's memory falls back to running without graphs, with a note.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from nasengine.search.graphed_cuda import Capture, Recorder, casting_anew
from nasengine.search.group import Alone, Part
from nasengine.search.lesson import Lesson, is_restless
from nasengine.search.strategy import Sampler
from nasengine.space import Mixture, Picks, Space
from nasengine.training.memory import make_room
from nasengine.training.recipe import Recipe

_log = logging.getLogger("nasengine.search")


@dataclass(frozen=True)
class Drawn:
    """A mixture as one tensor of gates, (gates), and what they belong to."""

    gates: Tensor
    options: Sequence[tuple[str, Sequence[str]]]  # of each decision
    base: Picks

    @classmethod
    def of(cls, draws: Sequence[Picks], space: Space) -> "Drawn | None":
        """None unless it is one mixture with all options on, and all gates tensors."""
        if len(draws) != 1 or not isinstance(draws[0], Mixture):
            return None
        mixed = draws[0].by_decision
        if any(set(gates) != set(space.decisions[name].relaxed) for name, gates in mixed.items()):
            return None
        every = [gate for gates in mixed.values() for gate in gates.values()]
        tensors = [gate for gate in every if isinstance(gate, Tensor)]
        if not tensors or len(tensors) < len(every):
            return None
        return cls(torch.stack(tensors), [(name, tuple(gates)) for name, gates in mixed.items()], draws[0].base)

    def mixture(self, gates: Tensor) -> Mixture:
        """The mixture of other gates in place of these."""
        each = iter(gates.unbind())
        return Mixture({name: {option: next(each) for option in options} for name, options in self.options}, self.base)


class Half:
    """The gates' half of a step, or that of the weights, on tensors that stay where they are.

    images, labels, gates: what is read; `gradients`: what is written, one for the gates' tensor or for each weight
    """

    def __init__(self, lesson: Lesson, drawn: Drawn, weights: Sequence[Tensor], capture: Capture):
        part, device, self.drawn = lesson.part, lesson.part.images.device, drawn
        self.images, self.labels = part.images.clone(), part.labels.clone()
        self.gates = drawn.gates.detach().to(device, copy=True).requires_grad_(drawn.gates.requires_grad)
        self.wanted = [self.gates] if self.gates.requires_grad else list(weights)
        self.gradients = [torch.zeros_like(tensor) for tensor in self.wanted]
        self.used: list[bool] = []
        part = Part(self.images, self.labels, part.weight)
        self.lesson = replace(lesson, part=part, graphs=None, outputs=None, loss=None, every=[])
        with _unseen(lesson.model):
            self.repeat = capture(self._learn)
        self.addresses = [weight.data_ptr() for weight in weights]
        self.weights = weights
        modules = lesson.model.modules()
        self.buffers = [(held, name, held[name]) for held in (m._buffers for m in modules) for name in held]

    def _learn(self) -> tuple[Tensor, Tensor]:
        lesson = replace(self.lesson, every=[])
        with casting_anew():
            (loss,) = lesson.losses([self.drawn.mixture(self.gates)])
        fresh = torch.autograd.grad(loss, self.wanted, allow_unused=True)
        self.used = [gradient is not None for gradient in fresh]
        pairs = [(kept, found) for kept, found in zip(self.gradients, fresh, strict=True) if found is not None]
        torch._foreach_copy_([kept for kept, _ in pairs], [found for _, found in pairs])
        assert lesson.outputs is not None
        return loss.detach(), lesson.outputs

    def is_kept(self) -> bool:
        """Whether the model is where it was when this was recorded."""
        weights = zip(self.weights, self.addresses, strict=True)
        there = all(weight.data_ptr() == address for weight, address in weights)
        return there and all(held[name] is buffer for held, name, buffer in self.buffers)

    def suits(self, part: Part, drawn: Drawn) -> bool:
        """Whether these are the same but for their numbers."""
        pairs = [(self.images, part.images), (self.labels, part.labels)]
        alike = all((a.shape, a.dtype, a.device) == (b.shape, b.dtype, b.device) for a, b in pairs)
        same = drawn.options == self.drawn.options and drawn.base is self.drawn.base
        return alike and same

    def run(self, part: Part, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """The loss and the outputs; gradients are in their tensors."""
        with torch.no_grad():
            self.images.copy_(part.images)
            self.labels.copy_(part.labels)
            self.gates.copy_(drawn.gates, non_blocking=True)
        loss, outputs = self.repeat()
        return loss.clone(), outputs.clone()


class Graphs:
    """Both halves of a search's steps, recorded when they first come and whenever the model was moved."""

    def __init__(self, weights: Sequence[Tensor], capture: Capture):
        self.weights, self.capture = weights, capture
        self.halves: dict[bool, Half] = {}  # by whether the gates learn
        self.failed = False

    def __call__(self, lesson: Lesson, draws: Sequence[Picks]) -> Tensor | None:
        """Let the lesson know what it taught; None where it has to be run without graphs.

        Weights get their gradients here. For gates the scalar that comes back has the gradients of the loss.
        """
        if self.failed or not lesson.model.training:
            return None
        drawn = Drawn.of(draws, lesson.model.space)
        half = None if drawn is None else self._half(lesson, drawn)
        if drawn is None or half is None or not half.suits(lesson.part, drawn):
            return None
        loss, lesson.outputs = half.run(lesson.part, drawn)
        lesson.loss = loss
        lesson.every.append(loss)
        if drawn.gates.requires_grad:
            return drawn.gates @ half.gradients[0].to(drawn.gates.device)
        for weight, gradient, is_used in zip(self.weights, half.gradients, half.used, strict=True):
            weight.grad = gradient if is_used else None
        return loss

    def _half(self, lesson: Lesson, drawn: Drawn) -> Half | None:
        learns = drawn.gates.requires_grad
        if learns in self.halves and not self.halves[learns].is_kept():
            self.halves.clear()  # both: a graph that goes takes cuBLAS' workspace with it, which the two share
        if learns not in self.halves:
            self._record(lesson, drawn)
        return self.halves.get(learns)

    def _record(self, lesson: Lesson, drawn: Drawn) -> None:
        try:
            self.halves[drawn.gates.requires_grad] = Half(lesson, drawn, self.weights, self.capture)
            return
        except Exception as error:  # whatever a layer, a kernel or the driver raises against being recorded
            reason = _reason(error)
        # The error is gone by here, and with its traceback all that the recording held.
        self.failed = True
        self.halves.clear()
        make_room()
        _log.info(f"supernet: its steps cannot be CUDA graphs and run without ({reason})")


def _reason(error: BaseException) -> str:
    """The first line of the error that came first: the end of a broken recording raises another one over it."""
    while error.__context__ is not None and not error.__suppress_context__:
        error = error.__context__
    return (str(error).strip() or type(error).__name__).partition("\n")[0]


def graphs_for(
    model: nn.Module, weights: Sequence[Tensor], relaxation: Sampler, recipe: Recipe, device: torch.device, group: Alone
) -> Graphs | None:
    """Graphs for a search by one process on a CUDA device; None for any other, and where a step is more than a half.

    Such are steps of the second order, losses of a strategy's own, and layers that draw random numbers.
    """
    learns = (
        bool(relaxation.parameters()) and getattr(relaxation, "order", 1) == 1 and not hasattr(relaxation, "losses")
    )
    restless = any(_draws(module, recipe.drop_path) for module in model.modules())
    if device.type != "cuda" or group.size > 1 or not learns or restless:
        return None
    return Graphs(weights, Recorder(device))


def _draws(module: nn.Module, drop_path: float) -> bool:
    """Whether it draws random numbers in this training: those that can be set do so at a rate above 0."""
    if not is_restless(module):
        return False
    return drop_path > 0 if hasattr(module, "set_drop_rate") else getattr(module, "p", 1.0) > 0


@contextlib.contextmanager
def _unseen(model: nn.Module) -> Iterator[None]:
    """Within it the model may run: what norms have seen is put back, also where they keep it elsewhere afterwards."""
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                buffer.copy_(before[name])
