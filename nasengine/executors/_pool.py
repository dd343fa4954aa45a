"""The driver's side of many workers: who works on what, and what to do when one dies, hangs or answers too late.

Every attempt at a job has a token of its own. A worker's words count only as long as its attempt does: what comes from
an attempt that was given up is refused and noted, so that no job can have two results.
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Protocol, Self

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.executors._terms import Terms
from nasengine.job import Job, Json, Result
from nasengine.user_files import Pack

MOST_STILLBORN = 3  # workers in a row that die before they are ready: no further one will do better


class Crew(Protocol):
    """How workers are started, spoken to and stopped. Messages are plain JSON, each with a "kind".

    To a worker: "job" (token, job, packs, verdicts), "verdict" (token, stop). From one: "ready", "epoch" (token,
    values), "result" (token, result), and from the crew itself "gone" (reason, memory: whether it was for want of it).
    """

    def hire(self) -> None:
        """Ask for one more worker; it says "ready" when it can take a job."""

    def send(self, worker: Hashable, message: Json) -> None:
        """Tell a worker something; one that is gone does not hear it."""

    def dismiss(self, worker: Hashable) -> None:
        """End a worker at once, whatever it does; no "gone" comes of it."""

    def hear(self, seconds: float | None) -> Sequence[tuple[Hashable, Json]]:
        """Wait for messages, at most so long."""

    def close(self) -> None:
        """End all workers."""


@dataclass
class Attempt:
    """One try at a job."""

    job: Job
    tries: int = 1
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    worker: Hashable = None
    began: float = 0.0
    lost: float = 0.0  # seconds of earlier tries


class Pool:
    """Jobs shared among workers that may come and go; a context manager that ends them all."""

    def __init__(
        self,
        crew: Crew,
        terms: Terms,
        on_epoch: Callable[[Job, Mapping[str, Any]], bool | None] | None = None,
        on_note: Callable[[str], None] = lambda text: None,
    ):
        self.crew, self.terms, self.on_epoch, self.on_note = crew, terms, on_epoch, on_note
        self.waiting: deque[Attempt] = deque()
        self.running: dict[str, Attempt] = {}  # by token
        self.finished: deque[tuple[Job, Result]] = deque()
        self.idle: list[Hashable] = []
        self.workers: dict[Hashable, set[str]] = {}  # who is ready or at work -> modules that were sent there
        self.starting = self.stillborn = 0
        self.packs: dict[tuple[str, str], Pack | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.crew.close()

    def free(self) -> bool:
        """Whether another job may be submitted."""
        return len(self.waiting) + len(self.running) + len(self.finished) < self.terms.workers

    def submit(self, job: Job) -> None:
        """Take a job; the first worker that is free gets it."""
        self.waiting.append(Attempt(job))
        self._assign()

    def next(self) -> tuple[Job, Result]:
        """Wait for a result; also one that says what went wrong."""
        while not self.finished:
            self._assign()
            for worker, message in self.crew.hear(self._patience()):
                self._HEARD[message["kind"]](self, worker, message)
            self._give_up_late()
        return self.finished.popleft()

    def _assign(self) -> None:
        """Hire who is missing, and give the jobs that wait to who is idle."""
        wanted = min(self.terms.workers, len(self.waiting) + len(self.running))
        for _ in range(wanted - len(self.workers) - self.starting):
            self.crew.hire()
            self.starting += 1
        while self.waiting and self.idle:
            attempt, worker = self.waiting.popleft(), self.idle.pop()
            attempt.worker, attempt.began = worker, time.monotonic()
            self.running[attempt.token] = attempt
            job, packs = self._for_the_road(attempt.job, self.workers[worker])
            self.crew.send(
                worker,
                {"kind": "job", "token": attempt.token, "job": job.to_json(), "packs": packs,
                 "verdicts": self.terms.verdicts},
            )  # fmt: skip

    def _for_the_road(self, job: Job, sent: set[str]) -> tuple[Job, list[Pack]]:
        """The job with a user's own files by their module names, and those files that the worker has not got."""
        names: dict[str, Any] = {"space": job.space, "evaluator": job.evaluator}
        packs: list[Pack] = []
        for kind, name in names.items():
            if (kind, name) not in self.packs:
                self.packs[kind, name] = plugins.packed(kind, name)
            pack = self.packs[kind, name]
            if pack is not None:
                names[kind] = pack["module"]
                packs += [pack] if pack["module"] not in sent else []
        sent.update(pack["module"] for pack in packs)
        return replace(job, **names), packs

    def _patience(self) -> float | None:
        """Seconds until the first running job is late."""
        if self.terms.job_timeout is None or not self.running:
            return None
        first = min(attempt.began for attempt in self.running.values())
        return max(first + self.terms.job_timeout - time.monotonic(), 0.0)

    def _give_up_late(self) -> None:
        if self.terms.job_timeout is None:
            return
        now = time.monotonic()
        for attempt in list(self.running.values()):
            if now - attempt.began > self.terms.job_timeout:
                self._forget(attempt)
                self.crew.dismiss(attempt.worker)
                self.workers.pop(attempt.worker, None)
                words = f"timeout: it ran longer than the {self.terms.job_timeout:g} seconds of --job-timeout"
                lost = attempt.lost + now - attempt.began
                self._end(
                    replace(attempt, lost=lost), Result(attempt.job.number, attempt.job.architecture, error=words)
                )

    def _ready(self, worker: Hashable, message: Json) -> None:
        self.starting, self.stillborn = max(self.starting - 1, 0), 0
        self.workers[worker] = set()
        self.idle.append(worker)

    def _epoch(self, worker: Hashable, message: Json) -> None:
        attempt = self._attempt(message, "an epoch")
        if attempt is not None:
            stop = bool(self.on_epoch and self.on_epoch(attempt.job, message["values"]))
            if stop or self.terms.verdicts:
                self.crew.send(worker, {"kind": "verdict", "token": attempt.token, "stop": stop})

    def _result(self, worker: Hashable, message: Json) -> None:
        attempt = self._attempt(message, "an answer")
        if attempt is not None:
            self._forget(attempt)
            self.idle.append(attempt.worker)
            self._end(attempt, Result.from_json(message["result"]))

    def _gone(self, worker: Hashable, message: Json) -> None:
        """A worker died: its job is begun again from its last checkpoint, as often as the terms allow."""
        reason = message["reason"]
        if worker not in self.workers:
            self._stillborn(reason)
            return
        self.workers.pop(worker)
        if worker in self.idle:
            self.idle.remove(worker)
        for attempt in [one for one in self.running.values() if one.worker == worker]:
            self._forget(attempt)
            self._again(attempt, reason, message.get("memory", False))

    def _stillborn(self, reason: str) -> None:
        """A worker died before it was ready."""
        self.starting, self.stillborn = max(self.starting - 1, 0), self.stillborn + 1
        if self.stillborn >= MOST_STILLBORN:
            raise NasError(
                f"workers: {self.stillborn} in a row died before they could begin: {reason}; --executor inline shows "
                "what is wrong in this process; the same command again goes on"
            )

    def _again(self, attempt: Attempt, reason: str, memory: bool) -> None:
        job, lost = attempt.job, attempt.lost + time.monotonic() - attempt.began
        if attempt.tries > self.terms.retries:
            words = f"its worker died {attempt.tries} times, at last: {reason}; --retries allows {self.terms.retries}"
            self._end(replace(attempt, lost=lost), Result(job.number, job.architecture, error=words))
            return
        self.on_note(f"job {job.number}: {reason}; it goes on from its last epoch on another worker")
        if memory:
            job = replace(job, micro_batch=max((job.micro_batch or job.recipe.get("batch", 4)) // 2, 2))
        self.waiting.appendleft(Attempt(job, attempt.tries + 1, lost=lost))

    def _attempt(self, message: Json, what: str) -> Attempt | None:
        """The attempt that a message belongs to, unless it was given up."""
        found = self.running.get(message["token"])
        if found is None and what == "an answer":
            self.on_note(f"job {message['result']['number']}: a late answer was refused; it had been given up before")
        return found

    def _forget(self, attempt: Attempt) -> None:
        del self.running[attempt.token]

    def _end(self, attempt: Attempt, result: Result) -> None:
        cost = {**result.cost, "attempts": float(attempt.tries)}
        if attempt.lost:
            cost["lost_seconds"] = attempt.lost
            if self.terms.gpus_per_worker:
                cost["gpu_seconds"] = cost.get("gpu_seconds", 0.0) + attempt.lost * self.terms.gpus_per_worker
        # the job as it was submitted: a user's own files travel under other names
        self.finished.append((attempt.job, replace(result, cost=cost)))

    _HEARD = {"ready": _ready, "epoch": _epoch, "result": _result, "gone": _gone}
