"""Win and Win2: an optimizer's steps, accelerated by weights that look ahead."""

from typing import Any

import torch
from torch import Tensor

from nasengine.errors import RecipeError, did_you_mean

MODES = ("none", "win", "win2")
# How much larger the rates of the second and third sequence of weights are, as the authors set them.
RECKLESS = (2.0, 8.0)


def accelerate(optimizer: torch.optim.Optimizer, mode: str, weight_decay: float = 0.0) -> None:
    """Make each step of an optimizer a step of Win or Win2.

    Zhou et al., 2024, "Win: weight-decay-integrated Nesterov acceleration for faster network training", JMLR 25(83),
    https://jmlr.org/papers/v25/23-1073.html. With the move u = -lr * direction that the optimizer makes of gradients
    at the weights of the network, and s = lr * weight_decay, sequences of weights of growing rates follow each other:
    x = (x + u) / (1 + s), y = (y + r u + r x) / (1 + r + r s), z = (z + q u + q x + q/r y) / (1 + q + q/r + q s), r
    and q being `RECKLESS`. The network holds y (Win) or z (Win2); x, and y under z, are in the optimizer's state.
    The decay is part of the rule, so the optimizer's own must be 0. The paper accelerates Adam, AdamW, LAMB and SGD;
    Adan's steps are accelerated by the same rule. Raises RecipeError for an unknown mode or a decay of its own.
    """
    if mode not in MODES:
        allowed = ", ".join(MODES)
        raise RecipeError(f'acceleration: "{mode}" came; {allowed} are allowed.{did_you_mean(mode, MODES)}')
    own = [group["weight_decay"] for group in optimizer.param_groups if group["weight_decay"]]
    if own and mode != "none":
        raise RecipeError(
            f"acceleration: an optimizer of weight_decay {own[0]} came; 0 is allowed; hand the decay to `accelerate`"
        )
    if mode != "none":
        _Win(mode == "win2", weight_decay).attach(optimizer)


class _Win:
    """What happens before and after a step: the network's weights are noted, and then moved on from there."""

    def __init__(self, third: bool, weight_decay: float) -> None:
        self.third, self.weight_decay = third, weight_decay
        self.held: list[list[Tensor]] = []

    def attach(self, optimizer: torch.optim.Optimizer) -> None:
        optimizer.register_step_pre_hook(self.before)
        optimizer.register_step_post_hook(self.after)

    @torch.no_grad()
    def before(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        self.held = [[parameter.clone() for parameter in group["params"]] for group in optimizer.param_groups]

    @torch.no_grad()
    def after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        for group, held in zip(optimizer.param_groups, self.held, strict=True):
            moved = [pair for pair in zip(group["params"], held, strict=True) if pair[0].grad is not None]
            for parameter, start in moved:
                self.move(optimizer.state[parameter], parameter, start, group["lr"] * self.weight_decay)
        self.held = []

    def move(self, state: dict[str, Any], network: Tensor, start: Tensor, shrink: float) -> None:
        """Put y, or z, where the optimizer's step from `start` has left its weights."""
        r, q = RECKLESS
        move = network - start
        x = state.setdefault("win_x", start.clone())
        x.add_(move).div_(1 + shrink)
        y = state.setdefault("win_y", start.clone()) if self.third else network.copy_(start)
        y.add_(move, alpha=r).add_(x, alpha=r).div_(1 + r + r * shrink)
        if self.third:
            network.copy_(start).add_(move, alpha=q).add_(x, alpha=q).add_(y, alpha=q / r)
            network.div_(1 + q + q / r + q * shrink)
