"""The local executor: real processes that work, fail, hang and are killed."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nasengine import plugins
from nasengine.executors._terms import Terms
from nasengine.executors.inline import Inline
from nasengine.executors.local import Local
from nasengine.job import Job, Result
from nasengine.plan import make

HERE = Path(__file__).parent
SPACE, EVALUATOR = str(HERE / "plain_space.py"), str(HERE / "plain_evaluator.py")
ONE_CORE = Terms(cores_per_worker=1)


def job(number: int, **fidelity: Any) -> Job:
    picks = {"first.size1": ["2"], "second.size2": ["3"]}
    return Job(number, SPACE, {}, picks, EVALUATOR, {}, "digits", fidelity, 0)


def pids(executor: Local) -> list[int]:
    crew: Any = executor.crew
    return [process.pid for process in crew.processes.values()]


def results(executor: Local, *jobs: Job) -> dict[int, Result]:
    """What becomes of jobs, by number."""
    waiting, found = list(jobs), {}
    while len(found) < len(jobs):
        while waiting and executor.free():
            executor.submit(waiting.pop(0))
        came, found[came.number] = executor.next()
    return found


def test_jobs_run_in_warm_processes_side_by_side(tmp_path: Path) -> None:
    with Local(tmp_path, Terms(workers=2, cores_per_worker=1)) as executor:
        first = results(executor, job(0, pause=0.5), job(1, pause=0.5))
        second = results(executor, *(job(number) for number in range(2, 12)))
        processes = {int(result.values["process"]) for result in {**first, **second}.values()}
        assert processes == set(pids(executor)) and len(processes) == 2 and os.getpid() not in processes
    assert {result.values["process"] for result in first.values()} == processes, "each had one"
    assert all(result.values["layers"] == 2 for result in second.values()), "the user's own space, and its layer"
    assert all(result.values["torch"] == 0 for result in second.values()), "nothing that was not needed"
    assert all(result.cost["attempts"] == 1 and result.cost["core_seconds"] < 0.5 for result in second.values())
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert not (tmp_path / "workers.json").exists()


def test_the_threads_of_a_worker_are_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with Local(tmp_path, Terms(cores_per_worker=3)) as executor:
        assert results(executor, job(0))[0].values["threads"] == 3


def test_whatever_goes_wrong_in_a_job_is_its_result(tmp_path: Path) -> None:
    heard: list[str] = []
    with Local(tmp_path, replace(ONE_CORE, retries=0), on_note=heard.append) as executor:
        jobs = job(0, do="raise"), job(1, nan=True), job(2, do="die"), job(3, do="leave"), job(4)
        found = results(executor, *jobs, replace(job(5), space="no-such-space"))
    errors = [str(found[number].error) for number in range(6)]
    assert errors[0].startswith("ZeroDivisionError: nothing to divide (in _complain, plain_evaluator.py:")
    assert "values.value: nan" in errors[1]
    assert errors[2] == (
        "its worker died 1 times, at last: worker-1 ended with exit code 7 (the disk is full); --retries allows 0"
    )
    assert "worker-2 ended with exit code 0" in errors[3]
    assert found[4].error is None
    assert 'space "no-such-space" is unknown' in errors[5]


def test_an_evaluator_that_returns_no_result_is_an_error_of_the_job(tmp_path: Path) -> None:
    path = tmp_path / "nothing.py"
    path.write_text("def evaluate(*_, **__):\n    return None\n")
    with Local(tmp_path, ONE_CORE) as executor:
        assert "NoneType" in str(results(executor, replace(job(0), evaluator=str(path)))[0].error)


def test_a_job_that_hangs_is_given_up(tmp_path: Path) -> None:
    with Local(tmp_path, replace(ONE_CORE, job_timeout=2.0)) as executor:
        began = time.monotonic()
        found = results(executor, job(0, do="hang"), job(1))
        assert 2.0 < time.monotonic() - began < 10
    assert found[0].error == "timeout: it ran longer than the 2 seconds of --job-timeout"
    assert found[0].cost["lost_seconds"] == pytest.approx(2.0, abs=1.0)
    assert found[1].error is None


@pytest.mark.parametrize("verdicts", [True, False])
def test_a_training_is_ended_after_an_epoch(tmp_path: Path, verdicts: bool) -> None:
    heard = []

    def on_epoch(one: Job, values: Mapping[str, Any]) -> bool:
        heard.append((one.number, values["epoch"]))
        return bool(one.number == 0 and values["epoch"] >= 2)

    with Local(tmp_path, replace(ONE_CORE, verdicts=verdicts), on_epoch=on_epoch) as executor:
        found = results(executor, job(0, epochs=100, pause=0.05), job(1, epochs=3))
    stopped = found[0].stopped
    assert stopped == 2 if verdicts else stopped is not None and 2 <= stopped < 100
    assert found[1].stopped is None
    assert heard == [*((0, epoch + 1) for epoch in range(stopped)), (1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_job_goes_on_from_its_last_epoch_in_another_process(tmp_path: Path, how: signal.Signals) -> None:
    notes, heard = list[str](), []

    def on_epoch(one: Job, values: Mapping[str, Any]) -> bool:
        heard.append(values["epoch"])
        if values["epoch"] in (2, 4) and len(heard) in (2, 4):
            os.kill(pids(executor)[0], how)
        return False

    with Local(tmp_path, replace(ONE_CORE, verdicts=True), on_epoch=on_epoch, on_note=notes.append) as executor:
        result = results(executor, job(0, epochs=5))[0]
    assert (result.error, result.values["begun"], result.cost["attempts"], heard) == (None, 4, 3, [1, 2, 3, 4, 5])
    again = "it goes on from its last epoch on another worker"
    assert notes == [f"job 0: worker-{number} was killed by signal {int(how)}; {again}" for number in (1, 2)]


def test_ctrl_c_is_none_of_a_workers_business(tmp_path: Path) -> None:
    def on_epoch(one: Job, values: Mapping[str, Any]) -> bool:
        os.kill(pids(executor)[0], signal.SIGINT)
        return False

    with Local(tmp_path, ONE_CORE, on_epoch=on_epoch) as executor:
        result = results(executor, job(0, epochs=3, pause=0.1))[0]
        assert os.getsid(pids(executor)[0]) != os.getsid(0), "nor does the terminal's reach it"
    assert (result.error, result.cost["attempts"]) == (None, 1)


def test_arrays_as_a_data_set_are_mapped_by_all_workers(tmp_path: Path) -> None:
    path = tmp_path / "looks.py"
    path.write_text(
        "from pathlib import Path\nfrom nasengine.job import Result\n\n\n"
        "def evaluate(job, space, dataset=None, **_):\n"
        "    mapped = 'safetensors' in Path('/proc/self/maps').read_text()\n"
        "    sums = {'sum': float(dataset.train.images.sum()), 'mapped': float(mapped)}\n"
        "    return Result(job.number, job.architecture, values=sums)\n"
    )
    dataset = make("darts", "random-search", limit=50).data
    with Local(tmp_path, ONE_CORE, dataset=dataset) as executor:
        result = results(executor, replace(job(0), evaluator=str(path)))[0]
    assert result.values == {"sum": pytest.approx(float(dataset.train.images.sum())), "mapped": 1}


def test_a_killed_training_ends_in_the_same_bits(tmp_path: Path) -> None:
    space = plugins.load_space("small-cell")
    plan = make("small-cell", "random-search", limit=200)
    recipe = {**plan.candidate.to_json(), "epochs": 4}
    picks = space.first(1)[0].to_json()
    training = Job(0, "small-cell", dict(space.settings), picks, "train", recipe, "digits", {"limit": 200}, 0)
    with Inline(tmp_path / "undisturbed") as inline:
        inline.submit(training)
        _, undisturbed = inline.next()
    heard = []

    def on_epoch(one: Job, values: Mapping[str, Any]) -> bool:
        heard.append((values["epoch"], values["seconds"]))
        if len(heard) == 3:
            os.kill(pids(executor)[0], signal.SIGKILL)
        return False

    with Local(tmp_path / "killed", replace(ONE_CORE, verdicts=True), on_epoch=on_epoch) as executor:
        killed = results(executor, training)[0]
    assert killed.cost["attempts"] == 2 and [epoch for epoch, _ in heard[:3]] == [1, 2, 3]
    assert heard[3] in heard[:3], "it goes on from an epoch that was saved: told again, and not trained again"
    assert (killed.error, killed.values, killed.digest) == (None, undisturbed.values, undisturbed.digest)
    files = (Path(str(result.weights)).read_bytes() for result in (killed, undisturbed))
    assert next(files) == next(files)
