"""A crew of workers that are only simulated: jobs take virtual time, the driver takes its real time beside them."""

import heapq
import json
import random
import time
from collections.abc import Hashable, Sequence
from itertools import count
from typing import Any

from benchmarks.empty_job import evaluate
from nasengine.job import Job, Json

SIGMA = 1.0  # of the logarithm of job times


class Simulated:
    """Workers whose jobs take log-normal times with this mean; the clock runs on while the driver works.

    So whoever ends while the driver is busy waits: `latencies` are the seconds from the end of each worker's job to its
    next one. `busy` are the driver's seconds.
    """

    def __init__(self, mean: float, seed: int = 0):
        self.rng, self.mu, self.sigma = random.Random(seed), _mu(mean), SIGMA
        self.now, self.left = 0.0, time.perf_counter()
        self.names = count(1)
        self.events: list[tuple[float, int, Hashable, Json]] = []
        self.order = count()
        self.ended: dict[Hashable, float] = {}
        self.latencies: list[float] = []
        self.durations: list[float] = []
        self.busy = 0.0

    def hire(self) -> None:
        self._later(self.now, f"w{next(self.names)}", {"kind": "ready"})

    def send(self, worker: Hashable, message: Json) -> None:
        if worker in self.ended:
            self.latencies.append(self.now + time.perf_counter() - self.left - self.ended.pop(worker))
        began = time.perf_counter()
        job = Job.from_json(json.loads(json.dumps(message["job"])))
        result = evaluate(job, None).to_json()
        duration = self.rng.lognormvariate(self.mu, self.sigma)
        self.durations.append(duration)
        now = self.now + began - self.left
        self._later(now + duration, worker, {"kind": "result", "token": message["token"], "result": result})
        self.left += time.perf_counter() - began  # that was the worker's time

    def dismiss(self, worker: Hashable) -> None: ...

    def hear(self, seconds: float | None) -> Sequence[tuple[Hashable, Json]]:
        spent = time.perf_counter() - self.left
        self.busy += spent
        self.now = max(self.now + spent, self.events[0][0])
        heard = []
        while self.events and self.events[0][0] <= self.now:
            at, _, worker, message = heapq.heappop(self.events)
            if message["kind"] == "result":
                self.ended[worker] = at
            heard.append((worker, message))
        self.left = time.perf_counter()
        return heard

    def close(self) -> None: ...

    def _later(self, at: float, worker: Hashable, message: Json) -> None:
        heapq.heappush(self.events, (at, next(self.order), worker, message))


def _mu(mean: float) -> Any:
    """The mean of the logarithm, for a mean of the times."""
    import math

    return math.log(mean) - SIGMA**2 / 2
