"""Pictures of trials as artifacts: of whom they are drawn, where they lie, and that they can fail."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest

from nasengine.job import Json, Result
from nasengine.ledger import Ledger, SearchRecord
from nasengine.ledger.live_view import OptunaView, catch_up
from nasengine.ledger.optuna_pictures import artifacts_folder

Load = Callable[..., optuna.Study]
CONV = {"op": ["conv"], "inputs": ["in0", "node0"]}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # PostgreSQL's pictures go into results/


def put(search: SearchRecord, number: int, accuracy: float, **more: Any) -> None:
    kind = more.pop("kind", "candidate")
    told = number if kind == "candidate" else None
    search.record(Result(number, CONV, values={"validation_accuracy": accuracy}, **more), told, kind=kind)


def picture(search: Json, row: Mapping[str, Any]) -> str:
    return f"<svg>{search['name']} {row['kind']} {row['number']}</svg>"


def pictures(study: optuna.Study, ledger: Ledger) -> list[list[str]]:
    """What the pictures of each trial hold, found as Optuna finds them."""
    store = optuna.artifacts.FileSystemArtifactStore(artifacts_folder(ledger.database))
    found = []
    for trial in study.trials:
        known = optuna.artifacts.get_all_artifact_meta(trial, storage=study._storage)
        assert all(one.mimetype == "image/svg+xml" and one.filename.startswith("one-") for one in known)
        found.append([])
        for one in known:
            with store.open_reader(one.artifact_id) as file:
                found[-1].append(file.read().decode())
    return found


def test_each_trial_has_its_picture_beside_the_database(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    put(search, 0, 0.5)
    search.fail(1, "no architecture", 1)
    put(search, 0, 0.75, kind="final")
    assert catch_up(ledger, "one", picture) == 3
    assert pictures(study(), ledger) == [["<svg>one candidate 0</svg>"], [], ["<svg>one final 0</svg>"]]
    before = sorted(artifacts_folder(ledger.database).iterdir())
    study()._storage.delete_study(study()._study_id)
    assert catch_up(ledger, "one", picture) == 3
    assert sorted(artifacts_folder(ledger.database).iterdir()) == before  # the same files, none left behind


def test_a_view_that_is_behind_draws_what_leads_and_the_final(
    ledger: Ledger, search: SearchRecord, study: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nasengine.ledger.optuna_view.MOST_BEHIND", 2)
    for number, accuracy in enumerate((0.5, 0.4, 0.6, 0.3, 0.2)):
        put(search, number, accuracy)
    put(search, 2, 0.1, kind="final")
    catch_up(ledger, "one", picture)
    assert [bool(one) for one in pictures(study(), ledger)] == [True, False, True, False, True, True]


def test_what_cannot_be_drawn_stops_nothing_and_is_said_once(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    def fall(search: Json, row: Mapping[str, Any]) -> str:
        raise FileNotFoundError("space.py")

    said: list[str] = []
    put(search, 0, 0.5)
    put(search, 1, 0.6)
    view = OptunaView(ledger, "one", fall)
    assert view.close() == 2
    put(search, 2, 0.7)
    assert catch_up(ledger, "one", fall, said.append) == 1
    assert said == [view.error]
    assert view.error == "Optuna view of one: not every picture could be drawn: FileNotFoundError: space.py"
    artifacts_folder(ledger.database).parent.mkdir(exist_ok=True)
    artifacts_folder(ledger.database).write_text("not a folder")
    put(search, 3, 0.8)
    assert catch_up(ledger, "one", picture, said.append) == 1
    assert "FileExistsError" in said[1]
    assert pictures(study(), ledger) == [[], [], [], []]
