"""Where blocks begin."""

import pytest
import torch
from torch import nn

from nasengine.interpreters.model import Model
from nasengine.proxies.blocks import block_of, maps_between_blocks
from nasengine.search_spaces import nasbench201


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("stem", "stem"),
        ("stage1.blocks.0.mixer", "stage1.blocks.0"),
        ("layer1.0.1.conv", "layer1.0.1"),
        ("stage1.0.edge_0_1.2", "stage1.0"),
    ],
)
def test_a_block_is_named_by_its_leading_numbers(name: str, block: str) -> None:
    assert block_of(name) == block


def test_cells_of_a_space_are_blocks() -> None:
    space = nasbench201.space(input=(3, 8, 8), channels=2, cells=2)
    cell = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
    network = Model(space, nasbench201.from_string(cell))
    read: list[torch.Tensor] = []
    for name in ("reduction1", "reduction2", "head"):
        network.get_submodule(name).register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    maps = maps_between_blocks(network, torch.randn(2, 3, 8, 8))
    # after the stem, two cells, a reduction, two cells, a reduction, two cells
    assert [x.shape[1] for x in maps] == [2, 2, 2, 4, 4, 4, 8, 8, 8]
    assert all(any(one is x for x in maps) for one in read)


def test_what_only_shifts_is_no_block_and_a_map_read_twice_counts_once() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.positions = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)
            self.cells = nn.ModuleList(nn.Conv2d(4, 4, 1) for _ in range(2))
            self.head = nn.Conv2d(4, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.positions(self.stem(x))
            return self.head(self.cells[0](x) + self.cells[1](x))

    network, hooks = Two(), []
    maps = maps_between_blocks(network, torch.randn(2, 3, 4, 4))
    assert len(maps) == 2
    hooks = [hook for module in network.modules() for hook in module._forward_pre_hooks]
    assert hooks == []
