"""Counting is quick, and gives what torch's own counter gives: for every layer, at several shapes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from nasengine import layers
from nasengine.errors import SpaceError
from nasengine.interpreters.multiply_adds import MultiplyAdds
from nasengine.interpreters.outlines import outline
from nasengine.interpreters.shape import build, layer_facts
from tests.contracts.test_layers import SETTINGS

SIDES = [(8, 8), (7, 9)]
ONE_SIZE = {"PatchEmbedding", "PositionMap", "RandomMixing", "TokenMLP"}


def largest(name: str) -> dict[str, Any]:
    """The settings that the contract checks a layer with."""
    settings = dict(SETTINGS.get(name, {}))
    return {**{size: max(values) for size, values in settings.pop("sizes", {}).items()}, **settings}


class Compared(TorchDispatchMode):
    """Runs everything as torch does, and holds each outline against its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.outlined: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made, output = outline(func, args, kwargs or {}), func(*args, **(kwargs or {}))
        if made is not None:
            self.outlined.add(str(func))
            facts = [_facts(found[0] if isinstance(found, tuple) else found) for found in (made, output)]
            assert facts[0] == facts[1], func
        return output


def _facts(tensor: Tensor) -> tuple[Any, ...]:
    strides = [stride for n, stride in zip(tensor.shape, tensor.stride(), strict=True) if n > 1]
    return tuple(tensor.shape), strides, tensor.dtype, tensor.device


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("name", layers.__all__)
def test_every_layer_counts_as_torch_counts_it(name: str, sides: tuple[int, int]) -> None:
    layer, settings = getattr(layers, name), largest(name)
    inputs = ((32, *(SIDES[0] if name in ONE_SIZE else sides)),) * settings.pop("inputs", 1)
    with torch.device("meta"), Compared() as seen:
        module, maps = build(layer, inputs, settings).eval(), [torch.empty(2, *size) for size in inputs]
        module(*maps)
    with FlopCounterMode(display=False) as torchs:
        output = module(*maps)
    facts = layer_facts("here", layer, settings, inputs)
    assert (2 * 2 * facts.macs, facts.output) == (torchs.get_total_flops(), tuple(output.shape[1:]))
    with MultiplyAdds(quick=False) as slow:
        module(*maps)
    assert slow.total == 2 * facts.macs
    assert seen.outlined or not list(module.parameters())


QUICK = """
import sys
from nasengine.interpreters.cost import cost
from nasengine.plugins import listing, load
for name, _ in listing("space"):
    for known, published in list(getattr(load("space", name), "ARCHITECTURES", {}).items())[-1:]:
        space = load("space", name).space(**published.settings)
        cost(space, space.check(published.picks))
        heavy = sys.modules.keys() & {"torch._dynamo", "sympy", "sqlalchemy"}
        assert not heavy, f"{known} of {name} loads {heavy}"
"""


def test_no_published_network_loads_the_compiler_to_be_counted() -> None:
    here = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", QUICK], cwd=here, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


class Wrong(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels + 1, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Strange(nn.Module):
    """Operators that have no outline here, and types that differ."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.ConvTranspose2d(channels, 2 * channels, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.einsum("bchw,bdhw->bcd", self.conv(x)[..., :8, :8], x).double() + x.mean()
        return (x.cumsum(1) * x.float().clamp(0)).flatten(1)


def test_what_is_wrong_is_said_in_torchs_words() -> None:
    with pytest.raises(SpaceError, match="Wrong.*Invalid channel dimensions"):
        layer_facts("here", Wrong, {}, ((4, 8, 8),))
    with pytest.raises(SpaceError, match="[Kk]ernel size can't be greater than actual input size"):
        layer_facts("here", nn.Conv2d, {"out_channels": 4, "kernel_size": 5}, ((4, 3, 3),))


def test_what_has_no_outline_is_torchs_to_answer() -> None:
    facts = layer_facts("here", Strange, {}, ((4, 8, 8),))
    assert facts.output == (8 * 4,)


def test_counts_in_inference_mode_too() -> None:
    with torch.inference_mode():
        facts = layer_facts("here", nn.Linear, {"out_features": 7}, ((5,),))
    assert (facts.output, facts.macs) == ((7,), 35)
