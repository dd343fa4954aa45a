"""One network as stages: what stands at one resolution and width, block by block, equal blocks gathered."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from nasengine.interpreters.shape import Shape, Shapes
from nasengine.space import Architecture, Choice, Node, Op, Space, run
from nasengine.space.decisions import STRENGTH
from nasengine.space.nodes import Graph, Join, Repeat

FIXED = 3  # settings of a layer without decisions that are told
LAST = (None, (-1,))  # what each step of a chain reads
Words = tuple[str, str]  # a layer or an option, and its settings


@dataclass(frozen=True)
class Part:
    """A part of a block: the layers of one step, and the kind of the strongest."""

    lines: tuple[Words, ...]
    kind: str


@dataclass(frozen=True)
class Block:
    """So many equal blocks, one after the other."""

    parts: tuple[Part, ...]
    times: int = 1


@dataclass(frozen=True)
class Stage:
    """Blocks that give values of one shape."""

    name: str
    shape: Shape
    blocks: tuple[Block, ...]
    params: int
    norms: tuple[str, ...] = ()  # those that were picked, as decision and option
    steps: int = 0  # of the network, where each is one block; 0 where a step holds several
    minor: bool = False  # whether there is nothing in it but norms, activations and the like

    @property
    def size(self) -> str:
        """The resolution, or the number of tokens."""
        if len(self.shape) == 1:
            return ""
        height, width = self.shape[1:]
        return f"{height} tokens" if width == 1 < height else f"{height}×{width}"

    @property
    def width(self) -> str:
        """The channels, or how many numbers come out in the end."""
        word = "channel" if self.size else "output"
        return f"{self.shape[0]} {word}{'s' * (self.shape[0] > 1)}"

    @property
    def shape_words(self) -> str:
        """Both: `56×56, 24 channels`."""
        return ", ".join(filter(None, (self.size, self.width)))


@dataclass
class _Met:
    """A node that the walk met, with the nodes in it."""

    node: Node
    place: str
    inside: list["_Met"] = field(default_factory=list)
    shape: Shape | None = None
    words: Words = ("", "")  # of a layer, and of an option that is told as one
    kind: str = ""
    decision: str = ""  # what picked it, or its settings
    option: str = ""  # as what it was picked
    params: int = 0

    def all(self) -> Iterator["_Met"]:
        """This and everything in it."""
        yield self
        for one in self.inside:
            yield from one.all()

    def leaves(self) -> Iterator["_Met"]:
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
        self.at = _Met(Join("add"), "")

    def visit(self, node: Node, place: str, scope: str, inputs: tuple[Any, ...], inside: Callable[..., Any]) -> Any:
        """Around every node."""
        outer, met = self.at, _Met(node, place)
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


def _name_options(choice: Choice, met: _Met) -> None:
    """An option of layers in a row is told as one, by its name and the settings picked in it."""
    for one in met.inside:
        name = one.place.removeprefix(f"{met.place}.")
        leaves = list(one.leaves())
        if len([leaf for leaf in leaves if not leaf.minor]) <= 1:
            one.words = name, ", ".join(words for leaf in leaves if leaf.decision and (words := leaf.picked))
        one.kind = min((leaf.kind for leaf in leaves), key=_strength, default="skip")
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


def stages(space: Space, architecture: Architecture, cells: Mapping[Node, str]) -> list[Stage]:
    """The network's stages in order; `cells` are told by their names alone (without one: by their places)."""
    meeting = _Meeting(cells)
    run(space.network, (tuple(space.input),), architecture, meeting)
    root = meeting.at
    while len(root.inside) == 1 and not root.inside[0].words[0]:
        root = root.inside[0]
    made: list[Stage] = []
    for step in root.inside:
        name = step.place.removeprefix(f"{root.place}.")
        for stage in _of_step(name, step):
            if made and stage.minor and made[-1].shape == stage.shape:
                made[-1] = replace(made[-1], params=made[-1].params + stage.params)
            elif made and made[-1].steps and stage.steps and _are_alike(made[-1], stage):
                made[-1] = _merged(made[-1], stage)
            else:
                made.append(stage)
    return made


def _of_step(name: str, step: _Met) -> Iterator[Stage]:
    """One stage for each run of blocks of one shape; what is minor goes with what follows it."""
    groups: list[list[_Met]] = []
    waiting: list[_Met] = []
    for element in _elements(step):
        waiting.append(element)
        if any(not leaf.minor for leaf in element.leaves()):
            groups.append(waiting)
            waiting = []
    if waiting:
        groups.append([*groups.pop(), *waiting] if groups else waiting)
    single = len(groups) == 1
    for shape, some in groupby(groups, key=lambda group: _shape(group)):
        found = list(some)
        leaves = [leaf for group in found for one in group for leaf in one.leaves()]
        norms = {f"{leaf.decision} {leaf.words[0]}" for leaf in leaves if _is_norm(leaf)}
        params = sum(one.params for group in found for element in group for one in element.all())
        blocks = _gathered(_block(group) for group in found)
        minor = all(leaf.minor for leaf in leaves)
        yield Stage(name, shape, blocks, params, tuple(sorted(norms)), int(single), minor)


def _shape(group: Sequence[_Met]) -> Shape:
    shape = group[-1].shape
    assert shape is not None
    return shape


def _is_norm(leaf: _Met) -> bool:
    return leaf.kind == "norm" and bool(leaf.decision)


def _are_alike(first: Stage, second: Stage) -> bool:
    """Whether two stages may be told as one: cells stay with cells."""
    cells = [any(part.kind == "shared" for block in one.blocks for part in block.parts) for one in (first, second)]
    return first.shape == second.shape and cells[0] == cells[1]


def _merged(first: Stage, second: Stage) -> Stage:
    begin, *more = first.name.replace(" … ", ", ").split(", ")
    name = f"{begin} … {second.name}" if more else f"{begin}, {second.name}"
    blocks = _gathered([*first.blocks, *second.blocks])
    return Stage(name, first.shape, blocks, first.params + second.params, first.norms, first.steps + second.steps)


def _elements(met: _Met) -> list[_Met]:
    """The blocks of a step: the rounds of a repeat, the links of a chain, or the whole."""
    if met.words[0]:
        return [met]
    several = [one for one in met.inside if _holds_blocks(one)]
    if isinstance(met.node, Repeat) and not several:
        return [one for one in met.inside if any(one.leaves())]
    if several or _is_chain(met.node) or len(met.inside) == 1 and not isinstance(met.node, (Graph, Choice)):
        return [element for one in met.inside for element in _elements(one)]
    return [met] if any(met.leaves()) else []


def _holds_blocks(met: _Met) -> bool:
    return any(isinstance(one.node, Repeat) or one.kind == "shared" for one in met.all())


def _is_chain(node: Node) -> bool:
    return isinstance(node, Graph) and node.outputs == (-1,) and all(step.reads in LAST for step in node.steps)


def _branches(met: _Met) -> bool:
    return isinstance(met.node, Graph) and not _is_chain(met.node)


def _block(group: Sequence[_Met]) -> Block:
    """What is in a block, without what is minor, unless there is nothing else."""
    made = [part for one in group for part in _parts(one, minor=False)]
    return Block(tuple(made or [part for one in group for part in _parts(one, minor=True)]))


def _parts(met: _Met, minor: bool) -> list[Part]:
    """One part for each step; the layers of a chain within a block are one."""
    leaves = [leaf for leaf in met.leaves() if (minor or not leaf.minor) and not _is_norm(leaf)]
    if not leaves:
        return []
    if met.words[0] or (_is_chain(met.node) and not any(_branches(one) for one in met.all())):
        kind = min((leaf.kind for leaf in leaves), key=_strength)
        return [Part(tuple(leaf.words for leaf in leaves), kind)]
    made = [part for one in met.inside for part in _parts(one, minor)]
    if isinstance(met.node, Choice):
        name, kind = met.inside[0].place.removeprefix(f"{met.place}."), met.inside[0].kind
        made = made if met.inside[0].words[0] else [Part(((name, ""),), kind), *made]
    return made


def _strength(kind: str) -> int:
    """Strongest first; what a layer says of itself before what it does not say."""
    order = (*STRENGTH[1:], "head", "shared", "other")
    return order.index(kind) if kind in order else len(order)


def _gathered(blocks: Iterable[Block]) -> tuple[Block, ...]:
    made: list[Block] = []
    for block in blocks:
        if made and made[-1].parts == block.parts:
            made[-1] = replace(made[-1], times=made[-1].times + block.times)
        else:
            made.append(block)
    return tuple(made)
