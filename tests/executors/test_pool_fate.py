"""The driver's side of many workers, whatever befalls them: every job has exactly one result."""

from collections import deque
from collections.abc import Hashable, Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.executors import _pool
from nasengine.executors._terms import Terms
from nasengine.job import Result
from tests.executors.made_up import Begun, Clock, Heard, MadeUp, job


class Fate(MadeUp):
    """A crew to which anything may happen, in any order; when fate has no more words, every worker answers."""

    def __init__(self, clock: Clock, words: Sequence[int]):
        super().__init__(clock)
        self.words, self.numbers = deque(words), count(1)
        self.ghosts: list[Heard] = []  # answers that have been given, or were on their way when the worker died
        self.deaths: dict[int, int] = {}  # job -> how often a worker died of it

    def hear(self, seconds: float | None) -> Sequence[Heard]:
        happenings = (self._answer, self._answer, self._death, self._ghost, self._newcomer, self._overtime)
        word = self.words.popleft() if self.words else 0
        happenings[word % len(happenings)](word, seconds)
        heard, self.said = list(self.said), deque()
        return heard

    def _at_work(self, word: int) -> Hashable | None:
        workers = sorted(self.tasks, key=str)
        return workers[word % len(workers)] if workers else None

    def _answer(self, word: int, _: float | None) -> None:
        worker = self._at_work(word)
        if worker is not None:
            self.ghosts.append(self.answers(worker, value=float(self.tasks[worker]["job"]["number"])))

    def _death(self, word: int, _: float | None) -> None:
        worker = self._at_work(word)
        if worker is None:
            return
        task = self.dies(worker)
        assert task is not None
        number = task["job"]["number"]
        self.deaths[number] = self.deaths.get(number, 0) + 1
        result = Result(number, task["job"]["architecture"], values={"value": -1.0})
        self.ghosts.append((worker, {"kind": "result", "token": task["token"], "result": result.to_json()}))

    def _ghost(self, word: int, _: float | None) -> None:
        if self.ghosts:
            self.said.append(self.ghosts[word % len(self.ghosts)])

    def _newcomer(self, word: int, _: float | None) -> None:
        self.said.append((f"newcomer {next(self.numbers)}", {"kind": "ready"}))

    def _overtime(self, word: int, seconds: float | None) -> None:
        self.clock.now += 0.4 * (1 + word % 3)


@given(words=st.lists(st.integers(0, 10_000), max_size=120), workers=st.integers(1, 5), timeout=st.booleans())
def test_whatever_happens_every_job_has_one_result(words: list[int], workers: int, timeout: bool) -> None:
    clock, jobs, retries = Clock(), 20, 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pool, "time", clock)
        crew = Fate(clock, words)
        terms = Terms(workers=workers, retries=retries, job_timeout=1.0 if timeout else None)
        pool, number, results = Begun(terms, crew=crew), 0, []
        while len(results) < jobs:
            while number < jobs and pool.free():
                pool.submit(job(number))
                number += 1
            assert len(pool.running) <= workers
            results.append(pool.next())
    assert sorted(came.number for came, _ in results) == list(range(jobs))
    assert not (pool.running or pool.waiting or pool.finished)
    for came, result in results:
        assert came.number == result.number
        if result.error is None:
            assert result.values == {"value": float(came.number)}, "a ghost's answer counted"
            assert result.cost["attempts"] == crew.deaths.get(came.number, 0) + 1 <= retries + 1
        elif result.error.startswith("timeout"):
            assert timeout
        else:
            assert crew.deaths[came.number] == retries + 1
