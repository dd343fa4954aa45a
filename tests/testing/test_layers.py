"""The contract of layers finds what is wrong with one, and lets the honest pass."""

import pytest
import torch
from torch import Tensor, nn

from nasengine import layers
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
    assert told["can be cut to groups 2"].startswith("Grouped with groups 4 and 2")


def test_random_numbers_and_precision_are_left_as_they_were() -> None:
    torch.manual_seed(1)
    wanted = torch.rand(1)
    torch.manual_seed(1)
    check_layer(Identity)
    given = torch.rand(1)
    assert given.dtype == torch.float32
    assert torch.equal(given, wanted)


def test_layers_that_only_the_leading_channels_serve_say_why() -> None:
    """All others are cut at any window: check_layer holds them to it."""
    reasons = {name: getattr(getattr(layers, name), "leading_only", "") for name in layers.__all__}
    assert {name for name, reason in reasons.items() if reason} == {"InceptionMixer", "Truncate"}


class HalfPasses(nn.Module):
    """The first four channels pass, the others are mixed: only the leading channels keep their meaning."""

    def __init__(self, channels: int):
        super().__init__()
        self.rest = nn.Conv2d(channels - 4, channels - 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((x[:, :4], self.rest(x[:, 4:])), 1)


class SaysWhy(HalfPasses):
    """The same, with a reason."""

    leading_only = "its first four channels pass"


def test_what_other_windows_break_needs_a_reason() -> None:
    [fault] = check_layer(HalfPasses).faults
    assert fault.name == "can be cut at any window of the channels, or says why not"
    assert "or say in the class attribute leading_only why" in str(fault.fault)
    assert check_layer(SaysWhy).ok
