"""How fast Adan's step is: against grouped operations as the rule is published, and against torch's fused AdamW.

    python -m benchmarks.adan_step

Memory is had from the C library as in any process. Where freed memory is kept, as in our trainings, grouped operations
on 25M weights take a third less time, and ours as much as here.
"""

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from benchmarks.measure import Measured, interleaved, quiet_process, repeat, show
from nasengine.native.build import library
from nasengine.training.adan import Adan

LR, DECAY, EPS = 0.01, 0.02, 1e-8
PEER = "grouped operations, as published"


class Steps(Protocol):
    """What takes steps."""

    def step(self) -> object:
        """Take one step."""


Maker = Callable[[list[Tensor]], Steps]


class Setting(NamedTuple):
    """How many weights in how many tensors, the steps of a turn, and the goal."""

    tensors: int
    total: int
    steps: int
    goal: float


SETTINGS = (Setting(160, 25_000_000, 2, 5.0), Setting(50, 1_000_000, 30, 3.0))
TURNS = 3  # of a round


class Grouped:
    """The rule of Xie et al., 2022 (https://arxiv.org/abs/2208.06677), one grouped operation after the other.

    As the optimizers that are in use write it: the proximal decay, the negated former gradient kept and worked in,
    bias corrections by the number of steps of all.
    """

    def __init__(self, weights: list[Tensor]) -> None:
        self.weights, self.number = weights, 0
        self.averages, self.differences, self.squares = ([torch.zeros_like(w) for w in weights] for _ in range(3))
        self.former = [-w.grad for w in weights if w.grad is not None]

    @torch.no_grad()
    def step(self) -> None:
        """Take one step."""
        b1, b2, b3 = 0.98, 0.92, 0.99
        self.number += 1
        c1, c2, root = 1 - b1**self.number, 1 - b2**self.number, (1 - b3**self.number) ** 0.5
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        torch._foreach_add_(self.former, gradients)
        torch._foreach_mul_(self.averages, b1)
        torch._foreach_add_(self.averages, gradients, alpha=1 - b1)
        torch._foreach_mul_(self.differences, b2)
        torch._foreach_add_(self.differences, self.former, alpha=1 - b2)
        torch._foreach_mul_(self.former, b2)
        torch._foreach_add_(self.former, gradients)
        torch._foreach_mul_(self.squares, b3)
        torch._foreach_addcmul_(self.squares, self.former, self.former, 1 - b3)
        bottoms = torch._foreach_sqrt(self.squares)
        torch._foreach_div_(bottoms, root)
        torch._foreach_add_(bottoms, EPS)
        torch._foreach_addcdiv_(self.weights, self.averages, bottoms, -LR / c1)
        torch._foreach_addcdiv_(self.weights, self.differences, bottoms, -LR * b2 / c2)
        torch._foreach_div_(self.weights, 1 + LR * DECAY)
        torch._foreach_zero_(self.former)
        torch._foreach_add_(self.former, gradients, alpha=-1)


def weights_of(tensors: int, total: int) -> list[Tensor]:
    """Weights of equal sizes, with gradients."""
    torch.manual_seed(0)
    weights = [torch.randn(total // tensors, requires_grad=True) for _ in range(tensors)]
    for weight in weights:
        weight.grad = torch.randn_like(weight)
    return weights


def measured(setting: Setting, slow: Maker, fast: Maker, rounds: int) -> tuple[float, float]:
    """The two optimizers' ratio and spread, each on weights of its own, several steps a turn."""
    weights = weights_of(setting.tensors, setting.total)
    steps = [make(own).step for make, own in ((slow, weights), (fast, copy.deepcopy(weights)))]
    for step in steps:  # memory that both take for good, before either one is warmed up
        step()
    of_slow, of_fast = (partial(repeat, step, setting.steps) for step in steps)
    return interleaved(of_slow, of_fast, rounds, turns=TURNS)


def measurements(rounds: int = 7) -> Iterator[Measured]:
    """The figures of one thread: two settings, what serves where no compiler is found, and torch's AdamW."""
    note = "" if library("adan") else "no compiler: torch's own operations, block by block"
    for setting in SETTINGS:
        name = f"Adan step, {setting.tensors} tensors, {setting.total // 1_000_000}M weights"
        yield Measured(name, *measured(setting, Grouped, ours, rounds), setting.goal, PEER, note=note)
        in_torch = measured(setting, Grouped, without_compiler, rounds)
        yield Measured(f"{name}, without a compiler", *in_torch, 1.0, PEER, note="torch's operations, block by block")
    slower = measured(SETTINGS[0], ours, fused_adamw, rounds)
    yield Measured(
        "Adan step as a multiple of AdamW's, 25M weights", *slower, 1.45, "torch's fused AdamW", at_most=True,
        note="11 numbers a weight cross the bus, against 7",
    )  # fmt: skip


def ours(weights: list[Tensor]) -> torch.optim.Optimizer:
    """Adan as the recipes build it, without clipping."""
    return Adan(weights, lr=LR, weight_decay=DECAY, eps=EPS)


def without_compiler(weights: list[Tensor]) -> torch.optim.Optimizer:
    """Adan in torch's own operations."""
    return Adan(weights, lr=LR, weight_decay=DECAY, eps=EPS, foreach=False)


def fused_adamw(weights: list[Tensor]) -> torch.optim.Optimizer:
    """The yardstick of what memory allows: a step of one pass over seven numbers a weight."""
    return torch.optim.AdamW(weights, lr=LR, weight_decay=DECAY, fused=True)


def main() -> None:
    """Print a table."""
    quiet_process()
    show(measurements(), "Adan, one thread")


if __name__ == "__main__":
    main()
