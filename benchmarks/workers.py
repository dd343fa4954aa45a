"""What many workers cost their driver.

    python -m benchmarks.workers [memory] [scale] [tune]

Without a word: an empty job through the local executor and through Ray, recorded in SQLite (proposal, start, result,
telling), and what share of its time each of 16 workers works, on jobs of 0.2 seconds. All cores are used.

memory: of the driver over 10,000 jobs
scale: 1,000 simulated workers whose jobs take a minute on average (log-normal): does the driver keep up?
tune: an empty job through Ray beside a trial of Ray Tune that does nothing either
"""

import argparse
import io
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

from benchmarks.driver import driver
from benchmarks.measure import BUDGET, Measured, every_core, quiet_process, repeated, show
from benchmarks.workers_simulated import Simulated
from nasengine import plugins
from nasengine.executors._pool import Pool
from nasengine.executors._terms import Terms

QUICK = str(Path(__file__).parents[1] / "tests" / "chaos" / "small.py")  # a space whose workers need no torch
TRIALS = 5, 25  # trials of two runs, whose difference is free of what a run costs once
SLEEP = 0.2  # seconds of a job that keeps its worker busy
MEAN = 60.0  # seconds of a simulated job


def milliseconds(executor: str, jobs: int = 600, workers: int = 2) -> float:
    """Of an empty job."""
    with driver(jobs, workers) as search:
        terms = Terms(workers=workers, cores_per_worker=1)
        with plugins.one_class("executor", executor)(search.folder, terms) as running:
            search.run(running)
        return 1e3 * search.seconds(skipped=jobs // 5)


def measurements(rounds: int = 3) -> Iterator[Measured]:
    """Milliseconds an empty job, and the share of their time that 16 workers work."""
    every_core()
    for executor, goal in (("local", 2.0), ("ray", 5.0)):
        took = repeated(partial(milliseconds, executor), rounds)
        yield Measured(f"empty job, {executor}", *took, goal, BUDGET, at_most=True, unit="ms")
    yield Measured("16 workers busy", *repeated(share_busy, rounds), 0.9, "all of their time")


def tune() -> None:
    ours, tunes = milliseconds("ray"), 1e3 * tune_seconds()
    print(f"tune: {ours:.2f} ms an empty job through Ray; a trial of Ray Tune {tunes:.0f} ms: {tunes / ours:.0f} times")


def tune_seconds() -> float:
    """Of a trial of Ray Tune that does nothing, two at a time."""
    import ray
    from ray import tune

    def run(trials: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            tuner = tune.Tuner(
                lambda config: {"value": config["x"]},
                param_space={"x": tune.uniform(0, 1)},
                tune_config=tune.TuneConfig(num_samples=trials, max_concurrent_trials=2),
                run_config=tune.RunConfig(storage_path=folder, verbose=0),
            )
            began = time.perf_counter()
            tuner.fit()
            return time.perf_counter() - began

    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        run(2)
        few, many = map(run, TRIALS)
        ray.shutdown()
    return (many - few) / (TRIALS[1] - TRIALS[0])


def share_busy(workers: int = 16, jobs: int = 480) -> float:
    """The share of their time in which workers work."""
    with driver(jobs, workers, space=QUICK) as search:
        search.sleep = SLEEP
        with plugins.one_class("executor", "local")(search.folder, Terms(workers=workers)) as running:
            search.run(running)
        return SLEEP / (workers * search.seconds(skipped=jobs // 4))


def memory(jobs: int = 10_000) -> None:
    kept: list[int] = []
    local = plugins.one_class("executor", "local")
    with driver(jobs, 2, space=QUICK) as search, local(search.folder, Terms(workers=2)) as running:
        search.run(running, hear=lambda number: kept.append(resident()) if (number + 1) % 1000 == 0 else None)
    first, last = kept[0] / 2**20, kept[-1] / 2**20
    print(f"memory: {first:.0f} MiB after 1,000 jobs, {last:.0f} after {jobs:,}: {last / first:.3f} times", flush=True)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def scale(workers: int = 1000) -> None:
    for strategy, jobs in (("evolution", 5000), ("gbdt", 2500)):
        crew = Simulated(MEAN)
        with driver(jobs, workers, strategy, "nasbench201") as search, Pool(crew, Terms(workers=workers)) as pool:
            search.run(pool)
        gap, spent = 1e3 * statistics.fmean(crew.durations) / workers, 1e3 * crew.busy / jobs
        percentiles = statistics.quantiles(crew.latencies, n=100)
        waits = f"{1e3 * percentiles[49]:.1f} ms (p50), {1e3 * percentiles[98]:.1f} ms (p99)"
        print(
            f"scale: {strategy}, {workers:,} workers, {jobs:,} jobs of {MEAN:g} s: a free worker waits {waits}; the "
            f"driver takes {spent:.1f} ms a result, results come every {gap:.1f} ms: "
            f"{'it keeps up' if spent < gap else 'IT FALLS BEHIND'}",
            flush=True,
        )


PARTS = {part.__name__: part for part in (memory, scale, tune)}


def main() -> None:
    """Measure what is named, or the figures of the suite."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parts = parser.parse_args().parts
    quiet_process()
    every_core()
    for name in parts:
        PARTS[name]()
    if not parts:
        show(measurements())


if __name__ == "__main__":
    main()
