"""The driver's side of many workers, with made-up ones: what it does with each word that it hears."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nasengine.errors import NasError
from nasengine.executors import _pool
from nasengine.executors._terms import Terms
from nasengine.job import Job, Json
from tests.executors.made_up import Begun, Clock, MadeUp, job


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(_pool, "time", made)
    yield made


def test_jobs_go_to_as_many_workers_as_are_allowed_and_needed() -> None:
    pool = Begun(Terms(workers=3))
    pool.give(job(0), job(1))
    assert (pool.made.hired, set(pool.made.tasks)) == (2, {"w1", "w2"})
    assert pool.free()
    pool.give(job(2))
    assert not pool.free() and pool.made.hired == 3
    pool.made.answers("w2", accuracy=0.5)
    came, result = pool.next()
    assert (came.number, result.number, result.values, result.cost) == (1, 1, {"accuracy": 0.5}, {"attempts": 1.0})
    pool.give(job(3))
    assert pool.made.hired == 3 and pool.made.tasks["w2"]["job"]["number"] == 3


def test_a_worker_that_dies_has_its_job_done_by_another_and_the_cost_is_counted(clock: Clock) -> None:
    pool = Begun(Terms(workers=1, retries=2, gpus_per_worker=0.5), crew=MadeUp(clock))
    pool.give(job(7))
    clock.now += 10
    pool.made.dies("w1")
    pool.settle()
    assert list(pool.made.tasks) == ["w2"]
    pool.made.answers("w2", accuracy=0.5)
    came, result = pool.next()
    assert came == job(7) and result.values == {"accuracy": 0.5} and result.error is None
    assert result.cost == {"attempts": 2.0, "lost_seconds": 10.0, "gpu_seconds": 5.0}
    assert pool.notes == ["job 7: w1 was killed by signal 9; it goes on from its last epoch on another worker"]


def test_a_job_that_kills_its_workers_is_given_up_after_so_many() -> None:
    pool = Begun(Terms(workers=1, retries=2))
    pool.give(job(7))
    for worker in ("w1", "w2", "w3"):
        pool.made.dies(worker)
        pool.settle()
    came, result = pool.next()
    assert came.number == 7 and pool.made.hired == 3 and result.cost["attempts"] == 3
    assert result.error == "its worker died 3 times, at last: w3 was killed by signal 9; --retries allows 2"


def test_a_job_that_runs_out_of_memory_is_tried_with_half_as_many_images_at_once() -> None:
    pool = Begun(Terms(workers=1, retries=5))
    pool.give(replace(job(0), recipe={"batch": 10}))
    tried = []
    for number in range(1, 5):
        pool.made.dies(f"w{number}", memory=True)
        pool.settle()
        tried.append(pool.made.tasks[f"w{number + 1}"]["job"]["micro_batch"])
    assert tried == [5, 2, 2, 2]
    assert pool.made.tasks["w5"]["job"]["recipe"] == {"batch": 10}, "the batch that counts stays the same"


def test_an_answer_that_is_given_twice_counts_once() -> None:
    pool = Begun(Terms(workers=1))
    pool.give(job(0))
    again = pool.made.answers("w1", accuracy=0.5)
    pool.next()
    pool.give(job(1))
    pool.made.said.append(again)
    pool.settle()
    assert pool.notes == ["job 0: a late answer was refused; it had been given up before"]
    assert not pool.finished and [one.job.number for one in pool.running.values()] == [1]


def test_the_answer_of_one_who_was_thought_dead_is_refused() -> None:
    pool = Begun(Terms(workers=1))
    pool.give(job(0))
    late = pool.made.dies("w1")
    pool.settle()
    assert late is not None
    pool.made.tasks["w1"] = late
    pool.made.answers("w1", accuracy=0.1)
    pool.made.answers("w2", accuracy=0.9)
    _, result = pool.next()
    assert result.values == {"accuracy": 0.9}
    assert "job 0: a late answer was refused; it had been given up before" in pool.notes
    pool.give(job(1))
    assert list(pool.made.tasks) == ["w2"], "whoever was thought dead gets nothing to do"


def test_a_job_that_takes_too_long_is_given_up_and_its_worker_replaced(clock: Clock) -> None:
    pool = Begun(Terms(workers=2, job_timeout=60, gpus_per_worker=1), crew=MadeUp(clock))
    pool.give(job(0))
    clock.now += 30
    pool.give(job(1))
    late = pool.made.tasks["w1"]
    came, result = pool.next()
    assert (came.number, pool.made.dismissed) == (0, ["w1"])
    assert result.error == "timeout: it ran longer than the 60 seconds of --job-timeout"
    assert clock.now == pytest.approx(60, abs=0.01), "and not a second after the other one"
    assert result.cost["lost_seconds"] == result.cost["gpu_seconds"] == pytest.approx(60, abs=0.01)
    pool.made.tasks["w1"] = late
    pool.made.answers("w1", accuracy=0.5)
    pool.give(job(2))
    assert pool.notes == ["job 0: a late answer was refused; it had been given up before"]
    assert pool.made.hired == 3 and pool.made.tasks["w3"]["job"]["number"] == 2


def test_workers_that_all_die_before_they_begin_end_the_search_with_the_reason() -> None:
    pool = Begun(Terms(workers=1), crew=MadeUp(born=False))
    pool.submit(job(0))
    for number in range(3):
        assert pool.made.hired == number + 1
        pool.made.said.append((f"w{number}", {"kind": "gone", "reason": "no module named torch"}))
        if number < 2:
            pool.settle()
    with pytest.raises(NasError, match="3 in a row died before they could begin: no module named torch"):
        pool.next()


def test_one_worker_that_is_born_shows_that_others_can_be() -> None:
    pool = Begun(Terms(workers=4), crew=MadeUp(born=False))
    gone: Json = {"kind": "gone", "reason": "the machine is busy"}
    for number in range(4):
        pool.submit(job(number))
    pool.made.said += [("w1", gone), ("w2", gone), ("w3", {"kind": "ready"}), ("w4", gone), ("w5", gone)]
    pool.settle()
    assert pool.made.hired == 4 + 4 and list(pool.made.tasks) == ["w3"]


@pytest.mark.parametrize("each", [True, False])
def test_whether_a_training_goes_on_is_said_to_its_worker(each: bool) -> None:
    heard = []

    def on_epoch(one: Job, values: Json) -> bool:
        heard.append((one.number, values["epoch"]))
        return bool(values["epoch"] == 2)

    pool = Begun(Terms(workers=1, verdicts=each), on_epoch)
    pool.give(job(0))
    token = pool.made.tasks["w1"]["token"]
    assert pool.made.tasks["w1"]["verdicts"] is each
    for epoch in (1, 2):
        pool.made.said.append(("w1", {"kind": "epoch", "token": token, "values": {"epoch": epoch}}))
    pool.made.said.append(("w1", {"kind": "epoch", "token": "of one given up", "values": {"epoch": 3}}))
    pool.settle()
    verdicts = [message for _, message in pool.made.sent if message["kind"] == "verdict"]
    stop = {"kind": "verdict", "token": token, "stop": True}
    assert verdicts == [{**stop, "stop": False}, stop] if each else [stop]
    assert heard == [(0, 1), (0, 2)]


def test_a_users_own_file_goes_to_each_worker_once_and_under_its_own_name_in_the_record(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def evaluate(*_, **__): ...\n")
    pool = Begun(Terms(workers=2))
    pool.give(job(0, str(path)), job(1, str(path)))
    pool.made.answers("w1")
    came, _ = pool.next()
    pool.give(job(2, str(path)))
    (first, second, third) = (message for _, message in pool.made.sent)
    assert [len(message["packs"]) for message in (first, second, third)] == [1, 1, 0]
    module = first["packs"][0]["module"]
    assert module.endswith(".mine") and {message["job"]["evaluator"] for message in (first, second, third)} == {module}
    assert came.evaluator == str(path)


def test_workers_may_come_late_and_be_more_than_were_asked_for() -> None:
    pool = Begun(Terms(workers=2), crew=MadeUp(born=False))
    pool.give(job(0), job(1))
    assert pool.made.tasks == {}
    pool.made.said += [(name, {"kind": "ready"}) for name in ("a", "b", "c")]
    pool.settle()
    assert set(pool.made.tasks) == {"a", "b"} and not pool.free()
    hired = pool.made.hired
    pool.made.dies("a")
    pool.settle()
    assert set(pool.made.tasks) == {"b", "c"} and pool.made.hired == hired, "the spare one takes over"
    pool.made.dies("c")
    pool.settle()
    assert pool.made.hired == hired + 1


def test_leaving_it_ends_the_workers() -> None:
    pool = Begun(Terms())
    with pytest.raises(RuntimeError), pool:
        raise RuntimeError
    assert pool.made.closed
