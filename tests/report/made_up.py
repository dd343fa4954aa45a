"""Searches that were never run, recorded by the ledger: quick to make, with everything a report tells of."""

import math
import random
from typing import Any

from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord
from nasengine.ledger import Trial as TrialStart
from nasengine.plugins import load_space
from nasengine.search.watch import figures
from nasengine.space import Architecture, Space

EVIL = "<script>document.title = 'stolen'</script>"
SPACE = {"input": [1, 8, 8], "classes": 10}
GOAL = {"objectives": ["max:validation_accuracy", "min:params", "macs<60000.0"], "reward": "constraint"}
MACS = 40_000


def facts(**more: Any) -> dict[str, Any]:
    """What a search is begun with."""
    usual = {
        "space": "small-cell", "settings": dict(SPACE), "strategy": "evolution", "options": {"population": 4},
        "evaluator": "train", "data": "digits", "data_fingerprint": "d1", "seed": 0, "epochs": 4, "trials": 20,
        "recipe": {"candidate": {"epochs": 4, "lr": 0.01}, "final": {"epochs": 4, "betas": []}},
        "command": f"nasengine search --name {EVIL}", "environment": {"python": "3.11", "host": EVIL},
    }  # fmt: skip
    return usual | more


def candidates(record: SearchRecord, count: int = 20, epochs: int = 4, scale: float = 1.0) -> None:
    """Trainings of all outcomes: every fifth ends early, every seventh fails, two break the bound, one is known."""
    space, rng = load_space("small-cell", SPACE), random.Random(1)
    for number in range(count):
        picks = space.sample(rng).to_json()
        record.propose(number, picks)
        row = record.start(TrialStart(number, architecture=picks, lineage={"settings": SPACE}))
        quality = scale * (0.3 + 0.03 * number)
        ended = 1 if number % 5 == 4 else epochs
        for epoch in range(1, ended + 1):
            record.epoch(
                row, {"epoch": epoch, "validation_accuracy": quality * epoch / epochs, "train_loss": 1 / epoch}
            )
        failed = number % 7 == 6
        result = Result(
            number, picks, f"nas1:{number}", {} if failed else {"validation_accuracy": quality, "naswot": 2.0 * number},
            1000 + 10 * ((7 * number) % count), MACS + 1500 * number, 2.0,
            error=f"Traceback\nRuntimeError: {EVIL} at {number}" if failed else None,
            stopped=1 if ended == 1 and not failed else None, cost={"core_seconds": 2.0},
        )  # fmt: skip
        record.record(result, number, value=None if failed or result.macs > 60_000 else quality)  # type: ignore[operator]


def finals(record: SearchRecord, number: int, seeds: int = 3) -> None:
    """The chosen network, trained under several seeds."""
    picks = load_space("small-cell", SPACE).sample(random.Random(2)).to_json()
    for seed in range(seeds):
        start = TrialStart(seed, "final", architecture=picks, seed=seed, lineage={"settings": SPACE})
        row = record.start(start)
        record.epoch(row, {"epoch": 1, "train_loss": 2.0, "train_accuracy": 0.2})
        values = {"test_accuracy": 0.8 + 0.01 * seed, "test_loss": 0.5}
        record.record(Result(seed, picks, f"nas1:{number}", values, 1000, 40_000, 5.0), kind="final")


def supernet(record: SearchRecord, epochs: int, space: Space, skips: bool = False, ended: bool = True) -> None:
    """A gradient search: gates that start open and decide, on skip connections where asked."""
    rng = random.Random(3)
    favoured = {name: rng.choice(one.relaxed) for name, one in space.decisions.items() if len(one.relaxed) > 1}
    gated = [name for name in favoured if not space.decisions[name].of_edges]
    if skips:
        favoured |= {name: "skip_connect" for name in gated if "skip_connect" in space.decisions[name].relaxed}
    picks = space.sample(random.Random(4)).to_json()
    row = record.start(TrialStart(0, "supernet", lineage={"settings": space.settings}))
    for epoch in range(1, epochs + 1):
        gates = {name: _softmax(space, name, favoured[name], 4 * epoch / epochs, rng) for name in gated}
        picks |= {
            name: [favoured[name] if skips else max(gates[name], key=gates[name].get)]
            for name in gated
            if name in picks
        }  # type: ignore[arg-type]
        watched = figures(space, Architecture.from_json(picks), gates)
        more = {"train_loss": 2 / epoch, "gate_loss": 2.2 / epoch, "train_accuracy": 0.5, "gate_accuracy": 0.4}
        record.epoch(row, {"epoch": epoch, **more, **watched, "architecture": dict(picks)}, gates)
    if ended:
        result = Result(0, picks, "nas1:0", {"train_accuracy": 0.5}, 70_000, 900_000, 60.0)
        record.record(result, kind="supernet")


def _softmax(space: Space, name: str, favoured: str, sure: float, rng: random.Random) -> dict[str, float]:
    raised = {
        one: math.exp(rng.gauss(0, 0.2) + (sure if one == favoured else 0)) for one in space.decisions[name].relaxed
    }
    return {one: value / sum(raised.values()) for one, value in raised.items()}


def small(ledger: Ledger, name: str, **more: Any) -> None:
    """A finished search with two objectives and a bound, failures, remarks, and three final trainings."""
    with ledger.open_search(name, **facts(goal=GOAL, **more)) as record:
        candidates(record)
        record.remark(4, "prompt", f"Propose a network. {EVIL}", {})
        record.remark(4, "reply", EVIL * 200, {"tokens": 500, "dollars": 0.01, "seconds": 2.0})
        record.remark(5, "warning", f"a reply was cut off {EVIL}", {})
        for told in (8, 12, 16):
            record.remark(told, "fidelity", "rounds", {"tau": told / 20, "told": told, "candidates": 4})
        record.remark(6, "fault", f"worker-1 hung up {EVIL}", {})
        finals(record, 11)
        record.finish()
