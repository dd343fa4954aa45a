"""What searches left: rows, one network in full, its picture, its export."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console.typed import good, nasengine

ROW = {
    *("search", "trial", "kind", "digest", "values", "value", "params", "macs", "seconds", "state", "best"),
    *("id", "architecture", "error", "seed", "reused_from", "weights", "recipe", "lineage", "stopped", "cost"),
}  # what docs/results.md promises


def test_results_are_rows(db: str) -> None:
    rows = good("results", "--db", db, "--json").json
    assert rows == good("results", "--name", "one", "--db", db, "--json").json
    assert [(row["kind"], row["trial"], row["state"], row["best"]) for row in rows[:2]] == [
        ("candidate", 0, "complete", False),
        ("candidate", 1, "complete", False),
    ]
    final = rows[2]
    assert (final["search"], final["kind"], final["state"], final["best"]) == ("one", "final", "complete", True)
    assert all(row.keys() == ROW for row in rows)
    assert {"validation_accuracy", "validation_loss", "train_accuracy"} <= rows[0]["values"].keys()
    assert "test_accuracy" in final["values"] and "test_accuracy" not in rows[0]["values"]
    assert all(row["digest"].startswith("nas1:") and row["params"] > 0 < row["macs"] for row in rows)
    shown = good("results", "--db", db).out
    assert f"{final['params']:,}" in shown and f"{final['values']['test_accuracy']:.4f}" in shown


def test_show_tells_a_network_and_where_it_comes_from(db: str) -> None:
    out = good("show", "best", "--db", db).out  # the newest search, where none is named
    assert "node0" in out and "test accuracy" in out and "nas1:" in out and "random-search" in out
    final = good("show", "final", "--db", db, "--json").json["epochs"]
    assert f"train loss {final[0]['train_loss']:.4f} to {final[1]['train_loss']:.4f}" in out
    found = good("show", "1", "--name", "one", "--db", db, "--json").json
    assert (found["kind"], found["trial"], found["state"]) == ("candidate", 1, "complete")
    assert len(found["epochs"]) == 1 and found["settings"]["channels"] == 4
    assert found["architecture"].keys() >= {"normal.node0.inputs"}


def test_a_network_is_drawn_by_dot(db: str, needs: Callable[[str], Path], tmp_path: Path) -> None:
    needs("dot")
    for name in ("cell.svg", "deep/cell.png", "cell.pdf"):
        good("show", "best", "--db", db, "--draw", name)
    assert "<svg" in (tmp_path / "cell.svg").read_text()
    assert (tmp_path / "deep" / "cell.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "cell.pdf").read_bytes().startswith(b"%PDF")


def test_drawing_says_what_it_lacks(db: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done = nasengine("show", "best", "--db", db, "--draw", "cell.txt")
    assert done.code == 2 and "cell.txt" in done.err and ".svg, .png, .pdf" in done.err
    monkeypatch.setenv("PATH", str(tmp_path))
    done = nasengine("show", "best", "--db", db, "--draw", "cell.svg")
    assert done.code == 2 and "graphviz" in done.err and not (tmp_path / "cell.svg").exists()


def test_export_writes_a_folder_after_a_parity_check(db: str, tmp_path: Path) -> None:
    done = good("export", "best", "--name", "one", "--to", "out", "--db", db)
    files = {"model.py", "model.safetensors", "architecture.json", "README.md"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == files
    assert all(name in done.out for name in files) and "parity" in done.out
    best = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert best["parity"] < 1e-5 and f"{best['parity']:.1e}" in done.out
    words = ["cost", "--architecture", "out/architecture.json", "--json"]
    assert good(*words).json["params"] == best["params"]  # at the scale it was found at
    assert good("cost", "--architecture", "one:best", "--db", db, "--json").json["params"] == best["params"]
    assert good(*words, "--space.layers", "4").json["params"] > best["params"]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["results", "--name", "on"], ["on", "one", "Did you mean"]),
        (["show", "--name", "two"], ["two", "one"]),
        (["show", "7"], ["7", "0, 1, final"]),
        (["export", "7", "--to", "x"], ["7", "0, 1, final"]),
        (["export", "best", "--name", "two", "--to", "x"], ["two", "one"]),
        (["cost", "--architecture", "two:best"], ["two", "one"]),
        (["cost", "--space", "nasbench201", "--architecture", "one:best"], ["darts", "nasbench201"]),
    ],
)
def test_unknown_searches_and_trials_are_named(words: list[str], parts: list[str], db: str) -> None:
    done = nasengine(*words, "--db", db)
    assert done.code == 2 and [part for part in parts if part not in done.err] == [], done
    assert "Traceback" not in done.err and done.out == ""
