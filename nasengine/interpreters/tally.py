"""Adding up over the layers of a network, remembering what pieces of its space came to."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from nasengine.errors import SpaceError
from nasengine.interpreters.remembered import Remembered
from nasengine.interpreters.shape import Shape, Shapes
from nasengine.space import Architecture, Node, Space, run
from nasengine.space.nodes import Shared
from nasengine.space.pieces import Pieces

MOST = 65536  # pieces with answers that are remembered of a space; a NASNet space of 8 cells has some 30,000

Sum = TypeVar("Sum")
OfLayer = Callable[[str, type, Mapping[str, Any], tuple[Shape, ...]], tuple[Shape, Sum]]


class Tally(Generic[Sum]):
    """What the layers of architectures come to, one by one.

    `of_layer(place, layer, settings, inputs)` gives a layer's output shape and its share, `join` adds two shares;
    neither may depend on the place. A piece of a space whose decisions have few answers is walked into once for each
    of them; then a later architecture takes little time. With `asides` branches for the loss alone count as well.
    """

    def __init__(self, nothing: Sum, of_layer: OfLayer[Sum], join: Callable[[Sum, Sum], Sum], asides: bool = False):
        self.nothing, self.of_layer, self.join = nothing, of_layer, join
        self.walk = _WalkWithAsides if asides else _Walk
        self.spaces: WeakKeyDictionary[Space, tuple[Pieces, Remembered[Any, Any]]] = WeakKeyDictionary()

    def of(self, space: Space, architecture: Architecture) -> Sum:
        """The sum over an architecture's layers."""
        if space not in self.spaces:
            self.spaces[space] = Pieces(space), Remembered(MOST)
        walk = self.walk(self, *self.spaces[space], architecture)
        if run(space.network, (tuple(space.input),), architecture, walk) is None:
            raise SpaceError(f"space {space.name}: with these picks nothing leads from the input to the output")
        found: Sum = walk.sum
        return found


class _Walk(Shapes):
    """An interpreter of shapes that adds up, and walks into a piece only where it was not met with these answers."""

    def __init__(self, tally: Tally[Any], pieces: Pieces, known: dict[Any, Any], architecture: Architecture) -> None:
        self.tally, self.pieces, self.known, self.picks = tally, pieces, known, architecture.picks
        self.met: dict[Any, Any] = {}  # shared pieces, with the answers of this architecture
        self.sum = tally.nothing

    def visit(self, node: Node, place: str, scope: str, inputs: tuple[Any, ...], inside: Callable[..., Any]) -> Any:
        """Around every node."""
        names = self.pieces.few(node, scope)
        if names is not None:
            known, key = self.known, (node, scope, inputs, *map(self.picks.get, names))
        elif isinstance(node, Shared):
            known, key = self.met, (node, inputs)
        else:
            return inside(*inputs)
        found = known.get(key)
        if found is None:
            before, self.sum = self.sum, self.tally.nothing
            found = known[key] = inside(*inputs), self.sum
            self.sum = before
        self.sum = self.tally.join(self.sum, found[1])
        return found[0]

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]) -> Shape:
        """The layer's output shape."""
        shape, own = self.tally.of_layer(place, layer, settings, inputs)
        self.sum = self.tally.join(self.sum, own)
        return shape


class _WalkWithAsides(_Walk):
    def aside(self, name: str, place: str, branch: Callable[[], Shape]) -> None:
        branch()
