"""How one model is trained, as one checked value; `RECIPES` holds the published ones and ours."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from nasengine.errors import RecipeError, did_you_mean
from nasengine.training.pinned import pinned
from nasengine.training.recipe_values import read

_BETAS = {"adan": 3, "adamw": 2, "sgd": 0}
_LATER = {
    "loss": "auto", "class_weights": "none", "sampling": "shuffle", "start": "", "acceleration": "none",
    "compile": "never",
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a model is trained, apart from the model, the images and the seed.

    `epochs` and `warmup` count passes over the training images (warm-up may be a fraction); `clip` bounds the norm of
    all gradients, 0 leaves them; `betas` empty means the optimizer's own; `momentum` and `nesterov` serve sgd alone.
    The rate falls from `lr` to `min_lr` by `schedule`, once an epoch or with every step (`schedule_per`);
    "exponential" multiplies it by `gamma` an epoch; "constant-ending" is at 5 % of `lr` when two thirds are over, and
    stays there. `crop` (padding) and `cutout` (side of the square) are in pixels from 1 on, and below 1 fractions of
    the image's side. `drop_path` is the rate at the end of a linear rise from 0.
    `auxiliary` weighs the loss of an auxiliary head; precision "auto" is bfloat16 on a GPU, float32 elsewhere.
    `loss` "auto" is cross-entropy or, of a regression, the squared error ("mse"); "dice" adds Dice's to cross-entropy.
    `class_weights` "balanced" weighs the loss by the inverse of how frequent a class is; `sampling` "balanced" draws
    images of each class equally often, some several times an epoch and others not at all. `start` is a file of
    weights, .safetensors or .pt, of which the training begins with all tensors whose names and shapes fit.
    `acceleration` makes the optimizer's steps those of Win or Win2 (`training.win`).
    `compile` "auto" compiles the network where the time that is left brings it back (`training.compiled`: trainings
    of hours), "always" before the first step; results then differ by rounding.
    Raises RecipeError that names every fault.
    """

    epochs: int = 30
    batch: int = 64
    optimizer: Literal["adan", "sgd", "adamw"] = "adan"
    lr: float = 0.01
    weight_decay: float = 0.02
    momentum: float = 0.9
    nesterov: bool = False
    betas: tuple[float, ...] = ()
    clip: float = 5.0
    schedule: Literal["cosine", "linear", "exponential", "constant-ending", "constant"] = "cosine"
    schedule_per: Literal["epoch", "step"] = "step"
    gamma: float = 0.97
    warmup: float = 0.0
    min_lr: float = 0.0
    crop: float = 0.0
    flip: bool = False
    cutout: float = 0.0
    drop_path: float = 0.0
    label_smoothing: float = 0.0
    auxiliary: float = 0.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    loss: Literal["auto", "cross-entropy", "dice", "mse", "huber"] = "auto"
    class_weights: Literal["none", "balanced"] = "none"
    sampling: Literal["shuffle", "balanced"] = "shuffle"
    start: str = ""
    acceleration: Literal["none", "win", "win2"] = "none"
    compile: Literal["never", "auto", "always"] = "never"

    def __post_init__(self) -> None:
        values, faults = read(vars(self), _TYPES)
        faults += _together(values)
        if faults:
            raise RecipeError("\n".join(faults))
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def to_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold.

        What recipes learned later is left out where it is as it was before, so that a recipe is recorded as ever, and
        what was recorded under it is found.
        """
        values = dataclasses.asdict(self) | {"betas": list(self.betas)}
        return {name: value for name, value in values.items() if name not in _LATER or value != _LATER[name]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Recipe":
        """Return the recipe that `to_json` wrote."""
        return _build(cls(), values, [])


def recipe(name: str = "proxy", /, **overrides: Any) -> Recipe:
    """Return a recipe of `RECIPES`, with some values replaced; text such as "0.1", "true" or "0.9,0.99" is read.

    A file to `start` from is looked for, and what it holds becomes part of the recipe.
    Raises RecipeError that names every fault: an unknown recipe, an unknown value name, an impossible value.
    """
    faults = []
    if name not in RECIPES:
        allowed = ", ".join(RECIPES)
        faults.append(f'recipe: "{name}" came; {allowed} are allowed.{did_you_mean(name, RECIPES)}')
    if overrides.get("start"):
        overrides["start"] = pinned(str(overrides["start"]))
    return _build(RECIPES.get(name, Recipe()), overrides, faults)


def _build(start: Recipe, values: Mapping[str, Any], faults: list[str]) -> Recipe:
    names = [field.name for field in dataclasses.fields(Recipe)]
    for name in sorted(values.keys() - names):
        faults.append(f'recipe: "{name}" came; {", ".join(names)} are allowed.{did_you_mean(name, names)}')
    known, bad = read({name: value for name, value in values.items() if name in names}, _TYPES)
    faults += bad
    complete = vars(start) | known
    if "optimizer" in known and "betas" not in known and len(complete["betas"]) != _BETAS[known["optimizer"]]:
        complete["betas"] = ()
    faults += _together(complete)
    if faults:
        raise RecipeError("\n".join(faults))
    return Recipe(**complete)


def _together(values: Mapping[str, Any]) -> list[str]:
    """Return what is wrong between values that are each in order."""
    faults = []
    if {"lr", "min_lr"} <= values.keys() and values["min_lr"] > values["lr"]:
        faults.append(f"recipe.min_lr: {values['min_lr']} came; at most the lr {values['lr']} is allowed")
    if {"epochs", "warmup"} <= values.keys() and 0 < values["epochs"] <= values["warmup"]:
        faults.append(f"recipe.warmup: {values['warmup']} came; fewer than the {values['epochs']} epochs are allowed")
    wanted = _BETAS.get(values.get("optimizer", ""))
    if wanted is not None and len(values.get("betas", ())) not in (0, wanted):
        faults.append(f"recipe.betas: {values['betas']} came; {values['optimizer']} takes {wanted}, or none")
    return faults


_TYPES = get_type_hints(Recipe)

_DARTS = Recipe(
    epochs=600,
    batch=96,
    optimizer="sgd",
    lr=0.025,
    weight_decay=3e-4,
    clip=5.0,
    schedule_per="epoch",
    crop=4,
    flip=True,
    cutout=16,
    drop_path=0.2,
    auxiliary=0.4,
)
_DARTS_SUPERNET = dataclasses.replace(_DARTS, epochs=50, batch=64, min_lr=0.001, cutout=0, drop_path=0, auxiliary=0)

RECIPES: dict[str, Recipe] = {
    # Candidates: a few seconds for a small network on small images, enough to tell good from bad.
    "proxy": Recipe(epochs=5, lr=0.02),
    # The network that was found. Mirror images are off, for digits have none: `flip=True` for photographs.
    "final": Recipe(epochs=20, batch=32, crop=0.125, label_smoothing=0.1, drop_path=0.1, auxiliary=0.4),
    # The weights of a supernet whose gates are learned meanwhile.
    "supernet": Recipe(epochs=18, batch=32, lr=0.01, min_lr=0.001),
    # Liu et al., 2019, https://arxiv.org/abs/1806.09055: retraining on CIFAR-10, on ImageNet, and the search.
    "darts-cifar10": _DARTS,
    # Random resized crops and colour changes are not ours to make: hand in images that are cropped.
    "darts-imagenet": dataclasses.replace(
        _DARTS,
        epochs=250,
        batch=128,
        lr=0.1,
        weight_decay=3e-5,
        schedule="exponential",
        crop=0,
        cutout=0,
        drop_path=0,
        label_smoothing=0.1,
    ),
    "darts-supernet": _DARTS_SUPERNET,
    # Zhou et al., 2020, https://arxiv.org/abs/2006.16537, as printed; `-code` is what the authors' files say.
    # The paper names no auxiliary head; the weights its authors released were trained with one.
    "pr-darts-cifar10": dataclasses.replace(_DARTS, batch=128),
    "pr-darts-supernet": dataclasses.replace(_DARTS_SUPERNET, epochs=200, batch=128, min_lr=0, clip=0),
    "pr-darts-supernet-code": dataclasses.replace(
        _DARTS_SUPERNET, epochs=200, batch=250, nesterov=True, weight_decay=5e-4
    ),
}
