"""A network as source: one readable .py file that imports torch only, with the classes of its layers in it."""

import json
import keyword
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

from torch import Tensor, nn

from nasengine.errors import ExportError
from nasengine.interpreters.closure import Closure
from nasengine.interpreters.layout import docstring, layout, sections
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace, width
from nasengine.space import Architecture, Choice, Space, run

NETWORK, LOAD = "Network", "load"  # names of the exported file that no layer may take


@dataclass(frozen=True)
class Source:
    """A network's file."""

    text: str
    attributes: Mapping[str, str]  # place of a layer -> its attribute in the class
    class_name: str = NETWORK


def source(space: Space, architecture: Architecture, about: str = "") -> Source:
    """The network of an architecture as Python source: the layers' classes and `class Network(nn.Module)`.

    `about` becomes the module's docstring.
    Branches for the loss alone, layers for training alone and steps that nothing reads are left out.
    Raises ExportError, with file, line and name, where a layer needs what an exported file cannot hold.
    """
    shapes, output = trace(space, architecture)
    kept = [place for place, (layer, _, _) in shapes.layers.items() if not getattr(layer, "training_only", False)]
    closure = Closure(reserved=(NETWORK, LOAD, "x"))
    closure.imported("torch", "nn"), closure.imported("torch", "Tensor")
    words, taken = _Words(kept), {*dir(nn.Module()), *vars(nn.Module())}
    attributes = {place: _fresh(words.of(place), taken) for place in kept}
    writer = _Writer(closure, shapes.layers, words, attributes)
    result = run(space.network, (_Variable("x", ""),), architecture, writer)
    network = _network(space, output, writer, result.name)
    body = sections([*closure.definitions(), network])
    return Source(f"{docstring(about)}{closure.imports()}\n{body}", attributes)


def state(model: Model, made: Source) -> dict[str, Tensor]:
    """A found network's weights and statistics under the names of its exported class, on the CPU."""
    return {
        f"{made.attributes[place]}.{name}": tensor.detach().cpu().clone().contiguous()
        for place, layer in model.layers()
        if place in made.attributes
        for name, tensor in layer.state_dict().items()
    }


class _Words:
    """What places are called: dots become underscores, and a number that tells nothing apart is left out."""

    def __init__(self, places: Iterable[str]):
        self.below: dict[str, set[str]] = {}
        for place in places:
            parts = place.split(".")
            for i, part in enumerate(parts):
                self.below.setdefault(".".join(parts[:i]), set()).add(part)

    def of(self, place: str) -> str:
        """The words of a place, or of a part of one."""
        parts = place.split(".")
        alone = [part.isdigit() and len(self.below.get(".".join(parts[:i]), ())) == 1 for i, part in enumerate(parts)]
        return "_".join(part for part, left_out in zip(parts, alone, strict=True) if not left_out)


def _fresh(words: str, taken: set[str]) -> str:
    """A new identifier that reads like these words."""
    plain = re.sub(r"\W", "_", words) or "layer"
    plain = f"_{plain}" if plain[0].isdigit() or keyword.iskeyword(plain) else plain
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name)
    return name


@dataclass(frozen=True)
class _Variable:
    name: str
    place: str


@dataclass(frozen=True)
class _Line:
    """One assignment of a forward: `name = opening, parts with glue between, closing`; `reads` are its variables."""

    name: str
    opening: str
    parts: tuple[str, ...]
    closing: str
    glue: str
    reads: tuple[str, ...]

    @property
    def call(self) -> str:
        """A layer's call as it may stand inside a sum; nothing for anything else."""
        return f"{self.opening}{', '.join(self.parts)}{self.closing}" if self.opening.startswith("self.") else ""

    def text(self) -> str:
        """The assignment as source."""
        return layout(f"{self.name} = {self.opening}", self.parts, self.closing, glue=self.glue)


@dataclass
class _Writer:
    """The interpreter whose values are the variables of a forward."""

    closure: Closure
    layers: Mapping[str, tuple[type, Mapping[str, Any], tuple[Any, ...]]]
    words: _Words
    attributes: Mapping[str, str]
    created: list[str] = field(default_factory=list)
    forward: list[_Line] = field(default_factory=list)
    taken: set[str] = field(default_factory=lambda: {"self", "x", "torch"})

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[_Variable, ...]) -> _Variable:
        if place not in self.attributes:
            return inputs[0]
        attribute = self.attributes[place]
        arguments = [repr(width(self.layers[place][2]))]
        arguments += [f"{name}={self.written(place, name, value)}" for name, value in settings.items()]
        self.created.append(layout(f"self.{attribute} = {self.closure.name(layer)}(", arguments, ")"))
        return self.assigned(attribute, place, f"self.{attribute}(", [value.name for value in inputs], ")")

    def add(self, place: str, values: Sequence[_Variable]) -> _Variable:
        names = [value.name for value in values]
        return self.assigned(self.words.of(place) or "total", place, "", names, "", " + ")

    def concat(self, place: str, values: Sequence[_Variable]) -> _Variable:
        self.closure.lines.add("import torch")
        names = [value.name for value in values]
        parts = [layout("[", names, "]", indent=12), "dim=1"]
        return self.assigned(self.words.of(place) or "joined", place, "torch.cat(", parts, ")", reads=names)

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, _Variable]]) -> _Variable:
        values = [value for _, value in on.values()]
        if len(values) == 1:
            return values[0]
        return self.add(_common([value.place for value in values]), values)

    def assigned(
        self,
        words: str,
        place: str,
        opening: str,
        parts: Sequence[str],
        closing: str,
        glue: str = ", ",
        reads: Sequence[str] = (),
    ) -> _Variable:
        name = _fresh(words, self.taken)
        self.forward.append(_Line(name, opening, tuple(parts), closing, glue, tuple(reads or parts)))
        return _Variable(name, place)

    def statements(self, result: str) -> list[str]:
        """The lines of the forward; what one sum alone reads is computed there, where that fits on its line."""
        uses = Counter([result, *(name for line in self.forward for name in line.reads)])
        calls = {line.name: line.call for line in self.forward if line.call and uses[line.name] == 1}
        texts: dict[str, str] = {}
        for line in self.forward:
            texts[line.name] = line.text()
            if line.glue == " + ":
                whole = replace(line, parts=tuple(calls.get(part, part) for part in line.parts)).text()
                if "\n" not in whole:
                    texts = {name: text for name, text in texts.items() if name not in calls or name not in line.parts}
                    texts[line.name] = whole
        return list(texts.values())

    def written(self, place: str, name: str, value: Any) -> str:
        """A setting's value as source."""
        if isinstance(value, type | FunctionType):
            return self.closure.name(value)
        if type(value) is tuple:
            parts = [self.written(place, name, part) for part in value]
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if type(value) is str:
            return json.dumps(value, ensure_ascii=False)
        if value is None or type(value) in (bool, int, bytes) or (type(value) is float and math.isfinite(value)):
            return repr(value)
        raise ExportError(
            f"{place}: setting {name} came as {value!r}; exported source can hold numbers, text, None, tuples of them, "
            "classes and functions; give the layer one of these"
        )


def _common(places: Sequence[str]) -> str:
    """The beginning that dotted places share."""
    shared = []
    for parts in zip(*(place.split(".") for place in places), strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)


def _network(space: Space, output: Sequence[int], writer: _Writer, result: str) -> str:
    pad = "\n        "
    forward = pad.join([*writer.statements(result), f"return {result}"])
    shapes = f"(batch, {', '.join(map(str, space.input))}) to (batch, {', '.join(map(str, output))})"
    return (
        f'class {NETWORK}(nn.Module):\n    """From {shapes}."""\n\n'
        f"    def __init__(self) -> None:{pad}{pad.join(['super().__init__()', *writer.created])}\n\n"
        f"    def forward(self, x: Tensor) -> Tensor:{pad}{forward}\n"
    )
