"""Picks that the plan was not drawn for are left to the walk; those that it was drawn for are not."""

import random
from typing import Any

import pytest
import torch
from torch import Tensor

from nasengine import plugins
from nasengine.errors import SpaceError
from nasengine.interpreters.fused.network import Fused
from nasengine.layers import Classifier, ConvNorm, ConvNormReLU, Identity, MaxPool, ReLUConvNorm, UpsampleTo
from nasengine.space import (
    Mixture,
    Node,
    Space,
    add,
    chain,
    choose,
    concat,
    derived,
    network,
    nothing,
    only_if,
    op,
    reads,
    repeat,
)
from nasengine.space.nodes import Read
from tests.interpreters.fused.both import differences, is_fused, made, with_all


def edge(width: Any = 4, name: str = "op") -> Node:
    return choose(name, conv=op(ConvNorm, width=width, kernel=3), relu=op(ReLUConvNorm, width=width))


def space(*body: Node, **named: Node) -> Space:
    head = op(Classifier, classes=3)
    return Space("own", (3, 6, 6), chain(op(ConvNorm, width=4), *body, **named, head=head))


@pytest.mark.parametrize("size", ["4", "8"])
def test_sizes_that_are_left(size: str) -> None:
    """A supernet is stored at its largest size, and the walk cuts its layers down to what is left."""
    whole = space(op(ConvNormReLU, width=choose("width", 4, 8)), edge())
    left = whole.restrict({"width": [size]})
    model = made(left)
    assert not differences(model, Mixture({"op": {"conv": 0.3, "relu": 0.7}}))
    assert Fused(made(whole)).apart == {"all of them": "it has sizes that are open"}
    assert Fused(model).fits == (size == "8")
    assert is_fused(model, Mixture({"op": {"conv": 0.3, "relu": 0.7}})) == (size == "8")


def test_a_restricted_depth_over_a_base_of_everything() -> None:
    times = choose("times", 1, 2)
    deep = Space("own", (3, 6, 6), chain(op(ConvNorm, width=4), repeat(edge(), times), op(Classifier, classes=3)))
    for left in ("1", "2"):
        model = made(deep.restrict({"times": [left]}))
        gates = {"0.op": {"conv": 0.3, "relu": 0.7}, "1.op": {"conv": 0.4, "relu": 0.6}}
        assert not differences(model, Mixture(gates))


def test_settings_that_follow_from_what_is_on() -> None:
    width = derived(lambda kept: 8 if len(kept) > 1 else 4, "op")
    body = space(edge(), op(ConvNormReLU, width=width, kernel=3))
    model = made(body)
    assert not differences(model, Mixture({"op": {"conv": 0.3, "relu": 0.7}}))
    assert not differences(model, Mixture({"op": {"conv": 1.0}}))
    assert is_fused(model, Mixture({"op": {"conv": 0.3, "relu": 0.7}}))
    assert not is_fused(model, Mixture({"op": {"conv": 1.0}}))


def test_layers_that_stand_only_with_some_options() -> None:
    only = only_if(derived(lambda kept: "relu" in kept, "a.op"), op(ConvNormReLU, width=4))
    body = network(
        stem=op(ConvNorm, width=4),
        a=reads("stem", edge()),
        b=reads("stem", only),
        c=reads("a", "b", concat()),
        d=op(ConvNorm, width=4),
        head=op(Classifier, classes=3),
    )
    model = made(Space("own", (3, 6, 6), body))
    for gates in ({"conv": 0.3, "relu": 0.7}, {"conv": 1.0}, {"relu": 1.0}):
        assert not differences(model, Mixture({"a.op": gates}))


def test_a_base_that_does_not_answer_every_choice() -> None:
    parts = network(
        stem=op(ConvNorm, width=4),
        a=reads("stem", edge()),
        b=reads("stem", edge()),
        c=reads("a", "b", choose("from", left=Read((0,), op(Identity)), right=Read((1,), op(MaxPool)))),
        head=op(Classifier, classes=3),
    )
    whole = Space("own", (3, 6, 6), parts)
    model, images = made(whole), torch.randn(4, 3, 6, 6, dtype=torch.float64)
    architecture = whole.sample(random.Random(0))
    assert not differences(model, Mixture({}, architecture))
    for picks in ({"c.from": ("left",), "a.op": ("conv",)}, {"c.from": ("right",), "b.op": ("relu",)}):
        base = type(architecture)(picks)
        assert not differences(model, Mixture({}, base)) and is_fused(model, Mixture({}, base))
    with pytest.raises(SpaceError, match="no pick for 'b.op'"):
        Fused(model)(images, Mixture({}, type(architecture)({"c.from": ("right",)})))


def test_less_side_by_side_than_was_drawn() -> None:
    """What reads a concatenation is cut in the walk where one of its parts is missing."""
    kept = choose("kept", no=nothing(), yes=op(ConvNorm, width=4))
    body = network(
        stem=op(ConvNorm, width=4),
        a=reads("stem", kept),
        b=reads("stem", op(ConvNorm, width=4)),
        c=reads("b", "a", concat()),
        d=edge(),
        head=op(Classifier, classes=3),
    )
    model = made(Space("own", (3, 6, 6), body))
    op_gates = {"conv": torch.tensor(0.3, dtype=torch.float64), "relu": torch.tensor(0.7, dtype=torch.float64)}
    both, without = ({"a.kept": gates, "d.op": op_gates} for gates in ({"no": 0.5, "yes": 0.5}, {"no": 1.0}))
    assert not differences(model, Mixture(both)) and is_fused(model, Mixture(both))
    assert not differences(model, Mixture(without)) and not is_fused(model, Mixture(without))


def test_layers_that_the_walk_runs_for_nothing() -> None:
    """Their norms see the batch all the same."""
    conv = op(ConvNorm, width=4)
    first = network(one=op(Identity), two=reads("input", conv))
    kept = choose("kept", no=nothing(), yes=conv)
    sized = reads("a", "b", op(UpsampleTo))
    either = choose("from", left=Read((0,), op(Identity)), right=Read((1,), edge()))
    cases: list[tuple[Node, dict[str, Any]]] = [
        (network(a=conv, b=reads("input", conv), c=reads("a", "b", first), d=edge()), {}),
        (network(a=conv, b=reads("input", kept), c=sized, d=reads("c", "input", either)), {"b.kept": {"no": 1.0}}),
        (network(a=conv, b=edge(), c=reads("input", "b", add())), {"b.op": {"conv": 0.0}}),
    ]
    for piece, gates in cases:
        model = made(space(piece))
        assert not differences(model, Mixture({**with_all(model.space).by_decision, **gates}))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("nasbench101", {"channels": 8, "cells": 1, "input": (3, 8, 8), "vertices": 5}),
        ("nasnet", {"channels": 4, "cells": 1, "blocks": 1, "input": (3, 4, 4), "drop_path": False}),
        ("nasbench201", {"channels": 4, "cells": 1, "input": (3, 8, 8)}),
        ("nasbench-macro", {"channels": 4, "features": 16, "input": (3, 16, 16)}),
    ],
)  # fmt: skip
def test_published_spaces_with_much_on_and_with_one_thing_on(name: str, settings: dict[str, Any]) -> None:
    searched = plugins.load_space(name, settings)
    model, rng = made(searched), random.Random(0)
    hot = {n: dict.fromkeys(kept, 1.0) for n, kept in searched.sample(rng).picks.items()}
    some = {n: _some({o: _gate(rng) for o in d.relaxed}, 0.7, rng) for n, d in searched.decisions.items()}
    for mixture in (Mixture(hot), Mixture(some)):
        assert not differences(model, mixture)
    assert is_fused(model, with_all(searched))


def _gate(rng: random.Random) -> Tensor:
    return torch.tensor(rng.random(), dtype=torch.float64)


def _some(gates: dict[str, Tensor], share: float, rng: random.Random) -> dict[str, Tensor]:
    """A share of them, one at least."""
    kept = {option: gate for option, gate in gates.items() if rng.random() < share}
    return kept or dict([rng.choice([*gates.items()])])
