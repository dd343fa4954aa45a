"""Searches as they are left behind: rows and files."""

from pathlib import Path
from typing import Any

from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial
from nasengine.runs import run_folder

CONV = {"op": ["conv"]}


def begin(ledger: Ledger, name: str, **facts: Any) -> SearchRecord:
    return ledger.open_search(
        name, **{"space": "darts", "strategy": "x", "command": f"nasengine search {name}", **facts}
    )


def weights(ledger: Ledger, search: str, file: str) -> str:
    """A file of weights in the search's folder."""
    path = run_folder(ledger, search) / "weights" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{search} {file}")
    return str(path)


def train(ledger: Ledger, record: SearchRecord, number: int, accuracy: float, **changes: Any) -> int:
    """A candidate with everything that can belong to it; returns its row's id."""
    record.propose(number, CONV)
    kept = weights(ledger, record.name, f"trial-{number}.safetensors")
    lineage = changes.pop("lineage", {"settings": {}})
    trial = record.start(Trial(number, architecture=CONV, lineage=lineage, reuse_key=f"key-{record.name}-{number}"))
    record.epoch(trial, {"epoch": 0, "validation_accuracy": accuracy}, {"op": {"conv": 1.0}})
    record.artifact(trial, "log", kept)
    values = {"validation_accuracy": accuracy}
    record.record(Result(number, CONV, f"nas1:{number}", values, 10, 20, 1.5, kept, **changes), number, value=accuracy)
    record.remark(number, "note", f"after {number}", {"tokens": 5, "dollars": 0.5})
    return trial


def everything(ledger: Ledger, name: str) -> dict[str, Any]:
    """What is known of a search, without ids and places."""
    rows = ledger.results(name)
    numbers = {row["id"]: (row["search"], row["trial"]) for row in ledger.results()}
    return {
        "search": {key: value for key, value in ledger.search(name).items() if key not in ("id", "name")},
        "rows": [
            {
                **{key: value for key, value in row.items() if key not in ("id", "search", "weights", "lineage")},
                "reused_from": numbers.get(row["reused_from"]),
                "weights": row["weights"] and Path(row["weights"]).read_text(),
                "epochs": ledger.epochs(row["id"]),
                "gates": ledger.gates(row["id"]),
                "artifacts": list(ledger.artifacts(row["id"])),
            }
            for row in rows
        ],
        "remarks": ledger.remarks(name),
        "told": [result.number for result in ledger.replay(name).told],
        "open": ledger.replay(name).open,
    }
