"""A supernet is trained by one search and searched by others, within bounds, with its weights."""

from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from safetensors.torch import load_file

from nasengine.engine import search
from nasengine.errors import LedgerError, NasError
from nasengine.ledger import Ledger
from nasengine.plan import make
from nasengine.runs import Run

SMALL = {"widths": (16, 32), "depths": (1, 2), "width_factors": (1,), "mixers": ("identity", "conv"), "kernels": (3,)}
FEW = {"limit": 150, "recipe_values": {"epochs": 1, "batch": 32}}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which a search called net has trained a supernet."""
    path = tmp_path_factory.mktemp("sharing") / "n.db"
    search("metaformer", "one-shot", "digits", name="net", epochs=1, limit=150, space_settings=SMALL, db=path)
    return path


def found(db: Path, name: str, **words: Any) -> Run:
    given = {"strategy": "evolution", "supernet": "net", "trials": 6, **FEW, **words}
    return search(None, given.pop("strategy"), name=name, db=db, **given)


def candidates(run: Run) -> list[dict[str, Any]]:
    return [row for row in run.results() if row["kind"] == "candidate"]


def test_a_sampler_leaves_its_supernet_and_chooses_nothing(db: Path) -> None:
    run = Run("net", db)
    (row,) = run.results()
    assert (row["kind"], row["state"], run.search["state"]) == ("supernet", "complete", "complete")
    assert load_file(row["weights"]) and row["values"]["train_accuracy"] > 0
    with pytest.raises(LedgerError, match="chose no network; .* --strategy evolution --supernet net"):
        _ = run.best


def test_candidates_are_measured_with_its_weights_within_bounds_and_the_choice_is_trained(db: Path) -> None:
    least = min(row["params"] for row in candidates(found(db, "free")))
    bound = least + 1000
    run = found(db, "bounded", objective=["accuracy", f"params<{bound}"])
    rows = candidates(run)
    assert len(rows) == 6 and all(row["params"] <= bound for row in rows), [row["params"] for row in rows]
    assert all(row["values"]["validation_accuracy"] is not None and not run.ledger.epochs(row["id"]) for row in rows)
    assert run.search["space"] == "metaformer" and run.search["evaluator"] == "inherit"
    assert run.search["fidelity"]["supernet"] == "net"
    assert run.best.kind == "final" and run.best.epochs and "test_accuracy" in run.best.values


def test_the_choice_may_keep_the_weights(db: Path) -> None:
    run = found(db, "kept", final_by="inherit")
    assert not run.best.epochs, "nothing was trained"
    assert 0 <= run.best.values["test_accuracy"] <= 1
    exported = run.best.export(db.parent / "kept")
    assert exported.parity < 1e-5


def test_the_choice_may_begin_with_the_weights(db: Path) -> None:
    recipe = {"epochs": 1, "batch": 32, "lr": 1e-9}
    kept = found(db, "as-they-are", final_by="inherit").best
    run = found(db, "tuned", final_by="finetune", recipe_values=recipe)
    assert run.best.epochs and run.best.architecture == kept.architecture
    same = [
        name
        for name, one in kept.model().named_parameters()
        if one.allclose(dict(run.best.model().named_parameters())[name], atol=1e-5)
    ]
    assert not list(db.parent.rglob("start.safetensors")), "what it began with has served"
    assert len(same) == len(list(kept.model().parameters())), "hardly a step was made from the supernet's weights"


def test_weights_kept_at_a_url_are_fetched_from_there(tmp_path: Path) -> None:
    path, words = tmp_path / "n.db", {"files": f"file://{tmp_path}/far", "limit": 150}
    search("metaformer", "one-shot", "digits", name="net", epochs=1, space_settings=SMALL, db=path, **words)
    kept = Run("net", path).results()[0]["weights"]
    assert kept == f"file://{tmp_path}/far/net/weights/supernet.safetensors"
    rmtree(tmp_path / "n.runs")
    run = found(path, "far", **words)
    assert all(row["state"] == "complete" for row in candidates(run))


def test_stores_are_mixed_as_the_strategy_learned_to(db: Path) -> None:
    words: dict[str, Any] = {"name": "two", "epochs": 1, "limit": 150, "space_settings": SMALL, "db": db}
    search("metaformer", "one-shot", "digits", strategy_options={"shots": 2}, **words)
    assert any(name.startswith("strategy.") for name in load_file(Run("two", db).results()[0]["weights"]))
    run = found(db, "mixed", supernet="two", final_by="inherit")
    assert all(row["state"] == "complete" for row in candidates(run)) and "test_accuracy" in run.best.values


def test_what_is_known_before_training_is_among_the_values(db: Path) -> None:
    run = found(db, "memory", objective=["accuracy", "min:memory"])
    assert all(row["values"]["memory_bytes"] > 0 for row in candidates(run))


def test_what_breaks_a_bound_when_measured_is_not_trained(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        """A device on which every network takes longer than was estimated."""

        def __init__(self, space: Any, names: Any, **more: Any) -> None: ...

        def estimate(self, architecture: Any) -> dict[str, float]:
            return {"latency_ms@slow": 1.0}

        def measure(self, architecture: Any) -> dict[str, float]:
            return {"latency_ms@slow": 9.0}

        def facts(self) -> dict[str, Any]:
            return {}

    monkeypatch.setattr("nasengine.hardware.figures.Figures", Slow)
    with pytest.raises(NasError, match="infeasible: latency_ms@slow is 9, the bound 2"):
        found(db, "slow", objective=["accuracy", "latency<2ms@slow"])
    rows = candidates(Run("slow", db))
    assert {row["state"] for row in rows} == {"failed"} and len(rows) == 6
    assert all(row["values"] == {"latency_ms@slow": 9.0} for row in rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"supernet": "nett"}, 'did you mean "net"|there is no search|nett'),
        (
            {"supernet": "free"},
            "--supernet free: that search trained no supernet; one is trained by --strategy one-shot",
        ),
        ({"space": "darts"}, "--space darts came, it is of metaformer; leave --space out"),
        ({"space_settings": {"depths": (3, 3)}}, r"--space.depths \(3, 3\) came, it has"),
        ({"supernet": None, "evaluator": "inherit"}, "without --supernet; .* --supernet NAME"),
        (
            {"supernet": None, "final_by": "inherit"},
            "--final inherit came without --supernet; there are no weights to begin with",
        ),
        ({"strategy": "darts"}, "strategy darts trains a supernet; --supernet came"),
        ({"evaluator": "train"}, "--evaluator train came with --supernet"),
        ({"stopper": "asha"}, "--stopper came; it is for candidates that are trained"),
        ({"objective": ["accuracy", "params<10"]}, "params"),
        ({"fidelity": {"batches": "0"}}, "--fidelity.batches came as 0"),
    ],
)
def test_bad_words_begin_nothing(db: Path, words: dict[str, Any], message: str) -> None:
    found(db, "free")
    before = len(Ledger(db).searches())
    with pytest.raises(NasError, match=f"(?i){message}"):
        given = {"supernet": "net", "strategy": "evolution", **words}
        make(given.pop("space", None), given.pop("strategy"), db=db, **given)
    assert len(Ledger(db).searches()) == before


def test_gradients_take_bounds_alone() -> None:
    words: dict[str, Any] = {"space": "nasbench201", "strategy": "darts", "data": "digits"}
    plan = make(**words, objective=["accuracy", "params<60k"], space_settings={"channels": 4, "cells": 1})
    assert plan.supernet_space is not None and plan.supernet_space.where is not None
    for objective in ("min:params", "latency<3", "accuracy"):
        with pytest.raises(NasError, match="gates follow the loss"):
            make(**words, objective=["loss", objective])
