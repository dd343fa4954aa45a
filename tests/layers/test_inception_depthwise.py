import pytest
import torch
from torch.nn.functional import conv2d

from nasengine.layers import InceptionDepthwise


def published_order(channels: int, parts: int) -> torch.Tensor:
    """Our channels in the order of the published split: those that pass, the squares, the rows, the columns."""
    group = channels // parts
    place = torch.arange(channels)
    turn = torch.where(place < group * parts, (place % parts - parts + 3).clamp(min=-1), -1)
    return torch.cat([place[turn == kind] for kind in (-1, 0, 1, 2)])


@pytest.mark.parametrize(("channels", "parts", "kernel"), [(40, 4, 9), (96, 8, 11), (20, 8, 7)])
def test_equals_the_published_split_with_its_channels_in_order(channels, parts, kernel):
    """InceptionNeXt (https://arxiv.org/abs/2303.16900): int(C r) channels for each convolution, the others pass."""
    torch.manual_seed(0)
    layer = InceptionDepthwise(channels, kernel, parts).double()
    group, order = int(channels / parts), published_order(channels, parts)
    x = torch.randn(2, channels, 7, 12, dtype=torch.float64)
    passed, *taken = x[:, order].split((channels - 3 * group, group, group, group), dim=1)
    expected = [passed]
    for part, conv, padding in zip(
        taken, (layer.square, layer.row, layer.column), (1, (0, kernel // 2), (kernel // 2, 0)), strict=True
    ):
        expected.append(conv2d(part, conv.weight, conv.bias, padding=padding, groups=group))
    output = layer(x)[:, order]
    assert torch.allclose(output, torch.cat(expected, 1), atol=1e-12)
    assert torch.equal(output[:, : channels - 3 * group], passed), "what passes is as it came, to the bit"


def test_weights_cost_a_twelfth_of_a_depthwise_convolution_of_seven():
    """34 for each of a group of C / 8 channels, against 50 C for 7 by 7 with biases: a ratio of 0.085."""
    assert sum(p.numel() for p in InceptionDepthwise(96).parameters()) == (10 + 24) * 12 == 0.085 * 50 * 96


@pytest.mark.parametrize("parts", [2, 17])
def test_parts_must_leave_a_channel_for_each_convolution(parts):
    with pytest.raises(ValueError, match=f"parts={parts} came for 16 channels; give 3 to 16"):
        InceptionDepthwise(16, parts=parts)
