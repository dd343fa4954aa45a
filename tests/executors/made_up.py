"""Made-up workers for the driver's side of many: no process, and a clock that only the tests turn."""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from nasengine.executors._pool import Pool
from nasengine.executors._terms import Terms
from nasengine.job import Job, Json, Result

Heard = tuple[Hashable, Json]


class Clock:
    """Seconds that pass when someone waits."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class MadeUp:
    """A crew whose workers do what the test says; each works on one thing at a time, or the test fails."""

    def __init__(self, clock: Clock | None = None, born: bool = True):
        self.clock, self.born = clock or Clock(), born
        self.said: deque[Heard] = deque()
        self.tasks: dict[Hashable, Json] = {}  # what each worker is at
        self.sent: list[Heard] = []
        self.dismissed: list[Hashable] = []
        self.hired, self.closed = 0, False

    def hire(self) -> None:
        self.hired += 1
        if self.born:
            self.said.append((f"w{self.hired}", {"kind": "ready"}))

    def send(self, worker: Hashable, message: Json) -> None:
        self.sent.append((worker, message))
        if message["kind"] == "job":
            assert worker not in self.tasks, f"{worker} is given a second job"
            self.tasks[worker] = message

    def dismiss(self, worker: Hashable) -> None:
        self.dismissed.append(worker)
        self.tasks.pop(worker, None)

    def hear(self, seconds: float | None) -> Sequence[Heard]:
        if not self.said:
            assert seconds is not None, "it would wait for ever"
            self.clock.now += seconds + 1e-6
            return []
        return [self.said.popleft()]

    def close(self) -> None:
        self.closed = True

    def answers(self, worker: Hashable, **values: float) -> Heard:
        """The worker ends its job; returns what it said, to be said again."""
        task = self.tasks.pop(worker)
        result = Result(task["job"]["number"], task["job"]["architecture"], values=values)
        self.said.append((worker, {"kind": "result", "token": task["token"], "result": result.to_json()}))
        return self.said[-1]

    def dies(self, worker: Hashable, memory: bool = False) -> Json | None:
        """The worker is gone; returns what it was at."""
        self.said.append((worker, {"kind": "gone", "reason": f"{worker} was killed by signal 9", "memory": memory}))
        return self.tasks.pop(worker, None)


class Begun(Pool):
    """A pool of made-up workers, with what it noted."""

    def __init__(self, terms: Terms, on_epoch: Callable[..., bool] | None = None, crew: MadeUp | None = None):
        self.made, self.notes = crew or MadeUp(), list[str]()
        super().__init__(self.made, terms, on_epoch, self.notes.append)

    def give(self, *jobs: Job) -> None:
        """Submit jobs, and let the workers that are hired for them come."""
        for one in jobs:
            self.submit(one)
        self.settle()

    def settle(self) -> None:
        """Hear everything that was said, without waiting for a result."""
        while self.made.said:
            worker, message = self.made.said.popleft()
            self._HEARD[message["kind"]](self, worker, message)
            self._assign()


def job(number: int, evaluator: str = "train", **more: Any) -> Job:
    return Job(number, "small-cell", {}, {"a": ["b"]}, evaluator, {"batch": 64}, "digits", {}, 0, **more)
