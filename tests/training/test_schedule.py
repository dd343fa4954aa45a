import warnings

import pytest
import torch

from nasengine.training.recipe import Recipe, recipe
from nasengine.training.schedule import rate


def test_cosine_per_epoch_equals_torch():
    it = recipe("darts-supernet")
    weights = [torch.zeros(1, requires_grad=True)]
    optimizer = torch.optim.SGD(weights, lr=it.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, it.epochs, eta_min=it.min_lr)
    for epoch in range(it.epochs):
        assert rate(it, epoch + 0.7) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step()


def test_cosine_per_step_falls_within_an_epoch():
    it = Recipe(epochs=10, lr=1.0, min_lr=0.2)
    assert rate(it, 0) == 1.0
    assert rate(it, 5) == pytest.approx(0.6)
    assert rate(it, 5.5) < rate(it, 5)
    assert rate(it, 10) == pytest.approx(0.2)


def test_linear_exponential_and_constant():
    assert rate(Recipe(epochs=10, lr=1.0, schedule="linear"), 2.5) == pytest.approx(0.75)
    imagenet = recipe("darts-imagenet")
    assert [rate(imagenet, epoch) for epoch in (0, 1, 2)] == pytest.approx([0.1, 0.097, 0.09409])
    assert rate(Recipe(epochs=10, lr=0.3, schedule="constant"), 9.9) == 0.3
    assert rate(Recipe(epochs=99, lr=1.0, min_lr=0.5, schedule="exponential", gamma=0.5), 90) == 0.5


def test_a_constant_ending_is_at_five_percent_of_the_first_rate():
    """BigNAS (Yu et al., 2020, https://arxiv.org/abs/2003.11142): exponential decay, clamped at 5 % of the start."""
    it = Recipe(epochs=30, lr=0.2, schedule="constant-ending")
    assert rate(it, 0) == 0.2
    assert rate(it, 10) == pytest.approx(0.2 * 0.05**0.5)
    assert [rate(it, epoch) for epoch in (20, 25.5, 30)] == pytest.approx([0.01, 0.01, 0.01])
    assert rate(Recipe(epochs=30, lr=0.2, min_lr=0.05, schedule="constant-ending"), 29) == 0.05


def test_warm_up_rises_to_the_rate_and_the_cosine_begins_there():
    by_step = Recipe(epochs=12, warmup=2, lr=1.0)
    assert rate(by_step, 0) == pytest.approx(0.01)
    assert rate(by_step, 1) == pytest.approx(0.5)
    assert rate(by_step, 2) == 1.0
    assert rate(by_step, 7) == pytest.approx(0.5)
    by_epoch = Recipe(epochs=12, warmup=3, lr=1.0, schedule_per="epoch")
    assert [rate(by_epoch, epoch) for epoch in range(4)] == pytest.approx([0.25, 0.5, 0.75, 1.0])
