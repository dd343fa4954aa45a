"""What a step waits for: on the meta device there are no numbers, so whatever asks for one fails."""

import pytest
import torch
from torch import nn

from nasengine import plugins
from nasengine.interpreters.model import Model
from nasengine.space import Architecture
from nasengine.training.data import Split
from nasengine.training.loop import Training
from nasengine.training.recipe import Recipe
from nasengine.training.tasks import task_of

META = torch.device("meta")
PATIENCE = 3  # not 50: without numbers a step takes its time


@pytest.fixture
def on_meta(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnCPU(torch.Generator):
        """There is none on the meta device."""

        def __new__(cls, device: object = "cpu") -> "OnCPU":
            return super().__new__(cls, "cpu")

    monkeypatch.setattr(torch, "Generator", OnCPU)
    monkeypatch.setattr("nasengine.training.metrics.PATIENCE", PATIENCE)


def steps_until_something_waits(model: nn.Module, split: Split, recipe: Recipe, task: str = "classification") -> int:
    run = Training(model.to(META), split.to(META), recipe, 0, META, task=task_of(task))
    done: list[bool] = []
    run.optimizer.register_step_post_hook(lambda *_: done.append(True))
    with pytest.raises((NotImplementedError, RuntimeError), match="meta"):
        run.epoch(None)
    return len(done)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_step_waits_for_nothing_and_an_epoch_every_so_often(on_meta: None, optimizer: str) -> None:
    space = plugins.load_space("darts", {"input": (1, 4, 4), "channels": 2, "layers": 2, "auxiliary": True})
    model = Model(space, Architecture(dict(plugins.published("darts", "DARTS_V2").picks)))
    recipe = Recipe(
        epochs=2, batch=2, optimizer=optimizer, clip=1, crop=1, flip=True, cutout=2, drop_path=0.1, auxiliary=0.4,
        label_smoothing=0.1, weight_decay=1e-3, warmup=0.5,
    )  # fmt: skip
    split = Split(torch.zeros(2 * PATIENCE + 4, 1, 4, 4), torch.zeros(2 * PATIENCE + 4, dtype=torch.int64))
    assert steps_until_something_waits(model, split, recipe) == PATIENCE


@pytest.mark.parametrize(
    ("task", "labels", "loss"),
    [
        ("regression", torch.zeros(2 * PATIENCE + 4, 3), "huber"),
        ("segmentation", torch.zeros(2 * PATIENCE + 4, 4, 4, dtype=torch.int64), "dice"),
    ],
)
def test_other_tasks_wait_for_nothing_either(on_meta: None, task: str, labels: torch.Tensor, loss: str) -> None:
    last = [nn.Flatten(), nn.Linear(32, 3)] if task == "regression" else [nn.Conv2d(2, 3, 1)]
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), *last)
    recipe = Recipe(epochs=1, batch=2, optimizer="sgd", loss=loss, crop=1)
    assert (
        steps_until_something_waits(model, Split(torch.zeros(2 * PATIENCE + 4, 1, 4, 4), labels), recipe, task)
        == PATIENCE
    )
