"""The note of a trial says its figures, where it comes from, and the commands that take it further."""

from typing import Any

from nasengine.job import Json
from nasengine.ledger.optuna_aims import Aims
from nasengine.ledger.optuna_notes import Notes

SEARCH: Json = {
    **{"name": "one", "strategy": "evolution", "seed": 3, "space": "darts", "data": "digits", "evaluator": "train"},
}
AIMS = Aims({"validation_accuracy": True, "params": False}, {"macs": 800.0})


def row(number: int, **more: Any) -> dict[str, Any]:
    facts = {"id": number + 1, "kind": "candidate", "state": "complete", "lineage": None, "reused_from": None}
    sizes = {"params": 12_345, "macs": 1000, "seconds": 2.0, "values": {"validation_accuracy": 0.75}}
    architecture = {"op": ["conv"], "inputs": ["in0", "in1"]}
    more = {"architecture": architecture, "error": None, "stopped": None, **more}
    return {"number": number, **facts, **sizes, **more}


def note(*rows: dict[str, Any], **more: Any) -> str:
    notes = Notes(SEARCH, more.pop("db", "x.db"))
    for one in rows:
        notes.see(one)
    return notes.note(rows[-1], AIMS, **more)


def test_figures_with_what_they_were_to_be() -> None:
    lines = note(row(7)).splitlines()
    assert lines[0] == "### one: candidate 7, complete"
    assert [line for line in lines if line.startswith("|")] == [
        "| figure | value | |",
        "|---|---:|---|",
        "| validation_accuracy | 0.75 | to be large |",
        "| params | 12,345 | to be small |",
        "| macs | 1,000 | bound 800: **broken by 25.0%** |",
        "| seconds | 2 |  |",
    ]


def test_the_closest_earlier_candidate_and_what_differs() -> None:
    far = row(0, architecture={"op": ["skip"], "inputs": ["in1", "node0"]})
    near = row(1, architecture={"op": ["pool"], "inputs": ["in0", "in1"]})
    text = note(far, near, row(2))
    assert "**Closest earlier candidate**: 1, which answers 1 of 2 decisions otherwise:\n\n- `op`: pool → conv" in text
    assert "**Closest earlier candidate**: 2, of the same architecture" in note(far, near, row(2), row(3))
    assert "Closest" not in note(row(0))


def test_commands_that_work_as_they_stand() -> None:
    text = note(row(7))
    for command in ("show 7 --name one --db x.db", "export 7 --name one", "train --space darts --architecture one:7"):
        assert f"\nnasengine {command}" in text
    assert "--db" not in note(row(7), db="results/nasengine.db")


def test_how_it_was_made() -> None:
    final = row(7, kind="final", lineage={"chosen_from": 7})
    assert "**Chosen** from trial 7" in note(final) and "nasengine export final-7" in note(final)
    assert "an equal trial had this result (ledger id 5)" in note(row(7, reused_from=5))
    assert "ended early after epoch 3" in note(row(7, state="pruned", stopped=3))
    supernet = note(row(0, kind="supernet"))
    assert "**Learned** by `evolution`" in supernet and "nasengine export" not in supernet
    failed = note(row(7, state="failed", error="diverged", values=None))
    assert "```\ndiverged\n```" in failed and "nasengine" not in failed
    assert "(/artifacts/1/2/3)" in note(row(7), picture="/artifacts/1/2/3")
