"""What a layer does is found by tracing it; a layer that does more than is known has no program, and a reason."""

import pytest
import torch
from torch import Tensor, nn

from nasengine.interpreters.fused.programs import Programs, program
from nasengine.interpreters.fused.tracing import Unknown
from nasengine.layers import DropPath, FactorizedReduce, Identity, MaxPool, ReLUConvNorm, SeparableConv


def kinds(layer: nn.Module) -> list[str]:
    return [step.kind + "*" * step.rectified for step in program(layer).steps]


def test_layers_of_cells_are_known() -> None:
    assert kinds(Identity(4)) == []
    assert kinds(MaxPool(4)) == ["pool"]
    assert kinds(ReLUConvNorm(4, 8)) == ["pass", "conv*", "norm"]
    assert kinds(SeparableConv(4)) == ["pass", "conv*", "conv", "norm"] * 2
    assert kinds(FactorizedReduce(4)) == ["relu", "crop", "pad", "conv", "conv", "interleave", "norm"]


class Layer(nn.Module):
    """A layer made of one function."""

    def __init__(self, run: object) -> None:
        super().__init__()
        self.run, self.norm = run, nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (lambda layer, x: x + 1, "it calls add"),
        (lambda layer, x: torch.relu(x) if layer.training else x, "something else in training"),
        (lambda layer, x: x if x.sum() > 0 else x, "cannot be traced"),
        (lambda layer, x: torch.cat([x, x], 1), "it calls cat"),
        (lambda layer, x: x[:, 1:], "it calls getitem"),
        (lambda layer, x: torch.relu_(x), "it calls relu_"),
        (lambda layer, x: nn.functional.relu(x, inplace=True), "it calls relu"),
        (lambda layer, x: nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"), "it calls pad"),
    ],
)  # fmt: skip
def test_others_say_why_they_are_not(run: object, why: str) -> None:
    with pytest.raises(Unknown, match=why):
        program(Layer(run))


def test_norms_without_a_fixed_momentum_and_random_layers_are_not() -> None:
    with pytest.raises(Unknown, match="holds a BatchNorm2d"):
        program(nn.Sequential(nn.BatchNorm2d(4, momentum=None)))
    with pytest.raises(Unknown, match="random numbers"):
        program(DropPath(4))


def test_layers_that_are_alike_are_traced_once_and_the_mode_stays() -> None:
    programs, layer = Programs(), ReLUConvNorm(4, 8).eval()
    assert programs.of([layer, ReLUConvNorm(4, 8)]) is programs.of([ReLUConvNorm(4, 8)])
    assert not layer.training and not layer.norm.training
    assert programs.of([DropPath(4)]) is None and programs.apart == {"DropPath": "it draws random numbers in training"}


def test_layers_that_are_not_alike_have_no_program_in_common() -> None:
    programs = Programs()
    assert programs.of([MaxPool(4), MaxPool(4, 5)]) is None
    assert programs.apart == {"MaxPool": "its places differ"}
