"""The ask/tell loop: what is told when, whatever the timing, and how it goes on after it was cut off."""

import random
from collections.abc import Sequence

import pytest

from nasengine.job import Job, Result
from nasengine.search.objective import Goal
from nasengine.search.propose import History, draws_of, propose, told_of
from nasengine.search.strategy import Remark, Told
from nasengine.space import Architecture, Space, chain, choose, op


class Layer:
    """Stands for a layer; nothing is built here."""


SPACE = Space("letters", (1, 1, 1), chain(op(Layer, a=choose("a", *range(5)), b=choose("b", *range(5)))))


def job_for(number: int, architecture: Architecture) -> Job:
    return Job(number, "letters", {}, architecture.to_json(), "train", {}, "digits", {}, 0)


def value_of(job: Job) -> float:
    return sum(int(kept[0]) for kept in job.architecture.values()) / 10


class Climber:
    """Changes one letter of the best that it was told of, so that every proposal depends on all that was told."""

    def __init__(self, most: int = 10**9):
        self.told: list[Told] = []
        self.most = most

    def ask(self, rng: random.Random) -> Architecture | None:
        if len(self.told) >= self.most:
            return None
        done = [told for told in self.told if told.value is not None]
        if not done:
            return SPACE.sample(rng)
        return SPACE.mutate(max(done, key=lambda told: told.value or 0.0).architecture, rng)

    def tell(self, told: Told) -> None:
        self.told.append(told)


class Workers:
    """An executor of several workers whose jobs end in a random order; every `failing`th fails."""

    def __init__(self, number: int, seed: int, failing: int = 0):
        self.number, self.rng, self.failing = number, random.Random(seed), failing
        self.jobs: list[Job] = []
        self.most_at_once = 0

    def free(self) -> bool:
        return len(self.jobs) < self.number

    def submit(self, job: Job) -> None:
        assert self.free()
        self.jobs.append(job)
        self.most_at_once = max(self.most_at_once, len(self.jobs))

    def next(self) -> tuple[Job, Result]:
        job = self.jobs.pop(self.rng.randrange(len(self.jobs)))
        failed = self.failing and job.number % self.failing == 1
        values = {} if failed else {"validation_accuracy": value_of(job)}
        return job, Result(job.number, job.architecture, values=values, error="it broke" if failed else None)


class Memory:
    """A record in memory that can be cut off after some events, and taken up again."""

    def __init__(self, cut_after: int | None = None):
        self.left = cut_after
        self.proposals: dict[int, Architecture] = {}
        self.results: dict[int, Result] = {}
        self.order: list[int] = []
        self.remarks: list[tuple[int, Remark]] = []

    def _event(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1

    def history(self) -> History:
        waiting = [result for number, result in self.results.items() if number not in self.order]
        left = [(n, a) for n, a in self.proposals.items() if n not in self.results]
        remarks = [remark for _, remark in self.remarks]
        return History([self.results[number] for number in self.order], waiting, left, remarks)

    def remark(self, number: int, remark: Remark) -> None:
        self.remarks.append((number, remark))

    def propose(self, number: int, architecture: Architecture) -> None:
        self._event()
        assert number not in self.proposals
        self.proposals[number] = architecture

    def known(self, job: Job) -> Result | None:
        return None

    def start(self, job: Job) -> None:
        self._event()

    def result(self, job: Job, result: Result, order: int | None = None) -> None:
        self._event()
        assert job.number not in self.results
        self.results[job.number] = result
        if order is not None:
            assert order == len(self.order)
            self.order.append(result.number)

    def tell(self, result: Result, order: int) -> None:
        self._event()
        assert order == len(self.order)
        self.order.append(result.number)


def picks(proposals: dict[int, Architecture]) -> Sequence[Architecture]:
    return [proposals[number] for number in sorted(proposals)]


@pytest.mark.parametrize("workers", [1, 3])
def test_all_proposals_get_their_result_told_once(workers: int) -> None:
    record, strategy, executor = Memory(), Climber(), Workers(workers, seed=1)
    assert propose(strategy, executor, record, job_for=job_for, trials=20, seed=0, workers=workers)
    assert sorted(record.order) == list(range(20))
    assert [told.number for told in strategy.told] == record.order
    assert executor.most_at_once == workers


def test_proposal_order_makes_timing_irrelevant() -> None:
    found = []
    for timing in range(5):
        record = Memory()
        propose(
            Climber(), Workers(3, timing), record, job_for=job_for, trials=25, seed=0, order="proposal", workers=3
        )  # fmt: skip
        assert record.order == list(range(25))
        found.append(picks(record.proposals))
    assert all(others == found[0] for others in found)


def test_arrival_order_depends_on_timing_so_the_test_above_can_fail() -> None:
    orders = set()
    for timing in range(5):
        record = Memory()
        propose(Climber(), Workers(3, timing), record, job_for=job_for, trials=25, seed=0, workers=3)
        orders.add(tuple(record.order))
    assert len(orders) > 1


@pytest.mark.parametrize(("order", "steps"), [("arrival", 3), ("proposal", 4)])
def test_cut_off_at_any_event_it_goes_on_to_the_same_search(order: str, steps: int) -> None:
    whole = Memory()
    propose(Climber(), Workers(1, 0), whole, job_for=job_for, trials=8, seed=3, order=order)  # type: ignore[arg-type]
    for events in range(8 * steps):
        record = Memory(cut_after=events)
        with pytest.raises(KeyboardInterrupt):
            propose(Climber(), Workers(1, 0), record, job_for=job_for, trials=8, seed=3, order=order)  # type: ignore[arg-type]
        record.left = None
        propose(Climber(), Workers(1, 0), record, job_for=job_for, trials=8, seed=3, order=order)  # type: ignore[arg-type]
        assert picks(record.proposals) == picks(whole.proposals)
        assert sorted(record.order) == list(range(8))


def test_cut_off_with_several_workers_in_proposal_order() -> None:
    whole = Memory()
    propose(Climber(), Workers(3, 0), whole, job_for=job_for, trials=12, seed=3, order="proposal", workers=3)
    for events in range(0, 48, 5):
        record = Memory(cut_after=events)
        with pytest.raises(KeyboardInterrupt):
            propose(Climber(), Workers(3, 7), record, job_for=job_for, trials=12, seed=3, order="proposal", workers=3)
        record.left = None
        propose(Climber(), Workers(3, 9), record, job_for=job_for, trials=12, seed=3, order="proposal", workers=3)
        assert picks(record.proposals) == picks(whole.proposals)


def test_a_failed_candidate_is_told_and_the_search_goes_on() -> None:
    record, strategy = Memory(), Climber()
    assert propose(strategy, Workers(2, 0, failing=3), record, job_for=job_for, trials=9, seed=0, workers=2)
    failed = [told for told in strategy.told if told.value is None]
    assert [told.error for told in failed] == ["it broke"] * 3
    assert len(strategy.told) == 9


@pytest.mark.parametrize("order", ["arrival", "proposal"])
def test_a_strategy_that_has_nothing_more_ends_the_search(order: str) -> None:
    record = Memory()
    executor = Workers(2, 0)
    ended = propose(Climber(most=5), executor, record, job_for=job_for, trials=50, seed=0, order=order, workers=2)  # type: ignore[arg-type]
    assert not ended
    assert 5 <= len(record.results) <= 7
    assert sorted(record.order) == sorted(record.results)


def test_out_of_time_finishes_what_runs() -> None:
    record = Memory()
    calls = iter(range(1000))
    assert propose(
        Climber(), Workers(2, 0), record, job_for=job_for, trials=50, seed=0, workers=2,
        out_of_time=lambda: next(calls) > 10,
    )  # fmt: skip
    assert 0 < len(record.results) < 12
    assert sorted(record.order) == sorted(record.results)


def test_an_equal_job_is_answered_from_the_record() -> None:
    class Knowing(Memory):
        def known(self, job: Job) -> Result | None:
            if job.number % 2:
                return None
            self.results[job.number] = Result(job.number, job.architecture, values={"validation_accuracy": 0.5})
            return self.results[job.number]

    record, executor = Knowing(), Workers(1, 0)
    submitted = []
    submit = executor.submit
    executor.submit = lambda job: (submitted.append(job.number), submit(job))[1]  # type: ignore[method-assign]
    propose(Climber(), executor, record, job_for=job_for, trials=10, seed=0)
    assert submitted == [1, 3, 5, 7, 9]
    assert sorted(record.order) == list(range(10))


def test_draws_depend_on_seed_and_number_alone() -> None:
    assert draws_of(1, 2).random() == draws_of(1, 2).random()
    assert len({draws_of(seed, number).random() for seed in range(5) for number in range(5)}) == 25


class Speaker(Climber):
    """Remarks on everything that it is told, and remembers what it hears of an earlier run."""

    def __init__(self, most: int = 10**9):
        super().__init__(most)
        self.said: list[Remark] = []
        self.recalled: list[Remark] = []

    def tell(self, told: Told) -> None:
        super().tell(told)
        self.said.append(Remark("note", f"heard {told.number}"))

    def remarks(self) -> list[Remark]:
        said, self.said = self.said, []
        return said

    def recall(self, remarks: Sequence[Remark]) -> None:
        self.recalled = list(remarks)


def test_remarks_are_recorded_once_and_recalled_on_resume() -> None:
    record = Memory(cut_after=17)
    with pytest.raises(KeyboardInterrupt):
        propose(Speaker(), Workers(1, 0), record, job_for=job_for, trials=8, seed=0)
    before = [remark for _, remark in record.remarks]
    assert before
    record.left, strategy = None, Speaker()
    propose(strategy, Workers(1, 0), record, job_for=job_for, trials=8, seed=0)
    assert strategy.recalled == before
    assert [remark.text for _, remark in record.remarks] == [f"heard {number}" for number in range(8)]
    assert record.remarks[0][0] == 1, "one proposal had been made"


def test_a_warm_start_is_told_first_and_does_not_count() -> None:
    known = Architecture({"a": ("4",), "b": ("3",)})
    warm = [Told(-2, SPACE.sample(random.Random(0)), {}, None, "it broke"), Told(-1, known, {}, 0.7)]
    record, strategy = Memory(), Climber()
    propose(strategy, Workers(1, 0), record, job_for=job_for, trials=5, seed=0, warm=warm)
    assert [told.number for told in strategy.told] == [-2, -1, 0, 1, 2, 3, 4]
    first = record.proposals[0].picks
    assert sum(first[name] != kept for name, kept in known.picks.items()) == 1, "a neighbour of what it started from"
    assert len(record.results) == 5


def test_what_a_strategy_wants_inherited_goes_with_the_job() -> None:
    class Heir(Climber):
        def inherit(self, architecture: Architecture) -> dict[str, tuple[str, str]]:
            return {"stem": ("a.safetensors", "stem")} if self.told else {}

    jobs: list[Job] = []
    executor = Workers(1, 0)
    submit = executor.submit
    executor.submit = lambda job: (jobs.append(job), submit(job))[1]  # type: ignore[method-assign]
    propose(Heir(), executor, Memory(), job_for=job_for, trials=3, seed=0)
    assert [job.inherit for job in jobs] == [{}, *2 * [{"stem": ["a.safetensors", "stem"]}]]


def test_what_is_told_follows_the_goal() -> None:
    result = Result(3, {"a": ["1"], "b": ["2"]}, values={"score": 0.5}, params=200, macs=7, seconds=2.0)
    told = told_of(result, Goal.parse(["max:score", "min:params"]))
    assert (told.value, told.objectives, told.error) == (0.5, (0.5, -200.0), None)
    assert told.values == {"score": 0.5, "params": 200.0, "macs": 7.0, "seconds": 2.0}
    lacking = told_of(result, Goal.parse(["score", "latency<5"]))
    assert (lacking.value, lacking.objectives) == (None, ())
    assert lacking.error == "no value called latency; there are params, macs, seconds, score"
    broken = told_of(result, Goal.parse(["score", "params<160"]))  # measured, so that it is no failure
    assert (broken.value, broken.error, broken.objectives, broken.violation) == (None, None, (0.5,), 0.25)
