import pytest
import torch
from torch import nn

from nasengine.training.folding import Followers, folded


class Net(nn.Module):
    """Convolutions of which some may be folded: `once`, `biased` and, where nobody else reads them, no others."""

    def __init__(self) -> None:
        super().__init__()
        self.once, self.once_norm = nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)
        self.biased, self.biased_norm = nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8, affine=False)
        self.read_twice, self.read_norm = nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8)
        self.run_twice, self.run_norm = nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8)
        self.bare, self.bare_norm = nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8, track_running_stats=False)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.biased_norm(self.biased(torch.relu(self.once_norm(self.once(x)))))
        twice = self.read_twice(x)
        x = self.read_norm(twice) + twice
        x = self.run_twice(self.run_norm(self.run_twice(x)))
        return self.out(self.bare_norm(self.bare(x)))


def made() -> tuple[Net, torch.Tensor]:
    torch.manual_seed(0)
    model, images = Net().double(), torch.randn(6, 3, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        for norm in (one for one in model.modules() if isinstance(one, nn.BatchNorm2d) and one.affine):
            norm.weight.uniform_(0.5, 2), norm.bias.normal_()
        model(images)
    return model.eval(), images


@torch.no_grad()
def test_norms_that_alone_read_a_convolution_are_folded_and_nothing_stays() -> None:
    model, images = made()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plain = model(images)
    with Followers(model) as followers:
        outputs = model(images[:2])
    pairs = followers.pairs(outputs)
    assert pairs == [(model.once, model.once_norm), (model.biased, model.biased_norm)]
    with folded(pairs):
        assert not torch.equal(model.once.weight, before["once.weight"])
        torch.testing.assert_close(model(images), plain, rtol=0, atol=1e-12)
    assert torch.equal(model(images), plain)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


@torch.no_grad()
def test_what_the_network_puts_out_itself_is_not_folded() -> None:
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            before = self.conv(x)
            return before, self.norm(before)

    model = Both().eval()
    with Followers(model) as followers:
        outputs = model(torch.randn(2, 3, 4, 4))
    assert followers.pairs(outputs) == []


@torch.no_grad()
def test_weights_come_back_after_an_error() -> None:
    model, images = made()
    weight = model.once.weight
    with Followers(model) as followers:
        outputs = model(images)
    with pytest.raises(RuntimeError), folded(followers.pairs(outputs)):
        model(images[:, :2])
    assert model.once.weight is weight and "forward" not in vars(model.once_norm)
