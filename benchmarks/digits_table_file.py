"""Make the table "digits" of the trainings in a file that benchmarks.digits_table wrote, and its card.

    python -m benchmarks.digits_table_file RUNS.jsonl [--folder nasengine/tables]

Writes digits.npz and digits.md. Latencies are measured now, so leave the machine alone meanwhile.
"""

import argparse
import datetime
import json
import platform
import statistics
import time
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.digits_table import RECIPE, SETTINGS, architectures, read
from benchmarks.digits_table_card import card
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.search_spaces import small_cell
from nasengine.space import Space

LIBRARIES = ("torch", "numpy", "scikit-learn")
SWEEPS, WARM_UP, PASSES = 3, 10, 50
LATENCY = (
    f"milliseconds of one image through the engine's network in evaluation mode, one thread, {RECIPE.precision}: the "
    f"median of {PASSES} passes after {WARM_UP} to warm up, and of {SWEEPS} such sweeps over all networks the least"
)
NOTES = [
    "nasengine's own table: every network of the space small_cell, trained on scikit-learn's digits; its card is "
    "digits.md beside the file.",
    "Accuracies are in percent, means over all seeds; epochs 1 to 4 are moments of the same trainings of 5 epochs.",
]


def mapping() -> dict[str, Any]:
    """How the file is read as a table."""
    fidelities: dict[int, dict[str, str]] = {
        epoch: {"validation_accuracy": f"learning_curve[{epoch - 1}]"} for epoch in range(1, RECIPE.epochs)
    }
    fidelities[RECIPE.epochs] = {"validation_accuracy": "validation_accuracy", "test_accuracy": "test_accuracy"}
    return {
        "space": "small_cell",
        "settings": {"channels": SETTINGS["channels"]},
        "architecture": "architecture",
        "values": {"params": "params", "macs": "macs", "latency_ms": "latency_ms"},
        "fidelities": fidelities,
        "seconds_per_epoch": "seconds_per_epoch",
        "objective": "validation_accuracy",
        "report": "test_accuracy",
        "notes": NOTES,
    }


def gathered(records: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """Counts and seconds as arrays (rows, seeds[, epochs]), of the seeds that every row was trained with."""
    rows = len(architectures())
    by_run = {(record["row"], record["seed"]): record for record in records}
    seeds = [s for s in sorted({s for _, s in by_run}) if all((row, s) in by_run for row in range(rows))]
    if not seeds:
        raise SystemExit("no seed is complete yet: let benchmarks.digits_table go on")
    grid = [[by_run[row, seed] for seed in seeds] for row in range(rows)]
    return {
        "seeds": np.array(seeds, np.uint16),
        "validation_correct": np.array([[run["validation"] for run in runs] for runs in grid], np.uint16),
        "test_correct": np.array([[run["test"] for run in runs] for runs in grid], np.uint16),
        "train_seconds": np.array([[run["seconds"] for run in runs] for runs in grid]),
    }


def columns(head: dict[str, Any], records: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """Every array of the file but the latencies."""
    runs, images = gathered(records), head["images"]
    space = small_cell.space(**SETTINGS)
    costs = [cost(space, architecture) for architecture in architectures()]
    curve = 100 * runs["validation_correct"].mean(axis=1) / images["validation"]
    return {
        "architecture": np.array([small_cell.to_string(architecture) for architecture in architectures()]),
        "equal_to": _first_equal(space),
        "validation_accuracy": curve[:, -1],
        "test_accuracy": 100 * runs["test_correct"].mean(axis=1) / images["test"],
        "learning_curve": curve,
        "params": np.array([found.params for found in costs], np.uint32),
        "macs": np.array([found.macs for found in costs], np.uint32),
        "seconds_per_epoch": runs.pop("train_seconds").mean(axis=1) / RECIPE.epochs,
        **runs,
    }


def _first_equal(space: Space) -> NDArray[np.uint16]:
    """For each row the first one that is the same network."""
    first: dict[str, int] = {}
    digests = [digest(space, architecture) for architecture in architectures()]
    return np.array([first.setdefault(one, row) for row, one in enumerate(digests)], np.uint16)


def latencies() -> NDArray[np.float64]:
    """Milliseconds for every row, as LATENCY says."""
    torch.set_num_threads(1)
    image = torch.randn(1, *SETTINGS["input"], generator=torch.Generator().manual_seed(0))
    space = small_cell.space(**SETTINGS)
    models = [Model(space, architecture).eval() for architecture in architectures()]
    with torch.inference_mode():
        return np.array([[_median(model, image) for model in models] for _ in range(SWEEPS)]).min(axis=0)


def _median(model: Model, image: torch.Tensor) -> float:
    taken = []
    for _ in range(WARM_UP + PASSES):
        began = time.perf_counter()
        model(image)
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken[WARM_UP:])


def about(head: dict[str, Any], seeds: list[int]) -> dict[str, Any]:
    """What a reader has to know to repeat a row, and on what it was made."""
    return {
        **head,
        "seeds": seeds,
        "latency": LATENCY,
        "date": datetime.date.today().isoformat(),
        "processor": _processor(),
        "versions": {"nasengine": _own_version()}
        | {name: version(name) for name in ("torch", "numpy", "scikit-learn")},
        "python": platform.python_version(),
    }


def _own_version() -> str:
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _processor() -> str:
    """What Linux calls the processor, or what Python knows of it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(named)} cores of {named[0]}" if named else platform.processor() or platform.machine()


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("nasengine/tables"))
    chosen = parser.parse_args()
    head, records = read(chosen.runs)
    made: dict[str, Any] = {**columns(head, records), "latency_ms": latencies().round(4)}
    made["about"] = np.array(json.dumps(about(head, made["seeds"].tolist())))
    made["mapping"] = np.array(json.dumps(mapping()))
    np.savez_compressed(chosen.folder / "digits.npz", **made)
    (chosen.folder / "digits.md").write_text(card(made))


if __name__ == "__main__":
    main()
