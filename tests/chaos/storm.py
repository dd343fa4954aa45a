"""A search whose workers and driver are killed at random moments, and begun again by the same command until it is done.

    python -m tests.chaos.storm [--jobs 200] [--kills 20]

Once with random search as it is, once with evolution in the order of proposals. Somebody who looks at the database from
outside remembers every result that was ever there: at the end none may be missing, changed or there twice, and all of
them together are those of the same search without a storm. Ends with `chaos: KILLS kills, LOST lost, TWICE twice`.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nasengine.engine import search
from nasengine.ledger import Ledger

ROOT = Path(__file__).parents[2]
NAME, WORKERS = "storm", 4
PATIENCE = 120.0  # seconds for the next result
LOOK = 0.02  # seconds between two looks at the database
FINISHED = (
    'SELECT kind, number, state, architecture, "values" FROM nas_trials'
    " WHERE state IN ('complete', 'failed', 'pruned')"
)
Name = tuple[str, int]  # kind, number
Row = tuple[str, str, str]  # state, architecture, values


@dataclass
class Storm:
    """One search in a folder, and what was seen of it."""

    folder: Path
    strategy: str
    order: str
    jobs: int
    seed: int = 0
    seen: dict[Name, Row] = field(default_factory=dict)  # every result that was ever in the database
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def database(self) -> Path:
        return self.folder / "storm.db"

    def rage(self, kills: int) -> None:
        """Run it to its end through so many kills, a third of them of the driver, spread over the whole search."""
        rng = random.Random(self.seed)
        victims = ["driver"] * (kills // 3) + ["worker"] * (kills - kills // 3)
        rng.shuffle(victims)
        moments = [self.jobs * (number + rng.random()) / (kills + 1) for number in range(kills)]  # in results
        while True:
            with self.begun() as driver:
                while moments and self.wait(driver, moments[0]):
                    time.sleep(rng.uniform(0, 0.1))
                    if self.kill(victims[0], driver, rng):
                        del moments[0], victims[0]
                self.wait(driver, float("inf"))
                if driver.returncode == 0:
                    return
                if driver.returncode != -signal.SIGKILL:
                    raise SystemExit(f"chaos: the driver failed: {self.log()}")

    def words(self) -> dict[str, Any]:
        """What the search is told."""
        here = Path(__file__).parent
        return {
            "space": str(here / "small.py"), "strategy": self.strategy, "data": str(images(self.folder)),
            "trials": self.jobs, "order": self.order, "evaluator": str(here / "short.py"), "executor": "local",
            "workers": WORKERS, "cores_per_worker": 1, "retries": 50, "name": NAME, "db": str(self.database),
        }  # fmt: skip

    def begun(self) -> subprocess.Popen[bytes]:
        """Start the search, or go on with it: the command is the same."""
        flags = [part for name, word in self.words().items() for part in (f"--{name.replace('_', '-')}", str(word))]
        command = [sys.executable, "-m", "nasengine.cli", "search", *flags, "--no-reuse", "--recipe.epochs", "1"]
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def calm(self) -> None:
        """The same search without a storm, in this process."""
        search(**self.words(), reuse=False, recipe_values={"epochs": 1})

    def wait(self, driver: subprocess.Popen[bytes], results: float) -> bool:
        """Watch until there are so many results; false if the driver ends before."""
        patience, before = time.monotonic() + PATIENCE, len(self.seen)
        while driver.poll() is None:
            self.look()
            if len(self.seen) >= results:
                return True
            if len(self.seen) > before:
                patience, before = time.monotonic() + PATIENCE, len(self.seen)
            if time.monotonic() > patience:
                driver.kill()
                raise SystemExit(f"chaos: no result in {PATIENCE:g} seconds: {self.log()}")
            time.sleep(LOOK)
        self.look()
        return False

    def kill(self, victim: str, driver: subprocess.Popen[bytes], rng: random.Random) -> bool:
        """Kill the driver, or one of its workers if there is one; says whether somebody was killed."""
        workers = list(children(driver.pid))
        if driver.poll() is not None or (victim == "worker" and not workers):
            return False
        try:
            os.kill(driver.pid if victim == "driver" else rng.choice(workers), signal.SIGKILL)
        except ProcessLookupError:  # it ended by itself just now
            return False
        self.killed[victim] += 1
        if victim == "driver":
            driver.wait()
            if not gone(workers, 5):
                raise SystemExit("chaos: workers outlive their driver")
        return True

    def look(self) -> None:
        """Remember the results that are new."""
        if self.database.exists():
            with closing(sqlite3.connect(self.database, timeout=60)) as connection:
                try:
                    rows = connection.execute(FINISHED).fetchall()
                except sqlite3.OperationalError:  # no tables yet
                    return
            for kind, number, *row in rows:
                self.seen.setdefault((kind, number), tuple(row))

    def lost(self) -> int:
        """How many results were once there, or should be, and are not as they were."""
        now = dict(self.finished())
        wanted = {("candidate", number) for number in range(self.jobs)}
        missing = {name for name in wanted if name not in now or now[name][0] != "complete"}
        return len(missing | {name for name, row in self.seen.items() if now.get(name) != row})

    def twice(self) -> int:
        """How many results are there more than once."""
        return sum(many - 1 for many in Counter(name for name, _ in self.finished()).values())

    def finished(self) -> list[tuple[Name, Row]]:
        """All results, as they lie in the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            return [((kind, number), tuple(row)) for kind, number, *row in connection.execute(FINISHED)]

    def faults(self) -> list[str]:
        """What the database says against itself."""
        with Ledger(self.database, create=False) as ledger:
            return ledger.check()

    def too_few(self, kills: int) -> list[str]:
        """Whether it was a storm at all: so many kills, of both kinds."""
        enough = self.killed.total() >= kills and set(self.killed) == {"driver", "worker"}
        return [] if enough else [f"too few were killed: {dict(self.killed)}"]

    def epochs(self) -> list[tuple[int, int, int]]:
        """Each epoch that was done: job, epoch, process."""
        text = (self.folder / "storm.runs" / NAME / "checkpoints" / "epochs.txt").read_text()
        return [(int(job), int(epoch), int(process)) for job, epoch, process in map(str.split, text.splitlines())]

    def continued(self) -> int:
        """How many jobs went on in another process after their first epoch, rather than beginning again."""
        done = self.epochs()
        processes = Counter(job for job, _ in {(job, process) for job, _, process in done})
        begun = Counter(job for job, epoch, _ in done if epoch == 1)
        return sum(many > 1 and begun[job] == 1 for job, many in processes.items())

    def log(self) -> str:
        """The last words of the driver."""
        return (self.folder / "log.txt").read_text(errors="replace")[-2000:]


def images(folder: Path) -> Path:
    """A data set that is read in no time."""
    path = folder / "images.npz"
    if not path.exists():
        pixels = np.random.default_rng(0).integers(0, 255, (60, 8, 8), dtype=np.uint8)
        np.savez(path, x=pixels, y=np.arange(60) % 2)
    return path


def children(pid: int) -> Iterator[int]:
    """The processes that a process has started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            yield int(stat.parent.name)


def gone(pids: list[int], seconds: float) -> bool:
    """Whether processes end in time."""
    patience = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > patience:
            return False
        time.sleep(0.02)
    return True


def survive(strategy: str, order: str, jobs: int, kills: int, folder: Path) -> tuple[int, int, int]:
    """Kills, lost and twice of one search; whatever else is wrong raises SystemExit."""
    folder.mkdir()
    (folder / "calm").mkdir()
    began = time.monotonic()
    storm, calm = (Storm(place, strategy, order, jobs) for place in (folder, folder / "calm"))
    storm.rage(kills)
    calm.calm()
    faults = storm.faults() + storm.too_few(kills)
    if sorted(storm.finished()) != sorted(calm.finished()):
        faults.append("the results are not those of the undisturbed search")
    if faults:
        raise SystemExit(f"chaos: {strategy}: " + "; ".join(faults))
    print(
        f"{strategy}, --order {order}: {jobs} jobs, {storm.killed['driver']} drivers and {storm.killed['worker']} "
        f"workers killed, {storm.continued()} jobs went on from a checkpoint; {time.monotonic() - began:.0f} s"
    )
    return storm.killed.total(), storm.lost(), storm.twice()


def main() -> int:
    """Run both searches; returns 1 where anything was lost or is there twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20, help="in each of the two searches")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [
            survive(strategy, order, words.jobs, words.kills, Path(folder) / strategy)
            for strategy, order in (("random-search", "arrival"), ("evolution", "proposal"))
        ]
    kills, lost, twice = map(sum, zip(*found, strict=True))
    print(f"chaos: {kills} kills, {lost} lost, {twice} twice")
    return int(lost > 0 or twice > 0)


if __name__ == "__main__":
    sys.exit(main())
