"""The values that a space's network is made of, drawn as a graph: what each is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from nasengine.space import Choice


@dataclass(eq=False)
class Input:
    """The images."""

    inputs: "tuple[Value, ...]" = ()


@dataclass(eq=False)
class Layer:
    """What a layer makes of its inputs."""

    place: str
    layer: type
    settings: Mapping[str, Any]
    inputs: "tuple[Value, ...]"


@dataclass(eq=False)
class Join:
    """A sum ("add") or channels side by side ("concat")."""

    kind: str
    inputs: "tuple[Value, ...]"


@dataclass(eq=False)
class Mix:
    """The gated sum of a choice's options.

    reads: what each option reads of the graph: its value or, where it is run in a group, what this is made of
    inside: the layers of a choice that is run in a group, in the order of the walk
    """

    name: str
    choice: Choice
    options: "dict[str, Value]"
    reads: "dict[str, tuple[Value, ...]]"
    inside: "list[Layer]" = field(default_factory=list)
    group: "Group | None" = None

    @property
    def inputs(self) -> "tuple[Value, ...]":
        """What any of its options reads, each once."""
        return tuple(dict.fromkeys(x for reads in self.reads.values() for x in reads))


@dataclass(eq=False)
class Group:
    """Choices with the same layers on the same inputs: member after member, in the order of the walk."""

    members: list[Mix] = field(default_factory=list)


Value: TypeAlias = Input | Layer | Join | Mix


def reached(value: Value, among: "Mapping[Value, Any] | set[Value]") -> set[Value]:
    """Those of these values that one of them depends on through others of them, itself among them."""
    found: set[Value] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if one in among and one not in found:
            found.add(one)
            waiting.extend(one.inputs)
    return found
