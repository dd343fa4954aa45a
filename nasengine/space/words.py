"""The words a space file is written in; each returns a node, and refuses at once what can never work."""

import re
from collections.abc import Callable
from typing import Any

from nasengine.errors import SpaceError
from nasengine.space.nodes import (
    Aside,
    Choice,
    Conditional,
    Derived,
    Graph,
    Join,
    Node,
    Nothing,
    Op,
    Option,
    Read,
    Repeat,
    Shared,
    Step,
)

INPUT = "input"  # what `reads` calls the value that enters a network
_INPUTS = re.compile(INPUT + r"\d*")


def op(layer: type, **settings: Any) -> Op:
    """A layer: a plain nn.Module class whose first argument is the width that arrives."""
    if not isinstance(layer, type):
        raise SpaceError(f"op({layer!r}): not a class; give the layer's class and its settings: op(Conv, kernel=3)")
    lists = [name for name, value in settings.items() if isinstance(value, (list, dict, set))]
    if lists:
        raise SpaceError(f"op({layer.__name__}): settings {lists} can be changed in place; give tuples or plain values")
    return Op(layer, tuple(settings.items()))


def choose(name: str, *values: Any, keep: Any = 1, **options: Any) -> Choice:
    """A decision: `keep` of the options (or from `keep[0]` to `keep[1]`), which are plain values or named nodes."""
    # `keep` is an int or a pair of them; were its type to say so, checkers would refuse options that come as **dict
    faults = []
    if not name or "." in name:
        faults.append(f"{name!r} is not a name: give a non-empty one without dots")
    if any(isinstance(value, (Node, _RelaxedOnly)) for value in values):
        faults.append("options that are layers need names: choose('mixer', pool=op(Pooling), conv=op(SepConv))")
    made = [Option(str(value), value) for value in values]
    for option_name, node in options.items():
        relaxed_only = isinstance(node, _RelaxedOnly)
        made.append(Option(option_name, node.node if relaxed_only else node, relaxed_only))
    names = [option.name for option in made]
    least, most = keep if isinstance(keep, tuple) else (keep, keep)
    legal = sum(not option.relaxed_only for option in made)
    if not legal:
        faults.append("there is no option to choose; give at least one")
    elif not 0 <= least <= most <= legal or most == 0:
        faults.append(f"keep={keep} cannot be met by {legal} options; give 0 <= least <= most <= {legal}, most >= 1")
    if len(set(names)) < len(names):
        faults.append(f"option names repeat: {names}")
    of_nodes = [isinstance(option.node, Node) for option in made]
    if any(of_nodes) and not all(of_nodes):
        faults.append("options are either all layers or all plain values, not a mixture")
    if not any(of_nodes) and (least, most) != (1, 1):
        faults.append("a choice between plain values keeps exactly one")
    if faults:
        raise SpaceError(f"choose({name!r}): " + "; ".join(faults))
    return Choice(name, tuple(made), (least, most))


class _RelaxedOnly:
    def __init__(self, node: Node):
        self.node = node


def relaxed_only(option: Node) -> Any:
    """An option that competes in a supernet but is never part of an architecture (DARTS' `none`)."""
    return _RelaxedOnly(option)


def derived(function: Callable[..., Any], *decisions: str) -> Derived:
    """A setting computed from picks.

    The function gets, per decision (looked up in this namespace, then outwards), the value of a choice between
    values, the tuple of picked option names of a choice between layers, and None where the decision is not asked.
    """
    return Derived(function, decisions)


def _node(place: str, node: Any) -> Node:
    if not isinstance(node, Node):
        raise SpaceError(f"{place}: {node!r} is not a piece of network; write layers as op(Layer, …)")
    return node


def chain(*nodes: Node, **named: Node) -> Graph:
    """One node after the other; named steps are namespaces for the decisions in them."""
    everything = [(str(i), node, False) for i, node in enumerate(nodes)]
    everything += [(name, node, True) for name, node in named.items()]
    if not everything:
        raise SpaceError("chain(): there is nothing in it; give at least one node")
    steps = [
        Step(name, _node(f"chain, step {name}", node), (-1,) if i else None, is_named)
        for i, (name, node, is_named) in enumerate(everything)
    ]
    return Graph(tuple(steps))


def residual(*nodes: Node) -> Graph:
    """The input plus what the chain of nodes makes of it."""
    return Graph((Step("body", chain(*nodes), (0,), False),), outputs=(0, -1), join="add")


def repeat(body: Node, times: int | Choice, tie: bool = False) -> Repeat:
    """The body several times over; each repeat decides for itself unless tied."""
    counts = [option.node for option in times.options] if isinstance(times, Choice) else [times]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise SpaceError(f"repeat: the number of times came as {counts}; give whole numbers of 0 or more")
    return Repeat(_node("repeat", body), times, tie)


def stack(*cells: Node) -> Graph:
    """Each cell reads the outputs of the two before it; the first reads the one or two inputs."""
    return Graph(tuple(Step(str(i), _node(f"stack, cell {i}", c), (-2, -1), False) for i, c in enumerate(cells)))


def shared(name: str, node: Node) -> Shared:
    """Decisions of one global namespace, however often the node stands in the network."""
    return Shared(name, _node(f"shared {name!r}", node))


def aside(name: str, node: Node) -> Aside:
    """A branch for the loss in training only (an auxiliary classifier); what enters it goes on unchanged."""
    return Aside(name, _node(f"aside {name!r}", node))


def concat() -> Join:
    """Concatenate all incoming values along the channels."""
    return Join("concat")


def add() -> Join:
    """Add all incoming values."""
    return Join("add")


def nothing() -> Nothing:
    """An option that brings no value, so that what it would have read need not be run: an edge that is not there."""
    return Nothing()


def only_if(holds: Derived, node: Node) -> Conditional:
    """The node where a `derived` function of picks is true, otherwise nothing: NASNet's unused states.

    There are no choices in the node. In a supernet the function gets every option at once, and says whether any
    architecture has the node.
    """
    if not isinstance(holds, Derived):
        raise SpaceError(f"only_if: the condition came as {holds!r}; write derived(function, 'decision', …)")
    return Conditional(holds, _node("only_if", node))


class _Reads:
    def __init__(self, sources: tuple[str, ...], node: Node):
        self.sources, self.node = sources, node


def reads(*names_and_node: Any) -> Any:
    """Within `network`: a step that reads the named earlier steps, `reads("stage2", "stage3", node)`."""
    *sources, node = names_and_node
    return _Reads(tuple(sources), _node("reads", node))


def network(**steps: Any) -> Graph:
    """Named steps in order; each reads the one before it, or those that `reads` names; the last is the output.

    The first step reads all that enters. "input" is the first value that enters; where several do (as in a cell of
    `stack`), "input1", "input2", … are the next ones.
    """
    if not steps:
        raise SpaceError("network(): there is nothing in it; give at least one named step")
    names = list(steps)
    made: list[Step] = []
    for name, node in steps.items():
        sources: tuple[str, ...] = node.sources if isinstance(node, _Reads) else ()
        before = names[: len(made)]
        unknown = [source for source in sources if source not in before and not _INPUTS.fullmatch(source)]
        if unknown:
            raise SpaceError(f"network, step {name}: reads {unknown}; the steps before it are {[INPUT, *before]}")
        if _INPUTS.fullmatch(name):
            raise SpaceError(f"network, step {name}: that is what comes in; give the step another name")
        numbers = [before.index(s) - len(before) if s in before else int(s[len(INPUT) :] or 0) for s in sources]
        read = tuple(numbers) or ((-1,) if made else None)
        made.append(
            Step(name, _node(f"network, step {name}", node.node if isinstance(node, _Reads) else node), read, True)
        )
    return Graph(tuple(made))


def cell(
    edge: Callable[[int, int], Node], prepare: tuple[Node, Node], nodes: int = 4, keep: int | tuple[int, int] = 2
) -> Graph:
    """A DARTS-like cell over two inputs (Liu et al., 2019, https://arxiv.org/abs/1806.09055).

    Each of `nodes` nodes adds what its kept edges bring from earlier states; the nodes are concatenated.
    `edge(source, node)` makes the edge from a state (0 and 1 are the prepared inputs) to a node (from 0).
    """
    least, most = keep if isinstance(keep, tuple) else (keep, keep)
    steps = [Step(f"in{i}", node, (i,), False) for i, node in enumerate(prepare)]
    for n in range(nodes):
        names = ["in0", "in1"] + [f"node{m}" for m in range(n)]
        edges = {name: Read((i,), edge(i, n)) for i, name in enumerate(names)}
        bounds = (min(least, len(names)), min(most, len(names)))
        states = tuple(2 + i for i in range(len(names)))
        steps.append(Step(f"node{n}", choose("inputs", keep=bounds, **edges), states, True))
    return Graph(tuple(steps), outputs=tuple(range(-nodes, 0)))
