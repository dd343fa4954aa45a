"""Gradient searches against random search at equal cost on digits, each found network trained to the end.

    python -m benchmarks.digits --seeds 5 [--db results/digits.db] [--strategies pr-darts,darts,random-search]

PR-DARTS and first-order DARTS train a supernet for the same epochs; random search trains candidates for as many seconds
as PR-DARTS' supernet took with the same seed. Prints test accuracy as mean ± standard deviation over the seeds. It
resumes: what is in the database is not run again.
"""

import argparse
import os
import statistics
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from nasengine.engine import search  # noqa: E402
from nasengine.ledger import Ledger  # noqa: E402
from nasengine.runs import Run  # noqa: E402

SIZE = {"channels": 8, "layers": 5}  # of all networks, unless the command line says otherwise


def run_one(strategy: str, seed: int, db: Path, seconds: float | None = None) -> Run:
    """One search with its final training; random search ends after so many seconds."""
    words: dict[str, Any] = {"name": f"{strategy}-{seed}", "seed": seed, "space_settings": SIZE}
    if seconds is not None:
        words |= {"hours": seconds / 3600, "trials": 10_000}
    if any(known["name"] == words["name"] and known["state"] == "complete" for known in Ledger(db).searches()):
        return Run(words["name"], db)
    return search("darts", strategy, "digits", db=db, **words)


def compare(strategies: list[str], seeds: range, db: Path) -> dict[str, list[Run]]:
    """All searches; PR-DARTS' supernet of each seed sets the budget of random search."""
    found: dict[str, list[Run]] = {strategy: [] for strategy in strategies}
    for seed in seeds:
        for strategy in strategies:
            is_random = strategy == "random-search"
            seconds = run_one("pr-darts", seed, db).trial("supernet").seconds if is_random else None
            found[strategy].append(run_one(strategy, seed, db, seconds))
            print(f"seed {seed} {strategy}: {found[strategy][-1].best.values}", flush=True)
    return found


def line(strategy: str, runs: list[Run]) -> str:
    """Mean and deviation of the test accuracy, and what the searches cost."""
    accuracies = [run.best.values["test_accuracy"] for run in runs]
    seconds = [sum(trial.seconds or 0.0 for trial in run.trials() if trial.kind != "final") for run in runs]
    params = [run.best.params or 0 for run in runs]
    deviation = statistics.stdev(accuracies) if len(runs) > 1 else 0.0
    return (
        f"{strategy:14} test accuracy {statistics.mean(accuracies):.4f} ± {deviation:.4f}  "
        f"parameters {statistics.mean(params):8.0f}  search {statistics.mean(seconds):5.0f} s  ({len(runs)} seeds)"
    )


def main() -> None:
    """Run what is missing and print one line a strategy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--db", type=Path, default=Path("results/digits.db"))
    parser.add_argument("--strategies", default="pr-darts,darts,random-search")
    for name, size in SIZE.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    chosen = parser.parse_args()
    SIZE.update({name: getattr(chosen, name) for name in SIZE})
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    for strategy, runs in compare(chosen.strategies.split(","), seeds, chosen.db).items():
        print(line(strategy, runs))


if __name__ == "__main__":
    main()
