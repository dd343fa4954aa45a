"""Weights that travel with a job to a worker which does not see the driver's folder."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from nasengine.executors._ray_desk import Files, _Line
from nasengine.executors.ray import _Actors
from nasengine.job import Job
from tests.executors.made_up import job


@pytest.mark.parametrize("place", ["run/weights/trial-1.safetensors", "big/weights/supernet.safetensors"])
def test_a_supernet_travels_once_to_each_worker_from_whatever_folder(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "other machine"))
    supernet = tmp_path / place
    supernet.parent.mkdir(parents=True)
    supernet.write_bytes(b"weights")
    asked = replace(job(2), weights=str(supernet), inherit={"head": [str(supernet), "head"]})
    driver = SimpleNamespace(folder=tmp_path / "run", apart={"w1": set(), "w2": set()})
    line = _Line(driver.folder, "a mark that is not there", stored=False)
    sent: list[Files] = []
    for worker in ("w1", "w1", "w2"):
        sent.append(_Actors._for_the_road(driver, worker, asked.to_json()))  # type: ignore[arg-type]
        line.inbox.put(({"kind": "job", "job": asked.to_json()}, sent[-1]))
        came = Job.from_json(json.loads(line.recv_bytes())["job"])
        assert came.weights is not None and came.weights == came.inherit["head"][0]
        assert Path(came.weights).is_relative_to(tmp_path / "other machine")
        assert Path(came.weights).read_bytes() == b"weights"
    assert [len(files) for files in sent] == [1, 0, 1]
