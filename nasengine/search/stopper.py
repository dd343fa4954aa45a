"""Early stopping: Optuna's pruners say of a running training whether it is worth another epoch."""

import contextlib
import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, SuccessiveHalvingPruner
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from nasengine.errors import NasError, did_you_mean
from nasengine.search.objective import Objective

Direction = Literal["maximize", "minimize"]
State = Literal["running", "complete", "stopped", "failed"]
Curve = tuple[int, Sequence[tuple[int, float]], State]
"""A trial as the ledger knows it: its number, (epoch, value) of each epoch, and what became of it."""

# With a hundred rungs at the most, as Optuna's own "auto" would choose once a first trial is complete.
PRUNERS: dict[str, Callable[[int], BasePruner]] = {
    "asha": lambda epochs: SuccessiveHalvingPruner(min_resource=max(epochs // 100, 1)),
    "hyperband": lambda epochs: HyperbandPruner(max_resource=epochs),
    "median": lambda epochs: MedianPruner(),
}
WORST = 1e300  # finite, so that medians of it are numbers too


def direction_of(metric: str) -> Direction:
    """Return the way in which a value improves: losses, errors and costs down, everything else up."""
    return "maximize" if Objective.parse(metric).sign > 0 else "minimize"


class Stopper:
    """Says after each epoch of a trial whether to stop it, by one named metric, whatever the search's objectives are.

    `asha` is asynchronous successive halving (Li et al., 2020, https://arxiv.org/abs/1810.05934): of all trials that
    came as far as 1, 4, 16, … epochs the best quarter goes on. `hyperband` (Li et al., 2018,
    https://arxiv.org/abs/1603.06560) deals trials out to brackets, by seed and number, that begin with such rungs (1,
    3, 9, …) sooner or later. `median` (Golovin et al., 2017, https://doi.org/10.1145/3097983.3098043) stops what is
    worse than the median of the complete trials at the same epoch, from the fifth of them on.

    `epochs` are those of a whole training. Optuna's pruners judge, on a study in memory that nobody else sees. A value
    that is no finite number counts as the worst of all.
    """

    def __init__(self, kind: str, metric: str, *, epochs: int, direction: Direction = "maximize", seed: int = 0):
        if kind not in PRUNERS:
            hint = did_you_mean(kind, PRUNERS)
            raise NasError(f'stopper: "{kind}" came; {", ".join(PRUNERS)} are allowed.{hint}')
        self._epochs, self.metric, self._worst = epochs, metric, -WORST if direction == "maximize" else WORST
        self._pruner, self._storage = PRUNERS[kind](epochs), _Storage()
        with _quiet():
            self._study = optuna.create_study(
                study_name=f"nasengine-{seed}", storage=self._storage, direction=direction, pruner=self._pruner
            )
        self._study_id = self._storage.get_study_id_from_name(self._study.study_name)
        self._trials: list[int] = []  # their place is their number
        self._stopped: dict[int, int] = {}  # trial number -> the epoch after which it was told to stop
        self._seen = False

    def judge(self, number: int, values: Mapping[str, float]) -> bool:
        """Hear the values of an epoch (with its number under "epoch") and say whether to stop the trial.

        Where the metric is missing a trial is not stopped; NasError, the first time, if no trial ever had it.
        """
        if self.metric in values:
            return self.report(number, int(values["epoch"]), values[self.metric])
        if not self._seen:
            self._seen = True
            names = [name for name in values if name not in ("epoch", "lr", "seconds")]
            raise NasError(
                f'stopper: no value "{self.metric}" came after an epoch, so nothing is stopped by it; there are '
                f"{', '.join(names) or 'none'}.{did_you_mean(self.metric, names)}"
            )
        return False

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Hear a trial's value after an epoch (from 1) and say whether to stop it.

        An epoch heard of before, as after a retry, changes nothing: the answer is what it was. After the last epoch
        there is nothing to stop.
        """
        self._seen = True
        trial = self._take(number, epoch, value)
        if trial is not None and number not in self._stopped and self._pruner.prune(self._study, trial):
            self._count(number)
            if epoch < self._epochs:
                self._stopped[number] = epoch
        return epoch >= self._stopped.get(number, math.inf)

    def end(self, number: int, state: State, value: float | None = None) -> None:
        """Hear what became of a trial, and its value at the end; one that failed may be tried again."""
        identity = self._identity(number)
        trial = self._storage.get_trial(identity)
        if state in ("running", "failed") or trial.state.is_finished():
            return
        if state == "stopped":
            self._stopped.setdefault(number, trial.last_step or 0)
        final = TrialState.COMPLETE if state == "complete" else TrialState.PRUNED
        self._storage.set_trial_state_values(identity, final, [self._finite(value)])

    def replay(self, curves: Iterable[Curve]) -> None:
        """Take up the trials of an interrupted search: what is said next is what would have been said without that.

        A trial that had been told to stop when the driver died comes as `stopped` and will be told so again.
        """
        for number, points, state in curves:
            for epoch, value in points:
                if self._take(number, epoch, value) is not None:
                    self._seen = True
                    self._count(number)
            self.end(number, state, points[-1][1] if points else None)

    def _identity(self, number: int) -> int:
        """The trial's identity in the study, where it has the same number, for Hyperband deals by that."""
        while len(self._trials) <= number:
            self._trials.append(self._storage.create_new_trial(self._study_id))
        return self._trials[number]

    def _take(self, number: int, epoch: int, value: float) -> FrozenTrial | None:
        """Write down a value; None where the epoch is known or the trial has ended."""
        identity = self._identity(number)
        trial = self._storage.get_trial(identity)
        if trial.state.is_finished() or epoch <= (trial.last_step or 0):
            return None
        self._storage.set_trial_intermediate_value(identity, epoch, self._finite(value))
        return self._storage.get_trial(identity)

    def _count(self, number: int) -> None:
        """Let the trial's last value count at all rungs reached, as if it had no competitors.

        So what later trials compete with follows from the curves alone, not from the order in which they grew, and a
        replay costs nothing but a look at each epoch.
        """
        with self._storage.showing_nothing():
            self._pruner.prune(self._study, self._storage.get_trial(self._trials[number]))

    def _finite(self, value: float | None) -> float:
        return value if value is not None and math.isfinite(value) else self._worst


class _Storage(InMemoryStorage):
    """Optuna's storage in memory, which can be made to look empty."""

    _hidden = False

    @contextlib.contextmanager
    def showing_nothing(self) -> Iterator[None]:
        self._hidden = True
        try:
            yield
        finally:
            self._hidden = False

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        return [] if self._hidden else super().get_all_trials(study_id, deepcopy, states)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Optuna announces every study that is made; nobody asked for this one."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
