"""The kinds of node that a network expression is made of; immutable, compared by identity, free of torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Node:
    """A piece of a network: it takes one or more values and gives one."""


@dataclass(frozen=True, eq=False)
class Op(Node):
    """A layer; a setting may be a plain value, a Choice between values, or Derived from other decisions."""

    layer: type
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class Option:
    """One option of a choice: a node or a plain value under its name."""

    name: str
    node: Any
    relaxed_only: bool = False


@dataclass(frozen=True, eq=False)
class Choice(Node):
    """From `keep[0]` to `keep[1]` of the options; the outputs of those that are nodes are added."""

    name: str
    options: tuple[Option, ...]
    keep: tuple[int, int] = (1, 1)

    @property
    def of_nodes(self) -> bool:
        """Whether the options are pieces of network; otherwise they are plain values."""
        return any(isinstance(option.node, Node) for option in self.options)

    def value(self, option_name: str) -> Any:
        """The plain value behind an option's name."""
        return next(option.node for option in self.options if option.name == option_name)


@dataclass(frozen=True, eq=False)
class Derived:
    """A setting computed by `function` from what other decisions picked."""

    function: Callable[..., Any]
    decisions: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a graph. `reads` are state numbers (the inputs come first); negative ones count from the newest."""

    name: str
    node: Node
    reads: tuple[int, ...] | None  # None: all inputs of the graph
    named: bool


@dataclass(frozen=True, eq=False)
class Graph(Node):
    """Steps, each reading earlier states; the states `outputs` are joined by "add" or "concat"."""

    steps: tuple[Step, ...]
    outputs: tuple[int, ...] = (-1,)
    join: str = "concat"


@dataclass(frozen=True, eq=False)
class Read(Node):
    """Apply `node` to one (or some) of the incoming values."""

    sources: tuple[int, ...]
    node: Node


@dataclass(frozen=True, eq=False)
class Repeat(Node):
    """The body, `times` over; tied repeats share their decisions, never their weights."""

    body: Node
    times: Any  # int or a Choice of ints
    tie: bool = False


@dataclass(frozen=True, eq=False)
class Shared(Node):
    """Wherever this stands, its decisions are those of the namespace `name`; weights stay per place."""

    name: str
    node: Node


@dataclass(frozen=True, eq=False)
class Aside(Node):
    """A branch run only in training: its output goes to the loss, its input goes on unchanged."""

    name: str
    node: Node


@dataclass(frozen=True, eq=False)
class Join(Node):
    """All incoming values, added or concatenated."""

    kind: str


@dataclass(frozen=True, eq=False)
class Nothing(Node):
    """No value at all, and nothing is read: an edge that is not there."""


@dataclass(frozen=True, eq=False)
class Conditional(Node):
    """`node` where `holds` is true of the picks, otherwise nothing; there are no choices in it."""

    holds: Derived
    node: Node


def dotted(*parts: str) -> str:
    """Join the non-empty parts with dots: places and namespaces are written so."""
    return ".".join(part for part in parts if part)


def under(outer: str, name: str) -> str:
    """`dotted` for two parts: walks spend much of their time on it."""
    return f"{outer}.{name}" if outer and name else outer or name
