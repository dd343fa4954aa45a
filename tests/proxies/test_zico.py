"""ZiCo (Li et al., 2023, https://arxiv.org/abs/2301.11300)."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from nasengine.proxies.probe import Probe
from nasengine.proxies.zico import steadiness, zico


def test_less_noise_at_equal_means_scores_higher() -> None:
    torch.manual_seed(0)
    mean, noise = torch.rand(50).double() + 1, torch.rand(50).double()
    scores = [steadiness([[mean + scale * noise, mean - scale * noise]]) for scale in (0.5, 0.1, 0.01)]
    assert scores == sorted(scores)
    assert scores[2] - scores[1] == pytest.approx(math.log(10), rel=1e-5)


def test_what_does_not_vary_is_left_out() -> None:
    varies = [torch.tensor([1.0, 3.0]), torch.tensor([3.0, 5.0])]  # means 2 and 4, deviations 1 and 1
    with_constant = [torch.tensor([1.0, 7.0, 3.0]), torch.tensor([3.0, 7.0, 5.0])]
    constant = [torch.tensor([7.0]), torch.tensor([7.0])]
    assert steadiness([varies]) == steadiness([with_constant]) == steadiness([varies, constant]) == math.log(6)


def test_every_batch_has_a_gradient_of_its_own() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    batches = [(torch.randn(4, 3, 2, 2), torch.randint(0, 3, (4,))) for _ in range(3)]
    gradients = [
        torch.autograd.grad(functional.cross_entropy(network(x), labels), network[1].weight)[0] for x, labels in batches
    ]
    assert zico(Probe(network, batches)) == pytest.approx(steadiness([gradients]), rel=1e-6)
