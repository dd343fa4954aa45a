"""First and second order against what can be worked out by hand: the toy of DARTS' figure 2
(Liu et al., 2019, https://arxiv.org/abs/1806.09055): L_train = w² - 2aw + a², L_validation = aw - 2a + 1."""

import pytest
import torch
from torch import Tensor

from nasengine.errors import TrainingError
from nasengine.interpreters.slicing import Dressed
from nasengine.search.steps import (
    Ahead,
    average_losses,
    first_order,
    frozen,
    moved,
    refuse_other_optimizers,
    second_order,
)
from nasengine.space import Mixture
from nasengine.training.optimizers import build
from nasengine.training.recipe import Recipe


class Toy:
    def __init__(self, a: float, w: float):
        self.a = torch.tensor(a, dtype=torch.float64, requires_grad=True)
        self.w = torch.tensor(w, dtype=torch.float64, requires_grad=True)

    def train(self) -> list[Tensor]:
        return [self.w**2 - 2 * self.a * self.w + self.a**2]

    def validation(self) -> list[Tensor]:
        return [self.a * self.w - 2 * self.a + 1]

    def gradient(self, lr: float, **ahead: object) -> float:
        (found,) = second_order(self.train, self.validation, [self.a], [self.w], Ahead(lr, **ahead))
        return float(found)


def test_first_order_takes_the_weights_as_they_are():
    toy = Toy(2.0, -2.0)
    assert float(first_order(toy.validation, [toy.a], [toy.w])[0]) == -4.0


@pytest.mark.parametrize(("lr", "gradient"), [(0.0, -4.0), (0.25, -1.0), (0.5, 2.0)])
def test_second_order_at_the_published_point(lr, gradient):
    assert Toy(2.0, -2.0).gradient(lr) == pytest.approx(gradient, abs=1e-6)


@pytest.mark.parametrize(("a", "w", "lr"), [(1.5, 0.3, 0.1), (-0.7, 2.0, 0.4)])
def test_second_order_is_exact_on_a_quadratic(a, w, lr):
    """The finite difference has to be divided by twice its radius: times the radius fails here at once."""
    assert Toy(a, w).gradient(lr) == pytest.approx((w - lr * (2 * w - 2 * a) - 2) + 2 * lr * a, abs=1e-6)


def test_second_order_sees_momentum_and_weight_decay():
    toy, lr, mu, decay, v = Toy(1.5, 0.3), 0.1, 0.9, 0.02, 0.7
    ahead_w = 0.3 - lr * (mu * v + (2 * 0.3 - 2 * 1.5) + decay * 0.3)
    found = toy.gradient(lr, momentum=mu, weight_decay=decay, momenta=[torch.tensor(v, dtype=torch.float64)])
    assert found == pytest.approx((ahead_w - 2) + 2 * lr * 1.5, abs=1e-6)


@pytest.mark.parametrize(("lr", "end"), [(0.5, 1.0), (0.0, 2.0)])
def test_alternating_descent_ends_where_the_paper_says(lr, end):
    """With one step ahead it finds the optimum (1, 1), without it stays at (2, 2)."""
    toy = Toy(2.0, -2.0)
    for _ in range(200):
        slope_a = toy.gradient(lr)
        (slope_w,) = torch.autograd.grad(toy.train(), [toy.w])
        with torch.no_grad():
            toy.a -= 0.1 * slope_a
            toy.w -= 0.1 * slope_w
    assert float(toy.a.detach()) == pytest.approx(end, abs=1e-3)
    assert float(toy.w.detach()) == pytest.approx(end, abs=1e-3)


def test_the_weights_are_left_exactly_as_they_were():
    toy = Toy(2.0, -2.0)
    toy.gradient(0.37)
    assert float(toy.w.detach()) == -2.0 and toy.w.requires_grad and toy.a.requires_grad
    assert toy.w.grad is None and toy.a.grad is None


def test_the_momentum_is_that_of_the_optimizer():
    w = torch.ones(3, requires_grad=True)
    recipe = Recipe(optimizer="sgd", lr=0.1, momentum=0.9, weight_decay=0.01, clip=0)
    optimizer = build(recipe, [w])
    assert Ahead.of(recipe, optimizer, [w]).momenta == [None]
    for slope in (torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.3, 0.3, 0.3])):
        before = w.detach().clone()
        (move,) = Ahead.of(recipe, optimizer, [w]).step([w], [slope])
        w.grad = slope.clone()
        optimizer.step()
        assert torch.allclose(w.detach(), before + move)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(optimizer="adamw"),
        Recipe(optimizer="sgd", nesterov=True),
        Recipe(optimizer="sgd", acceleration="win"),
        Recipe(optimizer="sgd", acceleration="win2"),
    ],
)
def test_other_optimizers_are_refused(recipe):
    with pytest.raises(TrainingError, match="plain sgd"):
        refuse_other_optimizers(recipe)


def test_frozen_tensors_learn_again_afterwards_even_after_an_error():
    w = torch.ones(1, requires_grad=True)
    with pytest.raises(ZeroDivisionError), frozen([w]):
        assert not w.requires_grad
        raise ZeroDivisionError
    assert w.requires_grad


def test_a_loss_without_any_open_gate_has_zero_gradients():
    gate = torch.ones(2, requires_grad=True)
    assert first_order(lambda: [torch.ones(())], [gate], [])[0].tolist() == [0.0, 0.0]


def test_the_loss_is_averaged_over_the_draws():
    draws = [Mixture({"a": {"x": factor}}) for factor in (1.0, 3.0)]
    batch = torch.ones(2, 1), torch.zeros(2)
    losses = average_losses(lambda x, picks: x * picks.by_decision["a"]["x"], lambda out, y: out.mean(), batch, draws)
    assert [float(loss) for loss in losses] == [0.5, 1.5]


def test_gradients_of_several_losses_add_up_each_before_the_next_is_computed():
    gate, order = torch.tensor(3.0, requires_grad=True), []

    def losses():
        for factor in (2.0, 5.0):
            order.append(factor)
            loss = factor * gate**2
            loss.register_hook(lambda slope, factor=factor: order.append(-factor))
            yield loss

    assert first_order(losses, [gate], [])[0] == 2 * 7.0 * 3.0
    assert order == [2.0, -2.0, 5.0, -5.0]


def test_the_weights_of_stores_move_with_what_they_dress():
    picks = Dressed(Mixture({"a": {"x": torch.ones(())}}), shots=torch.tensor([0.5, 0.5]))
    there = moved(picks, torch.device("meta"))
    assert there.shots.device.type == there.base.by_decision["a"]["x"].device.type == "meta"
    assert there.window == picks.window


def test_all_gates_of_a_draw_move_in_one_transfer():
    gates = torch.rand(3, requires_grad=True)
    picks = Mixture({"a": {"x": gates[0], "y": 1.0}, "b": {"x": gates[1], "z": gates[2]}})
    there = moved(picks, torch.device("meta"))
    assert [str(g.device) for g in (there.by_decision["a"]["x"], there.by_decision["b"]["z"])] == ["meta", "meta"]
    assert there.by_decision["a"]["y"] == 1.0 and there.base is picks.base
    assert moved(picks, torch.device("cpu")) is picks
