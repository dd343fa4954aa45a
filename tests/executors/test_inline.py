"""The inline executor: one job at a time, weights and checkpoints kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from nasengine.errors import NasError
from nasengine.executors._terms import Terms
from nasengine.executors._worker import checkpoint_of
from nasengine.executors.inline import Inline
from nasengine.job import Job
from nasengine.plan import make


def job(number: int, final: bool = False) -> Job:
    plan = make("darts", "random-search", limit=100, space_settings={"channels": 2, "layers": 1})
    picks = plan.space.first(1)[0].to_json()
    recipe = {**plan.candidate.to_json(), "epochs": 1}
    settings, fidelity = dict(plan.space.settings), {"limit": 100}
    return Job(number, "darts", settings, picks, "train", recipe, "digits", fidelity, 0, final=final)


def test_jobs_run_one_by_one_and_leave_weights(tmp_path: Path) -> None:
    heard = []
    with Inline(tmp_path, on_epoch=lambda job, values: heard.append((job.number, values["epoch"]))) as executor:
        assert executor.free()
        executor.submit(job(4))
        assert not executor.free()
        came, result = executor.next()
        assert executor.free()
        executor.submit(job(4, final=True))
        _, final = executor.next()
    assert (came.number, result.number, result.error, final.error) == (4, 4, None, None)
    assert heard == [(4, 1), (4, 1)]
    assert Path(str(result.weights)) == tmp_path / "weights" / "trial-4.safetensors"
    assert Path(str(final.weights)) == tmp_path / "weights" / "final.safetensors"
    kept = {checkpoint_of(tmp_path, one) for one in (job(4), job(4, final=True))}
    assert set((tmp_path / "checkpoints").glob("*")) == kept, "whoever records the result takes them away"


def test_it_is_one_worker(tmp_path: Path) -> None:
    with pytest.raises(NasError, match="workers=2"):
        Inline(tmp_path, Terms(workers=2))


def test_what_goes_wrong_in_the_driver_is_no_fault_of_the_job(tmp_path: Path) -> None:
    def on_epoch(job: Job, values: object) -> bool:
        raise NasError("results database: gone")

    with Inline(tmp_path, on_epoch=on_epoch) as executor:
        executor.submit(job(0))
        with pytest.raises(NasError, match="results database: gone"):
            executor.next()


def test_a_job_that_takes_too_long_is_ended_after_its_epoch(tmp_path: Path) -> None:
    with Inline(tmp_path, Terms(job_timeout=1e-6)) as executor:
        long = job(0)
        executor.submit(replace(long, recipe={**long.recipe, "epochs": 50}))
        _, result = executor.next()
    assert result.error is not None and "timeout" in result.error and "--job-timeout" in result.error
    assert result.values == {} or result.stopped is None


def test_an_evaluator_of_ones_own_may_fail(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text('"""Fails."""\n\n\ndef evaluate(job, space, dataset=None, **more):\n    return 1 / 0\n')
    with Inline(tmp_path) as executor:
        executor.submit(replace(job(0), evaluator=str(path)))
        _, result = executor.next()
    assert result.error == "ZeroDivisionError: division by zero (in evaluate, broken.py:5)"
