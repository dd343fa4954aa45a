"""Do skips win? The skip share of the settled normal cell, DARTS (first order) against PR-DARTS, at 1x and 3x epochs.

    python -m benchmarks.skips --data digits --seeds 5 [--epochs 8] [--limit 1000]

No network is trained to the end here: a search is its supernet alone. Prints mean ± standard deviation over the seeds.
"""

import argparse
import os
import statistics

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch  # noqa: E402

from nasengine.plan import make  # noqa: E402
from nasengine.search.relax import relax  # noqa: E402

STRATEGIES = ("darts", "pr-darts")


def skip_share(strategy: str, data: str, seed: int, epochs: int, limit: int | None, settings: dict[str, int]) -> float:
    """The share of skips in the normal cell that one search settles on."""
    plan = make("darts", strategy, data, seed=seed, epochs=epochs, limit=limit, space_settings=settings)
    assert plan.supernet_space is not None and plan.supernet is not None
    torch.manual_seed(seed)
    found = relax(plan.supernet_space, plan.strategy(), plan.data, plan.supernet, seed=seed)
    share: float = found.epochs[-1]["skip_shares"]["normal"]
    return share


def main() -> None:
    """Print one line for each strategy and length."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=8, help="of the 1x search")
    parser.add_argument("--limit", type=int, default=None, help="of training and validation images")
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--layers", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    settings = {"channels": chosen.channels, "layers": chosen.layers}
    for times in (1, 3):
        for strategy in STRATEGIES:
            shares = [
                skip_share(strategy, chosen.data, seed, times * chosen.epochs, chosen.limit, settings)
                for seed in range(chosen.seeds)
            ]
            deviation = statistics.stdev(shares) if len(shares) > 1 else 0.0
            print(
                f"{chosen.data:14} {strategy:9} {times}x ({times * chosen.epochs:3} epochs): skip share of the normal "
                f"cell {statistics.mean(shares):.3f} ± {deviation:.3f}  {[round(share, 3) for share in shares]}",
                flush=True,
            )


if __name__ == "__main__":
    main()
