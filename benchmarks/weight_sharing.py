"""Does a supernet find better networks than chance of the same size? Sandwich, then evolution, then training for all.

    python -m benchmarks.weight_sharing --seed 0 [--data fashion-mnist] [--limit 6000] [--epochs 50] [--db FILE]

A supernet over `metaformer` is trained by the sandwich rule; evolution searches it with inherited weights within
params<500k; what it chooses is trained anew, and so are ten random networks whose parameters differ by at most a tenth
from the chosen one's, all by the same recipe on the same images, each measured once on the test images. Prints test
accuracies, the chosen one's place among them, Kendall's tau between inherited and trained accuracy, and seconds. It
resumes: what is in the database is not run again.
"""

import argparse
import json
import os
import random
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from scipy.stats import kendalltau  # noqa: E402

from nasengine import plugins  # noqa: E402
from nasengine.engine import search  # noqa: E402
from nasengine.evaluators.inherit import evaluate  # noqa: E402
from nasengine.interpreters.cost import cost  # noqa: E402
from nasengine.plan import make  # noqa: E402
from nasengine.retrain import train  # noqa: E402
from nasengine.runs import Run  # noqa: E402
from nasengine.space import Architecture, Space  # noqa: E402

NEAR = 0.1  # how far a random network's parameters may be from the chosen one's, as a share


def of_same_size(space: Space, params: int, number: int, seed: int) -> list[Architecture]:
    """Different random networks of nearly so many parameters."""
    rng, found = random.Random(seed), dict[Architecture, None]()
    while len(found) < number:
        drawn = space.sample(rng)
        if abs(cost(space, drawn).params / params - 1) <= NEAR:
            found[drawn] = None
    return list(found)


def trained(architecture: Architecture, name: str, words: argparse.Namespace) -> float:
    """The test accuracy of a network that is trained as the chosen one was."""
    values = {"epochs": words.final_epochs}
    run = train(
        "metaformer", architecture, words.data, name=name, seed=words.seed, limit=words.limit, recipe_values=values,
        space_settings={"stem": words.stem}, db=words.db,
    )  # fmt: skip
    return run.best.values["test_accuracy"]


def inherited(architectures: list[Architecture], words: argparse.Namespace) -> list[float]:
    """Their validation accuracies with the supernet's weights."""
    plan = make(strategy="random-search", supernet=f"supernet-{words.seed}", limit=words.limit, db=words.db)
    space = plugins.load_space(plan.space_name, plan.settings_of(final=False))
    results = [evaluate(plan.job(0, one), space, plan.data) for one in architectures]
    return [result.values["validation_accuracy"] for result in results]


def searched(words: argparse.Namespace) -> Run:
    """The search with inherited weights, after the training of its supernet."""
    common: dict[str, Any] = {"seed": words.seed, "limit": words.limit, "db": words.db}
    began = time.monotonic()
    search(
        "metaformer", words.strategy, words.data, epochs=words.epochs, name=f"supernet-{words.seed}", hours=words.hours,
        space_settings={"stem": words.stem}, supernet_values={"batch": 128}, **common,
    )  # fmt: skip
    print(f"supernet: {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    found = search(
        None, "evolution", name=f"found-{words.seed}", supernet=f"supernet-{words.seed}", trials=words.trials,
        objective=["accuracy", f"params<{words.params}"], recipe_values={"epochs": words.final_epochs}, **common,
    )  # fmt: skip
    print(f"evolution and the chosen network's training: {time.monotonic() - began:.0f} s", flush=True)
    return found


def main() -> None:
    """Run what is missing, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--limit", type=int, default=6_000)
    parser.add_argument("--stem", default="7,4,2", help="of the space; 3,2,1 for digits, whose images are small")
    parser.add_argument("--strategy", default="sandwich")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--hours", type=float, default=0.25, help="the most that the supernet may take")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--params", type=int, default=500_000)
    parser.add_argument("--final-epochs", type=int, default=15)
    parser.add_argument("--random", type=int, default=10)
    parser.add_argument("--db", type=Path, default=Path("results/weight_sharing.db"))
    words = parser.parse_args()
    best = searched(words).best
    others = of_same_size(best.space, best.params or 0, words.random, words.seed)
    accuracies = [trained(one, f"random-{words.seed}-{number}", words) for number, one in enumerate(others)]
    chosen = best.values["test_accuracy"]
    tau = kendalltau(inherited([best.architecture, *others], words), [chosen, *accuracies]).statistic
    print(
        json.dumps(
            {
                "seed": words.seed, "chosen": chosen, "params": best.params, "median": statistics.median(accuracies),
                "random": sorted(accuracies), "better": sum(chosen > other for other in accuracies), "tau": float(tau),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
