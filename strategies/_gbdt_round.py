"""A round of GBDT-NAS: one model, and what it would try next."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy

from nasengine.interpreters.features import Features
from nasengine.search.strategy import Told
from nasengine.space import Architecture
from nasengine.strategies._gbdt_model import Numbers, Trees, fitted, normal_scores
from nasengine.strategies._gbdt_pool import Pool, evolved
from nasengine.strategies._gbdt_prune import Order, prune

LOOKED_AT = 1000  # candidates, best first, among which new networks are looked for
NEAR = 0.3  # of a batch, the share that are neighbours of the best so far


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
    """Some neighbours of the best, then the best anywhere; one and a half batches, for workers that run ahead."""
    seen = set(told)
    chance = numpy.random.default_rng(rng.getrandbits(64)).random(len(expected))
    order = [int(row) for row in numpy.lexsort((chance, -expected)) if expected[row] > -numpy.inf]
    order = [row for row in order if pool.architectures[row] not in seen]
    near = pool.neighbours(told[0])
    known = set(plan.features.identities(told))
    close = [row for row in order if near[row]]
    rows = list(islice(_new_networks(pool, close[:LOOKED_AT], known), round(NEAR * plan.batch)))
    most = plan.batch + plan.batch // 2
    rows += islice(_new_networks(pool, order[:LOOKED_AT], known), most - len(rows))
    other_spellings = (row for row in order if row not in set(rows))
    rows += islice(other_spellings, max(plan.batch - len(rows), 0))
    return [pool.architectures[row] for row in rows]


def _new_networks(pool: Pool, rows: Iterable[int], known: set[bytes]) -> Iterator[int]:
    """Those whose network is not known; it is then."""
    for row in rows:
        if pool.identities[row] not in known:
            known.add(pool.identities[row])
            yield row
