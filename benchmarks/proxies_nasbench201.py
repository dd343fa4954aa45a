"""How well training-free scores rank the cells of NAS-Bench-201 by their CIFAR-10 accuracy, beside parameters and MACs.

    NASENGINE_TABLES=… python -m benchmarks.proxies_nasbench201 --out proxies.jsonl [--cells 500] [--seed 0]

Networks as published: 16 channels, 5 cells a stage, 3x32x32 inputs, at random initialisation. Inputs are
standard-normal and labels uniform; all cells see the same. Every row of --out is one cell, so that the same command
goes on where it was ended; when all are there, or with --table at once, it prints Kendall's tau-b and Spearman's rho
with the accuracies of the table, and a 95 % bootstrap interval of tau over cells. Minus infinity ranks lowest, and so
does not-a-number (the Jacobian of a cell that nothing passes through); AZ-NAS ranks its components among all cells.
"""

import argparse
import json
import os
import random
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch  # noqa: E402

from benchmarks.proxies_table import table_of  # noqa: E402
from nasengine.interpreters.cost import cost  # noqa: E402
from nasengine.interpreters.model import Model  # noqa: E402
from nasengine.proxies.probe import Probe  # noqa: E402
from nasengine.proxies.scores import SCORES, az_nas  # noqa: E402
from nasengine.search_spaces import nasbench201  # noqa: E402
from nasengine.space import Architecture, Space  # noqa: E402
from nasengine.tables import load_table  # noqa: E402

ZEN_BATCH, ZEN_REPEATS = 16, 4
MECO_SIDE = 64  # as published


def main() -> None:
    """Score the cells that --out lacks, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="file of the rows, JSON lines")
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--table", action="store_true", help="score nothing more, print what there is")
    asked = parser.parse_args()
    if not asked.table:
        score_cells(asked.out, asked.cells, asked.seed, asked.batch)
    rows = [json.loads(line) for line in asked.out.read_text().splitlines()]
    print(table_of(rows))


def score_cells(out: Path, cells: int, seed: int, batch: int) -> None:
    """Write a row for every cell of the sample that has none yet."""
    torch.set_num_threads(1)
    space, table = nasbench201.space(), load_table("nasbench201", dataset="cifar10")
    done = {json.loads(line)["cell"] for line in out.read_text().splitlines()} if out.exists() else set()
    with out.open("a") as file:
        for number, architecture in enumerate(drawn(space, cells, seed)):
            cell = nasbench201.to_string(architecture)
            if cell in done:
                continue
            published = table.at(table.row(architecture))
            row = {"cell": cell, "seed": seed + number, **published, **scored(space, architecture, seed, number, batch)}
            file.write(json.dumps(row) + "\n")
            file.flush()


def drawn(space: Space, cells: int, seed: int) -> list[Architecture]:
    """Different cells in the order of a seed."""
    rng, found = random.Random(seed), dict[Architecture, None]()
    while len(found) < cells:
        found[space.sample(rng)] = None
    return list(found)


def scored(space: Space, architecture: Architecture, seed: int, number: int, batch: int) -> dict[str, Any]:
    """Every score of a cell; what several need of the network is run once."""
    generator = torch.Generator().manual_seed(seed)
    batches = [
        (torch.randn(batch, *space.input, generator=generator), torch.randint(0, 10, (batch,), generator=generator))
        for _ in range(2)
    ]
    torch.manual_seed(seed + number)
    network = Model(space, architecture)
    started = time.perf_counter()
    probe = Probe(network, batches, seed + number)
    few = Probe(network, [(batches[0][0][:ZEN_BATCH], batches[0][1][:ZEN_BATCH])], seed + number)
    found: dict[str, Any] = {}
    for name, score in SCORES.items():
        options = {"zen": {"repeats": ZEN_REPEATS}, "meco": {"side": MECO_SIDE}}.get(name, {})
        found[name] = score(few if name == "zen" else probe, **options)
    found |= az_nas(probe)
    found |= {"live_macs": cost(space, without_dead_edges(architecture)).macs}
    return {**found, "score_seconds": time.perf_counter() - started}


def without_dead_edges(architecture: Architecture) -> Architecture:
    """The cell with `none` on every edge that lies on no path from its input to its output."""
    picks = dict(architecture.picks)
    edges = [edge for edge in nasbench201.EDGES if picks[nasbench201.decision(*edge)] != ("none",)]
    reached, leading = {0}, {3}
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        if source in reached:
            reached.add(target)
    for source, target in sorted(edges, reverse=True):
        if target in leading:
            leading.add(source)
    for source, target in nasbench201.EDGES:
        if not (source in reached and target in leading):
            picks[nasbench201.decision(source, target)] = ("none",)
    return Architecture(picks)


if __name__ == "__main__":
    main()
