"""Optuna's side of the strategy `optuna`: its trials, a study for each question, and its samplers.

Optuna keeps what it suggests as a running trial. Asking must leave no trace, so each question gets a copy of the study
that holds what was told, and is answered by a sampler of its own.
"""

import copy
import importlib.util
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseGASampler,
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIIISampler,
    NSGAIISampler,
    QMCSampler,
    TPESampler,
)
from optuna.storages import InMemoryStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from nasengine.errors import NasError

NAME, STUDY = "told", 0  # of the one study in a storage
CONSTRAINED = ("tpe", "nsga2", "nsga3")  # samplers that are told by how much bounds are broken
CONSTRAINTS = "constraints"  # where Optuna's samplers look for that in a trial
NOW = datetime(2000, 1, 1)  # trials need a time, and no sampler looks at it


class Studies:
    """What was told, as the trials of a study; a copy of it with a new sampler for every question.

    `sizes` says how many values each parameter has, `conditional` whether some trials lack some of them.
    """

    def __init__(self, sampler: str, sizes: Mapping[str, int], startup: int | None, conditional: bool) -> None:
        if sampler == "cmaes" and importlib.util.find_spec("cmaes") is None:
            raise NasError(
                "strategy optuna: the sampler cmaes needs the package cmaes, which is not installed; "
                "install it with `pip install cmaes`, or take another sampler"
            )
        self._sampler, self._startup, self._conditional = sampler, startup, conditional
        self._distributions = {name: _distribution(sampler, size) for name, size in sizes.items()}
        self._trials: list[_Kept] = []
        self._constrained = False  # until something has broken a bound, samplers work as without
        self._storage = _storage(1)

    @property
    def number(self) -> int:
        """How many trials were told."""
        return len(self._trials)

    def add(
        self, parameters: Mapping[str, int], value: float | None, objectives: Sequence[float], violation: float = 0.0
    ) -> None:
        """A result: one value, or several objectives, all to be made large; a failed one has no value.

        What breaks a bound by `violation` is no failure to samplers that know constraints.
        """
        if violation and objectives and self._sampler in CONSTRAINED:
            value, self._constrained = objectives[0], True
        several = len(objectives) > 1 and self._sampler != "cmaes" and value is not None
        trial = _Kept(
            number=self.number,
            trial_id=self.number,
            state=TrialState.FAIL if value is None else TrialState.COMPLETE,
            value=None if several else value,
            values=list(objectives) if several else None,
            datetime_start=NOW,
            datetime_complete=NOW,
            params=dict(parameters),
            distributions={name: self._distributions[name] for name in parameters},
            user_attrs={},
            system_attrs={CONSTRAINTS: (violation,)},
            intermediate_values={},
        )
        if several and len(self._storage.get_study_directions(STUDY)) != len(objectives):
            self._storage = _storage(len(objectives), self._trials)  # known from the first result; there were failures
        self._storage.create_new_trial(STUDY, trial)
        self._trials.append(trial)

    def suggestions(self, seed: int) -> Callable[[str], int]:
        """A function from a parameter to the value suggested for it."""
        with _quiet():
            study = optuna.load_study(study_name=NAME, storage=copy.deepcopy(self._storage), sampler=self._made(seed))
            trial = study.ask()
            trial.relative_params  # noqa: B018 (the sampler does its work where this is first looked at)

        def suggest(name: str) -> int:
            distribution = self._distributions[name]
            if isinstance(distribution, IntDistribution):
                return trial.suggest_int(name, distribution.low, distribution.high)
            assert isinstance(distribution, CategoricalDistribution)
            choice = trial.suggest_categorical(name, distribution.choices)
            assert isinstance(choice, int)
            return choice

        return suggest

    def _made(self, seed: int) -> BaseSampler:
        startup, generation = self._startup or 10, self._startup or 50
        broken = _broken if self._constrained else None
        match self._sampler:
            case "nsga2":
                return _NSGA2(population_size=generation, seed=seed, constraints_func=broken)
            case "nsga3":
                return _NSGA3(population_size=generation, seed=seed, constraints_func=broken)
            case "gp":
                return GPSampler(n_startup_trials=startup, seed=seed, warn_independent_sampling=False)
            case "qmc":
                return _Sobol(self._distributions, self._trials, seed)
            case "cmaes":
                done = [trial for trial in self._trials if trial.state == TrialState.COMPLETE]
                few = startup if len(self._distributions) > 1 else len(done) + 1  # it needs two dimensions
                return CmaEsSampler(
                    n_startup_trials=few, source_trials=list(done), seed=seed, warn_independent_sampling=False
                )
        return TPESampler(
            n_startup_trials=startup, multivariate=True, group=self._conditional, constant_liar=False, seed=seed,
            constraints_func=broken,
        )  # fmt: skip


class _Kept(FrozenTrial):
    """A finished trial: nothing changes it any more, and every copy of the study may hold the same one."""

    def __deepcopy__(self, memo: Any) -> "_Kept":
        return self


class _Generations(BaseGASampler):
    """Generations counted in results; Optuna marks its running trials instead, which are not there any more."""

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        """The generation after the last full one."""
        generation = len(_complete(study)) // self._size
        for earlier in range(1, generation):  # each needs the one before it: in this order no call nests deeply
            self.get_parent_population(study, earlier)
        return generation

    def get_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        """Its results."""
        first = generation * self._size
        return _complete(study)[first : first + self._size]

    @property
    def _size(self) -> int:
        assert self.population_size is not None
        return self.population_size


class _NSGA2(_Generations, NSGAIISampler):
    pass


class _NSGA3(_Generations, NSGAIIISampler):
    pass


class _Sobol(QMCSampler):
    """One sequence for a whole search, over all parameters, those that are not always asked too.

    It is scrambled by the first result, which was random: the only thing that tells one search from another.
    """

    def __init__(self, distributions: dict[str, BaseDistribution], trials: Sequence[FrozenTrial], seed: int) -> None:
        scramble = zlib.crc32(repr(trials[0].params).encode()) if trials else 0
        independent = optuna.samplers.RandomSampler(seed=seed)
        super().__init__(scramble=True, seed=scramble, independent_sampler=independent, warn_independent_sampling=False)
        self._all, self._number = distributions, len(trials)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All parameters, once a first result is there."""
        return dict(self._all) if self._number else {}

    def _find_sample_id(self, study: Study, search_space: dict[str, BaseDistribution]) -> int:
        return self._number - 1  # Optuna counts in the study, and this study is new


def _distribution(sampler: str, size: int) -> BaseDistribution:
    return IntDistribution(0, size - 1) if sampler == "cmaes" else CategoricalDistribution(tuple(range(size)))


def _storage(objectives: int, trials: Sequence[FrozenTrial] = ()) -> InMemoryStorage:
    """A storage with one study."""
    made = InMemoryStorage()
    with _quiet():
        made.create_new_study([StudyDirection.MAXIMIZE] * objectives, NAME)
    for trial in trials:
        made.create_new_trial(STUDY, trial)
    return made


def _broken(trial: FrozenTrial) -> Sequence[float]:
    """By how much a trial breaks bounds."""
    told: Sequence[float] = trial.system_attrs[CONSTRAINTS]
    return told


def _complete(study: Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's words for every new study, and its warnings about what it calls experimental."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.filterwarnings("ignore", "`constraints_func`", FutureWarning)  # Optuna 4 has nothing else
            yield
    finally:
        optuna.logging.set_verbosity(level)
