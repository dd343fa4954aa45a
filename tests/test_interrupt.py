"""Ctrl-C once finishes what runs, twice stops now; a search is saved either way, and goes on."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from nasengine.interrupt import Interrupt
from nasengine.ledger import Ledger

ROOT = Path(__file__).parents[1]
SPACE = ROOT / "tests/chaos/small.py"  # its workers start without torch
# where this is started in a shell's background, Ctrl-C would be ignored from the beginning
COMMAND = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " from nasengine.cli import main; sys.exit(main())"
)
SLOW = '''"""Trains for a second."""

import time

from nasengine.job import Result


def evaluate(job, space, dataset=None, *, on_epoch, checkpoint=None, weights_to=None):
    """Ten epochs of a tenth."""
    for epoch in range(1, 11):
        time.sleep(0.1)
        on_epoch({"epoch": epoch, "validation_accuracy": 0.5})
    return Result(job.number, job.architecture, values={"validation_accuracy": 0.5})
'''


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_the_first_asks_and_the_second_stops() -> None:
    said: list[str] = []
    with Interrupt(lambda: said.append("finishing")) as interrupt:
        interrupt.stop_if_asked()
        signal.raise_signal(signal.SIGINT)
        assert interrupt.asked and said == ["finishing"]
        with pytest.raises(KeyboardInterrupt):
            interrupt.stop_if_asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert said == ["finishing"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_batch_systems_word_stops_at_once() -> None:
    former = signal.getsignal(signal.SIGTERM)
    with Interrupt() as interrupt:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert not interrupt.asked
    assert signal.getsignal(signal.SIGTERM) is former


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert not interrupt.asked


def test_outside_the_main_thread_nothing_is_changed() -> None:
    former, seen = signal.getsignal(signal.SIGINT), []

    def run() -> None:
        with Interrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [former]


class Search:
    """A search by its command, in two processes beside its own."""

    def __init__(self, folder: Path):
        self.folder, self.database = folder, folder / "n.db"
        (folder / "slow.py").write_text(SLOW)
        np.savez(folder / "images.npz", x=np.zeros((40, 8, 8), np.uint8), y=np.arange(40) % 2)

    def run(self, trials: int) -> "subprocess.Popen[str]":
        words = {
            "space": SPACE, "strategy": "random-search", "data": self.folder / "images.npz", "trials": trials,
            "executor": "local", "workers": 2, "evaluator": self.folder / "slow.py", "recipe.epochs": 1, "name": "s",
            "db": self.database,
        }  # fmt: skip
        flags = [part for name, word in words.items() for part in (f"--{name}", str(word))]
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, "search", *flags, "--no-reuse"],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def states(self) -> list[str]:
        """Of all trials, as somebody sees them who looks from outside."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(self.database, timeout=60)) as connection:
            try:
                return [state for (state,) in connection.execute("SELECT state FROM nas_trials")]
            except sqlite3.OperationalError:  # no tables yet
                return []

    def until(self, true: Callable[[], bool]) -> None:
        patience = time.monotonic() + 60
        while not true():
            assert time.monotonic() < patience, "nothing happens"
            time.sleep(0.05)


def test_a_search_in_several_processes_is_stopped_and_goes_on(tmp_path: Path) -> None:
    search = Search(tmp_path)
    first = search.run(trials=1000)
    search.until(lambda: search.states().count("complete") >= 2)
    search.until(lambda: search.states().count("running") == 2)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=30)
    states = search.states()
    assert first.returncode == 130
    assert "finishing what runs, then stopping; Ctrl-C again stops at once" in said
    assert "s is stopped and saved; this goes on with it:" in said and "--name s" in said
    assert set(states) == {"complete"}, "what ran was finished"

    second = search.run(trials=1000)
    search.until(lambda: search.states().count("running") == 2)
    second.send_signal(signal.SIGINT)
    time.sleep(0.2)  # two at once are one
    second.send_signal(signal.SIGINT)
    asked = time.monotonic()
    _, said = second.communicate(timeout=30)
    assert second.returncode == 130 and time.monotonic() - asked < 5
    assert search.states().count("stopped") >= 1, "what ran was not waited for"

    trials = len(search.states())
    third = search.run(trials)
    _, said = third.communicate(timeout=60)
    assert third.returncode == 0, said
    assert search.states() == ["complete"] * (trials + 1), "all candidates, and the chosen network"
    with Ledger(search.database) as ledger:
        assert ledger.check() == []
