"""The Ray executor: jobs run in actors that stay warm, and whatever happens to an actor, a job has one result."""

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nasengine.executors._pool import Pool
from nasengine.executors._terms import Terms
from nasengine.executors.ray import Ray
from nasengine.job import Job, Result
from nasengine.plan import make

# an evaluator of somebody's own that trains nothing: it counts epochs, and keeps a checkpoint and weights as a real one
EVALUATOR = """
import json, os, time
from nasengine.job import Result
from .words import SENTENCE

def evaluate(job, space, dataset=None, *, on_epoch=None, checkpoint=None, weights_to=None):
    done = json.loads(checkpoint.read_text()) if checkpoint and checkpoint.exists() else []
    begun, stopped = len(done), None
    for epoch in range(begun, job.recipe["epochs"]):
        time.sleep(job.recipe.get("pause", 0))
        if job.recipe.get("error"):
            raise ValueError(SENTENCE)
        done.append(epoch * 0.5)
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_text(json.dumps(done))
        if on_epoch({"epoch": epoch + 1.0, "pid": float(os.getpid()), "begun": float(begun)}):
            stopped = epoch + 1
            break
    weights_to.parent.mkdir(parents=True, exist_ok=True)
    weights_to.write_bytes(bytes(2000))
    value = job.recipe.get("value", sum(done))
    values = {"validation_accuracy": float(value), "threads": float(os.environ["OMP_NUM_THREADS"])}
    return Result(job.number, job.architecture, values=values, stopped=stopped, weights=str(weights_to))
"""


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """`job(number, epochs=…)`: a job for the evaluator above, on a space in a file of its own."""
    (tmp_path / "mine.py").write_text(EVALUATOR)
    (tmp_path / "words.py").write_text('SENTENCE = "it said no"\n')
    (tmp_path / "own_space.py").write_text(
        "from nasengine.space import Space, choose, op\n\n\nclass Layer:\n    pass\n\n\n"
        "def space(input=(1, 8, 8)):\n"
        "    return Space('own', input=input, network=op(Layer, size=choose('size', 3, 5)))\n"
    )

    def made(number: int, **recipe: Any) -> Job:
        picks = {"size": ["3"]}
        space, evaluator = str(tmp_path / "own_space.py"), str(tmp_path / "mine.py")
        return Job(number, space, {}, picks, evaluator, {"epochs": 1, **recipe}, "none", {}, 0)

    return made


Heard = list[tuple[int, Mapping[str, Any]]]


def run(executor: Pool, jobs: list[Job]) -> dict[int, Result]:
    waiting, results = list(jobs), {}
    while len(results) < len(jobs):
        while waiting and executor.free():
            executor.submit(waiting.pop(0))
        came, result = executor.next()
        assert came.number not in results
        results[came.number] = result
    return results


def test_jobs_run_on_several_actors_and_epochs_come_as_they_end(
    ray_cluster: str, tmp_path: Path, job: Callable[..., Job]
) -> None:
    heard: Heard = []
    terms = Terms(workers=2, cores_per_worker=1, address=ray_cluster)
    with Ray(tmp_path / "run", terms, on_epoch=lambda one, values: heard.append((one.number, values))) as executor:
        results = run(executor, [job(number, epochs=2, pause=0.05) for number in range(6)])
        for number in range(6, 40, 2):  # on a busy machine one actor may have done it all before the other was there
            if len({values["pid"] for _, values in heard}) == 2:
                break
            run(executor, [job(number, pause=0.2), job(number + 1, pause=0.2)])
    assert {number: result.values["validation_accuracy"] for number, result in results.items()} == dict.fromkeys(
        range(6), 0.5
    )
    assert [len([1 for number, _ in heard if number == one]) for one in range(6)] == [2] * 6
    assert len({values["pid"] for _, values in heard}) == 2 and os.getpid() not in {v["pid"] for _, v in heard}
    assert {result.values["threads"] for result in results.values()} == {1.0}
    assert Path(str(results[3].weights)) == tmp_path / "run" / "weights" / "trial-3.safetensors"
    assert all(result.cost["attempts"] == 1 and result.cost["core_seconds"] >= 0 for result in results.values())


def test_errors_and_numbers_that_are_none_are_results(
    ray_cluster: str, tmp_path: Path, job: Callable[..., Job]
) -> None:
    jobs = [job(0, error=True), job(1, value="nan"), job(2)]
    with Ray(tmp_path / "run", Terms(cores_per_worker=1, address="auto")) as executor:
        results = run(executor, jobs)
    assert results[0].error is not None and "ValueError: it said no (in evaluate, mine.py:" in results[0].error
    assert results[1].error is not None and "must be finite" in results[1].error
    assert results[2].error is None


def test_a_verdict_stops_a_training(ray_cluster: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    with Ray(tmp_path / "run", Terms(verdicts=True), on_epoch=lambda one, values: values["epoch"] == 2) as executor:
        results = run(executor, [job(0, epochs=5)])
    assert results[0].stopped == 2 and results[0].values["validation_accuracy"] == 0.5


def test_a_killed_actor_s_job_goes_on_from_its_checkpoint(
    ray_cluster: str, tmp_path: Path, job: Callable[..., Job]
) -> None:
    heard: Heard = []
    notes: list[str] = []

    def kill_once(one: Job, values: Mapping[str, Any]) -> None:
        if values["epoch"] == 3 and not any(values["epoch"] == 3 for _, values in heard):
            os.kill(int(values["pid"]), signal.SIGKILL)
        heard.append((one.number, values))

    with Ray(tmp_path / "run", Terms(), on_epoch=kill_once, on_note=notes.append) as executor:
        results = run(executor, [job(0, epochs=6, pause=0.2)])
    assert results[0].values["validation_accuracy"] == sum(epoch * 0.5 for epoch in range(6))
    assert results[0].error is None and results[0].cost["attempts"] == 2
    assert len({values["pid"] for _, values in heard}) == 2
    assert heard[-1][1]["begun"] >= 3  # nothing that was done was done again
    assert len(notes) == 1 and "job 0: worker-1 (" in notes[0] and "process has died" in notes[0]


def test_who_dies_too_often_is_a_result(ray_cluster: str, tmp_path: Path, job: Callable[..., Job]) -> None:
    def kill(one: Job, values: Mapping[str, Any]) -> None:
        os.kill(int(values["pid"]), signal.SIGKILL)

    with Ray(tmp_path / "run", Terms(retries=1), on_epoch=kill) as executor:
        results = run(executor, [job(0, epochs=9, pause=0.3)])
    assert results[0].error is not None and results[0].error.startswith("its worker died 2 times, at last: worker-2 (")


def test_a_job_that_takes_too_long_is_given_up_and_its_actor_killed(
    ray_cluster: str, tmp_path: Path, job: Callable[..., Job]
) -> None:
    heard: Heard = []
    terms = Terms(job_timeout=2.5)
    with Ray(tmp_path / "run", terms, on_epoch=lambda one, values: heard.append((one.number, values))) as executor:
        results = run(executor, [job(0, epochs=50, pause=0.1), job(1)])
    assert results[0].error is not None and results[0].error.startswith("timeout: it ran longer than the 2.5 seconds")
    assert results[1].error is None
    pids = {number: int(values["pid"]) for number, values in heard}
    assert pids[0] != pids[1] and not _is_alive(pids[0])


def _is_alive(pid: int) -> bool:
    for _ in range(50):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.1)
    return True


def test_a_data_set_of_arrays_is_trained_on_and_the_result_is_that_of_this_process(
    ray_cluster: str, tmp_path: Path
) -> None:
    from nasengine.executors.inline import Inline

    words: dict[str, Any] = {"limit": 100, "space_settings": {"channels": 4}, "epochs": 1}
    plan = make("small-cell", "random-search", **words)
    (first,) = plan.space.first(1)
    training = Job(
        0, "small-cell", dict(plan.space.settings), first.to_json(), "train", plan.candidate.to_json(), "no such name",
        {}, 0,
    )  # fmt: skip
    with Inline(tmp_path / "inline", dataset=plan.dataset) as inline:
        expected = run(inline, [training])[0]  # type: ignore[arg-type]
    with Ray(tmp_path / "ray", dataset=plan.dataset) as executor:
        result = run(executor, [training])[0]
    assert result.error is None and result.values == expected.values
    assert (tmp_path / "ray" / "weights" / "trial-0.safetensors").read_bytes() == (
        tmp_path / "inline" / "weights" / "trial-0.safetensors"
    ).read_bytes()


def test_files_travel_where_the_folder_is_not_seen(
    ray_cluster: str, tmp_path: Path, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark is taken away before the actors look for it: then they are as if on a machine that shares nothing."""
    heard: Heard = []

    def kill_once(one: Job, values: Mapping[str, Any]) -> None:
        if values["epoch"] == 3 and not any(values["epoch"] == 3 for _, values in heard):
            os.kill(int(values["pid"]), signal.SIGKILL)
        heard.append((one.number, values))

    folder = tmp_path / "run"
    with Ray(folder, Terms(cores_per_worker=1), on_epoch=kill_once) as executor:
        (folder / "mark").unlink()
        results = run(executor, [job(0, epochs=5, pause=0.2), job(1)])
    assert results[0].values["validation_accuracy"] == sum(epoch * 0.5 for epoch in range(5))
    assert heard[-2][1]["begun"] >= 3
    assert Path(str(results[0].weights)) == folder / "weights" / "trial-0.safetensors"
    assert (folder / "weights" / "trial-0.safetensors").read_bytes() == bytes(2000)
    assert len(json.loads((folder / "checkpoints" / "trial-0.pt").read_text())) == 5


def test_workers_without_room_wait_and_hold_up_nobody(
    ray_cluster: str, tmp_path: Path, job: Callable[..., Job]
) -> None:
    notes: list[str] = []
    with Ray(tmp_path / "run", Terms(workers=6, cores_per_worker=2), on_note=notes.append) as executor:
        assert len(run(executor, [job(number, pause=0.05) for number in range(8)])) == 8
    assert notes == ["the cluster has room for 2 of 6 workers; the others begin when nodes join"]
