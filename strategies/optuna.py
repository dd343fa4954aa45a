"""Optuna's samplers, each as a strategy: TPE, NSGA-II and -III, Gaussian processes, quasi-random points, CMA-ES.

Optuna (Akiba et al., 2019, https://arxiv.org/abs/1907.10902) is asked through a study in memory that holds what was
told; a failed training is a failed trial. With several objectives the study has several directions. A decision is a
categorical parameter over its answers; one that keeps several of very many options is a yes or no for each of them.

- tpe: multivariate, which follows dependent decisions in groups (Bergstra et al., 2011; Falkner et al., 2018)
- nsga2, nsga3: crossover and mutation of a generation's elite (Deb et al., 2002 and 2014); a generation is `startup`
  successful results, in the order they were told
- gp: expected improvement under a Gaussian process (or expected hypervolume); a second or more for every proposal
- qmc: a scrambled Sobol sequence, which does not learn from results
- cmaes: needs the package `cmaes`. It knows no categories and keeps its state in its own trials; here answers are
  numbered, and each proposal is drawn from the distribution that CMA-ES takes from the best results of earlier trials
  (Nomura et al., 2021, https://arxiv.org/abs/2012.06932). It follows one number where there are several objectives.

A network that breaks a bound on something measured counts as such with tpe, nsga2 and nsga3, and as failed elsewhere.

All but tpe need the same parameters in every trial: they are told random answers for what was not asked.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from nasengine.errors import NasError
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Decision, Space

MOST_ANSWERS = 256  # a decision that can be answered in more ways is put as one yes or no for each option


class Optuna:
    """A sampler of Optuna behind ask and tell.

    sampler: which of Optuna's
    startup: results of random architectures before the sampler begins; with nsga2 and nsga3 also the size of a
        generation. None is 50 for those two and 10 for the others; qmc begins after one
    """

    def __init__(
        self,
        space: Space,
        sampler: Literal["tpe", "nsga2", "nsga3", "gp", "qmc", "cmaes"] = "tpe",
        startup: int | None = None,
    ) -> None:
        from nasengine.strategies._optuna_studies import Studies  # loads Optuna

        least = {"nsga2": 2, "nsga3": 2, "cmaes": 10}.get(sampler, 1)  # cmaes takes the best tenth
        if startup is not None and startup < least:
            raise NasError(f"strategy optuna: startup={startup} came; with {sampler} give at least {least}")
        self.space, self.is_tpe = space, sampler == "tpe"
        self.questions = {name: _Question(decision) for name, decision in space.decisions.items()}
        sizes = {parameter: n for one in self.questions.values() for parameter, n in one.parameters.items()}
        conditional = any(decision.when for decision in space.decisions.values())
        self.studies = Studies(sampler, sizes, startup, conditional)

    def ask(self, rng: random.Random) -> Architecture:
        """What the sampler suggests, made legal where a space has a condition."""
        suggest = self.studies.suggestions(rng.getrandbits(32))
        picks: dict[str, tuple[str, ...]] = {}
        for name, decision in self.space.decisions.items():
            if decision.active(picks):
                picks[name] = self.questions[name].answer(suggest, rng)
        return self.space.follow(picks, rng)

    def tell(self, result: Told) -> None:
        """Add a trial."""
        picks = result.architecture.picks if self.is_tpe else self._completed(result.architecture)
        parameters = {k: v for name, kept in picks.items() for k, v in self.questions[name].values(kept).items()}
        self.studies.add(parameters, result.value, result.objectives, result.violation)

    def _completed(self, architecture: Architecture) -> dict[str, tuple[str, ...]]:
        """Its picks, and drawn ones for the decisions that it was not asked."""
        rng = random.Random(self.studies.number)
        picks = architecture.picks
        return {name: picks[name] if name in picks else one.draw(rng) for name, one in self.space.decisions.items()}


@dataclass(frozen=True)
class _Question:
    """One decision as parameters, each with values 0 to n - 1: the numbers of its answers, or a 0 or 1 per option."""

    decision: Decision

    @cached_property
    def answers(self) -> list[tuple[str, ...]]:
        """The answers that have numbers; none where there are too many."""
        return list(self.decision.picks()) if self.decision.ways() <= MOST_ANSWERS else []

    @cached_property
    def numbers(self) -> dict[frozenset[str], int]:
        """The answers' numbers, whatever the order of their options."""
        return {frozenset(answer): number for number, answer in enumerate(self.answers)}

    @cached_property
    def parameters(self) -> dict[str, int]:
        """Each parameter with how many values it has; one that has a single value is none."""
        if len(self.answers) == 1:
            return {}
        if self.answers:
            return {self.decision.name: len(self.answers)}
        return {f"{self.decision.name}/{option}": 2 for option in self.decision.options}

    def values(self, kept: tuple[str, ...]) -> Mapping[str, int]:
        """The parameters that say this answer."""
        if not self.answers:
            return {f"{self.decision.name}/{option}": int(option in kept) for option in self.decision.options}
        return {name: self.numbers[frozenset(kept)] for name in self.parameters}

    def answer(self, suggest: Callable[[str], int], rng: random.Random) -> tuple[str, ...]:
        """The answer that suggested values say, or the nearest legal one."""
        suggested = {name: suggest(name) for name in self.parameters}
        if self.answers:
            return self.answers[suggested.get(self.decision.name, 0)]
        wanted = [option for option, yes in zip(self.decision.options, suggested.values(), strict=True) if yes]
        most = self.decision.keep[1]
        return self.decision.draw(rng, tuple(rng.sample(wanted, most) if len(wanted) > most else wanted))
