"""One Optuna study being written: trials whole or as they run, and their notes, each once."""

from collections.abc import Mapping

from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

from nasengine.job import Json
from nasengine.ledger.optuna_aims import Aims
from nasengine.ledger.optuna_curves import PLOT, plot
from nasengine.ledger.optuna_storage import open_study
from nasengine.ledger.optuna_trial import CONSTRAINTS, LEDGER_ID

MOST_NOTES = 1000  # the dashboard compares every trial with every note of its study


class Study:
    """One Optuna study, and which of the ledger's trials it holds; read from itself, so that none is written twice."""

    def __init__(self, storage: RDBStorage, name: str, search: Json, aims: Aims) -> None:
        self.aims = aims
        self._storage = storage
        self._id = open_study(storage, name, search, aims)
        self._ids: dict[int, int] = {}  # the ledger's id -> Optuna's
        self._finished: set[int] = set()  # of the ledger's
        self._to_note: set[int] = set()
        self._best: list[list[float]] = []  # values that no others beat, turned so that larger is better
        self._curves: dict[str, Mapping[int, float]] = {}
        self._read()

    def _read(self) -> None:
        there = self._storage.get_study_system_attrs(self._id).keys()
        for trial in self._storage.get_all_trials(self._id, deepcopy=False):
            ledger_id = trial.user_attrs.get(LEDGER_ID)
            if ledger_id is None:
                continue
            self._ids[ledger_id] = trial._trial_id
            self.leads(trial)
            self._remember(trial)
            if trial.state.is_finished():
                self._finished.add(ledger_id)
                if trial.number < MOST_NOTES and _version_key(trial._trial_id) not in there:
                    self._to_note.add(ledger_id)
        self._curves_are_new = bool(self._curves) and PLOT not in there

    def _remember(self, trial: FrozenTrial) -> None:
        name = f"{trial.user_attrs['kind']} {trial.user_attrs['trial']}"
        if self._curves.get(name, {}) != trial.intermediate_values:
            self._curves[name] = trial.intermediate_values
            self._curves_are_new = True

    def leads(self, trial: FrozenTrial) -> bool:
        """Say whether no trial so far is as good in everything, and remember this one."""
        if trial.values is None or any(broken > 0 for broken in trial.system_attrs.get(CONSTRAINTS, ())):
            return False
        signs = [1 if large else -1 for large in self.aims.objectives.values()]
        mine = [sign * value for sign, value in zip(signs, trial.values, strict=True)]
        if any(_covers(one, mine) for one in self._best):
            return False
        self._best = [one for one in self._best if not _covers(mine, one)] + [mine]
        return True

    def has(self, ledger_id: int) -> bool:
        """Whether the trial has ended there and nothing of it is missing."""
        return ledger_id in self._finished and ledger_id not in self._to_note

    def has_ended(self, ledger_id: int) -> bool:
        """Whether the trial has ended there; its note may be missing."""
        return ledger_id in self._finished

    def takes_note(self, ledger_id: int) -> bool:
        """Whether a trial that has ended there is to get a note."""
        return ledger_id in self._to_note

    def put(self, ledger_id: int, trial: FrozenTrial, always_noted: bool) -> None:
        """Write a trial whole, in one transaction (as `study.add_trial` does), or what is new of a running one."""
        if ledger_id in self._ids:
            self._renew(self._ids[ledger_id], trial)
        else:
            self._ids[ledger_id] = self._storage.create_new_trial(self._id, template_trial=trial)
        self._remember(trial)
        if trial.state.is_finished():
            self._finished.add(ledger_id)
            if always_noted or len(self._finished) <= MOST_NOTES:
                self._to_note.add(ledger_id)

    def put_note(self, ledger_id: int, text: str) -> None:
        """Write the Markdown note of a trial, as `optuna_dashboard.save_note` does, which need not be installed."""
        optuna_id = self._ids[ledger_id]
        self._storage.set_study_system_attr(self._id, f"dashboard:{optuna_id}:note_str:0", text)
        self._storage.set_study_system_attr(self._id, _version_key(optuna_id), 1)  # last: with it, the note is there
        self._to_note.discard(ledger_id)

    def address_of(self, ledger_id: int, artifact: str) -> str:
        """Return where the dashboard serves a file of a trial."""
        return f"/artifacts/{self._id}/{self._ids[ledger_id]}/{artifact}"

    def put_curves(self) -> None:
        """Plot the learning curves of a study with several objectives, where there are new ones."""
        if self._curves_are_new and len(self.aims.objectives) > 1:
            name, large = next(iter(self.aims.objectives.items()))
            self._storage.set_study_system_attr(self._id, PLOT, plot(self._curves, name, large))
        self._curves_are_new = False

    def _renew(self, optuna_id: int, trial: FrozenTrial) -> None:
        storage, there = self._storage, self._storage.get_trial(optuna_id)
        for step, value in trial.intermediate_values.items():
            if there.intermediate_values.get(step) != value:
                storage.set_trial_intermediate_value(optuna_id, step, value)
        if not trial.state.is_finished():
            return
        for name in trial.params.keys() - there.params.keys():  # a supernet's architecture is known at its end
            distribution = trial.distributions[name]
            pick = distribution.to_internal_repr(trial.params[name])
            storage.set_trial_param(optuna_id, name, pick, distribution)
        for name, value in trial.user_attrs.items():
            storage.set_trial_user_attr(optuna_id, name, value)
        for name, value in trial.system_attrs.items():
            storage.set_trial_system_attr(optuna_id, name, value)
        storage.set_trial_state_values(optuna_id, trial.state, trial.values)  # last: until then it can be done again


def _version_key(optuna_id: int) -> str:
    return f"dashboard:{optuna_id}:note_ver"


def _covers(one: list[float], other: list[float]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True))
