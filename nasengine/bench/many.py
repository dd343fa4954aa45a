"""All strategies with all seeds, over processes: each run depends on its seed alone, so their order does not matter."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

from nasengine.bench.contest import Contest, Entry
from nasengine.bench.contestants import Contestant
from nasengine.bench.tabular import Run, play
from nasengine.errors import TrainingError

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # read by libraries when they are loaded


class Task(NamedTuple):
    """One run to be made."""

    contestant: Contestant
    seed: int
    budget: int


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(tasks: Sequence[Task], contest: Contest, entry: Entry, workers: int) -> Generator[Run]:
    """Every run, as it is done: in this process with one worker, else in processes that make the contest of `entry`.

    Raises TrainingError where a process dies. When the caller stops listening, what runs is ended at once.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        for task in tasks:
            yield _play(contest, task)
        return
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (entry,))
    try:
        for done in as_completed([pool.submit(_play_here, task) for task in tasks]):
            yield done.result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise TrainingError("bench: a process died while it ran a strategy; was memory short?") from error
    finally:
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        pool.shutdown(cancel_futures=True)


def one_thread_each() -> None:
    """Let libraries that are loaded from now on, here and in processes to come, take one thread."""
    os.environ.update(dict.fromkeys(THREADS, "1"))


def _play(contest: Contest, task: Task) -> Run:
    return play(contest, task.contestant.make, task.budget, task.seed, str(task.contestant))


_contest: Contest  # of this process, in a worker


def _begin(entry: Entry) -> None:
    global _contest
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _contest = entry.contest()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _play_here(task: Task) -> Run:
    return _play(_contest, task)
