import math

import pytest
import torch
from torch import nn

from nasengine.training.data import Split
from nasengine.training.metrics import Meter, evaluate


def test_batches_count_by_their_images():
    meter = Meter()
    meter.add(torch.tensor(1.0), torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]), torch.tensor([0, 1, 1]))
    meter.add(torch.tensor(5.0), torch.tensor([[0.0, 1.0]]), torch.tensor([1]))
    assert meter.read() == pytest.approx({"accuracy": 0.75, "loss": 2.0})


def test_the_first_broken_step_is_found_once():
    meter = Meter()
    for step, loss in enumerate((1.0, math.nan, math.inf)):
        meter.add(torch.tensor(loss), torch.zeros(2, 3), torch.zeros(2, dtype=torch.long))
        assert meter.first_broken() == (step if step else None)
    assert meter.first_broken(last=True) is None


class Counted(nn.Module):
    """A convolution with its norm, which remembers how many images came at once."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.sizes = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(x))
        return self.norm(self.conv(x)).mean((2, 3))


def pictures(count: int, side: int) -> Split:
    random = torch.Generator().manual_seed(0)
    images = torch.randn(count, 3, side, side, generator=random)
    return Split(images, torch.randint(4, (count,), generator=random))


def test_small_images_are_measured_many_at_once_and_large_ones_few() -> None:
    for side, count, expected in ((4, 1025, [1024, 1]), (32, 33, [32, 1]), (100, 9, [8, 1])):
        model = Counted()
        evaluate(model, pictures(count, side))
        assert model.sizes == expected
    model = Counted()
    evaluate(model, pictures(9, 4), batch=5)
    assert model.sizes == [5, 4]


def test_figures_are_the_same_with_norms_folded_which_many_batches_are() -> None:
    model, split = Counted(), pictures(64, 8)
    model.norm.running_mean.normal_(), model.norm.running_var.uniform_(1, 2)
    plain = evaluate(model, split, batch=64)
    calls = []
    model.norm.register_forward_hook(lambda *_: calls.append(True))  # what is listened to is not folded
    assert evaluate(model, split, batch=16) == pytest.approx(plain, rel=1e-5)
    assert model.sizes == [64, 2, 16, 16, 16, 16] and len(calls) == 5
    model.norm._forward_hooks.clear()
    assert evaluate(model, split, batch=16) == pytest.approx(plain, rel=1e-5)
