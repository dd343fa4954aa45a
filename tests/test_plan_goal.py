"""A search takes its goal from its data, refuses what does not suit it, and goes through to the end for every task."""

from pathlib import Path
from typing import Any

import pytest
import torch

from nasengine.engine import search
from nasengine.errors import NasError
from nasengine.plan import make
from nasengine.runs import Run

SMALL: dict[str, Any] = {"widths": (4, 6), "blocks": 1}
IMAGES = torch.zeros(2, 1, 32, 32)
NUMBERS = "shapes?task=regression"
QUICK: dict[str, Any] = {
    "limit": 50, "trials": 2, "epochs": 1, "recipe_values": {"epochs": 1, "batch": 16},
}  # fmt: skip


@pytest.mark.parametrize(
    ("space", "data", "words", "said"),
    [
        ("small-cell", "shapes", {}, "3 numbers; data shapes is for segmentation .* give --space segmenter"),
        ("segmenter", "digits", {}, "data digits is for classification .* give a space that classifies images"),
        ("segmenter", "shapes", {"strategy": "sandwich"}, "strategy sandwich teaches .* such as one-shot or darts"),
        ("segmenter", "shapes", {"objective": "accuracy"}, "for segmentation, .*allowed are iou, pixel_accuracy, loss"),
        ("small-cell", NUMBERS, {"objective": ("r2", "iou")}, "objective iou: .*with 4 targets; allowed are r2"),
        ("small-cell", NUMBERS, {"recipe_values": {"loss": "dice"}}, "recipe.loss: \"dice\" came"),
        ("segmenter", "shapes", {"objective": "loss", "strategy": "darts"}, "allowed are iou and bounds"),
    ],
)  # fmt: skip
def test_what_does_not_suit_the_data_is_refused_before_anything_begins(
    space: str, data: str, words: dict[str, Any], said: str
) -> None:
    words = {"strategy": "random-search", "limit": 50, **words}
    with pytest.raises(NasError, match=said):
        make(space, data=data, space_settings=SMALL if space == "segmenter" else {}, **words)


def test_the_goal_is_the_datas_own_unless_another_is_given() -> None:
    plan = make("segmenter", "darts", "shapes", limit=50, space_settings=SMALL)
    assert (plan.goal.first, plan.stop_by) == ("validation_iou", "validation_iou")
    plan = make("small-cell", "random-search", NUMBERS, limit=50, objective="rmse")
    assert (str(plan.goal.objectives[0]), plan.stop_by) == ("min:validation_rmse", "validation_r2")
    assert (plan.final.crop, plan.candidate.crop) == (0, 0)
    plan = make("small-cell", "random-search", "digits", limit=50, objective="balanced_accuracy")
    assert (plan.goal.first, plan.final.crop) == ("validation_balanced_accuracy", 0.125)


def ended(tmp_path: Path, space: str, strategy: str, data: str, **words: Any) -> Run:
    return search(space, strategy, data, db=tmp_path / "r.db", name="one", **QUICK, **words)


def test_pixels_are_searched_by_proposals_and_early_stopping(tmp_path: Path) -> None:
    run = ended(tmp_path, "segmenter", "random-search", "shapes", space_settings=SMALL, stopper="median")
    rows = [row for row in run.results() if row["kind"] == "candidate"]
    assert [row["value"] for row in rows] == [row["values"]["validation_iou"] for row in rows]
    assert {"test_iou", "test_pixel_accuracy", "test_loss"} <= run.best.values.keys()
    assert run.best.model().eval()(IMAGES).shape == (2, 3, 32, 32)


def test_pixels_are_searched_by_gates(tmp_path: Path) -> None:
    run = ended(tmp_path, "segmenter", "darts", "shapes", space_settings=SMALL, policy="best")
    assert {"train_iou", "gate_iou"} <= run.trial("supernet").values.keys()
    assert "test_iou" in run.best.values


def test_numbers_are_searched_with_any_space_that_classifies(tmp_path: Path) -> None:
    run = ended(tmp_path, "small-cell", "random-search", NUMBERS, proxy="grad-norm", proxy_options={"batch": 16},
                space_settings={"channels": 4})  # fmt: skip
    assert {"test_r2", "test_mae", "test_rmse"} <= run.best.values.keys()
    assert run.best.model().eval()(IMAGES).shape == (2, 4)
