"""Scores from the gradient, against their definitions written out."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from nasengine.layers import Attention
from nasengine.proxies.gradient import fisher, grad_norm, grasp, snip
from nasengine.proxies.probe import Probe


def images(number: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(number, 3, 4, 4), torch.randint(0, 4, (number,))


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.GELU(), nn.Flatten(),
        nn.Linear(24, 4),
    )  # fmt: skip


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [layer.weight for layer in model if isinstance(layer, nn.Conv2d | nn.Linear)]


def test_grad_norm_sums_the_layers_norms() -> None:
    model, (x, labels) = network(), images()
    functional.cross_entropy(model(x), labels).backward()
    expected = sum(float(weight.grad.norm()) for weight in weights(model))
    assert grad_norm(Probe(network(), [(x, labels)])) == pytest.approx(expected, rel=1e-5)


def test_snip_is_the_gradient_by_a_mask_of_ones() -> None:
    model, (x, labels) = network(), images()
    masks = {f"{i}.weight": torch.ones_like(layer.weight, requires_grad=True) for i, layer in enumerate(model)
             if isinstance(layer, nn.Conv2d | nn.Linear)}  # fmt: skip
    masked = {name: model.get_parameter(name) * mask for name, mask in masks.items()}
    functional.cross_entropy(torch.func.functional_call(model, masked, x), labels).backward()
    expected = sum(float(mask.grad.abs().sum()) for mask in masks.values())
    assert snip(Probe(network(), [(x, labels)])) == pytest.approx(expected, rel=1e-5)


def test_fisher_sums_over_pixels_before_it_squares() -> None:
    model, (x, labels) = network(), images()
    outputs = []
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(lambda layer, _, out: (out.retain_grad(), outputs.append(out))[0])
    functional.cross_entropy(model(x), labels).backward()
    expected = 0.0
    for out in outputs:
        summed = (out.detach() * out.grad).reshape(5, out.shape[1], -1).sum(2)
        expected += float((summed**2).mean(0).sum() / 2)
    assert fisher(Probe(network(), [(x, labels)])) == pytest.approx(expected, rel=1e-4)


def test_the_channels_of_a_linear_layer_on_tokens_are_the_last() -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 4, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(x.flatten(2).transpose(1, 2)).sum(1)

    (x, labels), model = images(), Tokens()
    logits = model(x).detach().requires_grad_()
    functional.cross_entropy(logits, labels).backward()
    # every token's output has the logits' gradient, so the sum over tokens of product is the logits times theirs
    expected = float(((logits.detach() * logits.grad) ** 2).mean(0).sum() / 2)
    assert fisher(Probe(model, [(x, labels)])) == pytest.approx(expected, rel=1e-4)


def test_grasp_is_minus_weights_times_hessian_times_gradient() -> None:
    torch.manual_seed(2)
    model, (x, labels) = nn.Sequential(nn.Flatten(), nn.Linear(48, 4, bias=False)), images()
    weight = model[1].weight.detach()

    def loss(flat: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(x.flatten(1) @ flat.view(4, 48).T, labels)

    hessian = torch.autograd.functional.hessian(loss, weight.flatten())
    gradient = torch.func.grad(loss)(weight.flatten())
    expected = float(-(weight.flatten() @ hessian @ gradient))
    assert grasp(Probe(model, [(x, labels)])) == pytest.approx(expected, rel=1e-4)


def test_grasp_goes_through_attention_and_hard_sigmoids() -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(3, 8, 1), Attention(8, head=4), nn.Hardsigmoid(), nn.Flatten(), nn.Linear(128, 4))
    assert grasp(Probe(model, [images()])) != 0


def test_a_layer_that_reaches_nothing_counts_as_zero() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 4), nn.Flatten(), nn.Linear(4, 4))
    nn.init.zeros_(model[2].weight)
    probe = Probe(model, [images()])
    assert snip(probe) == 0 < grad_norm(probe)
