"""The peak of live values: by hand, by MCUFormer's formulas, and as a real forward pass has it."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from nasengine import plugins
from nasengine.errors import SpaceError
from nasengine.interpreters.inside import Live, is_positionwise
from nasengine.interpreters.liveness import Step, peak, peak_memory, schedule
from nasengine.interpreters.shape import build
from nasengine.layers import (
    GELU,
    Attention,
    ChannelNorm,
    Expand,
    LayerScale,
    MaxPool,
    Norm,
    Pointwise,
    Pooling,
    RandomMixing,
    SepConv,
)
from nasengine.space import Architecture, Choice, Space, chain, nothing, op, residual, run

D, SIDE, RATIO = 8, 4, 3
N, H = SIDE * SIDE, RATIO * D
NO_PICKS = Architecture({})


def made(*steps: Any, side: int = SIDE) -> Space:
    return Space("made", (D, side, side), chain(*steps))


def values(space: Space, **how: bool) -> int:
    return peak_memory(space, NO_PICKS, bytes_per_value=1, **how)


def test_an_mlps_hidden_map_lives_beside_its_input_unless_tokens_are_overwritten() -> None:
    # MCUFormer (Liang et al., 2023, https://arxiv.org/abs/2310.16898): N (d + h), and N d + h with overwriting
    space = made(op(Expand, ratio=RATIO), op(Pointwise, width=D))
    assert values(space) == N * (D + H)
    assert values(space, overwriting=True) == N * D + H
    within = made(op(Expand, ratio=RATIO), op(GELU), op(Pointwise, width=D))
    assert values(within) == N * (H + H)
    assert values(within, overwriting=True) == N * D + H + H


def test_a_residual_keeps_its_input_while_the_branch_works() -> None:
    block = made(residual(op(Expand, ratio=RATIO), op(Pointwise, width=D)))
    assert values(block) == N * (D + H + D)  # its input, hidden map and output, while the second half works
    assert values(block, overwriting=True) == N * D + H + D  # a sum of tokens takes the input's place


def test_attention_keeps_its_matrix_only_where_it_is_asked_to() -> None:
    space = made(op(Attention, head=4), side=16)
    heads, positions = D // 4, 256
    assert values(space) < heads * positions**2 < values(space, fused=False)
    assert peak(space, NO_PICKS).place == peak(space, NO_PICKS, fused=False).place


def test_bytes_are_those_of_the_numbers_and_the_step_has_a_name() -> None:
    space = Space("made", (D, SIDE, SIDE), chain(first=op(Pointwise, width=2), wide=op(Expand, ratio=20)))
    assert peak(space, NO_PICKS, bytes_per_value=1).bytes == N * (2 + 40)
    assert peak(space, NO_PICKS).bytes == 4 * N * (2 + 40)
    assert peak(space, NO_PICKS).place == "wide"


@pytest.mark.parametrize(
    ("layer", "settings", "alone"),
    [
        (Expand, {"ratio": 2}, True), (ChannelNorm, {}, True), (GELU, {}, True), (LayerScale, {}, True),
        (Norm, {}, False), (Pooling, {"kernel": 3}, False), (Attention, {"head": 4}, False),
        (SepConv, {"kernel": 3}, False),
        (RandomMixing, {"positions": N}, False), (MaxPool, {"kernel": 3, "stride": 2}, False),
    ],
)  # fmt: skip
def test_layers_that_look_at_each_position_alone_are_found_out(
    layer: type, settings: dict[str, Any], alone: bool
) -> None:
    state = torch.random.get_rng_state()
    assert is_positionwise(layer, settings, [(D, SIDE, SIDE)]) == alone
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_network_without_an_output_is_refused() -> None:
    with pytest.raises(SpaceError, match="nothing leads from the input to the output"):
        peak(Space("none", (D, SIDE, SIDE), chain(nothing())), NO_PICKS)


class Real:
    """Runs a network on real images; what no later step reads is let go."""

    def __init__(self, steps: Sequence[Step], image: Tensor) -> None:
        self.held = {0: image}
        self.layers: dict[str, torch.nn.Module] = {}
        self.last = {buffer: number for number, step in enumerate(steps) for buffer in step.reads}
        self.steps = steps

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[int, ...]) -> int:
        return self._keep(self.layers[place](*(self.held[one] for one in inputs)), inputs)

    def add(self, place: str, inputs: Sequence[int]) -> int:
        total = self.held[inputs[0]]
        for one in inputs[1:]:
            total = total + self.held[one]
        return self._keep(total, inputs)

    def concat(self, place: str, inputs: Sequence[int]) -> int:
        return self._keep(torch.cat([self.held[one] for one in inputs], 1), inputs)

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, int]]) -> int:
        inputs = [one for _, one in on.values()]
        return inputs[0] if len(inputs) == 1 else self.add(name, inputs)

    def _keep(self, tensor: Tensor, inputs: Sequence[int]) -> int:
        for one in inputs:
            if tensor.untyped_storage()._cdata == self.held[one].untyped_storage()._cdata:
                self.held[one] = tensor
                return one
        number = len(self.held)
        self.held[number] = tensor
        for one in self.held:
            if self.last.get(one, len(self.steps)) <= number - 1:
                self.held[one] = torch.empty(0)
        return number


class Builds(Real):
    """The layers of a network, made before it is measured."""

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[int, ...]) -> int:
        shapes = [tuple(self.held[one].shape[1:]) for one in inputs]
        self.layers[place] = build(layer, shapes, settings).eval()
        return super().op(place, layer, settings, inputs)


def held_by(network: Any, picks: Architecture, by: Real, image: Tensor) -> int:
    """The most bytes in tensors at once; what a kernel needs for itself is not among them."""
    weights = [tensor for layer in by.layers.values() for tensor in layer.state_dict().values()]
    with Live(weights) as live:
        by.held = {0: image.clone()}
        run(network, (0,), picks, by)
    return 4 * live.peak


SPACES: list[tuple[str, dict[str, Any]]] = [
    ("metaformer", {"input": (3, 32, 32)}),
    ("mobile", {"input": (3, 64, 64)}),
    ("nasbench201", {"input": (3, 16, 16), "channels": 8}),
    ("darts", {"input": (3, 16, 16), "channels": 8, "layers": 3}),
]


@pytest.mark.parametrize(("name", "settings"), SPACES)
@torch.no_grad()
def test_a_real_forward_pass_holds_as_much(name: str, settings: dict[str, Any]) -> None:
    space = plugins.load_space(name, settings)
    for seed in range(2):
        picks = space.sample(random.Random(seed))
        image = torch.rand(1, *space.input)
        builds = Builds(schedule(space, picks), image)
        run(space.network, (0,), picks, builds)
        real = Real(builds.steps, image)
        real.layers = builds.layers
        assert held_by(space.network, picks, real, image) == pytest.approx(peak_memory(space, picks), rel=0.01)
