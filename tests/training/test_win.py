"""Win and Win2 against numbers made with the authors' implementation (https://jmlr.org/papers/v25/23-1073.html)."""

import copy

import pytest
import torch
from torch import Tensor

from nasengine.errors import RecipeError
from nasengine.training import win
from nasengine.training.optimizers import build
from nasengine.training.recipe import RECIPES, Recipe, recipe
from nasengine.training.win import accelerate, portions

START = [1.0, -1.0, 2.0]
PORTIONS = {10**6: [6], 40: [4, 1, 1], 0: [1] * 6}  # how many of six weights go together
GRADIENTS = [[1.0, -2.0, 0.5], [0.5, -1.0, 0.5], [-1.0, 2.0, 0.5], [0.25, 0.0, 0.5]]
# What the authors' AdamW gives in float64 with lr 0.01, betas 0.9 and 0.999 and decay 0.1, after each of four steps.
PUBLISHED = {
    "win": [
        [0.9853504259, -0.9853504258, 1.9840186465],
        [0.9740598927, -0.9740598926, 1.970716373],
        [0.9743825059, -0.9743825057, 1.958314502],
        [0.9721123828, -0.9733694867, 1.9462205279],
    ],
    "win2": [
        [0.981971834, -0.981971834, 1.98033291],
        [0.9711962557, -0.9711962555, 1.9673651617],
        [0.974236765, -0.9742367648, 1.9551966649],
        [0.9715776265, -0.9731246529, 1.9431916411],
    ],
    "none": [
        [0.9890000001, -0.989, 1.9880000002],
        [0.9786892038, -0.9786892037, 1.9760120004],
        [0.9766026839, -0.9766026838, 1.9640359886],
        [0.9737746857, -0.9747186136, 1.9520719528],
    ],
}


def weights_and(it: Recipe) -> tuple[Tensor, torch.optim.Optimizer]:
    weights = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    return weights, build(it, [weights])


def step(optimizer: torch.optim.Optimizer, weights: Tensor, gradient: list[float]) -> Tensor:
    weights.grad = torch.tensor(gradient, dtype=torch.float64)
    optimizer.step()
    return weights.detach().clone()


@pytest.mark.parametrize("mode", PUBLISHED)
def test_equals_the_authors_numbers(mode: str) -> None:
    weights, optimizer = weights_and(Recipe(optimizer="adamw", lr=0.01, weight_decay=0.1, clip=0, acceleration=mode))
    for gradient, values in zip(GRADIENTS, PUBLISHED[mode], strict=True):
        got = step(optimizer, weights, gradient)
        torch.testing.assert_close(got, torch.tensor(values, dtype=torch.float64), rtol=0, atol=6e-11)


@pytest.mark.parametrize("mode", ["win", "win2"])
@pytest.mark.parametrize("name", ["adan", "adamw", "sgd"])
def test_every_optimizer_follows_the_paper(name: str, mode: str) -> None:
    """The rule as printed, around the same optimizer run beside it from anywhere: its move knows no weights."""
    lr, decay, r, q = 0.05, 0.1, 2.0, 8.0
    it = Recipe(optimizer=name, lr=lr, weight_decay=decay, clip=1.0, acceleration=mode)
    weights, optimizer = weights_and(it)
    beside, plain = weights_and(Recipe(optimizer=name, lr=lr, weight_decay=0.0, clip=1.0))
    x = y = z = torch.tensor(START, dtype=torch.float64)
    for gradient in GRADIENTS:
        before = beside.detach().clone()
        direction = (before - step(plain, beside, gradient)) / lr
        x = (x - lr * direction) / (1 + lr * decay)
        tau = 1 / (lr + r * lr + decay * lr * r * lr)
        y = tau * (r * lr * x + lr * (y - r * lr * direction))
        z = (z - q * lr * direction + q * x + q / r * y) / (1 + q + q / r + q * lr * decay)
        got = step(optimizer, weights, gradient)
        torch.testing.assert_close(got, y if mode == "win" else z, rtol=0, atol=1e-13)


@pytest.mark.parametrize("mode", ["win", "win2"])
def test_portions_of_any_size_give_the_same_bits(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of several shapes, layouts and types, moved together, in part, or each alone."""
    found = []
    for portion in (10**6, 40, 0):
        monkeypatch.setattr(win, "PORTION", portion)
        torch.manual_seed(0)
        weights = [torch.randn(shape) for shape in ((3, 5), (20,), (), (0,), (2, 3, 4, 4))]
        weights[-1] = weights[-1].to(memory_format=torch.channels_last)
        weights.append(torch.randn(7, dtype=torch.float64))
        optimizer = build(Recipe(optimizer="sgd", lr=0.1, clip=0, acceleration=mode), weights)
        for _ in range(3):
            for weight in weights:
                weight.grad = torch.randn_like(weight)
            optimizer.step()
        found.append([*weights, *(state["win_x"] for state in optimizer.state.values())])
        assert [len(list(some)) for some in portions([(weight, weight) for weight in weights])] == PORTIONS[portion]
        assert weights[-2].is_contiguous(memory_format=torch.channels_last)
    assert all(map(torch.equal, found[0], found[1])) and all(map(torch.equal, found[0], found[2]))


@pytest.mark.parametrize("mode", ["win", "win2"])
@pytest.mark.parametrize("name", ["adan", "adamw", "sgd"])
def test_resumes_bit_for_bit(name: str, mode: str) -> None:
    it = Recipe(optimizer=name, lr=0.1, weight_decay=0.02, acceleration=mode)
    weights, optimizer = weights_and(it)
    for gradient in GRADIENTS[:2]:
        step(optimizer, weights, gradient)
    other = weights.detach().clone().requires_grad_()
    resumed = build(it, [other])
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for gradient in GRADIENTS[2:]:
        assert torch.equal(step(optimizer, weights, gradient), step(resumed, other, gradient))


@pytest.mark.parametrize("mode", ["win", "win2"])
def test_weights_without_a_gradient_stay_and_join_late(mode: str) -> None:
    it = Recipe(optimizer="sgd", lr=0.1, clip=0, acceleration=mode)
    weights = [torch.ones(2, requires_grad=True) for _ in range(2)]
    optimizer = build(it, weights)
    for number in range(2):
        for weight in weights[: number + 1]:
            weight.grad = torch.ones(2)
        optimizer.step()
        assert (weights[1].tolist() == [1.0, 1.0]) is (number == 0)
    alone = torch.ones(2, requires_grad=True)
    alone.grad = torch.ones(2)
    build(it, [alone]).step()
    assert torch.equal(weights[1], alone)


def test_a_closure_sees_the_weights_of_the_network() -> None:
    weights, optimizer = weights_and(Recipe(optimizer="sgd", acceleration="win"))
    seen = []

    def closure() -> Tensor:
        seen.append(weights.tolist())
        loss = weights.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 6.0
    assert seen == [START]


def test_recipes_without_it_are_recorded_as_ever() -> None:
    assert all("acceleration" not in made.to_json() for made in RECIPES.values())
    accelerated = recipe("final", acceleration="win")
    assert accelerated.to_json()["acceleration"] == "win"
    assert Recipe.from_json(accelerated.to_json()) == accelerated


def test_wrong_words_and_a_second_decay_are_refused() -> None:
    with pytest.raises(RecipeError, match=r'recipe.acceleration: "win3" came; none, win, win2 are allowed. Did you'):
        recipe("final", acceleration="win3")
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], weight_decay=0.5)
    with pytest.raises(RecipeError, match='"winn" came'):
        accelerate(optimizer, "winn")
    with pytest.raises(RecipeError, match="weight_decay 0.5 came; 0 is allowed"):
        accelerate(optimizer, "win", 0.5)
