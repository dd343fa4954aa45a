"""The tree of what a network is made of, as a walk over it meets it: layers in words, what was picked, sizes."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nasengine.interpreters.shape import Shape, Shapes
from nasengine.space import Architecture, Choice, Node, Op, Space, run
from nasengine.space.decisions import STRENGTH
from nasengine.space.nodes import Join

FIXED = 3  # settings of a layer without decisions that are told
Words = tuple[str, str]  # a layer or an option, and its settings


@dataclass
class Met:
    """A node that the walk met, with the nodes in it."""

    node: Node
    place: str
    inside: list["Met"] = field(default_factory=list)
    shape: Shape | None = None
    words: Words = ("", "")  # of a layer, and of an option that is told as one
    kind: str = ""
    decision: str = ""  # what picked it, or its settings
    option: str = ""  # as what it was picked
    params: int = 0

    def all(self) -> Iterator["Met"]:
        """This and everything in it."""
        yield self
        for one in self.inside:
            yield from one.all()

    def leaves(self) -> Iterator["Met"]:
        """What is told in words, outermost first."""
        if self.words[0]:
            yield self
            return
        for one in self.inside:
            yield from one.leaves()

    @property
    def picked(self) -> str:
        """What was decided about it, in words."""
        return ", ".join(filter(None, (f"{self.decision} {self.option}" if self.option else "", self.words[1])))

    @property
    def minor(self) -> bool:
        """Whether it says little beside others: norms, shortcuts, activations that nobody picked."""
        weightless = self.kind == "other" and not sum(one.params for one in self.all())
        return not self.decision and (self.kind in ("norm", "skip") or weightless)


class _Meeting(Shapes):
    """An interpreter of shapes that keeps the tree of what it met."""

    def __init__(self, cells: Mapping[Node, str]) -> None:
        super().__init__()
        self.cells = cells
        self.at = Met(Join("add"), "")

    def visit(self, node: Node, place: str, scope: str, inputs: tuple[Any, ...], inside: Callable[..., Any]) -> Any:
        """Around every node."""
        outer, met = self.at, Met(node, place)
        self.at = met
        met.shape = inside(*inputs)
        self.at = outer
        if met.shape is not None:
            if node in self.cells:
                met.words, met.kind = (self.cells[node] or place, ""), "shared"
            elif isinstance(node, Choice):
                _name_options(node, met)
            outer.inside.append(met)
        return met.shape

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]) -> Shape:
        """A layer with its settings in words; nothing of one that is for training alone."""
        shape = super().op(place, layer, settings, inputs)
        if not getattr(layer, "training_only", False):
            assert isinstance(self.at.node, Op)
            picked = [name for name, value in self.at.node.settings if isinstance(value, Choice)]
            self.at.words = layer.__name__, _settings(layer, settings, picked)
            self.at.kind, self.at.params = getattr(layer, "kind", "other"), self.facts[place].params
            self.at.decision = ", ".join(picked)
        return shape


def _name_options(choice: Choice, met: Met) -> None:
    """An option of layers in a row is told as one, by its name and the settings picked in it."""
    for one in met.inside:
        name = one.place.removeprefix(f"{met.place}.")
        leaves = list(one.leaves())
        if len([leaf for leaf in leaves if not leaf.minor]) <= 1:
            one.words = name, ", ".join(words for leaf in leaves if leaf.decision and (words := leaf.picked))
        one.kind = min((leaf.kind for leaf in leaves), key=strength, default="skip")
        one.decision, one.option = choice.name, name


def _settings(layer: type, settings: Mapping[str, Any], picked: Sequence[str]) -> str:
    """The settings that were picked, else the first numbers that are not the layer's defaults."""
    usual = {name: parameter.default for name, parameter in inspect.signature(layer).parameters.items()}
    told = {
        name: value
        for name, value in settings.items()
        if (name in picked if picked else _is_number(value) and usual.get(name) != value) and name != "width"
    }
    return ", ".join(f"{name} {_short(value)}" for name, value in [*told.items()][: len(picked) or FIXED])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def tree(space: Space, architecture: Architecture, cells: Mapping[Node, str]) -> Met:
    """What was met in a network; `cells` are told by their names alone (without one: by their places)."""
    meeting = _Meeting(cells)
    run(space.network, (tuple(space.input),), architecture, meeting)
    return meeting.at


def strength(kind: str) -> int:
    """Strongest first; what a layer says of itself before what it does not say."""
    order = (*STRENGTH[1:], "head", "shared", "other")
    return order.index(kind) if kind in order else len(order)
