"""The contract of layers finds what is wrong with one, and lets the honest pass."""

import pytest
import torch
from torch import Tensor, nn

from nasengine.errors import NasError
from nasengine.layers import AvgPool, DropPath, Identity, Zero
from nasengine.testing.layers import check_layer


class Layer(nn.Module):
    """A pointwise convolution, to break in one way each."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class FalseIdentity(Layer):
    identity = True


class FalseZero(Layer):
    zero = True


class FalseKeepsZero(Layer):
    keeps_zero = True


class FalseTrainingOnly(Layer):
    training_only = True


class Dead(Layer):
    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.detach()).detach() + x


class Flat(Layer):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(2, -1, *x.shape[2:]) if len(x) > 1 else x


class Sum(nn.Module):
    """Two values in."""

    def __init__(self, channels: tuple[int, int]):
        super().__init__()
        self.left, self.right = (nn.Conv2d(width, 8, 1) for width in channels)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.left(a) + self.right(b)


class Grouped(nn.Module):
    """A convolution whose groups may be chosen, which nothing can be cut from."""

    def __init__(self, channels: int, groups: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class NeedsNasError(Layer):
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] == 7:
            raise NasError("seven")
        return self.conv(x)


def test_an_honest_layer_passes() -> None:
    for layer in (Layer, Identity, Zero, DropPath, AvgPool):
        check_layer(layer).require()
    check_layer(Sum, inputs=2).require()


@pytest.mark.parametrize(
    ("layer", "claim", "words"),
    [
        (FalseIdentity, "is what it says it is", r"says \['identity'\], but at evaluation its output is not its input"),
        (FalseTrainingOnly, "is what it says it is", r"says \['training_only'\]"),
        (FalseZero, "is what it says it is", "says zero, but puts out other numbers"),
        (FalseKeepsZero, "is what it says it is", "makes something of zeros"),
        (Dead, "runs on images alone and in batches", r"no gradient reaches: \['conv.weight', 'conv.bias'\]"),
        (Flat, "runs on images alone and in batches", r"a batch of 3 gives \(2, 48, 8, 8\), the meta device \(3, 32,"),
        (NeedsNasError, "stands alone as source", r"test_layers\.py:\d+: NasError: imported from nasengine\.errors"),
    ],
)
def test_a_false_word_is_found(layer: type, claim: str, words: str) -> None:
    report = check_layer(layer)
    assert claim in [check.name for check in report.faults]
    with pytest.raises(AssertionError, match=words):
        report.require()


def test_each_size_is_a_claim_of_its_own() -> None:
    report = check_layer(Grouped, sizes={"groups": (2, 4)})
    told = {check.name: check.fault for check in report.faults}
    assert list(told) == ["can be cut to half the channels that arrive", "can be cut to groups 2"]
    assert told["can be cut to groups 2"].startswith("setting 'groups': Grouped with groups 4 and 2")


def test_random_numbers_and_precision_are_left_as_they_were() -> None:
    torch.manual_seed(1)
    wanted = torch.rand(1)
    torch.manual_seed(1)
    check_layer(Identity)
    given = torch.rand(1)
    assert given.dtype == torch.float32
    assert torch.equal(given, wanted)
