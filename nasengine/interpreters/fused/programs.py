"""What a layer does, step by step, where every step is one that many layers of its kind can do at once."""

import operator
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import fx, nn

from nasengine.interpreters.fused.tracing import Unknown, likeness, traced

FULL = slice(None, None, None)
USUAL = [("inplace", False), ("mode", "constant"), ("value", None)]  # words that change nothing
POOL = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "count_include_pad", "divisor_override")
IN_PLACE = ("in place",)


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


def program(layer: nn.Module) -> Program:
    """The steps of a layer, found by tracing it in training and in evaluation; Unknown where it cannot be."""
    likeness(layer)
    learning, settled = (_steps(layer, mode) for mode in (True, False))
    if learning != settled:
        raise Unknown("it does something else in training than in evaluation")
    return learning


class Programs:
    """The programs of layers, found once for all that are alike; `apart` says why the others have none."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Program | Unknown] = {}
        self.apart: dict[str, str] = {}

    def of(self, layers: Sequence[nn.Module]) -> Program | None:
        """The program that these layers have in common, or None."""
        try:
            kinds = set(map(likeness, layers))
            if len(kinds) > 1:
                raise Unknown("its places differ")
            return self._of(kinds.pop(), layers[0])
        except Unknown as reason:
            self.apart[type(layers[0]).__name__] = str(reason)
        return None

    def _of(self, kind: Hashable, layer: nn.Module) -> Program:
        if kind not in self._found:
            try:
                self._found[kind] = program(layer)
            except Unknown as reason:
                self._found[kind] = reason
        found = self._found[kind]
        if isinstance(found, Unknown):
            raise found
        return found


def _steps(layer: nn.Module, training: bool) -> Program:
    nodes = traced(layer, training)
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
    readers = Counter(read for step in steps for read in step.reads)
    for step in steps:
        read = step.reads[0]
        alone = read > 0 and readers[read] == 1 and steps[read - 1].kind != "crop"
        if step.arguments == IN_PLACE and not alone:
            raise Unknown("it changes its input, or what else is read")
    return Program(tuple(_rectifying(steps, readers)))


def _rectifying(steps: Sequence[Step], readers: Mapping[int, int]) -> Iterator[Step]:
    """The steps with ReLUs left to the convolutions that read them, where these follow and nothing else reads them."""
    left = {
        i
        for i, (step, follower) in enumerate(zip(steps, steps[1:], strict=False), 1)
        if step.kind == "relu" and follower.kind == "conv" and follower.reads == (i,) and readers[i] == 1
    }
    for i, step in enumerate(steps, 1):
        yield replace(step, kind="pass") if i in left else replace(step, rectified=i - 1 in left)


def _step(layer: nn.Module, node: Any, registers: Mapping[Any, int]) -> Step | None:
    """The step that a node of the trace stands for; None for one that does nothing."""
    if node.op == "call_module":
        module = layer.get_submodule(str(node.target))
        if len(node.args) != 1 or node.kwargs:
            raise Unknown(f"it calls {type(module).__name__} with more than a value")
        read = (registers[node.args[0]],)
        return None if type(module) is nn.Identity else Step(*_kind(module, read, str(node.target)))
    further = () if [pair for pair in node.kwargs.items() if pair not in USUAL] else (node.target, *node.args[1:])
    reads = tuple(registers[read] for read in node.all_input_nodes)
    match further:
        case ((torch.relu | nn.functional.relu),):
            return Step("relu", reads)
        case (operator.getitem, (first, second, *places)) if first == second == FULL and len(places) == 2:
            if all(isinstance(place, slice) for place in places):
                return Step("crop", reads, arguments=tuple((p.start, p.stop, p.step) for p in places))
        case (nn.functional.pad, widths) if len(widths) == 4:
            return Step("pad", reads, arguments=tuple(widths))
        case (torch.cat, 1) if len(reads) == len(node.args[0]) == 2 and all(map(_shuffles, node.users)):
            return Step("interleave", reads)
        case (nn.functional.channel_shuffle, 2) if node.args[0].target is torch.cat:
            return None
    raise Unknown(f"it calls {getattr(node.target, '__name__', node.target)}")


def _shuffles(node: Any) -> bool:
    return node.target is nn.functional.channel_shuffle and node.args[1:] == (2,)


def _kind(module: nn.Module, read: tuple[int, ...], path: str) -> tuple[str, tuple[int, ...], str, tuple[Any, ...]]:
    """A step's kind, what it reads, its path and its arguments."""
    match module:
        case nn.ReLU() if type(module) is nn.ReLU:
            return "relu", read, path, IN_PLACE if module.inplace else ()
        case nn.Conv2d(padding_mode="zeros") if not isinstance(module.padding, str) and type(module) is nn.Conv2d:
            return "conv", read, path, ()
        case nn.BatchNorm2d() if type(module) is nn.BatchNorm2d and module.momentum is not None:
            return "norm", read, path, ()
        case nn.MaxPool2d(return_indices=False) | nn.AvgPool2d() if type(module) in (nn.MaxPool2d, nn.AvgPool2d):
            return "pool", read, path, tuple((name, repr(getattr(module, name, None))) for name in POOL)
    raise Unknown(f"it holds a {type(module).__name__}")
