"""Win and Win2: an optimizer's steps, accelerated by weights that look ahead."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from nasengine.errors import RecipeError, did_you_mean

MODES = ("none", "win", "win2")
# How much larger the rates of the second and third sequence of weights are, as the authors set them.
RECKLESS = (2.0, 8.0)
PORTION = 2**18  # numbers of each sequence
Pile = list[Tensor]
Pair = tuple[Tensor, Tensor]  # a weight, and where it was before the step


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
        self.held = [list(torch._foreach_clone(group["params"])) for group in optimizer.param_groups]

    @torch.no_grad()
    def after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        for group, held in zip(optimizer.param_groups, self.held, strict=True):
            pairs = [pair for pair in zip(group["params"], held, strict=True) if pair[0].grad is not None]
            for some in portions(pairs):
                weights, starts = [weight for weight, _ in some], [start for _, start in some]
                self.move(optimizer, weights, starts, group["lr"] * self.weight_decay)
        self.held = []

    def move(self, optimizer: torch.optim.Optimizer, weights: Pile, starts: Pile, shrink: float) -> None:
        """Put y, or z, where the optimizer's step from `starts` has left its weights; starts are written over."""
        r, q = RECKLESS
        torch._foreach_sub_(weights, starts)
        moves = weights  # no copy: the weights come back at the end
        x = _sequence(optimizer, "win_x", weights, starts)
        y = _sequence(optimizer, "win_y", weights, starts) if self.third else starts
        torch._foreach_add_(x, moves)
        torch._foreach_div_(x, 1 + shrink)
        torch._foreach_add_(y, moves, alpha=r)
        torch._foreach_add_(y, x, alpha=r)
        torch._foreach_div_(y, 1 + r + r * shrink)
        if self.third:
            torch._foreach_add_(starts, moves, alpha=q)
            torch._foreach_add_(starts, x, alpha=q)
            torch._foreach_add_(starts, y, alpha=q / r)
            torch._foreach_div_(starts, 1 + q + q / r + q * shrink)
        torch._foreach_copy_(weights, starts)


def _sequence(optimizer: torch.optim.Optimizer, name: str, weights: Pile, starts: Pile) -> Pile:
    """One of the rule's sequences, which begins where the network does."""
    states = [optimizer.state[weight] for weight in weights]
    for state, start in zip(states, starts, strict=True):
        if name not in state:
            state[name] = start.clone()
    return [state[name] for state in states]


def portions(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Weights that are moved together: on a CPU what its caches hold from one operation to the next, else all."""
    some: list[Pair] = []
    count = 0
    for weight, start in pairs:
        count += weight.numel()
        if some and count > PORTION and weight.device.type == "cpu":
            yield some
            some, count = [], weight.numel()
        some.append((weight, start))
    if some:
        yield some
