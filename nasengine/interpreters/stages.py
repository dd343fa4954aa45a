"""One network as stages: what stands at one resolution and width, block by block, equal blocks gathered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from nasengine.interpreters.met import Met, Words, strength, tree
from nasengine.interpreters.shape import Shape
from nasengine.space import Architecture, Choice, Node, Space
from nasengine.space.nodes import Graph, Repeat

LAST = (None, (-1,))  # what each step of a chain reads


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


def stages(space: Space, architecture: Architecture, cells: Mapping[Node, str]) -> list[Stage]:
    """The network's stages in order; `cells` are told by their names alone (without one: by their places)."""
    root = tree(space, architecture, cells)
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


def _of_step(name: str, step: Met) -> Iterator[Stage]:
    """One stage for each run of blocks of one shape; what is minor goes with what follows it."""
    groups: list[list[Met]] = []
    waiting: list[Met] = []
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


def _shape(group: Sequence[Met]) -> Shape:
    shape = group[-1].shape
    assert shape is not None
    return shape


def _is_norm(leaf: Met) -> bool:
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


def _elements(met: Met) -> list[Met]:
    """The blocks of a step: the rounds of a repeat, the links of a chain, or the whole."""
    if met.words[0]:
        return [met]
    several = [one for one in met.inside if _holds_blocks(one)]
    if isinstance(met.node, Repeat) and not several:
        return [one for one in met.inside if any(one.leaves())]
    if several or _is_chain(met.node) or len(met.inside) == 1 and not isinstance(met.node, (Graph, Choice)):
        return [element for one in met.inside for element in _elements(one)]
    return [met] if any(met.leaves()) else []


def _holds_blocks(met: Met) -> bool:
    return any(isinstance(one.node, Repeat) or one.kind == "shared" for one in met.all())


def _is_chain(node: Node) -> bool:
    return isinstance(node, Graph) and node.outputs == (-1,) and all(step.reads in LAST for step in node.steps)


def _branches(met: Met) -> bool:
    return isinstance(met.node, Graph) and not _is_chain(met.node)


def _block(group: Sequence[Met]) -> Block:
    """What is in a block, without what is minor, unless there is nothing else."""
    made = [part for one in group for part in _parts(one, minor=False)]
    return Block(tuple(made or [part for one in group for part in _parts(one, minor=True)]))


def _parts(met: Met, minor: bool) -> list[Part]:
    """One part for each step; the layers of a chain within a block are one."""
    leaves = [leaf for leaf in met.leaves() if (minor or not leaf.minor) and not _is_norm(leaf)]
    if not leaves:
        return []
    if met.words[0] or (_is_chain(met.node) and not any(_branches(one) for one in met.all())):
        kind = min((leaf.kind for leaf in leaves), key=strength)
        return [Part(tuple(leaf.words for leaf in leaves), kind)]
    made = [part for one in met.inside for part in _parts(one, minor)]
    if isinstance(met.node, Choice):
        name, kind = met.inside[0].place.removeprefix(f"{met.place}."), met.inside[0].kind
        made = made if met.inside[0].words[0] else [Part(((name, ""),), kind), *made]
    return made


def _gathered(blocks: Iterable[Block]) -> tuple[Block, ...]:
    made: list[Block] = []
    for block in blocks:
        if made and made[-1].parts == block.parts:
            made[-1] = replace(made[-1], times=made[-1].times + block.times)
        else:
            made.append(block)
    return tuple(made)
