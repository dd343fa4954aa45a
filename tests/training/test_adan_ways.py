"""All ways of Adan's step, compiled, block by block and grouped, against the rule written out in float64."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nasengine.native.build import library
from nasengine.training import adan_rule
from nasengine.training.adan import Adan
from nasengine.training.adan_native import step_natively
from nasengine.training.adan_rule import Move, rates, shared

BETAS = (0.9, 0.8, 0.99)
WAYS = ("compiled", "blocks", "grouped")


@pytest.fixture
def compiled(needs: Callable[[str], Path]) -> None:
    needs("compiler")
    assert library("adan") is not None


@pytest.fixture(params=WAYS)
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Adan]:
    """Makes an Adan that goes one way; the blocks are small."""
    if request.param == "compiled":
        request.getfixturevalue("compiled")
    if request.param == "blocks":
        monkeypatch.setenv("NASENGINE_NATIVE", "0")
    monkeypatch.setattr(adan_rule, "BLOCK", 64)
    foreach = True if request.param == "grouped" else None
    return lambda parameters, **settings: Adan(parameters, betas=BETAS, foreach=foreach, **settings)


class Written:
    """The rule of https://arxiv.org/abs/2208.06677 (algorithm 1, with bias corrections) for one tensor in float64."""

    def __init__(self, weights: Tensor, lr: float, weight_decay: float) -> None:
        self.weights, self.lr, self.weight_decay = weights.detach().double(), lr, weight_decay
        self.m = self.v = self.n = torch.zeros_like(self.weights)
        self.before: Tensor | None = None
        self.t = 0

    def step(self, gradient: Tensor) -> None:
        b1, b2, b3 = BETAS
        self.t += 1
        gradient = gradient.double()
        change = torch.zeros_like(gradient) if self.before is None else gradient - self.before
        self.m = b1 * self.m + (1 - b1) * gradient
        self.v = b2 * self.v + (1 - b2) * change
        self.n = b3 * self.n + (1 - b3) * (gradient + b2 * change) ** 2
        scale = self.lr / (torch.sqrt(self.n / (1 - b3**self.t)) + 1e-8)
        move = scale * (self.m / (1 - b1**self.t) + b2 * self.v / (1 - b2**self.t))
        self.weights = (self.weights - move) / (1 + self.lr * self.weight_decay)
        self.before = gradient


def close(got: Tensor, wanted: Tensor) -> None:
    loose = {torch.float64: 1e-12, torch.float32: 1e-6}[got.dtype]
    torch.testing.assert_close(got.detach().double(), wanted, rtol=loose, atol=loose)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_way_is_the_written_rule(make, dtype: torch.dtype) -> None:
    """Sizes below, at and above a block; norms clipped in some steps and not in others; one tensor joins late."""
    torch.manual_seed(0)
    weights = [torch.randn(size, dtype=dtype, requires_grad=True) for size in (1, 7, 64, 300)]
    optimizer = make(weights, lr=0.02, weight_decay=0.1, max_grad_norm=20.0)
    written = [Written(weight, 0.02, 0.1) for weight in weights]
    for number in range(10):
        learning = [0, 1, 3] if number < 3 else [0, 1, 2, 3]
        gradients = {i: torch.randn_like(weights[i]) * (1.0 + number % 3) for i in learning}
        norm = math.sqrt(sum(float(gradient.double().square().sum()) for gradient in gradients.values()))
        factor = min(1.0, 20.0 / (norm + 1e-8))
        for i in learning:
            weights[i].grad = gradients[i].clone()
            written[i].step(gradients[i] * factor)
        optimizer.step()
        for i in learning:
            assert torch.equal(weights[i].grad, gradients[i]), "the gradients stay as they were"
    for weight, wanted in zip(weights, written, strict=True):
        close(weight, wanted.weights)


def laid_out() -> dict[str, tuple[Tensor, Callable[[Tensor], Tensor]]]:
    """Weights that lie in memory in every way, and how their gradients lie."""
    last = torch.channels_last
    return {
        "channels last": (torch.randn(4, 3, 5, 5).to(memory_format=last), lambda g: g.to(memory_format=last)),
        "channels last, gradient not": (torch.randn(4, 3, 5, 5).to(memory_format=last), torch.Tensor.contiguous),
        "gradient channels last": (torch.randn(4, 3, 5, 5), lambda g: g.to(memory_format=last)),
        "either": (torch.randn(8, 4, 1, 1).to(memory_format=last), torch.Tensor.contiguous),
        "transposed": (torch.randn(6, 9).t(), torch.Tensor.contiguous),
        "every second": (torch.randn(20)[::2], torch.Tensor.contiguous),
        "a gradient with gaps": (torch.randn(10), lambda g: torch.stack([g, g], 1)[:, 0]),
        "an expanded gradient": (torch.randn(3, 4), lambda g: g[:1, :1].expand(3, 4)),
        "a number": (torch.randn(()), torch.Tensor.contiguous),
        "nothing": (torch.randn(0, 3), torch.Tensor.contiguous),
    }


def test_weights_and_gradients_may_lie_in_memory_as_they_like(make) -> None:
    torch.manual_seed(0)
    layouts = laid_out()
    weights = {name: weight.requires_grad_() for name, (weight, _) in layouts.items()}
    strides = {name: weight.stride() for name, weight in weights.items()}
    optimizer = make(weights.values(), lr=0.02, weight_decay=0.1)
    written = {name: Written(weight, 0.02, 0.1) for name, weight in weights.items()}
    for _ in range(4):
        for name, weight in weights.items():
            weight.grad = layouts[name][1](torch.randn(weight.shape))
            written[name].step(weight.grad)
        optimizer.step()
    for name, weight in weights.items():
        close(weight, written[name].weights)
        assert weight.stride() == strides[name]


def test_types_are_mixed_and_half_precision_is_moved_as_well(make) -> None:
    torch.manual_seed(0)
    weights = [torch.randn(100, dtype=kind).requires_grad_() for kind in (torch.float32, torch.float64, torch.bfloat16)]
    optimizer = make(weights, lr=0.02)
    written = [Written(weight, 0.02, 0.0) for weight in weights]
    for _ in range(3):
        for weight, rule in zip(weights, written, strict=True):
            weight.grad = torch.randn_like(weight)
            rule.step(weight.grad)
        optimizer.step()
    for weight, rule in zip(weights[:2], written, strict=False):
        close(weight, rule.weights)
    torch.testing.assert_close(weights[2].detach().double(), written[2].weights, rtol=0.02, atol=0.02)


def test_a_state_is_the_same_whichever_way_wrote_it(make) -> None:
    """What was saved by one way, in whatever memory format, is gone on with by another."""
    torch.manual_seed(0)
    gradients = torch.randn(4, 2, 3, 3, 3)
    plain = torch.randn(2, 3, 3, 3).requires_grad_()
    saved = Adan([plain], lr=0.1, betas=BETAS, foreach=False)
    rule = Written(plain, 0.1, 0.0)
    for gradient in gradients[:2]:
        plain.grad = gradient.clone()
        rule.step(gradient)
        saved.step()
    state = saved.state_dict()
    assert {name: type(value) for name, value in state["state"][0].items()} == {
        "step": int, "average": Tensor, "average_difference": Tensor, "average_square": Tensor, "previous": Tensor,
    }  # fmt: skip
    assert set(state["param_groups"][0]) == {"lr", "betas", "eps", "weight_decay", "params"}
    moved = plain.detach().to(memory_format=torch.channels_last).requires_grad_()
    resumed = make([moved])
    resumed.load_state_dict(state)
    for gradient in gradients[2:]:
        moved.grad = gradient.to(memory_format=torch.channels_last)
        rule.step(gradient)
        resumed.step()
    close(moved, rule.weights)


def test_a_step_is_seen_by_automatic_differentiation(make) -> None:
    weight = torch.randn(5, requires_grad=True)
    optimizer = make([weight], lr=0.1)
    loss = weight.square().sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.usefixtures("compiled")
def test_the_kernel_leaves_alone_what_it_could_not_read() -> None:
    """States that were cut or are of another type than the weights, as after a conversion of the model."""
    group = {"lr": 0.1, "betas": BETAS, "eps": 1e-8, "weight_decay": 0.0}

    def move(*last: Tensor) -> Move:
        return Move((*(torch.ones(8) for _ in range(6 - len(last))), *last), rates(group, 1))

    good, short, wide = move(), move(torch.ones(4)), move(torch.ones(8).double())
    assert step_natively(shared(group), [short, good, wide], None) == [short, wide]
    assert torch.equal(short.tensors[0], torch.ones(8))
    assert not torch.equal(good.tensors[0], torch.ones(8))
