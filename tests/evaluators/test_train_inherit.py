"""A candidate that starts from the trained blocks of another one."""

import dataclasses
import random
from pathlib import Path

from nasengine import plugins
from nasengine.evaluators import train
from nasengine.interpreters.blocks import blocks
from nasengine.job import Job
from nasengine.training import data
from nasengine.training.recipe import recipe

SETTINGS = {"input": (1, 8, 8), "channels": 4, "layers": 2}


def test_inherited_weights_are_where_training_starts_and_a_missing_file_is_a_result(tmp_path: Path) -> None:
    space, dataset = plugins.load_space("darts", SETTINGS), data.load("digits", limit=200)
    architecture = space.sample(random.Random(0))
    chosen = recipe("proxy", epochs=6).to_json()
    job = Job(0, "darts", SETTINGS, architecture.to_json(), "train", chosen, "digits", {"limit": 200}, 0)
    first = train.evaluate(job, space, dataset, weights_to=tmp_path / "first.safetensors")
    sources = {block.place: [str(first.weights), block.place] for block in blocks(space, architecture)}
    second = train.evaluate(dataclasses.replace(job, inherit=sources), space, dataset)
    assert second.error is None
    assert second.epochs[0]["train_loss"] < 0.8 * first.epochs[0]["train_loss"]
    gone = {place: ["gone.safetensors", origin] for place, (_, origin) in sources.items()}
    failed = train.evaluate(dataclasses.replace(job, inherit=gone), space, dataset)
    assert "gone.safetensors: there is no such file" in str(failed.error)
