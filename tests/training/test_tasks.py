"""Losses and figures of each task, by hand and against scikit-learn."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from nasengine.errors import RecipeError
from nasengine.training.counting import IGNORED
from nasengine.training.data import Split
from nasengine.training.fit import evaluate, fit
from nasengine.training.metrics import Meter
from nasengine.training.recipe import Recipe
from nasengine.training.regression import Regression
from nasengine.training.segmentation import dice
from nasengine.training.tasks import TASKS, check_recipe, task_of

RANDOM = np.random.default_rng(0)
PLAIN = Recipe(epochs=2, batch=8)


def read(task, outputs, labels, full=True, parts=3):
    """The figures of a task over outputs that came in several batches."""
    meter = Meter(task, full)
    for some, wanted in zip(outputs.chunk(parts), labels.chunk(parts), strict=True):
        meter.add(task.loss(some, wanted), some, wanted)
    return meter.read()


def test_a_classification_is_measured_as_by_scikit_learn() -> None:
    # frequent and rare classes; one that is never there, and one that is never said
    labels = RANDOM.choice(8, 300, p=[0.5, 0.2, 0.1, 0.1, 0.05, 0.03, 0.02, 0.0])
    logits = RANDOM.normal(size=(300, 8)) + 2 * np.eye(8)[labels]
    logits[:, 4] -= 100
    found = read(TASKS["classification"], torch.tensor(logits, dtype=torch.float32), torch.tensor(labels))
    said = logits.argmax(1)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, said))
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        wanted = metrics.balanced_accuracy_score(labels, said)
    assert found["balanced_accuracy"] == pytest.approx(wanted)
    assert found["f1"] == pytest.approx(metrics.f1_score(labels, said, average="macro", zero_division=0))
    assert found["top5_accuracy"] == pytest.approx(metrics.top_k_accuracy_score(labels, logits, k=5, labels=range(8)))


def test_top_five_says_nothing_of_five_classes() -> None:
    found = read(TASKS["classification"], torch.eye(5).repeat(2, 1), torch.arange(10) % 5)
    assert found["balanced_accuracy"] == 1 and "top5_accuracy" not in found


def test_in_training_a_classification_counts_its_hits_alone() -> None:
    found = read(TASKS["classification"], torch.eye(6), torch.tensor([0, 1, 2, 3, 4, 0]), full=False)
    assert found.keys() == {"accuracy", "loss"} and found["accuracy"] == pytest.approx(5 / 6)


def test_weights_of_classes_are_scikit_learns_and_parts_of_a_batch_add_up() -> None:
    labels = torch.tensor([0] * 6 + [1] * 3 + [2])
    outputs = torch.tensor(RANDOM.normal(size=(10, 4)), dtype=torch.float32)  # class 3 is not there
    criterion = TASKS["classification"].criterion(Recipe(class_weights="balanced"), labels)
    weights = compute_class_weight("balanced", classes=np.arange(3), y=labels.numpy())
    each = nn.functional.cross_entropy(outputs, labels, reduction="none").numpy()
    assert float(criterion(outputs, labels)) == pytest.approx((weights[labels.numpy()] * each).mean(), rel=1e-5)
    parts = 0.4 * criterion(outputs[:4], labels[:4]) + 0.6 * criterion(outputs[4:], labels[4:])
    assert float(parts) == pytest.approx(float(criterion(outputs, labels)), rel=1e-5)


def test_without_weights_the_loss_is_torchs_to_the_last_bit() -> None:
    outputs, labels = torch.randn(9, 5), torch.arange(9) % 5
    criterion = TASKS["classification"].criterion(Recipe(label_smoothing=0.1), labels)
    assert torch.equal(criterion(outputs, labels), nn.functional.cross_entropy(outputs, labels, label_smoothing=0.1))


def test_a_regression_is_measured_as_by_scikit_learn_in_its_own_units() -> None:
    own = RANDOM.normal((3, -20), (0.5, 40), size=(200, 2))
    mean, std = own.mean(0), own.std(0)
    told = own + RANDOM.normal(0, (0.2, 30), size=own.shape)
    labels, outputs = (torch.tensor((numbers - mean) / std, dtype=torch.float32) for numbers in (own, told))
    found = read(Regression(tuple(std)), outputs, labels)
    assert found["r2"] == pytest.approx(metrics.r2_score(own, told), abs=1e-5)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(own, told), rel=1e-5)
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(own, told), rel=1e-5)
    assert found["loss"] == pytest.approx(metrics.mean_squared_error(labels, outputs), rel=1e-4)


def test_the_mean_tells_nothing_of_a_variance() -> None:
    labels = torch.tensor([[1.0], [2.0], [6.0]])
    assert read(TASKS["regression"], labels.mean().expand(3, 1), labels)["r2"] == pytest.approx(0)
    assert read(TASKS["regression"], labels, labels)["r2"] == 1
    constant = torch.ones(3, 1)
    assert read(TASKS["regression"], constant, constant)["r2"] == 1
    assert read(TASKS["regression"], constant + 1, constant)["r2"] == 0


def test_huber_grows_straight_where_squares_do_not() -> None:
    labels = torch.zeros(1, 1)
    huber, mse = (TASKS["regression"].criterion(Recipe(loss=name), labels) for name in ("huber", "mse"))
    assert float(huber(labels + 0.5, labels)) == 0.125 and float(mse(labels + 0.5, labels)) == 0.25
    assert float(huber(labels + 10, labels)) == 9.5 and float(mse(labels + 10, labels)) == 100


def test_a_segmentation_is_measured_as_by_scikit_learn_over_pixels_that_count() -> None:
    labels = torch.tensor(RANDOM.choice(3, (6, 5, 7), p=[0.7, 0.25, 0.05]))
    labels[RANDOM.random(labels.shape) < 0.1] = IGNORED
    outputs = torch.tensor(RANDOM.normal(size=(6, 4, 5, 7)), dtype=torch.float32)
    counted = (labels != IGNORED).numpy()
    there, said = labels.numpy()[counted], outputs.argmax(1).numpy()[counted]
    found = read(TASKS["segmentation"], outputs, labels)
    assert found["iou"] == pytest.approx(metrics.jaccard_score(there, said, average="macro", zero_division=0))
    assert found["pixel_accuracy"] == pytest.approx(metrics.accuracy_score(there, said))


def test_intersection_over_union_by_hand() -> None:
    labels = torch.tensor([[[0, 0, 1, IGNORED]]])
    said = torch.tensor([[[0, 1, 1, 1]]])  # class 0: 1 of 2; class 1: 1 of 2; class 2 is nowhere
    outputs = nn.functional.one_hot(said, 3).movedim(-1, 1).float()
    found = read(TASKS["segmentation"], outputs, labels, parts=1)
    assert (found["iou"], found["pixel_accuracy"]) == (0.5, pytest.approx(2 / 3))


def test_pixels_that_do_not_count_teach_nothing() -> None:
    task = TASKS["segmentation"]
    labels = torch.randint(0, 3, (2, 4, 4))
    labels[0] = IGNORED
    outputs = torch.randn(2, 3, 4, 4, requires_grad=True)
    for recipe in (Recipe(), Recipe(loss="dice"), Recipe(class_weights="balanced", label_smoothing=0.1)):
        (slope,) = torch.autograd.grad(task.criterion(recipe, labels)(outputs, labels), outputs)
        assert not slope[0].any() and slope[1].any()
    outputs = outputs.detach()
    plain = nn.functional.cross_entropy(outputs, labels, ignore_index=IGNORED)
    assert float(task.loss(outputs, labels)) == pytest.approx(float(plain), rel=1e-6)
    assert float(task.loss(outputs, torch.full_like(labels, IGNORED))) == 0


def test_dice_is_nothing_where_all_is_said_and_much_where_nothing_is() -> None:
    labels = torch.tensor([[[0, 1], [1, 1]]])
    sure = 100 * nn.functional.one_hot(labels, 2).movedim(-1, 1).float()
    assert float(dice(sure, labels)) == pytest.approx(0, abs=1e-6)
    # class 0: (0 + 1) / (1 + 3 + 1); class 1: (0 + 1) / (3 + 1 + 1)
    assert float(dice(-sure, labels)) == pytest.approx(1 - 1 / 5)


def test_what_a_task_does_not_have_is_refused() -> None:
    with pytest.raises(RecipeError, match='recipe.loss: "dice" came; the data is for regression: auto, mse, huber'):
        check_recipe(TASKS["regression"], Recipe(loss="dice"))
    with pytest.raises(RecipeError, match="recipe.class_weights"):
        check_recipe(TASKS["regression"], Recipe(class_weights="balanced"))
    with pytest.raises(RecipeError, match="recipe.sampling"):
        check_recipe(TASKS["segmentation"], Recipe(sampling="balanced"))
    with pytest.raises(RecipeError, match='"regresion" came; .*Did you mean "regression"'):
        task_of("regresion")


def linear(targets: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, targets))


def test_a_regression_is_learned() -> None:
    images = torch.randn(96, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    labels = images.flatten(1)[:, :2] - images.flatten(1)[:, 2:4]
    data, model = Split(images, labels), linear(2)
    history = fit(model, data, Recipe(epochs=15, batch=16, lr=0.05, weight_decay=0), validation=data,
                  task=TASKS["regression"])  # fmt: skip
    assert history[-1].keys() >= {"train_r2", "train_mae", "train_rmse", "validation_r2", "validation_loss"}
    assert history[-1]["validation_r2"] > 0.9 > history[0]["train_r2"]
    assert evaluate(model, data, task=TASKS["regression"])["r2"] == history[-1]["validation_r2"]


def test_a_segmentation_is_learned_by_halves_of_a_batch_as_well() -> None:
    images = torch.randn(32, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    data = Split(images, (images[:, 0] > 0).long())
    torch.manual_seed(0)
    models = [nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 1)]
    models[1].load_state_dict(models[0].state_dict())
    recipe = Recipe(epochs=6, batch=8, lr=0.3, weight_decay=0, flip=True)
    for model, micro_batch in zip(models, (None, 4), strict=True):
        history = fit(model, data, recipe, validation=data, micro_batch=micro_batch, task=TASKS["segmentation"])
        assert history[-1]["validation_iou"] > 0.8
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-3)


def test_balanced_sampling_shows_rare_classes_as_often() -> None:
    images = torch.randn(200, 1, 4, 4)
    labels = (torch.arange(200) >= 190).long()
    seen = []

    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = linear(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.extend(x[:, 0, 0, 0].tolist())
            return self.linear(x)

    rare = set(images[190:, 0, 0, 0].tolist())
    fit(Watching(), Split(images, labels), Recipe(epochs=1, batch=50, sampling="balanced"))
    assert len(seen) == 200 and 70 < sum(value in rare for value in seen) < 130
    seen.clear()
    fit(Watching(), Split(images, labels), Recipe(epochs=1, batch=50))
    assert sum(value in rare for value in seen) == 10


def test_a_loss_that_no_data_has_stops_a_training_before_it_begins() -> None:
    data = Split(torch.randn(8, 1, 4, 4), torch.arange(8) % 2)
    with pytest.raises(RecipeError, match="mse"):
        fit(linear(2), data, Recipe(epochs=1, loss="mse"))
    assert math.isfinite(fit(linear(2), data, Recipe(epochs=1, loss="cross-entropy"))[0]["train_loss"])
