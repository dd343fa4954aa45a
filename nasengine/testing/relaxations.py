"""The contract of relaxations: gates that can be drawn again, that learn, and that settle on a planted network."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, Identity, MaxPool, Zero
from nasengine.search.relax import relax
from nasengine.search.steps import average_losses, summed
from nasengine.search.strategy import Relaxation
from nasengine.space import Mixture, Node, Picks, Space, cell, choose, network, op, reads, relaxed_only, shared, stack
from nasengine.testing import planted
from nasengine.testing.report import Report
from nasengine.training.recipe import Recipe, recipe

IMAGES = 8
PROGRESS = (0.0, 0.5, 1.0)
TRIES = 10


def small_cells() -> Space:
    """Two cells of two nodes with shared decisions, edges to keep, and an option for the supernet only."""

    def edge(source: int, node: int) -> Node:
        none = relaxed_only(op(Zero))
        return choose("op", none=none, skip=op(Identity), pool=op(MaxPool), conv=op(ConvNorm, width=4, kernel=3))

    prepare = (op(ConvNorm, width=4), op(ConvNorm, width=4))
    made = shared("normal", cell(edge, prepare, nodes=2))
    whole = network(stem=op(ConvNorm, width=4), cells=reads("stem", stack(made, made)), head=op(Classifier, classes=3))
    return Space("small cells", (2, 8, 8), whole)


def check_relaxation(
    make: Callable[[Space], Relaxation],
    *,
    settles: bool = True,
    seeds: Sequence[int] = (0, 1, 2),
    training: Recipe | None = None,
) -> Report:
    """Check a relaxation, made by `make(space)`: its class, or a function that also gives it options.

    With `settles` it searches the planted space once for each seed, and has to find the plant in most of them.
    """
    report = Report(f"relaxation {getattr(make, '__name__', make)}")
    space = small_cells()
    with report.claim("runs a supernet at any time of a search"), torch.random.fork_rng(devices=[]):
        _runs(space, make(space))
    with report.claim("draws the same gates from the same random numbers"):
        _draws_again(make(space))
    with report.claim("ranks options and settles on a legal architecture"):
        _settles_legally(space, make(space))
    with report.claim("its gates feel the loss"), torch.random.fork_rng(devices=[]):
        _feels(space, make(space))
    if settles and report.ok:
        with report.claim("settles on the plant"):
            _finds_the_plant(make, seeds, training or recipe("proxy", epochs=25))
    return report


def _runs(space: Space, made: Relaxation) -> None:
    model = Model(space).train()
    for progress in PROGRESS:
        made.at(progress)
        draws = made.draws(torch.Generator().manual_seed(0))
        assert len(draws), f"at {progress} it draws nothing"
        for picks in draws:
            output = model(torch.randn(IMAGES, *space.input), picks)
            assert output.isfinite().all(), f"at {progress} the supernet puts out {output[0]}"
        penalty = float(made.penalty().detach())
        assert math.isfinite(penalty), f"at {progress} the penalty is {penalty}"


def _draws_again(made: Relaxation) -> None:
    for progress in PROGRESS:
        made.at(progress)
        first, again = (made.draws(torch.Generator().manual_seed(3)) for _ in range(2))
        assert [_numbers(one) for one in first] == [_numbers(one) for one in again], f"at {progress} they differ"


def _numbers(picks: object) -> object:
    """Gates as plain numbers; other picks are compared as they are."""
    if not isinstance(picks, Mixture):
        return picks
    return {
        name: {o: float(torch.as_tensor(gate).detach()) for o, gate in gates.items()}
        for name, gates in picks.by_decision.items()
    }


def _settles_legally(space: Space, made: Relaxation) -> None:
    for progress in PROGRESS:
        made.at(progress)
        faults = space.faults(made.settle().picks)
        assert not faults, f"at {progress}: {'; '.join(faults)}"
        scores = made.ranking()
        unknown = [f"{d} {o}" for d, o in scores if d not in space.decisions or o not in space.decisions[d].relaxed]
        assert not unknown, f"it ranks what is not in the space: {unknown[:3]}"
        assert all(map(math.isfinite, scores.values())), f"at {progress} a score is no finite number"
        assert list(scores.values()) == sorted(scores.values(), reverse=True), "the ranking is not best first"
        strengths = [value for gates in made.gates().values() for value in gates.values()]
        assert all(map(math.isfinite, strengths)), f"at {progress} a gate is no finite number"


def _feels(space: Space, made: Relaxation) -> None:
    """At the start of a search, within a few draws, every tensor of gates gets a slope from the loss."""
    parameters = made.parameters()
    made.at(0.0)
    model, generator = Model(space).train(), torch.Generator().manual_seed(0)

    def forward(images: Tensor, picks: Picks, calm: bool = False) -> Tensor:
        output: Tensor = model(images, picks)
        return output

    losses = getattr(made, "losses", average_losses)
    felt = torch.zeros(len(parameters))
    for _ in range(TRIES if parameters else 0):
        images, labels = torch.randn(IMAGES, *space.input), torch.randint(0, 3, (IMAGES,))
        each = losses(forward, nn.functional.cross_entropy, (images, labels), made.draws(generator))
        felt += torch.stack([slope.abs().max() for slope in summed(each, parameters)])
    assert felt.all(), f"no slope of the loss reaches tensors {felt.eq(0).nonzero().flatten().tolist()} of parameters()"


def _finds_the_plant(make: Callable[[Space], Relaxation], seeds: Sequence[int], training: Recipe) -> None:
    space, plant = planted.space(), planted.ARCHITECTURES["plant"].picks
    data = planted.dataset()
    found = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = make(space)
        picks = relax(space, made, data, training, seed=seed).architecture.picks
        found.append({name: kept for name, kept in picks.items() if kept != plant[name]})
    missed = [wrong for wrong in found if wrong]
    assert 2 * len(missed) < len(found), (
        f"{len(missed)} of {len(found)} searches end elsewhere, the first at {missed[0]}"
    )
