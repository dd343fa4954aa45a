"""What a worker fetches before a job runs: the weights that it needs, wherever they are kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from nasengine.executors._storage import Storage
from nasengine.executors._worker import Worker
from nasengine.job import Job, Result

READS = '''
"""Says what stands in the files that a job names."""
from pathlib import Path
from nasengine.job import Result

def evaluate(job, space, dataset=None, **more):
    files = [job.weights, *(file for file, _ in job.inherit.values())]
    values = {str(i): float(Path(file).read_text()) for i, file in enumerate(files)}
    return Result(job.number, job.architecture, values=values)
'''


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "reads.py").write_text(READS)
    settings = {"input": [1, 8, 8], "classes": 10}
    return Job(0, "small-cell", settings, {}, str(tmp_path / "reads.py"), {}, "digits", {}, 0)


def kept(url: str, folder: Path, name: str, words: str) -> str:
    """A file that another machine left at the URL."""
    (folder / "weights").mkdir(parents=True, exist_ok=True)
    (folder / "weights" / name).write_text(words)
    return Storage(url, folder).keep(folder / "weights" / name)


def read(worker: Worker, job: Job) -> dict[str, float]:
    result: Result = worker.run(job)
    assert result.error is None, result.error
    return result.values


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_weights_at_a_url_are_fetched_from_this_search_and_from_others(scheme: str, job: Job, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/there" if scheme == "file" else f"memory://{tmp_path.name}/there"
    supernet = kept(url, tmp_path / "a" / "big", "supernet.safetensors", "1")
    parent = kept(url, tmp_path / "a" / "small", "trial-3.safetensors", "2")
    here = tmp_path / "b" / "small"
    worker = Worker(here, files=url)
    asked = replace(job, weights=supernet, inherit={"head": [parent, "head"]})
    assert read(worker, asked) == {"0": 1, "1": 2}
    assert (here.with_name("big") / "weights" / "supernet.safetensors").exists()
    Storage(url, tmp_path / "a" / "big").drop(tmp_path / "a" / "big" / "weights" / "supernet.safetensors")
    assert read(worker, asked) == {"0": 1, "1": 2}  # once for each machine


def test_a_local_file_is_taken_where_it_is(job: Job, tmp_path: Path) -> None:
    (tmp_path / "w").write_text("5")
    worker = Worker(tmp_path / "b" / "small", files=f"file://{tmp_path}/there")
    assert read(worker, replace(job, weights=str(tmp_path / "w"))) == {"0": 5}
