"""The same search with one worker and with several, early stopping, budgets, fidelity, and files kept elsewhere."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import nasengine as ne
from nasengine.engine import conduct
from nasengine.errors import NasError
from nasengine.executors._terms import Terms
from nasengine.job import Result
from nasengine.listener import Listener
from nasengine.plan import make
from nasengine.plugins import load_strategy
from nasengine.runs import Run
from nasengine.search.relax import Relaxed, relax
from nasengine.space import Space
from nasengine.training.recipe import Recipe

SMALL: dict[str, Any] = {"limit": 200, "epochs": 2, "recipe_values": {"epochs": 1}}


def search(db: Path, strategy: str = "random-search", **words: Any) -> Run:
    return ne.search("small-cell", strategy, db=db, **{**SMALL, **words})


def figures(run: Run) -> list[tuple[Any, ...]]:
    return [(t.kind, t.number, t.state, t.digest, t.values) for t in run.trials()]


def test_several_workers_find_what_one_finds(tmp_path: Path) -> None:
    words: dict[str, Any] = {"strategy": "evolution", "trials": 6, "order": "proposal"}
    alone = search(tmp_path / "a.db", **words)
    several = search(tmp_path / "b.db", executor="local", workers=1, **words)
    assert sorted(figures(alone)) == sorted(figures(several))
    cost = several.trial(0).row["cost"]
    assert cost["core_seconds"] > 0 and cost["attempts"] == 1


def test_a_stopper_ends_candidates_early_and_their_curves_stay(tmp_path: Path) -> None:
    words = {"trials": 8, "fidelity": {"epochs": 5}, "stopper": "asha", "limit": 400}
    run = search(tmp_path / "a.db", **words)
    states = {row["state"] for row in run.results() if row["kind"] == "candidate"}
    assert states == {"complete", "pruned"}
    for trial in run.trials():
        if trial.state == "pruned":
            assert len(trial.epochs) == trial.row["stopped"] < 5
            assert trial.epochs[-1]["stopped"] == 1.0
            assert trial.values["validation_accuracy"] == trial.epochs[-1]["validation_accuracy"]
    assert run.search["stopper"] == {"kind": "asha", "metric": "validation_accuracy"}
    several = search(tmp_path / "b.db", executor="local", **words)
    assert sorted(figures(several)) == sorted(figures(run)), "the same in every executor"


def test_a_stopped_search_goes_on_with_the_same_verdicts(tmp_path: Path) -> None:
    words: dict[str, Any] = {"trials": 8, "fidelity": {"epochs": 5}, "stopper": "median", "limit": 400, "name": "one"}
    undisturbed = search(tmp_path / "a.db", **words)

    class CutOff(Listener):
        def result(self, result: Result, reused: str | None) -> None:
            if result.number == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "b.db", **words, listener=CutOff())
    assert figures(search(tmp_path / "b.db", **words)) == figures(undisturbed)


def test_a_budget_of_time_ends_what_runs(tmp_path: Path) -> None:
    began = time.monotonic()
    words = {"trials": 3, "fidelity": {"epochs": 10_000}, "hours": 3 / 3600}
    run = search(tmp_path / "a.db", **words)
    assert time.monotonic() - began < 60
    (candidate,) = [trial for trial in run.trials() if trial.kind == "candidate"]
    assert candidate.state == "pruned" and 0 < candidate.row["stopped"] < 10_000
    assert run.best.kind == "final"


def test_a_budget_of_gpus_ends_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    plan = make("small-cell", "random-search", gpu_hours=2 / 3600, limit=200, fidelity={"epochs": 10_000})
    monkeypatch.undo()
    run = conduct(replace(plan, terms=Terms(gpus_per_worker=0.5)), tmp_path / "a.db", Listener())
    (candidate,) = [trial for trial in run.trials() if trial.kind == "candidate"]
    assert candidate.state == "pruned"
    assert candidate.seconds is not None and candidate.seconds > 3, "half a GPU for two seconds of one"


def test_candidates_may_be_cheaper_than_the_final_network(tmp_path: Path) -> None:
    run = search(tmp_path / "a.db", trials=1, fidelity={"epochs": 1, "share": 0.5, "resolution": 4})
    candidate, final = run.trials()
    assert (len(candidate.epochs), candidate.settings["input"]) == (1, [1, 4, 4])
    assert final.settings["input"] == [1, 8, 8]
    assert candidate.macs is not None and final.macs is not None and candidate.macs < final.macs
    assert run.search["fidelity"] == {"epochs": 1, "share": 0.5, "resolution": 4}


@pytest.mark.parametrize("url", [True, False])
def test_files_may_be_kept_elsewhere(tmp_path: Path, url: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    files = f"file://{elsewhere}" if url else str(elsewhere)
    run = search(tmp_path / "a.db", trials=1, executor="local", files=files)
    there = elsewhere / run.name / "weights" / "final.safetensors"
    assert there.is_file()
    assert not list((elsewhere / run.name / "checkpoints").glob("*"))
    if url:
        (tmp_path / "a.runs" / run.name / "weights" / "final.safetensors").unlink()
    assert Run(run.name, tmp_path / "a.db").best.model().training is False


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    (tmp_path / "full").touch()
    with pytest.raises(NasError, match=r"folder .*full.*: .*; weights and checkpoints go there; .*--files"):
        search(tmp_path / "a.db", trials=1, files=str(tmp_path / "full"))


def test_there_are_no_more_gpus_than_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(NasError, match="2 workers with 0.75 GPUs each came; this machine has 1 GPUs"):
        search(tmp_path / "a.db", executor="local", workers=2, gpus_per_worker=0.75)
    with ne.Ledger(tmp_path / "a.db") as ledger:
        assert ledger.searches() == [], "nothing was begun"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"stop_by": "train_loss"}, "--stop-by train_loss came without a stopper"),
        ({"stop_by": "train_loss", "stopper": "none"}, "came without a stopper"),
        ({"stopper": "ahsa"}, 'allowed are asha, hyperband, median, none. Did you mean "asha"'),
        ({"wrokers": 2}, 'Did you mean "workers"'),
        ({"workers": 0}, "workers came as 0"),
        ({"job_timeout": -1.0}, "job-timeout came as -1.0"),
        ({"fidelity": {"epoch": 2}}, 'Did you mean "epochs"'),
        ({"fidelity": {"share": "much"}}, "--fidelity.share came as 'much'; give a number"),
        ({"fidelity": {"share": 1.5}}, "share"),
        ({"fidelity": {"epochs": 2}, "recipe_values": {"warmup": 3}, "epochs": 9}, "fewer than the 2 epochs"),
        ({"strategy": "pr-darts", "stopper": "asha"}, "not for a supernet"),
        ({"gpu_hours": 0.0}, "gpu_hours came as 0.0"),
        ({"gpu_hours": 1.0}, "there is no GPU here"),
        ({"files": "nowhere://x"}, "files nowhere://x"),
    ],
)
def test_words_that_cannot_be_right_are_said_before_anything_begins(words: Mapping[str, Any], said: str) -> None:
    with pytest.raises(NasError) as error:
        make("small-cell", **{"strategy": "random-search", **words})
    assert said in str(error.value)


def test_no_stopper_suits_every_search() -> None:
    assert make("darts", "pr-darts", stopper="none", limit=100).stopper is None
    assert make("small-cell", "random-search", stopper="none").facts()["stopper"] is None


def test_a_supernet_of_several_processes_is_trained_on_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def together(space: Space, dataset: Any, recipe: Recipe, **words: Any) -> Relaxed:
        names = [words.pop(name) for name in ("space_name", "strategy_name", "strategy_options", "terms")]
        asked.update(zip(("space", "strategy", "options", "terms"), names, strict=True))
        torch.manual_seed(words["seed"])
        return relax(space, load_strategy("darts", space), dataset, recipe, **words)

    words: dict[str, Any] = {"space_settings": {"channels": 2, "layers": 1}, "strategy": "darts", "data": "digits"}
    plan = make("darts", limit=100, epochs=1, recipe_values={"epochs": 1}, executor="ray", workers=2, **words)
    monkeypatch.setattr("nasengine.engine.relax_together", together)
    run = conduct(replace(plan, executor="local"), tmp_path / "a.db", Listener())
    assert (asked["space"], asked["strategy"], asked["terms"].workers) == ("darts", "darts", 2)
    assert [trial.kind for trial in run.trials()] == ["supernet", "final"]
    assert len(run.trial("supernet").epochs) == 1
    with pytest.raises(NasError, match="--executor local --workers 2 came; a supernet is trained by several"):
        make("darts", executor="local", workers=2, **words)
