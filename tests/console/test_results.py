"""What searches left: rows, one network in full, its picture."""

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
