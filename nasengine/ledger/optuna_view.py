"""The results database as Optuna sees it: each trial as an Optuna trial in the same database, for its dashboard.

The ledger is the truth and this is a copy. A trial that runs for long is there while it runs, with its learning curve
so far; a short one is written when it has ended.
Supernets go into a study of their own, `NAME (supernet)`: Optuna's best is the best of a study's complete trials,
and an accuracy of shared weights must not compete with that of a trained network.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import RowMapping, event, select

from nasengine.errors import LedgerError
from nasengine.job import Json
from nasengine.ledger.database import Database
from nasengine.ledger.ledger import Ledger
from nasengine.ledger.queries import METRIC, Reader
from nasengine.ledger.search_record import now
from nasengine.ledger.tables import trials

LONG_SECONDS = 5.0
MOST_CHOICES = 512
LEDGER_ID = "ledger_id"  # the user attribute by which a trial is known to be written
SEARCH_ID = "nasengine_search"
# the first of these that a trial has is what Optuna shows: candidates have the first, the final network the second
FIGURES = (METRIC, "test_accuracy", "gate_accuracy")
CURVES = (METRIC, "gate_accuracy", "train_accuracy")
ATTRIBUTES = ("kind", "digest", "params", "macs", "seconds", "seed", "error", "weights", "reused_from", "stopped")


class Mirror:
    """Optuna's studies of one search: its candidates with the final network, and its supernets apart.

    Whoever makes one must be the only one to do so for that search. `written` counts the trials that it wrote whole.
    """

    def __init__(self, ledger: Ledger, name: str) -> None:
        self._ledger = Reader(ledger.database, patience=0.0)  # a view does not wait; it is made anew
        self._lock = ledger.database.lock
        self._search = self._ledger.search(name)
        self._choices = _choices(self._search["decisions"] or {})
        self._studies: dict[str, _Study] = {}
        self.written = 0
        self._below = 0  # every trial with a smaller id is written
        with self._lock.held():
            self._storage = _storage(ledger.database)

    def synchronise(self, pause: Callable[[float], Any] = lambda seconds: None) -> int:
        """Write the trials that have ended, and those that run for long as they stand; returns how many ended.

        After each write, `pause` is called with the seconds it took.
        """
        self._study("candidate")  # there to be looked at before its first trial
        pending, before = [], self.written
        rows = self._rows()
        for row in rows:
            study = self._study(row["kind"])
            if row["id"] in study.done:
                continue
            began = time.monotonic()
            over = row["state"] in ("complete", "pruned", "failed")
            if over or (row["state"] == "running" and now() - row["started"] > timedelta(seconds=LONG_SECONDS)):
                trial = self._trial(row)
                with self._lock.held(patient=True):
                    study.put(row["id"], trial)
                pause(time.monotonic() - began)
            if over:
                self.written += 1
            else:
                pending.append(row["id"])
        self._below = min(pending, default=rows[-1]["id"] + 1 if rows else self._below)
        return self.written - before

    def close(self) -> None:
        """Let go of Optuna's connections."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _rows(self) -> Sequence[RowMapping]:
        mine = (trials.c.search_id == self._search["id"]) & (trials.c.id >= self._below)
        with self._ledger.database.reading() as connection:
            return connection.execute(select(trials).where(mine).order_by(trials.c.id)).mappings().all()

    def _study(self, kind: str) -> "_Study":
        name = self._search["name"] + (" (supernet)" if kind in ("supernet", "inherited") else "")
        if name not in self._studies:
            with self._lock.held(patient=True):
                self._studies[name] = _Study(self._storage, name, self._search)
        return self._studies[name]

    def _trial(self, row: RowMapping) -> FrozenTrial:
        """Return a trial as Optuna's: picks as categorical parameters, the learning curve as intermediate values."""
        curve = {epoch["epoch"]: _first(epoch, CURVES)[1] for epoch in self._ledger.epochs(row["id"])}
        steps = {step: value for step, value in curve.items() if value is not None}
        parameters = _parameters(row["architecture"] or {}, self._choices)
        attributes = {name: row[name] for name in ATTRIBUTES if row[name] is not None}
        attributes |= {LEDGER_ID: row["id"], "trial": row["number"], "strategy": self._search["strategy"]}
        figure, value = _first(row["values"] or {}, FIGURES)
        if value is None:
            figure, value = "last epoch", steps.get(max(steps, default=0))
        attributes |= {"value_is": figure, **(row["cost"] or {}), **(row["values"] or {})}
        trial = create_trial(
            state=_state(row, value),
            value=value if row["state"] == "complete" else None,
            params={name: pick for name, (pick, _) in parameters.items()},
            distributions={name: CategoricalDistribution(choices) for name, (_, choices) in parameters.items()},
            user_attrs={"seed": self._search["seed"], **attributes},
            intermediate_values=steps,
        )
        trial.datetime_start = _local(row["started"] or row["finished"] - timedelta(seconds=row["seconds"] or 0))
        trial.datetime_complete = _local(row["finished"]) if trial.state.is_finished() else None
        return trial


class _Study:
    """One Optuna study, and which of the ledger's trials it holds; read from itself, so that none is written twice."""

    def __init__(self, storage: RDBStorage, name: str, search: Json) -> None:
        self._storage = storage
        self._id = _study_id(storage, name, search)
        self._running: dict[int, int] = {}  # the ledger's id -> Optuna's
        self.done: set[int] = set()
        for trial in storage.get_all_trials(self._id, deepcopy=False):
            ledger_id = trial.user_attrs.get(LEDGER_ID)
            if ledger_id is not None and trial.state.is_finished():
                self.done.add(ledger_id)
            elif ledger_id is not None:
                number = trial.number
                self._running[ledger_id] = storage.get_trial_id_from_study_id_trial_number(self._id, number)

    def put(self, ledger_id: int, trial: FrozenTrial) -> None:
        """Write a trial whole, in one transaction (as `study.add_trial` does), or what is new of a running one."""
        if ledger_id in self._running:
            self._renew(self._running[ledger_id], trial)
        else:
            self._running[ledger_id] = self._storage.create_new_trial(self._id, template_trial=trial)
        if trial.state.is_finished():
            self.done.add(ledger_id)

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
        storage.set_trial_state_values(optuna_id, trial.state, trial.values)  # last: until then it can be done again


def _storage(database: Database) -> RDBStorage:
    """Open Optuna's storage in the ledger's database; in SQLite with the ledger's settings."""
    url = database.url.render_as_string(hide_password=False)
    options = {"connect_args": {"timeout": 60}} if database.is_sqlite else {"pool_pre_ping": True}
    try:
        storage = RDBStorage(url, engine_kwargs=options)
    except RuntimeError as error:  # Optuna's tables are of another version of Optuna
        raise LedgerError(
            f"Optuna view: {error}; `optuna storage upgrade --storage URL` brings its tables up"
        ) from error
    if database.is_sqlite:
        event.listen(storage.engine, "connect", lambda new, record: new.execute("PRAGMA synchronous=NORMAL"))
        storage.engine.dispose()  # the connections opened before that
    return storage


def _study_id(storage: RDBStorage, name: str, search: Json) -> int:
    """Return the study of that name, made where it is missing. Raises LedgerError when it is somebody else's."""
    try:
        study_id = storage.get_study_id_from_name(name)
    except KeyError:
        study_id = _create_quietly(storage, name)
    owner = storage.get_study_user_attrs(study_id).get(SEARCH_ID)
    if owner == search["id"]:
        return study_id
    if owner is not None or storage.get_n_trials(study_id):
        raise LedgerError(f"Optuna view: study {name} is there and not nasengine's; choose another --name")
    # `Study.set_metric_names` writes the same, but warns that it is experimental
    storage.set_study_system_attr(study_id, "study:metric_names", [METRIC])
    for fact in ("space", "strategy", "data", "seed", "command"):
        if search[fact] is not None:
            storage.set_study_user_attr(study_id, fact, search[fact])
    storage.set_study_user_attr(study_id, SEARCH_ID, search["id"])
    return study_id


def _create_quietly(storage: RDBStorage, name: str) -> int:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return storage.create_new_study([StudyDirection.MAXIMIZE], study_name=name)
    finally:
        optuna.logging.set_verbosity(level)


def _choices(decisions: Mapping[str, Json]) -> dict[str, list[str]]:
    """Return every possible answer to each decision, which Optuna wants to know before the first; not for huge ones."""
    answers = {}
    for name, decision in decisions.items():
        options, (least, most) = decision["options"], decision["keep"]
        sizes = range(least, min(most, len(options)) + 1)
        if sum(math.comb(len(options), size) for size in sizes) <= MOST_CHOICES:
            answers[name] = [_answer(picks) for size in sizes for picks in combinations(options, size)]
    return answers


def _first(values: Mapping[str, Any], names: Sequence[str]) -> tuple[str, float | None]:
    """Return the first of these figures that is there, with its name."""
    name = next((name for name in names if values.get(name) is not None), names[0])
    return name, values.get(name)


def _parameters(
    architecture: Mapping[str, Sequence[str]], choices: Mapping[str, list[str]]
) -> dict[str, tuple[str, list[str]]]:
    """Return, by decision, what was picked and what could have been; without what Optuna cannot hold."""
    answers = {name: _answer(picks) for name, picks in architecture.items()}
    return {name: (pick, choices[name]) for name, pick in answers.items() if pick in choices.get(name, ())}


def _answer(picks: Sequence[str]) -> str:
    return "+".join(picks) or "nothing"


def _state(row: RowMapping, value: float | None) -> TrialState:
    if row["state"] == "running":
        return TrialState.RUNNING
    if row["state"] == "failed":
        return TrialState.FAIL
    complete = row["state"] == "complete" and value is not None  # Optuna asks every complete trial for a value
    return TrialState.COMPLETE if complete else TrialState.PRUNED


def _local(moment: datetime) -> datetime:
    """Return a time of the ledger, in UTC, as Optuna holds it, in local time."""
    return moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
