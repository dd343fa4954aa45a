"""Layers of several choices run as one give each choice its own, whatever the layers are made of."""

import random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nasengine.interpreters.fused.network import Fused
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, ConvNormReLU, Identity, UpsampleTo
from nasengine.space import Mixture, Node, Space, chain, choose, concat, network, op, reads
from tests.interpreters.fused.both import differences, is_fused, made

GATES = {"one": 0.1, "two": 0.7}


class Pools(nn.Module):
    """A pool with settings that its words do not show."""

    kind = "pool"

    def __init__(self, channels: int, **settings: Any):
        super().__init__()
        self.pool = nn.AvgPool2d(3, 2, 1, **settings)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)


class Halves(nn.Module):
    """Channels of two values in turns: of what all share and of a convolution, or of two convolutions."""

    kind = "conv"

    def __init__(self, channels: int, first: int = 0, second: int = 4):
        super().__init__()
        self.first = nn.Conv2d(channels, first, 1) if first else nn.Identity()
        self.second = nn.Conv2d(channels, second, 1)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.channel_shuffle(torch.cat([self.first(x), self.second(x)], 1), 2)


class Branching(nn.Module):
    """A norm where enough channels arrive."""

    kind = "norm"

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels) if channels > 8 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


class ReLUs(nn.Module):
    """ReLU in place, of a norm or of what comes in."""

    kind = "conv"

    def __init__(self, channels: int, first: bool = False):
        super().__init__()
        self.norm = nn.Identity() if first else nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.norm(x))


def pair(first: Node, second: Node, widths: tuple[int, ...] = (4,)) -> Model:
    """The same choice between two layers at two edges, one group; once more after each further width."""
    steps: dict[str, Any] = {}
    for i, width in enumerate(widths):
        steps[f"stem{i}"] = op(ConvNorm, width=width)
        for side in "ab":
            steps[f"{side}{i}"] = reads(f"stem{i}", choose("op", one=first, two=second))
        steps[f"sum{i}"] = reads(f"a{i}", f"b{i}", concat())
    return made(Space("own", (3, 6, 6), network(**steps, head=op(Classifier, classes=3))))


def mixed(model: Model) -> Mixture:
    rng = random.Random(0)
    decisions = model.space.decisions
    return Mixture({n: {o: torch.tensor(rng.random()).double() for o in d.relaxed} for n, d in decisions.items()})


@pytest.mark.parametrize(
    "settings", [{"count_include_pad": False}, {"ceil_mode": True, "count_include_pad": False}, {"divisor_override": 5}]
)  # fmt: skip
def test_pools_that_differ(settings: dict[str, Any]) -> None:
    model = pair(op(Pools), op(Pools, **{**settings, "ceil_mode": False}))
    assert not differences(model, mixed(model)) and is_fused(model, mixed(model))


@pytest.mark.parametrize(("first", "second"), [(0, 4), (2, 6), (4, 4)])
def test_halves_that_differ(first: int, second: int) -> None:
    model = pair(op(Halves, first=first, second=second), op(ConvNorm, width=8))
    assert not differences(model, mixed(model)) and Fused(model).apart == {}


def test_layers_that_follow_from_the_width() -> None:
    model = pair(op(Branching), op(Identity), (8, 16))
    assert not differences(model, mixed(model)) and Fused(model).apart == {}


@pytest.mark.parametrize("first", [True, False])
def test_what_changes_its_input(first: bool) -> None:
    model = pair(op(ReLUs, first=first), op(ConvNorm, width=4))
    assert ("ReLUs" in Fused(model).apart) == first
    assert first or not differences(model, mixed(model))


def test_layers_in_another_order() -> None:
    """Two choices are one group only where their layers come in the same order."""
    a, b = op(ConvNorm, width=4), op(ConvNormReLU, width=4, kernel=3)
    parts = {"a": reads("input", a), "b": reads("input", b)}
    last = reads("a", "b", op(UpsampleTo))
    options = [network(**{n: parts[n] for n in order}, c=last) for order in ("ab", "ba", "ab")]
    body = {f"edge{i}": reads("stem", choose("op", one=o, two=op(Identity))) for i, o in enumerate(options)}
    steps = network(stem=op(ConvNorm, width=4), **body, sum=reads(*body, concat()), head=op(Classifier, classes=3))
    model = made(Space("own", (3, 6, 6), steps))
    assert not differences(model, mixed(model)) and len(Fused(model).groups) == 2


def test_a_norm_that_two_layers_read_sees_a_batch_once() -> None:
    option = network(a=op(ConvNorm, width=4), b=reads("a", op(ConvNorm, width=4)), c=reads("b", "a", op(UpsampleTo)))
    model = pair(option, op(Identity))
    assert not differences(model, mixed(model)) and is_fused(model, mixed(model))


def test_numbers_as_gates_are_as_exact_as_the_images() -> None:
    model = pair(op(ConvNorm, width=4), op(Identity))
    assert not differences(model, Mixture(dict.fromkeys(model.space.decisions, GATES)))


def test_half_precision_with_gates_in_single() -> None:
    model = pair(op(ConvNorm, width=4, affine=False), op(ConvNorm, width=4)).bfloat16()
    images = torch.randn(4, 3, 6, 6).bfloat16()
    mixture = Mixture({n: {"one": torch.tensor(0.1), "two": 0.7} for n in model.space.decisions})
    with torch.no_grad():
        wanted, found = model(images, mixture), Fused(model)(images, mixture)
    assert found.dtype == torch.bfloat16 and torch.allclose(wanted, found, atol=0.1)


def test_casting_to_half_precision() -> None:
    """What is made of images in single precision is not all of one type."""
    choice = choose("op", one=op(ConvNorm, width=8), two=op(ConvNorm, width=8, kernel=3), three=op(Identity))
    space = Space("own", (8, 16, 16), chain(choice, op(Classifier, classes=3)))
    torch.manual_seed(0)
    model, images = Model(space).train(), torch.randn(32, 8, 16, 16)
    mixture = Mixture({"op": {"one": torch.tensor(0.3), "two": 1.0, "three": 0.5}})
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        wanted, found = model(images, mixture), Fused(model)(images, mixture)
    assert float((wanted - found).norm() / wanted.norm()) < 0.1


def test_two_batches_before_one_backward() -> None:
    """The second leaves as they were the numbers that the first's backward needs."""
    model = pair(op(ConvNorm, width=4), op(Identity))
    network, images = Fused(model), torch.randn(4, 3, 6, 6).double()
    every = mixed(model).by_decision
    some = {**every, "b0.op": {"two": 1.0}}
    first, second = (network(images, Mixture(gates)).sum() for gates in (every, some))
    (first + second).backward()
