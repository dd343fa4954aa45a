"""AZ-NAS (Lee and Ham, 2024, https://arxiv.org/abs/2403.19232)."""

import math

import pytest
import torch
from torch import nn

from nasengine.errors import NasError
from nasengine.proxies.az_nas import az_nas, entropy, folded, preserved, ranked, trainability
from nasengine.proxies.probe import Probe


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_trainability_is_best_where_gradients_keep_their_size() -> None:
    torch.manual_seed(0)
    orthogonal = torch.linalg.qr(torch.randn(6, 6))[0]
    assert trainability(orthogonal) == pytest.approx(0, abs=1e-5)
    assert all(trainability(scale * orthogonal) < -0.04 for scale in (0.25, 0.8, 1.25, 4))
    assert trainability(torch.full((2, 2), math.nan)) == -math.inf


def test_a_block_that_does_nothing_is_not_trainable_and_one_that_halves_is_worse_than_a_rotation() -> None:
    before = torch.randn(8, 6, 4, 4, requires_grad=True)
    rotation = torch.linalg.qr(torch.randn(6, 6))[0]
    assert preserved(before, before * 1, random()) == -math.inf
    rotated = preserved(before, torch.einsum("dc,bchw->bdhw", rotation, before), random())
    # the mean product of random signs is not exactly the unit matrix: 128 pixels
    assert preserved(before, before * 0.25, random()) < rotated < 0
    assert rotated > -0.5


def test_strides_are_folded_into_channels() -> None:
    x = torch.arange(2 * 3 * 4 * 4).float().view(2, 3, 4, 4)
    assert torch.equal(folded(x, (2, 2)), nn.functional.pixel_unshuffle(x, 2))
    assert folded(torch.ones(1, 1, 7, 7), (4, 4)).shape == (1, 4, 4, 4)
    assert folded(torch.ones(1, 1, 7, 7), (4, 4)).sum() == 49
    assert folded(x, (8, 8)) is x
    before = torch.randn(4, 3, 8, 8, requires_grad=True)
    assert math.isfinite(preserved(before, nn.Conv2d(3, 5, 3, 2, 1)(before), random()))
    assert math.isfinite(preserved(before, nn.Upsample(scale_factor=2)(before), random()))


def test_expressivity_is_the_entropy_of_principal_components() -> None:
    torch.manual_seed(0)
    alike = torch.randn(64, 1, 8, 8).expand(-1, 4, -1, -1)
    assert entropy(torch.randn(64, 4, 8, 8)) == pytest.approx(math.log(4), rel=1e-2)
    assert entropy(alike) == pytest.approx(0, abs=1e-4)


def test_components_of_a_network() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(*[nn.Conv2d(3 if i == 0 else 8, 8, 3, padding=1) for i in range(4)], nn.Flatten())
    found = az_nas(Probe(network, [(torch.zeros(8, 3, 8, 8), torch.zeros(8).long())]))
    assert list(found) == ["expressivity", "progressivity", "trainability"]
    assert 0 < found["expressivity"] <= 4 * math.log(8)
    assert found["progressivity"] < 0 and found["trainability"] < 0


def test_a_network_without_blocks_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(NasError, match="proxy az-nas: the network gives 0 maps between its blocks"):
        az_nas(Probe(network, [(torch.zeros(8, 3, 2, 2), torch.zeros(8).long())]))


def test_only_the_order_within_each_component_counts() -> None:
    torch.manual_seed(0)
    rows = [{"a": float(a), "b": float(b)} for a, b in torch.randn(9, 2)]
    bent = [{"a": math.exp(3 * row["a"]), "b": row["b"] ** 3 - 7} for row in rows]
    scores = [ranked(row, [other for other in rows if other is not row]) for row in rows]
    assert scores == [ranked(row, [other for other in bent if other is not row]) for row in bent]
    assert min(scores) < max(scores) <= 0


def test_ranks_are_counted_from_the_worst_and_ties_share_theirs() -> None:
    others = [{"a": 1.0}, {"a": 2.0}, {"a": -math.inf}]
    assert ranked({"a": 3.0}, others) == 0
    assert ranked({"a": 1.5}, others) == math.log(3 / 4)
    assert ranked({"a": -math.inf}, others) == math.log(1.5 / 4)
