"""A driver killed at any moment loses at most the unfinished trial; the next one goes on where it stopped."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nasengine.ledger import Ledger

KILLS = 10
DRIVER = """
import sys
from nasengine.job import Result
from nasengine.ledger import Ledger, Trial

def architecture(number):
    return {"op": [f"option{number * 7919 % 13}"]}

ledger = Ledger(sys.argv[1])
search = ledger.open_search("one", space="darts", strategy="random-search", seed=0)
replay = ledger.replay("one")
order = len(replay.told)
pending = list(replay.open)
number = max([r.number for r in replay.told] + [n for n, _ in pending], default=-1) + 1
print("ready", flush=True)
while True:
    if not pending:
        search.propose(number, architecture(number))
        pending.append((number, architecture(number)))
        number += 1
    mine, picks = pending.pop(0)
    trial = search.start(Trial(mine, architecture=picks))
    for epoch in range(2):
        search.epoch(trial, {"epoch": epoch, "validation_accuracy": mine / 2**20})
    search.record(Result(mine, picks, values={"validation_accuracy": mine / 2**20}), order)
    print(mine, flush=True)
    order += 1
"""


def run_and_kill(database: Path, after: float) -> list[int]:
    """Run the driver, kill it some time after it has begun; return the numbers it said were recorded."""
    child = subprocess.Popen([sys.executable, "-c", DRIVER, str(database)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(after)
    child.kill()
    said = child.stdout.read().split("\n")[:-1]  # a line cut short was not said
    child.stdout.close()
    child.wait()
    return [int(line) for line in said]


def check(database: Path, said: list[int]) -> int:
    """Check that what is recorded is whole; return how many trials that is."""
    ledger = Ledger(database)
    replay = ledger.replay("one")
    numbers = [result.number for result in replay.told]
    assert numbers == list(range(len(numbers))), "each number once, in the order told"
    assert set(said) <= set(numbers), "what was said to be recorded is recorded"
    assert not replay.waiting
    assert [number for number, _ in replay.open] in ([], [len(numbers)])
    rows = ledger.results("one")
    assert {row["state"] for row in rows[:-1]} <= {"complete"} and rows[-1]["state"] in ("complete", "stopped")
    assert all(row["architecture"] == {"op": [f"option{row['trial'] * 7919 % 13}"]} for row in rows)
    assert all(r.values == {"validation_accuracy": r.number / 2**20} for r in replay.told)
    assert all(len(ledger.epochs(row["id"])) == 2 for row in rows[:3] if row["state"] == "complete")
    assert ledger.search("one")["state"] == "stopped"
    ledger.close()
    return len(numbers)


def test_killed_at_random_points(tmp_path: Path) -> None:
    pick: Callable[[float, float], float] = random.Random(0).uniform
    said: list[int] = []
    recorded = [0]
    for _ in range(KILLS):
        said += run_and_kill(tmp_path / "x.db", pick(0.0, 0.15))
        recorded.append(check(tmp_path / "x.db", said))
    assert len(said) == len(set(said)), "none was run twice after it was recorded"
    assert recorded == sorted(recorded) and recorded[-1] > KILLS
