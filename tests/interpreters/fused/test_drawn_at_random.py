"""Small random spaces under random mixtures: the fused network gives what the walk gives, in double precision."""

import copy
import random
from typing import Any

import torch

from nasengine.layers import (
    AvgPool,
    Classifier,
    ConvNorm,
    ConvNormReLU,
    DilatedConv,
    FactorizedReduce,
    Identity,
    MaxPool,
    ReLUConvNorm,
    SeparableConv,
    UpsampleTo,
    Zero,
)
from nasengine.space import (
    EVERYTHING,
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
    relaxed_only,
    repeat,
    shared,
)
from nasengine.space.nodes import Read
from tests.interpreters.fused.both import differences, is_fused, made

WIDTH, SPACES, MIXTURES = 4, 6, 3


class Drawn:
    """A random network of maps of one shape."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.choices = 0

    def layer(self) -> Node:
        """One that keeps the shape."""
        affine, track = self.rng.random() < 0.5, self.rng.random() < 0.8
        return self.rng.choice(
            [
                lambda: op(Identity),
                lambda: op(MaxPool),
                lambda: op(AvgPool),
                lambda: op(ConvNorm, width=WIDTH, kernel=self.rng.choice([1, 3]), affine=affine, track=track),
                lambda: op(ConvNormReLU, width=WIDTH, affine=affine, track=track),
                lambda: op(ReLUConvNorm, width=WIDTH, kernel=3, affine=affine),
                lambda: op(SeparableConv, affine=affine, track=track),
                lambda: op(DilatedConv, kernel=self.rng.choice([3, 5]), affine=affine),
                lambda: op(Zero),
            ]
        )()

    def piece(self, depth: int = 2) -> Node:
        """A layer, or several, or a choice of pieces."""
        kinds = ["layer"] * 3 + ["chain", "choice", "repeat", "graph"] * (depth > 0)
        match self.rng.choice(kinds):
            case "chain":
                return chain(self.piece(depth - 1), self.piece(depth - 1))
            case "choice":
                return self.choice(depth - 1)
            case "repeat":
                return repeat(self.piece(depth - 1), 2, tie=self.rng.random() < 0.5)
            case "graph":
                return self.graph(depth - 1)
        return self.layer()

    def choice(self, depth: int = 1) -> Node:
        """A choice of two to four pieces; one of them may be none at all."""
        number = self.choices = self.choices + 1
        options: dict[str, Any] = {f"o{i}": self.piece(depth) for i in range(self.rng.randint(2, 4))}
        if self.rng.random() < 0.3:
            options["none"] = self.rng.choice([nothing(), relaxed_only(op(Zero))])
        made = choose(f"c{number}", **options)
        return shared(f"s{number}", made) if self.rng.random() < 0.3 else made

    def joined(self, count: int) -> Node:
        """What makes one value of several."""
        if count == 1:
            return self.piece(1)
        kinds = ["add", "concat", "from"] + ["sized"] * (count == 2)
        match self.rng.choice(kinds):
            case "concat":
                return chain(concat(), op(ConvNorm, width=WIDTH))
            case "sized":
                return op(UpsampleTo)
            case "from":
                number = self.choices = self.choices + 1
                froms = {f"f{i}": Read((i,), self.piece(1)) for i in range(count)}
                return choose(f"c{number}", keep=self.rng.choice([1, (0, 1), (1, 2)]), **froms)
        return chain(add(), self.layer())

    def graph(self, depth: int = 1) -> Node:
        """Steps that read any earlier ones; a choice between layers may stand at several edges alike."""
        edge = self.choice(0)
        steps: dict[str, Any] = {"a": self.layer()}
        for name in "bcd"[: self.rng.randint(1, 3)]:
            sources = self.rng.sample([*steps], self.rng.randint(1, min(2, len(steps))))
            node = edge if len(sources) == 1 and self.rng.random() < 0.6 else self.joined(len(sources))
            steps[name] = reads(*sources, node)
        return network(**steps, z=reads(*self.rng.sample([*steps], min(2, len(steps))), add()))

    def space(self) -> Space:
        """The whole of it, with some of its channels there only as a choice says."""
        first = choose("first", o1=self.layer(), o2=self.layer())
        body: dict[str, Node] = {"first": first, "body": self.graph(2), "more": self.choice(2)}
        if self.rng.random() < 0.3:
            body["wide"] = op(ConvNorm, width=derived(lambda on: 2 * WIDTH if len(on) > 1 else WIDTH, "first.first"))
        if self.rng.random() < 0.3:
            body["kept"] = add()
            held = only_if(derived(lambda on: "o1" in on, "first.first"), op(ConvNorm, width=WIDTH))
            body["held"] = network(a=op(ConvNorm, width=WIDTH), b=reads("input", held), c=reads("a", "b", add()))
        body["reduce"] = op(FactorizedReduce, width=WIDTH)
        return Space("drawn", (3, 6, 6), chain(op(ConvNorm, width=WIDTH), **body, head=op(Classifier, classes=3)))

    def mixture(self, space: Space) -> Mixture:
        """Gates of all kinds, some of them off."""
        share = self.rng.choice([1.0, 0.8, 0.4])
        return Mixture({n: self.gates(d.relaxed, share) for n, d in space.decisions.items()}, EVERYTHING)

    def gates(self, options: tuple[str, ...], share: float) -> dict[str, Any]:
        kinds = [1.0, self.rng.random(), *[torch.tensor(self.rng.random()).double()] * 3]
        kept = {o: self.rng.choice(kinds) for o in options if self.rng.random() < share}
        return kept or {self.rng.choice(options): 1.0}


def runs(model: Any, mixture: Mixture) -> bool:
    """Whether the walk has anything to give for it: options may leave nothing that leads to the output."""
    try:
        with torch.no_grad():
            return model(torch.randn(4, *model.space.input).double(), mixture) is not None
    except Exception:
        return False


def test_the_same_as_the_walk() -> None:
    fused = []
    for seed in range(SPACES):
        drawn = Drawn(seed)
        model = made(drawn.space())
        for mixture in [drawn.mixture(model.space) for _ in range(MIXTURES)]:
            if runs(copy.deepcopy(model), mixture):
                assert not differences(model, mixture), (seed, mixture)
                fused.append(is_fused(model, mixture))
    assert len(fused) > SPACES and sum(fused) > len(fused) / 2  # else little was compared
