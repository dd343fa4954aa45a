"""What every score stands on: copies, and random numbers of its own."""

import copy

import pytest
import torch
from torch import nn

from nasengine.proxies.probe import Probe, renewed
from nasengine.proxies.scores import SCORES, az_nas


class Residual(nn.Module):
    """A small network with what proxies have to leave alone: dropout, batch statistics, activations as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.body = nn.ModuleList(nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)) for _ in range(2))
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for block in self.body:
            x = x + torch.relu(block(x))
        return self.head(self.drop(x.mean((2, 3))))


def probe(seed: int = 0, number: int = 2) -> Probe:
    torch.manual_seed(1)
    batches = [(torch.randn(6, 3, 8, 8), torch.randint(0, 4, (6,))) for _ in range(number)]
    return Probe(Residual().eval(), batches, seed)


@pytest.mark.parametrize("name", [*SCORES, "az-nas"])
def test_no_score_touches_the_network_or_global_random_numbers(name: str) -> None:
    asked = probe()
    before, state = copy.deepcopy(asked.network.state_dict()), torch.get_rng_state()
    score = SCORES.get(name, az_nas)
    options = {"repeats": 2} if name == "zen" else {}
    first = score(asked, **options)
    assert not asked.network.training
    assert all(torch.equal(value, before[key]) for key, value in asked.network.state_dict().items())
    assert all(parameter.grad is None for parameter in asked.network.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    assert score(probe(), **options) == first, "the same network, batch and seed give the same score"


def test_a_run_is_shared() -> None:
    asked = probe()
    SCORES["snip"](asked)
    run = asked.run()
    SCORES["zico"](asked)
    assert asked.run() is run


def test_random_numbers_are_by_seed_and_purpose() -> None:
    drawn = {
        (seed, purpose): tuple(torch.randn(3, generator=probe(seed).random(purpose)).tolist())
        for seed in (0, 1)
        for purpose in ("zen", "meco")
    }
    assert len(set(drawn.values())) == 4


def test_renewed_weights_have_the_variance_asked_for() -> None:
    network = nn.Sequential(nn.Conv2d(64, 64, 3), nn.BatchNorm2d(64), nn.Linear(64, 64))
    nn.init.constant_(network[1].weight, 7.0)
    renewed(network, torch.Generator().manual_seed(0), gain=2**0.5)
    assert float(network[0].weight.detach().var()) == pytest.approx(2 / (64 * 9), rel=0.05)
    assert float(network[2].bias.detach().abs().sum()) == 0
    assert set(network[1].weight.tolist()) == {1.0}
    renewed(network, torch.Generator().manual_seed(0))
    assert float(network[0].weight.detach().var()) == pytest.approx(1, rel=0.05)
