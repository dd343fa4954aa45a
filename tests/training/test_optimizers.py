import pytest
import torch

from nasengine.training.adan import Adan
from nasengine.training.optimizers import build, set_rate
from nasengine.training.recipe import Recipe, recipe


def one_step(it, gradient, start=1.0):
    weights = torch.full((2,), start, dtype=torch.float64, requires_grad=True)
    optimizer = build(it, [weights])
    weights.grad = torch.tensor(gradient, dtype=torch.float64)
    optimizer.step()
    return weights.detach() - start


def test_each_name_builds_its_optimizer_with_the_recipe_values():
    weights = [torch.zeros(1, requires_grad=True)]
    adan = build(Recipe(lr=0.3, betas=(0.9, 0.8, 0.7)), weights)
    assert isinstance(adan, Adan)
    assert adan.max_grad_norm == 5.0
    assert adan.defaults["betas"] == (0.9, 0.8, 0.7)
    adamw = build(Recipe(optimizer="adamw"), weights)
    assert isinstance(adamw, torch.optim.AdamW)
    assert adamw.defaults["betas"] == (0.9, 0.999)
    sgd = build(recipe("pr-darts-supernet-code"), weights)
    assert (sgd.defaults["momentum"], sgd.defaults["nesterov"]) == (0.9, True)


def test_sgd_adds_weight_decay_to_the_gradient():
    it = Recipe(optimizer="sgd", lr=0.1, weight_decay=0.5, clip=0)
    assert one_step(it, [1.0, 0.0]).tolist() == pytest.approx([-0.15, -0.05])


def test_the_norm_of_the_gradient_is_clipped_before_the_step():
    it = Recipe(optimizer="sgd", lr=1.0, weight_decay=0.0, clip=1.0)
    assert one_step(it, [3.0, 4.0]).tolist() == pytest.approx([-0.6, -0.8], rel=1e-5)
    assert one_step(it, [0.3, 0.4]).tolist() == pytest.approx([-0.3, -0.4])


def test_set_rate_reaches_every_group():
    optimizer = build(Recipe(), [{"params": [torch.zeros(1, requires_grad=True)]} for _ in range(2)])
    set_rate(optimizer, 0.125)
    assert [group["lr"] for group in optimizer.param_groups] == [0.125, 0.125]
