"""A round of GBDT-NAS: one model, and what it would try next."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy

from nasengine.interpreters.features import Features, Switches
from nasengine.search.strategy import Told
from nasengine.space import Architecture
from nasengine.strategies._gbdt_model import Numbers, Trees, fitted, normal_scores
from nasengine.strategies._gbdt_pool import Pool, evolved
from nasengine.strategies._gbdt_prune import Order, prune

LOOKED_AT = 1000  # candidates, best first, among which new networks are looked for
# shares of a batch; what is left goes to the best expected
NEAR = 0.3  # neighbours of the best so far
RARE = 0.3  # those for which options count the more, the more seldom they were tried
WIDE = 0.2  # drawn from the best BEST of all candidates
BEST = 0.05
RARITY = 10.0  # what an option that was never tried adds to what is expected, in standard deviations of the targets


@dataclass(frozen=True)
class Plan:
    """How a round is made; `whole` is the pool where a space is scored as a whole."""

    features: Features
    whole: Pool | None
    batch: int
    trees: int
    pool: int
    prune: Order


@dataclass(frozen=True)
class Round:
    """What is proposed after `told` results, best first, and what the model expects of any architecture."""

    told: int
    proposals: list[Architecture]
    features: Features
    model: Trees

    def expected(self, architectures: Sequence[Architecture]) -> Numbers:
        """Scores of architectures."""
        return self.model.expected(self.features.of(architectures))


def new_round(plan: Plan, results: Sequence[Told]) -> Round:
    """Fit a model to results, and find what it thinks best; the same results give the same round."""
    rng = random.Random(repr([(sorted(one.architecture.picks.items()), one.value) for one in results]))
    scores = normal_scores([one.value for one in results])
    best_first = numpy.argsort(-scores, kind="stable")
    told = [results[place].architecture for place in best_first]
    plan.features.learn(told)
    model = fitted(plan.features.of(told), scores[best_first], plan.trees)
    found = Round(len(results), [], plan.features, model)
    pruned = prune(plan.prune, plan.features, told, scores[best_first], plan.trees)
    if plan.whole is None:
        pool, expected = evolved(pruned, told, found.expected, plan.pool, rng)
    else:
        pool, expected = plan.whole, model.expected(plan.whole.codes)
        expected = numpy.where(pruned.keeps(pool.picked), expected, -numpy.inf)
    found.proposals.extend(_chosen(plan, pool, expected, told, rng))
    return found


def _chosen(
    plan: Plan, pool: Pool, expected: Numbers, told: Sequence[Architecture], rng: random.Random
) -> list[Architecture]:
    """Candidates by several rules, each with its share, then the best; half a batch more, for workers that run ahead.

    By the best expected alone one run in eight stays with a family of cells that looked good early.
    """
    seen = [pool.rows[one] for one in told if one in pool.rows]
    expected[seen] = -numpy.inf
    chance = numpy.random.default_rng(rng.getrandbits(64)).random(len(expected))
    order = numpy.lexsort((chance, -expected))[: numpy.isfinite(expected).sum()]
    rarity = RARITY * _rarity(plan.features.picked(told), pool)
    rules = (
        (NEAR, order[pool.neighbours(told[0])[order]]),
        (RARE, numpy.lexsort((chance, -(expected + rarity)))[: len(order)]),
        (WIDE, rng.sample(list(order[: int(BEST * len(expected))]), min(len(order), int(BEST * len(expected))))),
        (1.5, order),
    )
    known = set(plan.features.identities(told))
    rows: list[int] = []
    for share, candidates in rules:
        wanted = min(round(share * plan.batch), round(1.5 * plan.batch) - len(rows))
        rows += islice(_new_networks(pool, candidates[:LOOKED_AT], known), wanted)
    if len(rows) < plan.batch:
        taken = set(rows)
        rows += islice((row for row in order if row not in taken), plan.batch - len(rows))
    return [pool.architectures[row] for row in rows]


def _rarity(tried: Switches, pool: Pool) -> Numbers:
    """How seldom the options of each candidate were tried, from 0 to 1: the mean of 1 / sqrt(1 + times).

    The bonus of upper confidence bounds (Auer et al., 2002, https://doi.org/10.1023/A:1013689704352), option by option.
    """
    bonus = 1 / numpy.sqrt(1 + tried.sum(axis=0))
    return numpy.asarray((pool.picked * bonus).sum(axis=1) / numpy.maximum(pool.picked.sum(axis=1), 1))


def _new_networks(pool: Pool, rows: Iterable[int], known: set[bytes]) -> Iterator[int]:
    """Those whose network is not known; it is then."""
    for row in rows:
        if pool.identities[row] not in known:
            known.add(pool.identities[row])
            yield row
