"""What the options of a space are, from the docstrings of their layers: for people and language models."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nasengine.space import Space
from nasengine.space.decisions import declared
from nasengine.space.nodes import Graph, Op, Read, Repeat, Shared

LAYERS = 4  # of a chain that are explained


def explanations(space: Space) -> dict[str, str]:
    """One line for each option that is made of layers: their names, plain settings and docstrings' first sentences.

    Settings are those that the option has wherever it stands; where its layers differ, all of them are given.
    """
    found: dict[str, dict[tuple[type, ...], list[list[Op]]]] = {}
    for name, (_, choice) in declared(space.network).items():
        legal = space.decisions[name].options if name in space.decisions else ()
        for option in choice.options:
            layers = [*_layers(option.node)][:LAYERS]
            if layers and option.name in legal:
                kinds = tuple(node.layer for node in layers)
                found.setdefault(option.name, {}).setdefault(kinds, []).append(layers)
    return {option: "; or ".join(map(_chain, kinds.values())) for option, kinds in found.items()}


def _layers(node: Any) -> Iterator[Op]:
    """The layers in a piece of network, less those behind further choices and those for training alone."""
    match node:
        case Op(layer=layer):
            if not getattr(layer, "training_only", False):
                yield node
        case Graph(steps=steps):
            for step in steps:
                yield from _layers(step.node)
        case Repeat(body=inside) | Read(node=inside) | Shared(node=inside):
            yield from _layers(inside)


def _chain(chains: Sequence[Sequence[Op]]) -> str:
    """The layers of an option, from all the places where it has these."""
    return "; then ".join(
        _layer(same[0].layer, [dict(node.settings) for node in same]) for same in zip(*chains, strict=True)
    )


def _layer(layer: type, settings: Sequence[Mapping[str, Any]]) -> str:
    equal = {
        name: value
        for name, value in settings[0].items()
        if type(value) in (int, float, str) and all(other.get(name) == value for other in settings)
    }
    words = layer.__name__ + (f"({', '.join(f'{name}={value}' for name, value in equal.items())})" if equal else "")
    text = inspect.cleandoc(layer.__doc__ or "").split("\n\n")[0]
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z`])", " ".join(text.split()))[0].rstrip(".")
    return f"{words}: {sentence}" if sentence else words
