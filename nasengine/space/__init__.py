"""The space language: nodes, the words that make them, decisions, picks, and the one walk over a network."""

from nasengine.space.decisions import Decision, kind_of
from nasengine.space.nodes import Choice, Node, Op
from nasengine.space.picks import EVERYTHING, Architecture, Everything, Mixture, Picks, Published
from nasengine.space.run import Interpreter, run
from nasengine.space.space import Size, Space
from nasengine.space.words import (
    add,
    aside,
    cell,
    chain,
    choose,
    concat,
    derived,
    network,
    nothing,
    only_if,
    op,
    reads,
    relaxed_only,
    repeat,
    residual,
    shared,
    stack,
)

__all__ = [
    "EVERYTHING", "Architecture", "Choice", "Decision", "Everything", "Interpreter", "Mixture", "Node", "Op", "Picks",
    "Published", "Size", "Space", "add", "aside", "cell", "chain", "choose", "concat", "derived", "kind_of", "network",
    "nothing", "only_if", "op", "reads", "relaxed_only", "repeat", "residual", "run", "shared", "stack",
]  # fmt: skip
