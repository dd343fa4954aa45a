import math

import pytest
import torch

from nasengine.training.metrics import Meter


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
