"""A device with a fake clock, and a space of a few tiny networks."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from nasengine.hardware.timing import Timing
from nasengine.layers import Classifier, ConvNorm
from nasengine.space import Space, chain, choose, op

WIDTHS = (2, 4, 8, 16)


class Counting:
    """A device on which everything takes as many milliseconds as it has thousands of parameters, plus one a network."""

    def __init__(self, **facts: Any):
        self.given, self.timed = facts, 0

    def facts(self) -> dict[str, Any]:
        return {"device": "counting", **self.given}

    def time(self, module: nn.Module, inputs: Sequence[Sequence[int]]) -> Timing:
        self.timed += 1
        with torch.no_grad():
            module(*(torch.zeros(1, *shape) for shape in inputs))
        taken = sum(one.numel() for one in module.parameters()) / 1000
        whole = 1.0 if type(module).__name__ == "Network" else 0.0
        return Timing(taken + whole, taken, taken, 50)


def tiny() -> Space:
    """Two convolutions, each of four widths and two kernels: 64 networks."""
    layer = op(ConvNorm, width=choose("width", *WIDTHS), kernel=choose("kernel", 1, 3))
    return Space("tiny", input=(1, 4, 4), network=chain(a=layer, b=layer, head=op(Classifier, classes=3)))
