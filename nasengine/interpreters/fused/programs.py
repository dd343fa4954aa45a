"""What a layer does, step by step, where every step is one that many layers of its kind can do at once."""

import operator
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import fx, nn

FULL = slice(None, None, None)
USUAL = {("inplace", False), ("mode", "constant"), ("value", None)}  # words that change nothing


@dataclass(frozen=True)
class Step:
    """One operation on the values `reads` (0 is the input, n what step n gave); `path` names a module of the layer.

    "pass" does nothing.

    rectified: a convolution that reads what ReLU makes of its input
    """

    kind: str
    reads: tuple[int, ...]
    path: str = ""
    arguments: tuple[Any, ...] = ()
    rectified: bool = False


@dataclass(frozen=True)
class Program:
    """The steps of a layer; its output is what the last one gave, or the input where there are none."""

    steps: tuple[Step, ...]


class Unknown(Exception):
    """A layer does something that is not known to work for many at once; the message says what."""


def program(layer: nn.Module) -> Program:
    """The steps of a layer, found by tracing it in training and in evaluation; Unknown where it cannot be."""
    if getattr(layer, "training_only", False):
        raise Unknown("it draws random numbers in training")
    was_training = layer.training
    try:
        learning, settled = (_traced(layer.train(mode)) for mode in (True, False))
    finally:
        layer.train(was_training)
    if learning != settled:
        raise Unknown("it does something else in training than in evaluation")
    return learning


class Programs:
    """The programs of layers, found once for each kind; `apart` says of layers without one why they have none."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Program | None] = {}
        self.apart: dict[str, str] = {}

    def of(self, kind: Hashable, layer: nn.Module) -> Program | None:
        """The program of a layer of this kind, or None."""
        if kind not in self._found:
            try:
                self._found[kind] = program(layer)
            except Unknown as reason:
                self._found[kind] = None
                self.apart[type(layer).__name__] = str(reason)
        return self._found[kind]


def _traced(layer: nn.Module) -> Program:
    try:
        traced = fx.Tracer().trace(layer)
    except Exception as error:  # whatever a layer's own code raises when its input has no numbers
        raise Unknown(f"it cannot be traced ({type(error).__name__}: {error})") from error
    nodes: list[Any] = list(traced.nodes)
    if sum(node.op == "placeholder" for node in nodes) != 1:
        raise Unknown("it has more inputs than one")
    registers: dict[Any, int] = {}
    steps: list[Step] = []
    for node in nodes:
        if node.op == "placeholder":
            registers[node] = 0
        elif node.op == "output":
            last = node.args[0]
            if not isinstance(last, fx.Node) or registers.get(last) != len(steps):
                raise Unknown("its output is not what it computes last")
        else:
            step = _step(layer, node, registers)
            if step is None:
                registers[node] = registers[node.args[0]]
            else:
                steps.append(step)
                registers[node] = len(steps)
    return Program(tuple(_rectifying(steps)))


def _rectifying(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps with ReLUs left to the convolutions that read them, where these follow and nothing else reads them."""
    readers = Counter(read for step in steps for read in step.reads)
    left = {
        i
        for i, (step, follower) in enumerate(zip(steps, steps[1:], strict=False), 1)
        if step.kind == "relu" and follower.kind == "conv" and follower.reads == (i,) and readers[i] == 1
    }
    for i, step in enumerate(steps, 1):
        yield replace(step, kind="pass") if i in left else replace(step, rectified=i - 1 in left)


def _step(layer: nn.Module, node: Any, registers: Mapping[Any, int]) -> Step | None:
    """The step that a node of the trace stands for; None for one that does nothing."""
    reads = tuple(registers[read] for read in node.all_input_nodes)
    if node.op == "call_module":
        module = layer.get_submodule(str(node.target))
        if type(module) is nn.Identity:
            return None
        return Step(_kind(module), reads, str(node.target))
    further = () if set(node.kwargs.items()) - USUAL else (node.target, *node.args[1:])
    match further:
        case ((torch.relu | nn.functional.relu),):
            return Step("relu", reads)
        case (operator.getitem, (first, second, *places)) if first == second == FULL and len(places) == 2:
            if all(isinstance(place, slice) for place in places):
                return Step("crop", reads, arguments=tuple((p.start, p.stop, p.step) for p in places))
        case (nn.functional.pad, widths) if len(widths) == 4:
            return Step("pad", reads, arguments=tuple(widths))
        case (torch.cat, 1) if len(reads) == 2 and all(map(_shuffles, node.users)):
            return Step("interleave", reads)
        case (nn.functional.channel_shuffle, 2) if node.args[0].target is torch.cat:
            return None
    raise Unknown(f"it calls {getattr(node.target, '__name__', node.target)}")


def _shuffles(node: Any) -> bool:
    return node.target is nn.functional.channel_shuffle and node.args[1:] == (2,)


def _kind(module: nn.Module) -> str:
    match module:
        case nn.ReLU():
            return "relu"
        case nn.Conv2d(padding_mode="zeros") if not isinstance(module.padding, str) and type(module) is nn.Conv2d:
            return "conv"
        case nn.BatchNorm2d() if type(module) is nn.BatchNorm2d and module.momentum is not None:
            return "norm"
        case nn.MaxPool2d(return_indices=False) if type(module) is nn.MaxPool2d:
            return "pool"
        case nn.AvgPool2d() if type(module) is nn.AvgPool2d:
            return "pool"
    raise Unknown(f"it holds a {type(module).__name__}")
