"""Which decisions a piece of a network depends on: what follows from few of them is worth remembering."""

from math import prod

from nasengine.space.nodes import Aside, Choice, Conditional, Derived, Graph, Node, Op, Read, Repeat, Shared, under
from nasengine.space.run import meant
from nasengine.space.space import Space

FEW = 100  # ways to answer the decisions of a piece; pieces with more rarely come again


class Pieces:
    """The pieces of a space's network; a piece is a node in a namespace."""

    def __init__(self, space: Space) -> None:
        self.network = space.network
        self._ways = {name: decision.ways() for name, decision in space.decisions.items()}
        self._asked: dict[tuple[Node, str], frozenset[str]] = {}
        self._few: dict[tuple[Node, str], tuple[str, ...] | None] = {}

    def few(self, node: Node, scope: str) -> tuple[str, ...] | None:
        """The decisions that a piece depends on, where they can be answered in few ways; else None."""
        try:
            return self._few[node, scope]
        except KeyError:
            names = self.asked(node, scope)
            ways = prod(self._ways.get(name, 1) for name in names)
            found = self._few[node, scope] = tuple(sorted(names)) if ways <= FEW else None
            return found

    def asked(self, node: Node, scope: str) -> frozenset[str]:
        """The decisions that a piece depends on: those in it, and those that its derived settings follow from."""
        key = node, scope
        if key not in self._asked:
            self._asked[key] = frozenset(self._found(node, scope))
        return self._asked[key]

    def _found(self, node: Node, scope: str) -> set[str]:
        match node:
            case Op(settings=settings):
                return set().union(*(self._of_setting(value, scope) for _, value in settings))
            case Choice(name=name, options=options):
                inner = [(o.node, under(scope, o.name)) for o in options if isinstance(o.node, Node)]
                return {under(scope, name)}.union(*(self.asked(*one) for one in inner))
            case Graph(steps=steps):
                inner = [(step.node, under(scope, step.name) if step.named else scope) for step in steps]
                return set().union(*(self.asked(*one) for one in inner))
            case Repeat(body=body, times=times, tie=tie):
                most = max(option.node for option in times.options) if isinstance(times, Choice) else times
                scopes = [scope if tie else under(scope, str(i)) for i in range(most)]
                return self._of_setting(times, scope).union(*(self.asked(body, one) for one in scopes))
            case Shared(name=name, node=inside):
                return set(self.asked(inside, name))
            case Conditional(holds=holds, node=inside):
                return self._of_setting(holds, scope) | self.asked(inside, scope)
            case Read(node=inside) | Aside(node=inside):
                return set(self.asked(inside, scope))
        return set()

    def _of_setting(self, value: object, scope: str) -> set[str]:
        if isinstance(value, Choice):
            return {under(scope, value.name)}
        if isinstance(value, Derived):
            return {meant(self.network, name, scope) for name in value.decisions}
        return set()
