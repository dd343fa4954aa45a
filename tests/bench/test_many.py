"""Many runs over processes: the same as in one process, and an end for all of them in every case."""

import multiprocessing
import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from nasengine.bench.contest import Entry
from nasengine.bench.contestants import parse
from nasengine.bench.many import Task, cores, run_all
from nasengine.errors import TrainingError
from tests.bench.made_up import write_files

SLOW = """import time
class Slow:
    def __init__(self, space): self.space = space
    def ask(self, rng):
        time.sleep(0.05)
        return self.space.sample(rng)
    def tell(self, result): pass
"""


def test_processes_do_what_one_process_does(tmp_path: Path) -> None:
    entry = Entry(str(write_files(tmp_path)))
    contest = entry.contest()
    (random_search,) = parse("random-search")
    tasks = [Task(random_search, seed, 30) for seed in range(5)]
    alone = {run.seed: run.rows for run in run_all(tasks, contest, entry, workers=1)}
    apart = {run.seed: run.rows for run in run_all(tasks, contest, entry, workers=2)}
    assert alone == apart and set(alone) == set(range(5))
    assert len({tuple(rows) for rows in alone.values()}) == 5
    assert multiprocessing.active_children() == []


def test_runs_in_processes_end_when_nobody_listens_and_when_one_dies(tmp_path: Path) -> None:
    entry = Entry(str(write_files(tmp_path)))
    contest = entry.contest()
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "dies.py").write_text(SLOW.replace("time.sleep(0.05)", "__import__('os')._exit(3)"))
    slow, dies = parse(f"{tmp_path / 'slow.py'},{tmp_path / 'dies.py'}")
    budgets = 1, 10_000, 10_000  # the first ends at once, the others in minutes
    tasks = [Task(slow, seed, budget) for seed, budget in enumerate(budgets)]
    with closing(run_all(tasks, contest, entry, workers=2)) as runs:
        assert next(runs).seed == 0
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert multiprocessing.active_children() == []
    with pytest.raises(TrainingError, match="a process died"):
        list(run_all([Task(dies, 0, 5), Task(dies, 1, 5)], contest, entry, workers=2))


def test_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
