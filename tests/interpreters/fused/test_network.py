"""The fused supernet computes what the walk over the space computes, in double precision, step after step."""

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nasengine import plugins
from nasengine.interpreters.fused.network import Fused
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, Identity, Zero
from nasengine.space import Mixture, Space, chain, choose, network, op, reads, relaxed_only
from nasengine.space.nodes import Read

CELLS = {"channels": 4, "layers": 3, "affine": False, "drop_path": False}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "darts": ("darts", {**CELLS, "input": (3, 8, 8), "pool_norm": True}),
    "odd sizes, learned norms": ("darts", {**CELLS, "input": (3, 9, 9), "affine": True, "track": False}),
    "pr-darts' network": ("darts", {**CELLS, "input": (3, 8, 8), "track": False, "last_norm": True}),
    "paths that may be dropped": ("darts", {**CELLS, "input": (3, 8, 8), "drop_path": True}),
    "nasbench201": ("nasbench201", {"input": (3, 8, 8), "channels": 4, "cells": 1}),
    "small-cell": ("small-cell", {"input": (3, 8, 8)}),
    "segmenter": ("segmenter", {}),
    "nasbench-macro": ("nasbench-macro", {"input": (3, 16, 16)}),
}


class Walked:
    """A supernet, its gates and the optimizer of its weights, in double precision."""

    def __init__(self, space: Space, strategy: str, model: Model):
        torch.manual_seed(1)
        self.model, self.network = model, model
        self.relaxation = plugins.load_strategy(strategy, space)
        for gate in self.relaxation.parameters():
            gate.data = gate.data.double()
        self.chance = torch.Generator().manual_seed(2)
        self.optimizer = torch.optim.SGD(model.parameters(), 0.05, 0.9, weight_decay=1e-3)

    def step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor | None]]:
        """Loss, gradients of the gates, gradients of the weights; then the weights make a step."""
        output = self.network(images, self.relaxation.draws(self.chance)[0])
        loss = nn.functional.cross_entropy(output, labels)
        gates = self.relaxation.parameters()
        slopes = torch.autograd.grad(loss, gates, retain_graph=True, allow_unused=True, materialize_grads=True)
        self.optimizer.zero_grad()
        loss.backward()
        gradients = [None if weight.grad is None else weight.grad.clone() for weight in self.model.parameters()]
        self.optimizer.step()
        return loss.detach(), list(slopes), gradients


class FusedToo(Walked):
    """The same, run by the fused supernet."""

    def __init__(self, space: Space, strategy: str, model: Model):
        super().__init__(space, strategy, model)
        self.network = self.fused = Fused(model)


def two(space: Space, strategy: str) -> tuple[Walked, FusedToo]:
    """The same supernet twice."""
    torch.manual_seed(0)
    model = Model(space).double().train().to(memory_format=torch.channels_last)
    return Walked(space, strategy, copy.deepcopy(model)), FusedToo(space, strategy, model)


def near(one: Tensor, other: Tensor) -> bool:
    """Equal but for the last digits, by the size of the larger numbers in it."""
    return bool((one - other).abs().max() <= 1e-10 * max(1.0, float(one.abs().max())))


@pytest.mark.parametrize("strategy", ["darts", "pr-darts"])
@pytest.mark.parametrize("name", NETWORKS)
def test_three_steps_are_those_of_the_walk(name: str, strategy: str) -> None:
    space_name, settings = NETWORKS[name]
    space = plugins.load_space(space_name, settings)
    walked, fused = two(space, strategy)
    made = torch.Generator().manual_seed(4)
    images = torch.randn(4, *space.input, generator=made, dtype=torch.float64)
    with torch.no_grad():
        shape = walked.model(images, walked.relaxation.draws(torch.Generator())[0]).shape
    labels = torch.randint(shape[1], (4, *shape[2:]), generator=made)
    walked, fused = two(space, strategy)
    for _ in range(3):
        (loss, slopes, gradients), (same_loss, same_slopes, same_gradients) = (
            one.step(images, labels) for one in (walked, fused)
        )
        assert near(loss, same_loss)
        assert any(slope.abs().max() > 1e-9 for slope in slopes)
        assert all(map(near, slopes, same_slopes))
        assert [g is None for g in gradients] == [g is None for g in same_gradients]
        pairs = [(a, b) for a, b in zip(gradients, same_gradients, strict=True) if a is not None and b is not None]
        assert pairs and all(near(a, b) for a, b in pairs)
    state, same = walked.model.state_dict(), fused.model.state_dict()
    assert list(state) == list(same) and all(near(state[k].double(), same[k].double()) for k in state)


def test_layers_that_run_one_by_one_are_named() -> None:
    space = plugins.load_space("darts", {**CELLS, "input": (3, 8, 8), "drop_path": True})
    assert Fused(Model(space)).apart == {"DropPath": "it draws random numbers in training"}
    assert Fused(Model(plugins.load_space("darts", NETWORKS["darts"][1]))).apart == {}


def test_what_is_on_decides_what_runs() -> None:
    """Weights of options that are off get no gradient, and their norms see nothing."""
    space = plugins.load_space("darts", NETWORKS["darts"][1])
    model = Model(space).train()
    picks = plugins.load_strategy("pr-darts", space).draws(torch.Generator().manual_seed(0))[0]
    Fused(model)(torch.randn(4, 3, 8, 8), picks).sum().backward()
    inside = {place: layer for place, layer in model.layers() if ".op." in place or "_conv_" in place}
    seen = {place for place, layer in inside.items() if any(int(b) for n, b in layer.named_buffers() if "num" in n)}
    learned = {place for place, layer in inside.items() if any(w.grad is not None for w in layer.parameters())}
    wanted = {option for gates in picks.by_decision.values() for option in gates}
    assert learned and learned <= seen
    assert {place.split(".")[-1] for place in learned} <= wanted | {"0"}
    assert len(learned) < len([1 for layer in inside.values() if any(True for _ in layer.parameters())]) / 2


def test_what_it_cannot_run_goes_to_the_model() -> None:
    space = plugins.load_space("small-cell", {"input": (3, 8, 8)})
    model, images = Model(space).train(), torch.randn(4, 3, 8, 8)
    fused = Fused(model)
    architecture = space.sample(random.Random(0))
    assert torch.equal(fused(images, architecture), model(images, architecture))
    model.eval()
    everything = plugins.load_strategy("darts", space).draws(torch.Generator())[0]
    assert torch.equal(fused(images, everything), model(images, everything))


def test_a_model_that_was_moved_keeps_its_statistics() -> None:
    space = plugins.load_space("small-cell", {"input": (3, 8, 8)})
    model = Model(space).train()
    fused = Fused(model)
    model.double()
    mixture = plugins.load_strategy("darts", space).draws(torch.Generator())[0]
    other = copy.deepcopy(model)
    images = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    fused(images, mixture), other(images, mixture)
    assert all(near(a.double(), b.double()) for a, b in zip(model.buffers(), other.buffers(), strict=True))


class Doubled(nn.Module):
    """A layer that tracing cannot follow: what it does depends on the size of the batch."""

    kind = "conv"

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight if x.shape[0] > 1000 else 2 * x * self.weight


def choice(**extra: Any) -> Any:
    """An edge of the space below."""
    return choose(
        "op",
        none=relaxed_only(op(Zero)),
        skip=op(Identity),
        odd=op(Doubled),
        conv=op(ConvNorm, width=4, kernel=3),
        **extra,
    )


def test_a_layer_that_nobody_knows_runs_beside_those_that_are_known() -> None:
    body = chain(first=choice(), second=choice())
    space = Space("own", (3, 6, 6), chain(op(ConvNorm, width=4), body, op(Classifier, classes=3)))
    walked, fused = two(space, "darts")
    images, labels = torch.randn(5, 3, 6, 6, dtype=torch.float64), torch.arange(5) % 3
    (loss, slopes, _), (same, same_slopes, _) = (one.step(images, labels) for one in (walked, fused))
    assert near(loss, same) and all(map(near, slopes, same_slopes))
    assert list(fused.fused.apart) == ["Doubled"] and "cannot be traced" in fused.fused.apart["Doubled"]


def test_nothing_but_zeros_and_plain_numbers_as_gates() -> None:
    space = Space("own", (3, 6, 6), chain(op(ConvNorm, width=4), first=choice(), head=op(Classifier, classes=3)))
    model = Model(space).double().train()
    images = torch.randn(5, 3, 6, 6, dtype=torch.float64)
    for gates in ({"none": 0.5}, {"none": 1.0, "skip": 0.0}, {"skip": 0.25, "conv": 0.75}, {"conv": 1.0}):
        mixture = Mixture({"first.op": gates})
        with torch.no_grad():
            assert near(model(images, mixture), Fused(model)(images, mixture))


def test_native_kernels_compute_what_torch_computes(
    monkeypatch: pytest.MonkeyPatch, needs: Callable[[str], Any]
) -> None:
    """One step in single precision, with kernels and without."""
    needs("compiler")
    space = plugins.load_space("darts", {**CELLS, "channels": 8, "input": (3, 16, 16), "pool_norm": True})
    torch.manual_seed(0)
    model = Model(space).train().to(memory_format=torch.channels_last)
    images, labels = torch.randn(16, 3, 16, 16), torch.arange(16) % 10
    found = []
    for native in ("0", "1"):
        monkeypatch.setenv("NASENGINE_NATIVE", native)
        copied = copy.deepcopy(model)
        torch.manual_seed(1)
        relaxation = plugins.load_strategy("darts", space)
        loss = nn.functional.cross_entropy(Fused(copied)(images, relaxation.draws(torch.Generator())[0]), labels)
        slopes = torch.autograd.grad(loss, [*relaxation.parameters(), *copied.parameters()])
        found.append((loss.detach(), slopes, [b.double() for b in copied.buffers()]))
    (loss, slopes, seen), (same_loss, same_slopes, same_seen) = found
    assert torch.allclose(loss, same_loss, rtol=1e-4) and not torch.equal(slopes[-1], same_slopes[-1])
    assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(seen, same_seen, strict=True))
    distances = [float((a - b).norm() / (a.norm() + 1e-3)) for a, b in zip(slopes, same_slopes, strict=True)]
    assert max(distances) < 1e-4


def test_a_choice_between_sources_runs_without_those_that_nothing_reads() -> None:
    first, second = op(ConvNorm, width=4, kernel=3), op(ConvNorm, width=4)
    pick = choose("source", left=Read((0,), op(Identity)), right=Read((1,), op(Identity)))
    body = network(
        stem=op(ConvNorm, width=4),
        a=reads("stem", first),
        b=reads("stem", second),
        c=reads("a", "b", pick),
        head=op(Classifier, classes=3),
    )
    space = Space("own", (3, 6, 6), body)
    model = Model(space).double().train()
    images = torch.randn(5, 3, 6, 6, dtype=torch.float64)
    (name,) = space.decisions
    for option in ("left", "right"):
        with torch.no_grad():
            mixture = Mixture({name: {option: 1.0}})
            assert near(model(images, mixture), Fused(model)(images, mixture))
