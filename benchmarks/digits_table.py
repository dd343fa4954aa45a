"""Train every network of the space small_cell on scikit-learn's digits, with many seeds: the raw data of a table.

    python -m benchmarks.digits_table RUNS.jsonl [--seeds 24] [--workers 1]

One line of JSON for each training, written as soon as it has ended; the same command goes on where it was stopped.
`benchmarks.digits_table_file` makes the table and its card of them. Training and validation are those of the evaluator
`train`; the same trained network is then measured on the test images as well, which a search must never see.
"""

import argparse
import json
import multiprocessing
import platform
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch

from nasengine.interpreters.model import Model
from nasengine.search_spaces import small_cell
from nasengine.space import Architecture
from nasengine.training import data
from nasengine.training.fit import evaluate, fit
from nasengine.training.recipe import Recipe

SETTINGS: dict[str, Any] = {"input": (1, 8, 8), "classes": 10, "channels": 8}
# Few images to learn from, many to measure by: networks differ more, and their order holds on other images.
DATA: dict[str, Any] = {"source": "digits", "seed": 0, "validation": 0.6, "test": 0.4}
RECIPE = Recipe(
    epochs=5, batch=64, optimizer="sgd", lr=0.1, momentum=0.9, weight_decay=1e-3, clip=0.0, precision="float32"
)
Run = tuple[int, int]  # row of the table, seed


@cache
def dataset() -> data.Dataset:
    """The digits, split as the table says."""
    return data.load(**DATA)


@cache
def architectures() -> tuple[Architecture, ...]:
    """Every architecture in the order of the table's rows, which is that of `Space.enumerate`."""
    return tuple(small_cell.space(**SETTINGS).enumerate())


def about() -> dict[str, Any]:
    """What decides the numbers: written before the first of them, and compared before going on."""
    digits = dataset()
    return {
        "space": "small_cell",
        "settings": {**SETTINGS, "input": list(SETTINGS["input"])},
        "data": DATA,
        "fingerprint": digits.fingerprint,
        "images": {"train": len(digits.train), "validation": len(digits.validation), "test": len(digits.test)},
        "recipe": RECIPE.to_json(),
        "torch": torch.__version__,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "threads": 1,
    }


def train(run: Run) -> dict[str, Any]:
    """Train a row's network with a seed; the answer counts the images it then reads correctly, validation by epoch.

    Its seconds are those of the processor, which do not depend on what else the machine does.
    """
    row, seed = run
    began, digits = time.process_time(), dataset()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Model(small_cell.space(**SETTINGS), architectures()[row])
    history = fit(model, digits.train, RECIPE, validation=digits.validation, seed=seed)
    seconds = time.process_time() - began
    right = [round(record["validation_accuracy"] * len(digits.validation)) for record in history]
    tested = round(evaluate(model, digits.test)["accuracy"] * len(digits.test))
    return {"row": row, "seed": seed, "validation": right, "test": tested, "seconds": round(seconds, 4)}


def read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What stands in a file of runs: its head, and a record for each training; a line cut off at the end is left."""
    lines = path.read_text().splitlines(keepends=True)
    head, *records = [json.loads(line) for line in lines if line.endswith("\n")]
    return head, records


def _begin(path: Path) -> set[Run]:
    """Check or write the head of the file; the trainings that are done."""
    if not path.exists():
        path.write_text(json.dumps(about()) + "\n")
    text = path.read_text()
    path.write_text(text[: text.rfind("\n") + 1])  # a run that was killed while writing leaves half a line
    head, records = read(path)
    if head != json.loads(json.dumps(about())):
        raise SystemExit(f"{path}: its trainings were made otherwise ({head}); give another file")
    return {(record["row"], record["seed"]) for record in records}


def _prepare() -> None:
    """One thread, and one training for nothing: the first is slow."""
    torch.set_num_threads(1)
    train((len(architectures()) - 1, 0))


def _answers(runs: Iterable[Run], workers: int) -> Iterator[dict[str, Any]]:
    if workers == 1:
        _prepare()
        yield from map(train, runs)
        return
    with multiprocessing.get_context("spawn").Pool(workers, _prepare) as pool:
        yield from pool.imap_unordered(train, runs, chunksize=8)


def main() -> None:
    """Train what is missing, a seed after the other, so that a file that was stopped is a table of fewer seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    done = _begin(chosen.runs)
    missing = [
        run for seed in range(chosen.seeds) for run in ((row, seed) for row in range(len(architectures())))
        if run not in done
    ]  # fmt: skip
    began = time.perf_counter()
    with chosen.runs.open("a") as file:
        for number, answer in enumerate(_answers(missing, chosen.workers), 1):
            file.write(json.dumps(answer) + "\n")
            file.flush()
            if number % 256 == 0 or number == len(missing):
                left = (time.perf_counter() - began) / number * (len(missing) - number)
                print(f"{len(done) + number} trainings, {left / 60:.0f} minutes to go", flush=True)


if __name__ == "__main__":
    main()
