"""Studies of several objectives, their constraints, curves and notes, as Optuna and its dashboard read them."""

import json
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState

from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord
from nasengine.ledger.live_view import catch_up
from nasengine.ledger.optuna_curves import PLOT
from nasengine.ledger.optuna_storage import LAYOUT_KEY, SEARCH_ID
from nasengine.search.objective import Goal

get_note = pytest.importorskip("optuna_dashboard").get_note
Load = Callable[..., optuna.Study]
CURVE = [{"epoch": epoch, "validation_accuracy": epoch / 10} for epoch in range(3)]


@pytest.fixture
def facts(facts: dict[str, Any]) -> dict[str, Any]:
    """A search with two objectives and a bound."""
    return {**facts, "goal": Goal.parse(["accuracy", "min:params", "macs<1k"]).to_json()}


def put(search: SearchRecord, number: int, accuracy: float | None, params: int, macs: int = 900, **more: Any) -> None:
    values = {} if accuracy is None else {"validation_accuracy": accuracy}
    picks = {"op": [("skip", "conv", "pool")[number % 3]], "inputs": ["in0", "node0"]}
    more = {"epochs": CURVE, "seconds": 1.0, **more}
    search.record(Result(number, picks, values=values, params=params, macs=macs, **more), number)


def note_of(study: optuna.Study, number: int) -> str:
    identity = study._storage.get_trial_id_from_study_id_trial_number(study._study_id, number)
    return get_note(optuna.trial.Trial(study, identity))


def attributes(study: optuna.Study) -> dict[str, Any]:
    """What is hidden from users of a study, and where its dashboard reads."""
    return study._storage.get_study_system_attrs(study._study_id)


def test_objectives_front_constraints_curves_and_notes(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    put(search, 0, 0.5, 100)
    put(search, 1, 0.7, 300)
    put(search, 2, 0.6, 400)
    put(search, 3, 0.9, 50, macs=1500)
    put(search, 4, None, 50, error="diverged")
    assert catch_up(ledger, "one") == 5
    found = study()
    assert found.directions == [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
    assert found.metric_names == ["validation_accuracy", "params"]
    assert found.user_attrs["bound on macs"] == 1000
    assert [trial.values for trial in found.trials] == [[0.5, 100], [0.7, 300], [0.6, 400], [0.9, 50], None]
    assert [trial.number for trial in found.best_trials] == [0, 1]  # 3 is better than all, and breaks the bound
    assert found.trials[3].constraints == {"0": 0.5} and found.trials[0].constraints["0"] == pytest.approx(-0.1)
    assert found.trials[4].state == TrialState.FAIL
    assert found.trials[0].intermediate_values == {0: 0.0, 1: 0.1, 2: 0.2}
    plot = json.loads(attributes(found)[PLOT])
    assert {line["name"] for line in plot["data"]} == {f"candidate {number}" for number in range(5)}
    assert note_of(found, 1).startswith("### one: candidate 1, complete") and "diverged" in note_of(found, 4)


def test_a_note_that_was_edited_stays(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    put(search, 0, 0.5, 100)
    catch_up(ledger, "one")
    trial = optuna.trial.Trial(study(), study()._storage.get_trial_id_from_study_id_trial_number(study()._study_id, 0))
    pytest.importorskip("optuna_dashboard").save_note(trial, "mine")
    put(search, 1, 0.6, 100)
    assert catch_up(ledger, "one") == 1
    assert note_of(study(), 0) == "mine"


def test_of_many_trials_the_first_and_the_leading_have_notes(
    ledger: Ledger, search: SearchRecord, study: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nasengine.ledger.optuna_study.MOST_NOTES", 2)
    for number, accuracy in enumerate((0.5, 0.4, 0.3, 0.6)):
        put(search, number, accuracy, 100)
    assert catch_up(ledger, "one") == 4
    assert [bool(note_of(study(), number)) for number in range(4)] == [True, True, False, True]
    assert catch_up(ledger, "one") == 0


def test_a_study_of_an_earlier_version_is_written_anew(
    ledger: Ledger, search: SearchRecord, storage: optuna.storages.RDBStorage, study: Load
) -> None:
    old = storage.create_new_study([StudyDirection.MAXIMIZE], study_name="one")
    storage.set_study_user_attr(old, SEARCH_ID, search.id)
    storage.create_new_trial(old, optuna.trial.create_trial(value=0.5, user_attrs={"ledger_id": 1}))
    put(search, 0, 0.5, 100)
    assert catch_up(ledger, "one") == 1
    assert [trial.values for trial in study().trials] == [[0.5, 100]]
    assert LAYOUT_KEY in attributes(study()) and note_of(study(), 0)
    assert catch_up(ledger, "one") == 0
