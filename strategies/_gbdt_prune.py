"""Which options, and which pairs of them, a model of boosted trees holds to be harmful: GBDT-NAS' pruning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from nasengine.interpreters.features import Features, Switches
from nasengine.space import Architecture, Space
from nasengine.strategies._gbdt_model import fitted

Order = Literal["none", "first", "second"]
Pair = tuple[tuple[int, bool], tuple[int, bool]]  # two columns, and whether each is on
SHARE = 20 / 147  # of all options, what is pruned at most; the published 20 of 147
STRONGEST = 40  # options whose interactions are looked at: those that the model uses most
ROWS = 200  # architectures that interactions are averaged over, at most
PAIRS = 2  # splits a tree, which then holds pairs and nothing more: a tenth of the time


@dataclass(frozen=True)
class Pruned:
    """Options that architectures may not have, and pairs that they may not have together (or one without the other)."""

    features: Features
    options: frozenset[int] = frozenset()
    pairs: tuple[Pair, ...] = ()

    def keeps(self, on: Switches) -> Switches:
        """Whether each row of picked options is still allowed."""
        left: Switches = numpy.logical_not(on[:, sorted(self.options)].any(axis=1))
        for (a, with_a), (b, with_b) in self.pairs:
            left &= (on[:, a] != with_a) | (on[:, b] != with_b)
        return left

    def allowed(self, architectures: Sequence[Architecture]) -> list[Architecture]:
        """Those that are."""
        if not (self.options or self.pairs):
            return list(architectures)
        kept = self.keeps(self.features.picked(architectures))
        return [one for one, keep in zip(architectures, kept, strict=True) if keep]

    def space(self) -> Space:
        """The space without the options."""
        harmful = {self.features.options[column] for column in self.options}
        names = {name for name, _ in harmful}
        decisions = self.features.space.decisions
        left = {name: [o for o in decisions[name].options if (name, o) not in harmful] for name in names}
        return self.features.space.restrict(left) if left else self.features.space


def prune(order: Order, features: Features, told: Sequence[Architecture], targets: Any, trees: int) -> Pruned:
    """What to leave out, by the contributions to a model on the one-hot code; `told` has the best architecture first.

    What the best one picks stays, so that there is always something left.
    """
    if order == "none":
        return Pruned(features)
    on = features.picked(told)
    most = max(1, round(SHARE * on.shape[1]))
    if order == "first":
        return Pruned(features, options=_options(features.space, features.options, on, targets, trees, most))
    return Pruned(features, pairs=_pairs(features.options, on, targets, trees, most))


def _options(
    space: Space, names: Sequence[tuple[str, str]], on: Switches, targets: Any, trees: int, most: int
) -> frozenset[int]:
    """The options with the most negative mean contribution where they are picked."""
    given = fitted(on, targets, trees).contributions(on)
    mean = (given * on).sum(axis=0) / numpy.maximum(on.sum(axis=0), 1)
    left = {name: len(decision.options) - max(decision.keep[0], 1) for name, decision in space.decisions.items()}
    found: set[int] = set()
    for column in numpy.argsort(mean, kind="stable"):
        name = names[column][0]
        if mean[column] < 0 and not on[0, column] and left[name] > 0 and len(found) < most:
            left[name] -= 1
            found.add(int(column))
    return frozenset(found)


def _pairs(names: Sequence[tuple[str, str]], on: Switches, targets: Any, trees: int, most: int) -> tuple[Pair, ...]:
    """The pairs from two decisions with the most negative mean interaction where both, or only one, are picked."""
    used = fitted(on, targets, trees, PAIRS).used(STRONGEST)
    if len(used) < 2:
        return ()  # the model sees no difference
    rows = numpy.linspace(0, len(on) - 1, min(len(on), ROWS)).astype(int)
    strong = on[:, used]
    means = _means(fitted(strong, targets, trees, PAIRS).interactions(strong[rows]), strong[rows])
    worst = means.argmin(axis=0)  # of the four groups
    upper = (
        (a, b) for a in range(len(used)) for b in range(a + 1, len(used)) if names[used[a]][0] != names[used[b]][0]
    )
    found: list[Pair] = []
    for a, b in sorted(upper, key=lambda pair: means[worst[pair]][pair]):
        group = worst[a, b]
        pair = (used[a], group in (0, 1)), (used[b], group in (0, 2))
        best_has_it = all(on[0, column] == picked for column, picked in pair)
        if means[group, a, b] < 0 and group < 3 and not best_has_it and len(found) < most:
            found.append(pair)
    return tuple(found)


def _means(given: NDArray[Any], on: Switches) -> NDArray[Any]:
    """Interactions of pairs averaged over the rows with both, the first only, the second only, none of them."""
    yes, no = on.astype(float), (~on).astype(float)
    groups = ((yes, yes), (yes, no), (no, yes), (no, no))
    sums = [numpy.einsum("nab,na,nb->ab", given, first, second) for first, second in groups]
    return numpy.array([total / numpy.maximum(a.T @ b, 1) for total, (a, b) in zip(sums, groups, strict=True)])
