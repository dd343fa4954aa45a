import pytest
import torch

from nasengine.layers import DropPath, Identity, ScheduledDropPath, Truncate, Zero


def test_identity_is_its_input():
    x = torch.randn(2, 3, 4, 4)
    assert Identity(3)(x) is x
    assert Identity.identity and Identity.keeps_zero


def test_zero_stops_what_is_not_finite_too():
    x = torch.full((2, 3, 5, 4), float("nan"))
    assert torch.equal(Zero(3)(x), torch.zeros(2, 3, 5, 4))
    assert torch.equal(Zero(3, stride=2)(x), torch.zeros(2, 3, 3, 2))


def test_truncation_keeps_the_first_channels_and_makes_none():
    x = torch.randn(2, 5, 3, 3)
    assert torch.equal(Truncate(5, width=3)(x), x[:, :3])
    assert torch.equal(Truncate(5, width=5)(x), x)
    with pytest.raises(ValueError, match="5 channels arrive"):
        Truncate(5, width=6)


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    layer, x = DropPath(2), torch.ones(4000, 2, 3, 3)
    assert layer(x) is x, "no rate set"
    layer.set_drop_rate(0.25)
    samples = layer(x).flatten(1)
    assert set(samples.unique().tolist()) == {0.0, torch.tensor(1.0).div(0.75).item()}
    assert torch.equal(samples.amin(1), samples.amax(1)), "a sample is dropped whole or not at all"
    assert abs(float(samples.mean()) - 1.0) < 0.03
    assert layer.eval()(x) is x


def test_scheduled_drop_path_takes_its_share_of_the_rate():
    layer = ScheduledDropPath(2, share=0.25)
    layer.set_drop_rate(0.4)
    assert layer.rate == 0.1
