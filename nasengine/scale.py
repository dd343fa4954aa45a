"""The scale at which a space's architectures were published, and the recipe that they were trained by."""

from collections.abc import Iterable, Mapping
from typing import Any

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.plan import OF_THE_DATA
from nasengine.space import Architecture

OURS = "final"  # the recipe where none was published, or for other images


def published_scale(space: str, settings: Mapping[str, Any], architectures: Iterable[Architecture]) -> dict[str, Any]:
    """The settings of a space's published networks, where these architectures can be built at them; else nothing.

    `settings` are those that the architectures have now. What the data decides is left out.
    """
    known = getattr(plugins.load("space", space), "ARCHITECTURES", {})
    published = next(iter(known.values())).settings if known else {}
    scale = {name: value for name, value in published.items() if name not in OF_THE_DATA}
    try:
        larger = plugins.load_space(space, {**settings, **scale})
    except NasError:  # images of this data may be too small for the published scale
        return {}
    return {} if any(larger.faults(one.picks) for one in architectures) else scale


def published_recipe(space: str, input: tuple[int, ...]) -> str:
    """The recipe by which a space's networks were published, where images are as large as there; else our own."""
    named: Mapping[str, str] = getattr(plugins.load("space", space), "RECIPES", {})
    return named.get("x".join(map(str, input[1:])), OURS)
