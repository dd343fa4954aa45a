"""Whole searches: what is recorded, what is reused, and how a search goes on after it was cut off."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from nasengine import engine
from nasengine.engine import search
from nasengine.errors import LedgerError, NasError
from nasengine.job import Job, Result
from nasengine.listener import Listener
from nasengine.plan import make
from nasengine.runs import Run

ROOT = Path(__file__).parents[1]
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}  # several threads in several processes would wait for each other
SMALL: dict[str, Any] = {"limit": 120, "space_settings": {"channels": 2, "layers": 2}}
RANDOM: dict[str, Any] = {**SMALL, "epochs": 1, "trials": 3, "recipe_values": {"epochs": 1}}
GRADIENT: dict[str, Any] = {**SMALL, "epochs": 2, "recipe_values": {"epochs": 2}}


class Heard(Listener):
    def __init__(self, stop_after: tuple[str, int] | None = None):
        self.notes: list[str] = []
        self.phases: list[tuple[str, int]] = []
        self.reused: list[str | None] = []
        self.stop_after = stop_after

    def phase(self, name: str, total: int) -> None:
        self.phases.append((name, total))

    def epoch(self, phase: str, values: Mapping[str, Any]) -> None:
        if self.stop_after == (phase, values["epoch"]):
            raise KeyboardInterrupt

    def result(self, result: Result, reused: str | None) -> None:
        self.reused.append(reused)

    def note(self, text: str) -> None:
        self.notes.append(text)


def rows(run: Run) -> list[tuple[Any, ...]]:
    return [(row["kind"], row["trial"], row["state"], row["digest"], row["values"]) for row in run.results()]


@pytest.fixture(scope="module")
def gradient(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return search("darts", "pr-darts", db=tmp_path_factory.mktemp("g") / "n.db", name="g", **GRADIENT)


def test_a_gradient_search_leaves_supernet_gates_final_network_and_source(gradient: Run) -> None:
    assert [(kind, number, state) for kind, number, state, *_ in rows(gradient)] == [
        ("supernet", 0, "complete"), ("final", 0, "complete"),
    ]  # fmt: skip
    supernet, final = gradient.trial("supernet"), gradient.best
    assert supernet.settings["affine"] is False and final.settings["affine"] is True
    assert supernet.architecture == final.architecture
    assert "test_accuracy" not in supernet.values and final.values.keys() >= {"test_accuracy", "test_loss"}
    assert {row["epoch"] for row in gradient.gates()} == {1, 2}
    assert [epoch["epoch"] for epoch in final.epochs] == [1, 2]
    images = torch.randn(2, 1, 8, 8)
    assert final.model()(images).shape == (2, 10)
    folder = Path(gradient.ledger.database.url.database or "").with_suffix(".runs") / "g" / "best"
    files = {"model.py", "hubconf.py", "model.safetensors", "architecture.json", "README.md"}
    assert {path.name for path in folder.iterdir()} - {"drawing.svg"} == files  # the drawing needs dot


def test_the_same_call_again_changes_nothing(gradient: Run) -> None:
    before, heard = rows(gradient), Heard()
    again = search("darts", "pr-darts", db=gradient.ledger.database.url.database, name="g", listener=heard, **GRADIENT)
    assert rows(again) == before
    assert heard.phases == []


def test_a_search_cut_off_in_the_supernet_ends_in_the_same_network(gradient: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search("darts", "pr-darts", db=tmp_path / "n.db", name="g", listener=Heard(("supernet", 1)), **GRADIENT)
    cut = Run("g", tmp_path / "n.db")
    assert cut.search["state"] == "stopped"
    with pytest.raises(LedgerError, match="no network is complete"):
        _ = cut.best
    whole = search("darts", "pr-darts", db=tmp_path / "n.db", name="g", **GRADIENT)
    assert rows(whole) == rows(gradient)


def test_a_search_cut_off_in_the_final_training_ends_in_the_same_numbers(gradient: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search("darts", "pr-darts", db=tmp_path / "n.db", name="g", listener=Heard(("final", 1)), **GRADIENT)
    heard = Heard()
    whole = search("darts", "pr-darts", db=tmp_path / "n.db", name="g", listener=heard, **GRADIENT)
    assert rows(whole) == rows(gradient)
    assert [name for name, _ in heard.phases] == ["final"]


def test_random_search_trains_candidates_and_then_the_best_of_them(tmp_path: Path) -> None:
    run = search("darts", "random-search", db=tmp_path / "n.db", **RANDOM)
    candidates = [row for row in run.results() if row["kind"] == "candidate"]
    assert [row["trial"] for row in candidates] == [0, 1, 2]
    best = max(candidates, key=lambda row: row["values"]["validation_accuracy"])
    assert run.best.kind == "final" and run.best.lineage["chosen_from"] == best["trial"]
    assert run.best.digest == best["digest"]
    assert list(run.frame()["kind"]) == ["candidate"] * 3 + ["final"]


def test_more_trials_under_the_same_name_train_the_new_best_to_the_end(tmp_path: Path) -> None:
    larger = {"limit": 300, "epochs": 2, "space_settings": {"channels": 4, "layers": 2}}  # or all are equally bad
    words = {**RANDOM, **larger, "name": "m", "db": tmp_path / "n.db"}
    before = search("darts", "random-search", **{**words, "trials": 1}).best.number
    run = search("darts", "random-search", **{**words, "trials": 8})
    candidates = [row for row in run.results() if row["kind"] == "candidate"]
    best = max(candidates, key=lambda row: row["values"]["validation_accuracy"])
    assert best["trial"] != before  # else the seed shows nothing: take another
    assert (run.best.kind, run.best.number, run.best.digest) == ("final", best["trial"], best["digest"])


def test_equal_work_of_another_search_is_not_done_again(tmp_path: Path) -> None:
    one = search("darts", "random-search", db=tmp_path / "n.db", name="one", **RANDOM)
    heard = Heard()
    two = search("darts", "random-search", db=tmp_path / "n.db", name="two", listener=heard, **RANDOM)
    assert heard.reused == [f"one, trial {number}" for number in range(3)]
    assert [row["values"] for row in two.results()] == [row["values"] for row in one.results()]
    fresh = Heard()
    search("darts", "random-search", db=tmp_path / "n.db", name="three", listener=fresh, reuse=False, **RANDOM)
    assert fresh.reused == [None] * 3
    other = Heard()
    wider = {**RANDOM, "space_settings": {"channels": 4, "layers": 2}}
    search("darts", "random-search", db=tmp_path / "n.db", name="four", listener=other, **wider)
    assert other.reused == [None] * 3


def test_a_candidate_that_fails_does_not_end_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __init__(self, *args: Any, **more: Any):
            self.jobs: list[Job] = []

        def __enter__(self) -> "Failing":
            return self

        def __exit__(self, *error: object) -> None: ...

        def free(self) -> bool:
            return not self.jobs

        def submit(self, job: Job) -> None:
            self.jobs.append(job)

        def next(self) -> tuple[Job, Result]:
            job = self.jobs.pop()
            return job, Result(job.number, job.architecture, error="it broke")

    real = engine.plugins.one_class
    monkeypatch.setattr(engine.plugins, "one_class", lambda k, name: Failing if k == "executor" else real(k, name))
    with pytest.raises(NasError, match=r"not one candidate.*it broke"):
        search("darts", "random-search", db=tmp_path / "n.db", name="f", **RANDOM)
    states = [(row["state"], row["error"]) for row in Run("f", tmp_path / "n.db").results()]
    assert states == [("failed", "it broke")] * 3


def test_no_time_at_all_still_says_what_happened(tmp_path: Path) -> None:
    with pytest.raises(NasError, match="budget ended before the first result"):
        search("darts", "random-search", db=tmp_path / "n.db", hours=1e-9, **RANDOM)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"trials": 0}, "trials came as 0"),
        ({"order": "alphabet"}, "arrival, proposal"),
        ({"hours": -1.0}, "hours came as -1"),
        ({"space": "dart"}, 'Did you mean "darts"'),
        ({"strategy": "prdarts"}, 'Did you mean "pr-darts"'),
        ({"data": "digit"}, "digits"),
        ({"space_settings": {"chanels": 3}}, "channels"),
        ({"recipe_values": {"lr": -1}}, "lr"),
        ({"strategy": "random-search", "supernet_values": {"lr": 1}}, "trains no supernet"),
        ({"space": "metaformer", "data": "digits"}, "pr-darts"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_bad_word(words: dict[str, Any], said: str) -> None:
    with pytest.raises(NasError) as caught:
        make(**words)
    assert said in str(caught.value)


def test_the_plan_fills_input_and_classes_from_the_data() -> None:
    plan = make("nasbench201", "random-search")
    assert plan.space.input == (1, 8, 8)
    assert plan.space.sample(random.Random(0)).picks
    assert plan.space.settings["classes"] == 10


DRIVER = """
import json, sys, torch
torch.set_num_threads(1)
from nasengine.engine import search
class Loud(Listener):
    def epoch(self, phase, values): print(phase, flush=True)
    def result(self, result, reused): print("result", flush=True)
words = json.loads(sys.argv[2])
search("darts", words.pop("strategy"), db=sys.argv[1], name="k", listener=Loud(), **words)
"""


@pytest.mark.parametrize(
    ("strategy", "words"), [("pr-darts", GRADIENT), ("random-search", {**RANDOM, "order": "proposal"})]
)
def test_killed_at_any_moment_it_goes_on_and_ends_in_the_same_results(
    strategy: str, words: dict[str, Any], tmp_path: Path
) -> None:
    whole = search("darts", strategy, db=tmp_path / "whole.db", name="k", **words)
    command = [sys.executable, "-c", DRIVER, str(tmp_path / "n.db"), json.dumps({"strategy": strategy, **words})]
    rng = random.Random(strategy)
    for lines in (1, 2, 1):
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=ALONE) as driver:
            assert driver.stdout is not None
            for _ in range(lines):
                driver.stdout.readline()
            time.sleep(rng.random() * 0.2)
            driver.kill()
    run = search("darts", strategy, db=tmp_path / "n.db", name="k", **words)
    assert rows(run) == rows(whole)


def test_a_warm_start_tells_what_an_earlier_search_found(tmp_path: Path) -> None:
    db, climber, heard = tmp_path / "n.db", tmp_path / "climber.py", Heard()
    climber.write_text(CLIMBER)
    first = search("darts", "random-search", db=db, name="first", **RANDOM)
    words: dict[str, Any] = {**RANDOM, "warm_start": "first"}
    second = search("darts", str(climber), db=db, name="second", listener=heard, **{**words, "trials": 2})
    assert heard.notes[0] == "told of 3 results of first"
    candidates = [trial for trial in first.trials() if trial.kind == "candidate"]
    best = max(candidates, key=lambda trial: trial.values["validation_accuracy"])
    proposals = [trial.architecture for trial in second.trials() if trial.kind == "candidate"]
    assert proposals[0] == best.architecture
    search("darts", "random-search", db=db, name="first", **{**RANDOM, "trials": 4})  # the source grows
    again = search("darts", str(climber), db=db, name="second", **{**words, "trials": 3})
    assert again.search["warm_start"] == {"first": 3}
    with pytest.raises(LedgerError, match="warm start from third: of its 3 candidates none is of use here"):
        search("nasbench201", "random-search", db=db, name="third", **{**RANDOM, "space_settings": CELLS})
        search("darts", "random-search", db=db, name="fourth", **{**RANDOM, "warm_start": "third"})


CELLS = {"channels": 2, "cells": 1}
CLIMBER = """
class Climber:
    def __init__(self, space):
        self.space, self.told = space, []

    def ask(self, rng):
        return max(self.told, key=lambda told: told.value or 0).architecture

    def tell(self, told):
        self.told.append(told)
"""


def test_a_goal_decides_what_is_best_and_is_recorded(tmp_path: Path) -> None:
    words = {**RANDOM, "objective": ["min:params"], "trials": 4}
    run = search("darts", "random-search", db=tmp_path / "n.db", **words)
    assert run.search["goal"] == {"objectives": ["min:params"], "reward": "soft"}
    candidates = [trial for trial in run.trials() if trial.kind == "candidate"]
    smallest = min(candidates, key=lambda trial: trial.params or 0)
    assert run.best.architecture == smallest.architecture
    assert [row["value"] for row in run.results() if row["kind"] == "candidate"] == [
        -(t.params or 0) for t in candidates
    ]


def test_a_strategy_that_breaks_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text(CLIMBER)
    with pytest.raises(NasError, match=r"broken\.py:7: ValueError: max\(\)"):
        search("darts", str(path), db=tmp_path / "n.db", **RANDOM)
