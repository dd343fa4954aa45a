"""Does a supernet find better networks than chance of the same size? Sandwich, then evolution, then training for all.

    python -m benchmarks.weight_sharing --seed 0 [--final train] [--data fashion-mnist] [--epochs 50] [--db FILE]

A supernet over `metaformer` is trained by the sandwich rule; evolution searches it with inherited weights within
params<500k. What it chooses is trained, and so are ten random networks whose parameters differ by at most a tenth from
the chosen one's: all from the supernet's weights (`--final finetune`) or all from nothing (`--final train`), by one
recipe on the same images, and measured on the test images. Prints test accuracies before and after, and Kendall's tau
between them. Supernet and search resume: what is in the database is not run again.
"""

import argparse
import json
import os
import random
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from nasengine import plugins  # noqa: E402
from nasengine.bench.agreement import tau_b  # noqa: E402
from nasengine.engine import conduct, search, starts  # noqa: E402
from nasengine.evaluators import inherit, train  # noqa: E402
from nasengine.interpreters.cost import cost  # noqa: E402
from nasengine.listener import Listener  # noqa: E402
from nasengine.plan import make  # noqa: E402
from nasengine.planned import Plan  # noqa: E402
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


def trained(plan: Plan, architecture: Architecture, folder: Path) -> tuple[float, float]:
    """Test accuracies of a network: trained as the chosen one was, and with the supernet's weights as they are."""
    space = plugins.load_space(plan.space_name, dict(plan.space.settings))
    job = plan.job(0, architecture, final=True)
    if plan.final_by == "finetune":
        job = replace(job, inherit=starts(plan, architecture, folder / "start.safetensors"))
    found = train.evaluate(job, space, plan.data)
    kept = replace(plan, final_by="inherit").job(0, architecture, final=True)
    before = inherit.evaluate(kept, plugins.load_space(kept.space, kept.settings), plan.data)
    return found.values["test_accuracy"], before.values["test_accuracy"]


def prepared(words: argparse.Namespace) -> Plan:
    """The search with inherited weights, after the training of its supernet."""
    common: dict[str, Any] = {"seed": words.seed, "limit": words.limit, "db": words.db}
    began = time.monotonic()
    search(
        "metaformer", "sandwich", words.data, epochs=words.epochs, name=f"supernet-{words.seed}", hours=words.hours,
        space_settings={"stem": words.stem}, supernet_values={"batch": 128}, **common,
    )  # fmt: skip
    print(f"supernet: {time.monotonic() - began:.0f} s", flush=True)
    return make(
        None, "evolution", name=f"found-{words.seed}-{words.final}", supernet=f"supernet-{words.seed}",
        trials=words.trials, objective=["accuracy", f"params<{words.params}"], final_by=words.final,
        recipe_values={"epochs": words.final_epochs, "lr": words.lr}, **common,
    )  # fmt: skip


def main() -> None:
    """Run what is missing, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--limit", type=int, default=6_000)
    parser.add_argument("--stem", default="7,4,2", help="of the space; 3,2,1 for digits, whose images are small")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--hours", type=float, default=0.25, help="the most that the supernet may take")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--params", type=int, default=500_000)
    parser.add_argument("--final", default="finetune", help="finetune, or train: from nothing")
    parser.add_argument("--final-epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=0.002)
    parser.add_argument("--random", type=int, default=10)
    parser.add_argument("--db", type=Path, default=Path("results/weight_sharing.db"))
    words = parser.parse_args()
    plan = prepared(words)
    best = conduct(plan, words.db, Listener()).best
    drawn = of_same_size(plan.space, best.params or 0, words.random, words.seed)
    (after, before), *others = [trained(plan, one, words.db.parent) for one in (best.architecture, *drawn)]
    figures = {
        "seed": words.seed, "params": best.params, "chosen": after,
        "median": statistics.median(one for one, _ in others),
        "random": sorted(one for one, _ in others), "better than": sum(after > one for one, _ in others),
        "inherited": before, "inherited, random": sorted(one for _, one in others),
        "tau": tau_b([before, *(one for _, one in others)], [after, *(one for one, _ in others)]),
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
