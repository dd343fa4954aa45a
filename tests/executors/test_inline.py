"""The inline executor: one job at a time, weights kept, checkpoints gone once they are not needed."""

from pathlib import Path

import pytest

from nasengine.errors import NasError
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
    assert not list((tmp_path / "checkpoints").glob("*"))


def test_it_is_one_worker(tmp_path: Path) -> None:
    with pytest.raises(NasError, match="workers=2"):
        Inline(tmp_path, workers=2)
