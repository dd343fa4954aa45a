"""Gradients of gates: as the weights are (first order), or one step of the weights ahead (second order)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nasengine.errors import TrainingError
from nasengine.interpreters.slicing import Dressed
from nasengine.search.strategy import Batch, Forward, Loss, Sampler
from nasengine.space import Mixture, Picks
from nasengine.training.recipe import Recipe

Losses = Callable[[], Iterable[Tensor]]  # one after the other, so that their graphs are not in memory at once
Average = Callable[[Sequence[Tensor]], list[Tensor]]
NEAR = 0.01  # length of the finite difference in weight space, as published


def average_losses(forward: Forward, loss: Loss, batch: Batch, draws: Sequence[Picks]) -> Iterator[Tensor]:
    """The loss of each draw, divided by their number."""
    images, labels = batch
    for picks in draws:
        yield loss(forward(images, picks), labels) / len(draws)


@contextmanager
def frozen(tensors: Sequence[Tensor]) -> Iterator[None]:
    """No gradient is computed for these: it would be thrown away, and it is a third of a supernet's time."""
    for tensor in tensors:
        tensor.requires_grad_(False)
    try:
        yield
    finally:
        for tensor in tensors:
            tensor.requires_grad_(True)


def gradients_of(loss: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
    """The gradients, zeros where the loss does not depend on a tensor."""
    if not loss.requires_grad:
        return [torch.zeros_like(tensor) for tensor in wanted]
    return list(torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True))


def penalty_of(relaxation: Sampler) -> Tensor:
    """What is added to the loss of the gates; 0 where a sampler lacks it."""
    penalty = getattr(relaxation, "penalty", None)
    return torch.zeros(()) if penalty is None else penalty()


def summed(losses: Iterable[Tensor], wanted: Sequence[Tensor]) -> list[Tensor]:
    """The gradients of the sum of the losses."""
    total: list[Tensor] = []
    for loss in losses:
        gradients = gradients_of(loss, wanted)
        total = [one + other for one, other in zip(total, gradients, strict=True)] if total else gradients
    return total


def first_order(gates_losses: Losses, gates: Sequence[Tensor], weights: Sequence[Tensor]) -> list[Tensor]:
    """Gradients of the gates' losses with the weights as they are."""
    with frozen(weights):
        return summed(gates_losses(), gates)


@dataclass(frozen=True)
class Ahead:
    """The step of SGD that the second order looks ahead; `momenta`: each weight's buffer, None before the first."""

    lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    momenta: Sequence[Tensor | None] = ()

    @classmethod
    def of(cls, recipe: Recipe, optimizer: torch.optim.Optimizer, weights: Sequence[Tensor]) -> "Ahead":
        """The step that this optimizer would take now."""
        lr = optimizer.param_groups[0]["lr"]
        momenta = [optimizer.state[weight].get("momentum_buffer") for weight in weights]
        return cls(lr, recipe.momentum, recipe.weight_decay, momenta)

    def step(self, weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
        """What has to be added to each weight."""
        momenta = self.momenta or [None] * len(weights)
        moves = [g.add(w.detach(), alpha=self.weight_decay) for g, w in zip(gradients, weights, strict=True)]
        moved = [m if v is None else m.add(v, alpha=self.momentum) for m, v in zip(moves, momenta, strict=True)]
        return [m.mul(-self.lr) for m in moved]


def refuse_other_optimizers(recipe: Recipe) -> None:
    """Raise TrainingError unless the recipe's step is the one that `Ahead` takes: plain SGD, no Nesterov, no Win."""
    ahead = "nesterov" if recipe.nesterov else recipe.acceleration
    if recipe.optimizer != "sgd" or ahead != "none":
        came = recipe.optimizer if ahead == "none" else f"{recipe.optimizer} with {ahead}"
        raise TrainingError(
            f"recipe.optimizer: {came} came; the second order looks one step of plain sgd ahead; "
            "set optimizer=sgd, nesterov=false and acceleration=none in the supernet's recipe, or search with order=1"
        )


def second_order(
    train_losses: Losses,
    gates_losses: Losses,
    gates: Sequence[Tensor],
    weights: Sequence[Tensor],
    ahead: Ahead,
    average: Average = list,
) -> list[Tensor]:
    """Gradients of the gates' loss at the weights after one training step (DARTS, Liu et al., 2019, equations 7 and 8).

    The step depends on the gates too: that part is a finite difference of `train_losses` around the present weights, of
    0.01 over the gradient's norm in length, divided by twice that. `train_losses` must draw the same gates each time.
    The weights are left exactly as they were. https://arxiv.org/abs/1806.09055
    Where several processes work on one batch, `average` brings the weights' gradients together, so that all look ahead
    to one place; what is returned is linear in each process' losses and still to be averaged.
    """
    with frozen(gates):
        gradients = average(summed(train_losses(), weights))
    kept = [weight.detach().clone() for weight in weights]
    try:
        _shift(weights, kept, ahead.step(weights, gradients), 1.0)
        both = summed(gates_losses(), [*gates, *weights])
        direct, pull = both[: len(gates)], average(both[len(gates) :])
        radius = NEAR / torch.stack(torch._foreach_norm(pull)).norm().clamp(min=1e-12)
        sides = []
        for side in (radius, -radius):
            _shift(weights, kept, pull, side)
            with frozen(weights):
                sides.append(summed(train_losses(), gates))
    finally:
        _shift(weights, kept, [], 0.0)
    factor = (ahead.lr / (2 * radius)).to(direct[0].device)
    return [d - factor * (up - down) for d, up, down in zip(direct, *sides, strict=True)]


@torch.no_grad()
def _shift(
    weights: Sequence[Tensor], origin: Sequence[Tensor], moves: Sequence[Tensor], factor: float | Tensor
) -> None:
    """Set weights to origin + factor * moves; to the origin itself where there are no moves."""
    torch._foreach_copy_(list(weights), list(origin))
    if moves:
        torch._foreach_add_(list(weights), torch._foreach_mul(list(moves), factor))


def moved(picks: Picks, device: torch.device) -> Picks:
    """The same picks with all gates, or weights of stores, brought to a device in one transfer."""
    if device.type == "cpu":
        return picks
    if isinstance(picks, Dressed):
        shots = None if picks.shots is None else picks.shots.to(device, non_blocking=True)
        return replace(picks, base=moved(picks.base, device), shots=shots)
    if not isinstance(picks, Mixture):
        return picks
    tensors = [g for gates in picks.by_decision.values() for g in gates.values() if isinstance(g, Tensor)]
    if not tensors:
        return picks
    there = iter(torch.stack(tensors).to(device, non_blocking=True).unbind())
    by_decision = {
        name: {option: next(there) if isinstance(g, Tensor) else g for option, g in gates.items()}
        for name, gates in picks.by_decision.items()
    }
    return Mixture(by_decision, picks.base)
