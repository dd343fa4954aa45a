"""Costs against formulas, and against networks that are really built."""

import random

import pytest
from torch import Tensor, nn

from nasengine.interpreters.cost import Cost, cost, cost_by_layers
from nasengine.interpreters.model import Model
from nasengine.layers import Attention, Classifier, ConvNorm, DropPath, MaxPool, SeparableConv
from nasengine.plugins import listing, load_space
from nasengine.search_spaces import darts, metaformer
from nasengine.space import EVERYTHING, Architecture, Node, Space, aside, chain, choose, op, repeat

NONE = Architecture({})


def of(node: Node, picks: Architecture = NONE, size: tuple[int, ...] = (4, 8, 8)) -> Cost:
    return cost(Space("priced", size, node), picks)


def test_costs_by_formula() -> None:
    assert of(op(ConvNorm, width=6, kernel=3)) == Cost(4 * 6 * 9 + 12, 64 * 4 * 6 * 9)
    assert of(op(ConvNorm, width=6, kernel=3, stride=2)).macs == 16 * 4 * 6 * 9
    depthwise_and_pointwise = 4 * 9 + 4 * 4
    assert of(op(SeparableConv)) == Cost(2 * (depthwise_and_pointwise + 8), 2 * 64 * depthwise_and_pointwise)
    assert of(op(Classifier, classes=5)) == Cost(25, 20)
    # four projections, then both products of 64 positions with 64 positions
    assert of(op(Attention, head=2)) == Cost(4 * 16, 64 * 4 * 16 + 2 * 64 * 64 * 4)
    assert of(op(MaxPool)) == Cost(0, 0)


def test_costs_add_up_over_places() -> None:
    conv = op(ConvNorm, width=4, kernel=3)
    single, double = of(conv), of(repeat(conv, 2))
    assert double == Cost(2 * single.params, 2 * single.macs)


def test_what_is_for_training_alone_costs_nothing() -> None:
    conv = op(ConvNorm, width=4, kernel=3)
    assert of(chain(conv, op(DropPath), aside("help", op(Classifier, classes=9)))) == of(conv)


def test_only_what_was_picked_costs() -> None:
    mixer = choose("m", conv=op(ConvNorm, width=4, kernel=choose("kernel", 1, 3)), pool=op(MaxPool))
    assert of(mixer, Architecture({"m": ("pool",)})) == Cost(0, 0)
    assert of(mixer, Architecture({"m": ("conv",), "conv.kernel": ("1",)})).macs == 64 * 16


class Frozen(nn.Module):
    """Has weights that do not learn."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(nn.init.zeros_(nn.Conv2d(channels, channels, 1).weight), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight)


def test_weights_that_do_not_learn_are_weights() -> None:
    assert of(op(Frozen)) == Cost(16, 64 * 16)


@pytest.mark.parametrize("space", [darts.space(channels=4, layers=3), metaformer.space()], ids=["darts", "metaformer"])
def test_parameters_are_those_of_the_network(space: Space) -> None:
    architecture = space.sample(random.Random(1))
    built = Model(space, architecture)
    assert cost(space, architecture).params == sum(p.numel() for p in built.parameters())
    assert cost(space, EVERYTHING).params == sum(p.numel() for p in Model(space).parameters())


SPACES = [name for name, _ in listing("space")]


@pytest.mark.parametrize("name", SPACES)
def test_what_is_remembered_adds_up_to_every_layer(name: str) -> None:
    space, rng = load_space(name), random.Random(3)
    for _ in range(4):
        architecture = space.sample(rng)
        neighbour = space.mutate(architecture, rng)
        assert cost(space, architecture) == cost_by_layers(space, architecture)
        assert cost(space, neighbour) == cost_by_layers(space, neighbour)


def test_another_space_with_equal_names_is_counted_anew() -> None:
    narrow, wide = (darts.space(channels=channels, layers=3) for channels in (4, 8))
    architecture = narrow.sample(random.Random(1))
    assert cost(narrow, architecture) == cost_by_layers(narrow, architecture)
    assert cost(wide, architecture) == cost_by_layers(wide, architecture)
    assert cost(wide, architecture).params > cost(narrow, architecture).params
