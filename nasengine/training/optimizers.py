"""From a recipe to an optimizer that obeys all of it, clipping included."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from nasengine.training.adan import BETAS, Adan
from nasengine.training.fused import fuses, guard
from nasengine.training.recipe import Recipe
from nasengine.training.win import accelerate


def build(recipe: Recipe, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """Return the recipe's optimizer, which also clips the gradients' norm before each step where the recipe says so.

    sgd couples weight decay to the gradient (L2), as the published recipes do; adan and adamw keep it apart. With an
    acceleration the decay is Win's, apart from the gradient for all three. On CPUs and NVIDIA's GPUs sgd and adamw are
    torch's fused ones, whose steps agree with its others to rounding.
    """
    optimizer = _plain(recipe, list(parameters), recipe.weight_decay if recipe.acceleration == "none" else 0.0)
    if recipe.clip > 0 and recipe.optimizer != "adan":
        optimizer.register_step_pre_hook(lambda it, args, kwargs: _clip(it, recipe.clip))
    accelerate(optimizer, recipe.acceleration, recipe.weight_decay)
    return optimizer


def _plain(recipe: Recipe, parameters: Sequence[Any], decay: float) -> torch.optim.Optimizer:
    if recipe.optimizer == "adan":
        b1, b2, b3 = recipe.betas or BETAS
        return Adan(parameters, lr=recipe.lr, betas=(b1, b2, b3), weight_decay=decay, max_grad_norm=recipe.clip)
    weights = [weight for one in parameters for weight in (one["params"] if isinstance(one, dict) else [one])]
    shared: dict[str, Any] = {"lr": recipe.lr, "weight_decay": decay, "fused": fuses(weights)}
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "adamw":
        first, second = recipe.betas or (0.9, 0.999)
        optimizer = torch.optim.AdamW(parameters, betas=(first, second), **shared)
    else:
        nesterov = recipe.nesterov and recipe.momentum > 0
        optimizer = torch.optim.SGD(parameters, momentum=recipe.momentum, nesterov=nesterov, **shared)
    guard(optimizer)
    return optimizer


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give all parameter groups one learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def _clip(optimizer: torch.optim.Optimizer, most: float) -> Any:
    weights = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    torch.nn.utils.clip_grad_norm_(weights, most)
