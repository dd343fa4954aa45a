"""How well a supernet's weights rank the small cells, against the table "digits", whose networks were really trained.

    nasengine search --space small-cell --strategy one-shot --epochs 40 --name cell-one-shot
    python -m benchmarks.inherited_weights cell-one-shot

Kendall's tau-b with its 95 % interval: by the evaluator as it is, with fewer batches for the statistics of norms,
with the supernet's own statistics, and by size alone. Networks without a path to the output are left out.
"""

import argparse
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

from nasengine import plugins
from nasengine.bench.agreement import agreement
from nasengine.evaluators import inherit
from nasengine.fidelity.sample import drawn, supernet_of
from nasengine.job import Job
from nasengine.ledger import DEFAULT
from nasengine.space import Architecture
from nasengine.tables import load_table
from nasengine.training import data

DEAD = 15.0  # percent: at or below it the table's networks have no path to the output, or hardly one


def main() -> None:
    """Print a line for each way of ranking."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("supernet", help="the name of its search")
    parser.add_argument("--db", default=str(DEFAULT))
    parser.add_argument("--samples", type=int, default=300)
    asked = parser.parse_args()
    supernet, table = supernet_of(asked.supernet, Path(asked.db)), load_table("digits")
    space, dataset = plugins.load_space("small-cell", supernet.built_with), data.load(supernet.data)
    alive = [one for one in drawn(space, asked.samples, 0) if table.at(table.row(one))["validation_accuracy"] > DEAD]
    truth = [table.at(table.row(one))["validation_accuracy"] for one in alive]

    def job(number: int, architecture: Architecture, batches: int) -> Job:
        fidelity: dict[str, Any] = {"supernet": supernet.fidelity(), "batches": batches}
        return Job(
            number, "small-cell", dict(supernet.built_with), architecture.to_json(), "inherit", {"batch": 64},
            supernet.data, fidelity, 0, weights=supernet.weights,
        )  # fmt: skip

    def line(name: str, values: list[float], more: str = "") -> None:
        one = agreement(values, truth)
        print(f"{name:32} tau {one.tau:.3f}  95 % {one.low:.3f} to {one.high:.3f}  rho {one.rho:.3f}  {more}")

    print(f"{len(alive)} networks drawn by seed 0, against their means in the table")
    for batches in (0, 1, 4, 20):
        began = time.perf_counter()
        with mock.patch.object(inherit, "estimate_statistics") if batches == 0 else nullcontext():
            results = [inherit.evaluate(job(n, one, batches), space, dataset) for n, one in enumerate(alive)]
        values = [result.values["validation_accuracy"] for result in results]
        name = "the supernet's own statistics" if batches == 0 else f"statistics of {batches} batches"
        rate = len(alive) / (time.perf_counter() - began)
        line(name, values, f"mean accuracy {sum(values) / len(values):.3f}  {rate:.0f} a second")
    for figure in ("params", "macs"):
        line(figure, [table.at(table.row(one))[figure] for one in alive])


if __name__ == "__main__":
    main()
