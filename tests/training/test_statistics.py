"""Norms' statistics estimated anew: what they equal, and what stays as it was."""

import pytest
import torch
from torch import Tensor, nn

from nasengine.errors import TrainingError
from nasengine.layers import DropPath
from nasengine.training.data import Split
from nasengine.training.statistics import estimate_statistics


def images(count: int = 48) -> Split:
    made = 3 + 2 * torch.randn(count, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    return Split(made, torch.zeros(count, dtype=torch.int64))


def norm_first(*before: nn.Module) -> tuple[nn.Sequential, nn.BatchNorm2d]:
    norm = nn.BatchNorm2d(2)
    return nn.Sequential(*before, norm, nn.Flatten(), nn.Linear(32, 3)), norm


def test_over_the_whole_set_they_are_the_mean_and_the_variance_of_the_data() -> None:
    model, norm = norm_first()
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.fill_(100)  # what is there leaves no trace
    split = images()
    assert estimate_statistics(model, split, batches=5, batch=48) == 1
    torch.testing.assert_close(norm.running_mean, split.images.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, split.images.var((0, 2, 3)))


def test_over_batches_they_are_the_plain_average_which_comes_close() -> None:
    model, norm = norm_first()
    split = images(52)
    assert estimate_statistics(model, split, batches=100, batch=16, seed=3) == 3  # 4 images make no batch
    order = torch.randperm(52, generator=torch.Generator().manual_seed(3))[:48]
    parts = [split.images[some] for some in order.split(16)]
    torch.testing.assert_close(norm.running_mean, torch.stack([part.mean((0, 2, 3)) for part in parts]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([part.var((0, 2, 3)) for part in parts]).mean(0))
    torch.testing.assert_close(norm.running_var, split.images.var((0, 2, 3)), rtol=0.05, atol=0)


def test_as_many_batches_as_asked_for_the_same_for_one_seed() -> None:
    found = []
    for seed in (1, 1, 2):
        model, norm = norm_first()
        assert estimate_statistics(model, images(), batches=2, batch=8, seed=seed) == 2
        found.append(norm.state_dict()["running_mean"])
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


@pytest.mark.parametrize("dropping", [nn.Dropout(0.5), DropPath(2, rate=0.5)])
def test_nothing_else_trains(dropping: nn.Module) -> None:
    plain, expected = norm_first()
    estimate_statistics(plain, images())
    model, norm = norm_first(dropping)
    weights = {name: tensor.clone() for name, tensor in model.named_parameters()}
    before = torch.get_rng_state()
    estimate_statistics(model.train(), images())
    assert torch.equal(torch.get_rng_state(), before)
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(norm.state_dict()[name], expected.state_dict()[name])
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.named_parameters())
    assert all(module.training for module in model.modules()) and norm.momentum == 0.1
    assert all(tensor.grad is None for tensor in model.parameters())


class Refuses(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("it was run")


@pytest.mark.parametrize("norm", [nn.GroupNorm(1, 2), nn.BatchNorm2d(2, track_running_stats=False)])
def test_a_network_without_running_statistics_is_not_even_run(norm: nn.Module) -> None:
    assert estimate_statistics(nn.Sequential(norm, Refuses()), images()) == 0


def test_a_norm_that_is_not_run_keeps_its_statistics() -> None:
    model, _ = norm_first()
    aside = nn.BatchNorm2d(2)
    aside.state_dict()["running_mean"].fill_(7)
    model.forward = nn.Sequential(*model).forward  # type: ignore[method-assign]
    model.add_module("aside", aside)
    estimate_statistics(model, images())
    assert aside.state_dict()["running_mean"].tolist() == [7, 7] and aside.num_batches_tracked == 0


def test_one_image_has_no_variance() -> None:
    with pytest.raises(TrainingError, match="at least one batch of two images"):
        estimate_statistics(norm_first()[0], images(1))
