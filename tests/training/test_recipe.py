import dataclasses
import json

import pytest

from nasengine.errors import RecipeError
from nasengine.training.recipe import RECIPES, Recipe, recipe


def test_darts_recipe_is_the_published_one():
    """Liu et al., 2019, https://arxiv.org/abs/1806.09055, appendix A.2."""
    it = recipe("darts-cifar10")
    assert (it.epochs, it.batch, it.optimizer, it.lr, it.min_lr) == (600, 96, "sgd", 0.025, 0.0)
    assert (it.momentum, it.weight_decay, it.clip, it.schedule) == (0.9, 3e-4, 5.0, "cosine")
    assert (it.crop, it.flip, it.cutout, it.drop_path, it.auxiliary) == (4, True, 16, 0.2, 0.4)


def test_imagenet_and_supernet_recipes_are_the_published_ones():
    imagenet = recipe("darts-imagenet")
    assert (imagenet.epochs, imagenet.batch, imagenet.lr, imagenet.weight_decay) == (250, 128, 0.1, 3e-5)
    assert (imagenet.schedule, imagenet.gamma, imagenet.label_smoothing) == ("exponential", 0.97, 0.1)
    search = recipe("darts-supernet")
    assert (search.epochs, search.batch, search.lr, search.min_lr, search.cutout) == (50, 64, 0.025, 0.001, 0)
    path = recipe("pr-darts-supernet")
    assert (path.epochs, path.batch, path.min_lr, path.weight_decay) == (200, 128, 0, 3e-4)
    code = recipe("pr-darts-supernet-code")
    assert (code.batch, code.min_lr, code.nesterov, code.weight_decay, code.clip) == (250, 0.001, True, 5e-4, 5)


def test_adan_is_the_optimizer_of_our_own_recipes():
    assert {RECIPES[name].optimizer for name in ("proxy", "final", "supernet")} == {"adan"}
    assert recipe() == RECIPES["proxy"]


@pytest.mark.parametrize("name", RECIPES)
def test_json_brings_the_same_recipe_back(name):
    assert Recipe.from_json(json.loads(json.dumps(RECIPES[name].to_json()))) == RECIPES[name]


def test_overrides_are_read_from_text_and_from_values():
    it = recipe("final", epochs="3", lr="0.5", flip="true", betas="0.9,0.9,0.99", crop=2, optimizer="adan")
    assert (it.epochs, it.lr, it.flip, it.betas, it.crop) == (3, 0.5, True, (0.9, 0.9, 0.99), 2.0)
    assert isinstance(it.crop, float)
    assert it.cutout == RECIPES["final"].cutout


def test_a_change_of_optimizer_drops_betas_that_do_not_fit():
    adan = Recipe(betas=(0.9, 0.9, 0.99))
    assert Recipe.from_json(adan.to_json() | {"optimizer": "adan"}).betas == (0.9, 0.9, 0.99)
    assert recipe("final", optimizer="adamw").betas == ()


def test_every_fault_is_named_at_once():
    with pytest.raises(RecipeError) as fault:
        recipe("finale", epoch=3, lr="fast", optimizer="adam", batch=2.5, flip=1, drop_path=1.0, epochs=True)
    text = str(fault.value)
    for part in (
        'recipe: "finale" came',
        'Did you mean "final"?',
        'recipe: "epoch" came',
        'Did you mean "epochs"?',
        "recipe.lr: 'fast' came; a number above 0 is allowed",
        'recipe.optimizer: "adam" came; adan, sgd, adamw are allowed.',
        "recipe.batch: 2.5 came; a whole number from 1 up is allowed",
        "recipe.flip: 1 came; true or false is allowed",
        "recipe.drop_path: 1.0 came",
        "recipe.epochs: True came",
    ):
        assert part in text
    assert len(text.splitlines()) == 8


@pytest.mark.parametrize(
    ("overrides", "word"),
    [
        ({"lr": float("nan")}, "recipe.lr"),
        ({"min_lr": 1.0}, "recipe.min_lr: 1.0 came; at most the lr"),
        ({"epochs": 2, "warmup": 2}, "recipe.warmup"),
        ({"optimizer": "adamw", "betas": (0.9, 0.9, 0.9)}, "adamw takes 2"),
        ({"flip": "maybe"}, "recipe.flip"),
        ({"betas": 0.9}, "recipe.betas"),
    ],
)
def test_impossible_values_are_refused(overrides, word):
    with pytest.raises(RecipeError, match=word):
        recipe("final", **overrides)


def test_a_recipe_cannot_be_built_wrong_by_hand():
    with pytest.raises(RecipeError, match="recipe.batch"):
        dataclasses.replace(Recipe(), batch=0)
