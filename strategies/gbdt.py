"""GBDT-NAS: gradient-boosted trees learn from all results so far which architectures to try next.

Luo et al., 2020 (https://arxiv.org/abs/2007.04785). A search starts at random. Then, in rounds, a model is fitted to
everything told, and the best that it expects among architectures not yet seen is proposed. Spaces of up to 20,000
architectures are scored as a whole; in larger ones evolution on the model's scores, from the best so far and from
random ones, brings forth the candidates. `prune` leaves out of the candidates what the model's contributions (SHAP
values) show to be harmful, as GBDT-NAS-3S does.

Departures from the paper:

- a round tries, beside the best expected, neighbours of the best so far, options that were seldom tried, and random
  ones of the best twentieth;
- many small rounds instead of few of 300 to 1,000, for budgets of about a hundred trainings;
- XGBoost instead of LightGBM; results are ranked and made normal scores, so that a few broken trainings do not
  stretch the scale; a failed training is the worst result;
- the code has, beside the one-hot code, what lies on live paths;
- no second spelling of a network that was tried, as long as there is another one;
- pruning starts anew in every round, leaves the best architecture's picks in, and counts only what is pruned; a harmful
  pair is not allowed together, but each of its options with others is; contributions are averaged once per feature.
"""

import random
from collections.abc import Sequence
from statistics import fmean, median
from typing import Literal

from nasengine.errors import NasError
from nasengine.interpreters.features import Features
from nasengine.search.strategy import Remark, Told
from nasengine.space import Architecture, Space
from nasengine.space.unseen import Unseen
from nasengine.strategies._gbdt_model import normal_scores, rank_agreement
from nasengine.strategies._gbdt_pool import whole
from nasengine.strategies._gbdt_round import Plan, Round, new_round

ROUNDS = 3  # that are looked at together, to say that the models are worthless
CHANCE_TAU = 0.1  # up to this, predictions rank no better than chance does on so few results
CHANCE_SHARE = 0.6  # up to this, as many proposals are better than the median random start as random ones would be


class GBDT:
    """Boosted trees as the judge of what to try next.

    start: random architectures before the first model
    batch: results between one model and the next
    trees: number of trees in a model
    code: how an architecture is written for the model; "all" is "one-hot" and "graph" together
    prune: what is left out of the candidates: nothing, harmful options, or harmful pairs of options
    pool: mutants that a model chooses from where the space is too large to be scored as a whole
    """

    def __init__(
        self,
        space: Space,
        start: int = 15,
        batch: int = 10,
        trees: int = 100,
        code: Literal["all", "one-hot", "graph", "paths"] = "all",
        prune: Literal["none", "first", "second"] = "none",
        pool: int = 500,
    ) -> None:
        numbers = {"start": start, "batch": batch, "trees": trees, "pool": pool}
        faults = [f"{name}={value}" for name, value in numbers.items() if value < 1]
        if faults:
            raise NasError(f"strategy gbdt: {', '.join(faults)} came; each is at least 1")
        self.start, self.batch = start, batch
        everything = whole(space, code)
        features = Features(space, code) if everything is None else everything.features
        self.plan = Plan(features, everything, batch, trees, pool, prune)
        self.unseen = Unseen(space)
        self.told: list[Told] = []
        self.round: Round | None = None  # the one of the latest ask
        self.judged: list[tuple[float, float]] = []  # of each round the agreement, and how many were better than random
        self.said: list[Remark] = []

    def ask(self, rng: random.Random) -> Architecture | None:
        """One of the best that this round's model knows; a random one before there is a model; None at the end."""
        if len(self.told) < self.start:
            return self.unseen.draw(rng)
        done = (len(self.told) - self.start) % self.batch
        if self.round is None or self.round.told != len(self.told) - done:
            self.round = new_round(self.plan, self.told[: len(self.told) - done])
        left = [one for one in self.round.proposals if one in self.unseen]
        window = max(self.batch - done, self.batch // 2)  # so that workers that ask at the same time differ
        return rng.choice(left[:window]) if left else self.unseen.draw(rng)

    def tell(self, result: Told) -> None:
        """Take a result in; at the end of a round, compare what its model expected."""
        self.told.append(result)
        self.unseen.remove(result.architecture)
        if self.round is not None and len(self.told) == self.round.told + self.batch:
            self._judge(self.round, self.told[self.round.told :])

    def remarks(self) -> list[Remark]:
        """How well the models predicted: one of kind "fidelity" a round, and a warning when they are worthless."""
        said, self.said = self.said, []
        return said

    def _judge(self, done: Round, results: Sequence[Told]) -> None:
        values = [one.value for one in (*self.told[: self.start], *results)]
        scores = normal_scores(values)
        first, found = scores[: self.start], scores[self.start :]
        tau = rank_agreement(done.expected([one.architecture for one in results]), found)
        better = fmean(score > median(first) for score in found)
        self.judged.append((tau, better))
        self.said.append(
            Remark(
                "fidelity",
                f"results {done.told} to {len(self.told) - 1}: Kendall's tau between what the model expected and what "
                f"came is {tau:.2f}; {better:.0%} are better than the median of the first {self.start}",
                {"tau": tau, "better": better, "told": done.told, "candidates": len(results)},
            )
        )
        taus, shares = (fmean(column) for column in zip(*self.judged[-ROUNDS:], strict=True))
        if len(self.judged) % ROUNDS == 0 and taus <= CHANCE_TAU and shares <= CHANCE_SHARE:
            self.said.append(
                Remark(
                    "warning",
                    f"gbdt's models are worthless so far: over the last {ROUNDS} rounds Kendall's tau between what "
                    f"they expected and what came is {taus:.2f} (chance is 0), and {shares:.0%} of the proposals are "
                    f"better than the median of the first {self.start} (chance is 50%). The search does no better than "
                    "a random one: results may be mostly noise (train longer, or with more data), or too few yet",
                    {"tau": taus, "better": shares},
                )
            )
