"""How many cells of NAS-Bench-101 differ, by the published hash: 64,542 of at most six vertices.

    python -m benchmarks.nasbench101_cells [--vertices 6]

The paper (Ying et al., 2019, https://arxiv.org/abs/1902.09635) counts 423,624 up to seven vertices, which stand in
2^21 x 3^5 architectures: hours here, where six vertices take minutes. Prints the number by the number of vertices.
"""

import argparse
import os
import time
from collections import Counter

os.environ.setdefault("OMP_NUM_THREADS", "1")

from nasengine.search_spaces import nasbench101  # noqa: E402


def unequal(vertices: int) -> Counter[int]:
    """The number of hashes of all legal architectures, by vertices after pruning."""
    space = nasbench101.space(vertices=vertices)
    cells = {nasbench101.cell_of(architecture): architecture for architecture in space.enumerate()}
    hashes = {nasbench101.to_string(architecture): len(cell.labels) + 2 for cell, architecture in cells.items()}
    return Counter(hashes.values())


def main() -> None:
    """Print one line for each number of vertices."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vertices", type=int, default=6, help="the most, input and output included")
    asked = parser.parse_args()
    start = time.perf_counter()
    total = 0
    for vertices, number in sorted(unequal(asked.vertices).items()):
        total += number
        print(f"{vertices} vertices: {number:,} cells; {total:,} up to here")
    print(f"{time.perf_counter() - start:.0f} seconds")


if __name__ == "__main__":
    main()
