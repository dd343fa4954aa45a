"""NASNet (Zoph et al., 2018, https://arxiv.org/abs/1707.07012): two cells of five blocks each, stacked.

A block picks two earlier states, the cell's two inputs among them and one twice if it likes, applies an operation to
each, and adds or concatenates. The states that no block reads are concatenated: the cell's output. Counted by hand,
13 operations and two ways to combine make 720^2 x 13^10 x 2^5 cells of a kind. With operations="amoebanet" and
combine=False it is the space of AmoebaNet (Real et al., 2019, https://arxiv.org/abs/1802.01548).

The published networks are in it with one setting more: their code also concatenates some states that blocks read
(`normal_outputs`, `reduce_outputs`).

Departures from the published code: both inputs of every cell are projected to its width (there the stem's output
enters the first cell's blocks as it is, which changes the parameters by some thousands); a ReLU stands before the
reduction of an unread input; concatenated blocks are projected back to the cell's width, of which the paper says
nothing; convolutions pad where the ImageNet stem does not; there is no dropout before the classifier. The paper says
nothing of the inside of `conv_3x3`, `dil_conv_3x3`, `conv_1x3_3x1` and `conv_1x7_7x1`: they are those of AmoebaNet's
published code, between two pointwise convolutions.

In a supernet a cell's projections hold weights for as many channels as can arrive, and use the first of them: weights
are shared by position among the concatenated states, not by state. So supernets run, and networks inherit from them,
but weights of cells with unlike unread states mean little to each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from nasengine.errors import SpaceError
from nasengine.layers import (
    AuxiliaryHead,
    AvgPool,
    BottleneckConv,
    Classifier,
    ConvNorm,
    DilatedConv,
    FactorizedConv,
    FactorizedReduce,
    Identity,
    MaxPool,
    ReLU,
    ReLUConvNorm,
    ScheduledDropPath,
    SeparableConv,
)
from nasengine.space import (
    Node,
    Published,
    Space,
    add,
    aside,
    chain,
    choose,
    concat,
    derived,
    network,
    only_if,
    op,
    reads,
    shared,
)
from nasengine.space.nodes import Derived, Read

STAGES = 3
SIDES = ("left", "right")
OPERATIONS: dict[str, Callable[[int, int], Node]] = {  # of the cell's width and the stride
    "identity": lambda width, stride: op(Identity) if stride == 1 else op(ReLUConvNorm, width=width, stride=stride),
    "conv_1x3_3x1": lambda width, stride: op(
        FactorizedConv, width=width, hidden=max(3 * width // 8, 1), kernel=3, stride=stride
    ),
    "conv_1x7_7x1": lambda width, stride: op(
        FactorizedConv, width=width, hidden=max(width // 4, 1), kernel=7, stride=stride
    ),
    "dil_conv_3x3": lambda width, stride: op(
        BottleneckConv, width=width, hidden=max(width // 4, 1), stride=stride, dilation=2
    ),
    "dil_sep_conv_3x3": lambda width, stride: op(DilatedConv, kernel=3, stride=stride),
    "avg_pool_3x3": lambda width, stride: op(AvgPool, kernel=3, stride=stride),
    "max_pool_3x3": lambda width, stride: op(MaxPool, kernel=3, stride=stride),
    "max_pool_5x5": lambda width, stride: op(MaxPool, kernel=5, stride=stride),
    "max_pool_7x7": lambda width, stride: op(MaxPool, kernel=7, stride=stride),
    "conv_1x1": lambda width, stride: op(ReLUConvNorm, width=width, kernel=1, stride=stride),
    "conv_3x3": lambda width, stride: op(BottleneckConv, width=width, hidden=max(width // 4, 1), stride=stride),
    "sep_conv_3x3": lambda width, stride: op(SeparableConv, kernel=3, stride=stride),
    "sep_conv_5x5": lambda width, stride: op(SeparableConv, kernel=5, stride=stride),
    "sep_conv_7x7": lambda width, stride: op(SeparableConv, kernel=7, stride=stride),
}
NAMES = {
    "nasnet": tuple(name for name in OPERATIONS if name != "dil_sep_conv_3x3"),
    "amoebanet": (
        "identity", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "avg_pool_3x3", "max_pool_3x3", "dil_sep_conv_3x3",
        "conv_1x7_7x1",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class _Plan:
    """What all cells of a space have in common."""

    blocks: int
    operations: tuple[str, ...]
    combine: bool
    drop_path: bool
    outputs: dict[str, tuple[int, ...]]

    @property
    def states(self) -> tuple[str, ...]:
        """The cell's two inputs and its blocks, numbered as in the published code."""
        return "previous", "earlier", *(f"block{number}" for number in range(1, self.blocks + 1))


def space(
    input: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    channels: int = 24,
    cells: int = 2,
    blocks: int = 5,
    operations: Literal["nasnet", "amoebanet"] = "nasnet",
    combine: bool = True,
    stem: Literal["cifar", "imagenet"] = "cifar",
    stem_channels: int = 0,
    normal_outputs: tuple[int, ...] = (),
    reduce_outputs: tuple[int, ...] = (),
    skip_reduction: bool = False,
    auxiliary: bool = False,
    drop_path: bool = True,
) -> Space:
    """Three stages of normal cells with a reduction cell between them.

    channels: width of a cell in the first stage, doubled at each reduction
    cells: normal cells in each stage
    blocks: blocks in a cell
    operations: "nasnet" for its 13, "amoebanet" for the 8 of AmoebaNet
    combine: whether a block may concatenate instead of add
    stem: "cifar" keeps the image's size, "imagenet" divides it by 8, with two reduction cells
    stem_channels: width of the first convolution; 0 for three times `channels`, on ImageNet for 32
    normal_outputs: states that a normal cell concatenates, by number (0 and 1 its inputs); none: those no block reads
    reduce_outputs: the same for a reduction cell
    skip_reduction: whether the cell after a reduction reads what is two cells before the reduction, not one
    auxiliary: whether a second classifier stands at two thirds, for the loss in training
    drop_path: whether paths can be dropped in training, at the rate that the recipe sets times the cell's depth
    """
    outputs = {"normal": tuple(normal_outputs), "reduce": tuple(reduce_outputs)}
    mobile = stem == "imagenet"
    numbers = {"channels": channels, "cells": cells, "blocks": blocks, "stem_channels": stem_channels}
    _refuse(numbers, outputs, 4 if mobile else 1)
    plan = _Plan(blocks, NAMES[operations], combine, drop_path, outputs)
    row = ["reduce"] * 2 * mobile + ["normal"] * cells + (["reduce"] + ["normal"] * cells) * (STAGES - 1)
    widths = [channels // 4, channels // 2] * mobile
    for kind in row[2 * mobile :]:
        channels *= 1 + (kind == "reduce")
        widths.append(channels)
    wide = stem_channels or (32 if mobile else 3 * widths[0])
    steps: dict[str, Node] = {"stem": op(ConvNorm, width=wide, kernel=3, stride=1 + mobile)}
    made, sizes = ["stem"], [0]  # what cells read, and by how many halvings it is smaller
    for number, (kind, width) in enumerate(zip(row, widths, strict=True)):
        skips = skip_reduction and number > 2 * mobile and row[number - 1] == "reduce"
        earlier = -min(3 if skips else 2, len(made))
        cell = _cell(plan, kind, width, sizes[earlier] < sizes[-1], (number + 1) / len(row))
        if auxiliary and number == len(row) - cells - 2:
            cell = chain(cell, aside("auxiliary", op(AuxiliaryHead, classes=classes)))
        steps[f"cell{number}"] = reads(made[-1], made[earlier], cell)
        made.append(f"cell{number}")
        sizes.append(sizes[-1] + (kind == "reduce"))
    steps["head"] = chain(op(ReLU), op(Classifier, classes=classes))
    return Space("nasnet", input=input, network=network(**steps))


def _refuse(sizes: dict[str, int], outputs: dict[str, tuple[int, ...]], narrowest: int) -> None:
    """Raise SpaceError with every size that cannot be."""
    least = {**dict.fromkeys(sizes, 1), "channels": narrowest, "stem_channels": 0}
    faults = [f"{name}={value} (at least {least[name]})" for name, value in sizes.items() if value < least[name]]
    last = sizes["blocks"] + 1
    faults += [
        f"{kind}_outputs={numbers} (0 to {last}, each once)"
        for kind, numbers in outputs.items()
        if len(set(numbers)) < len(numbers) or not set(numbers) <= set(range(last + 1))
    ]
    if faults:
        raise SpaceError(f"space nasnet: came with {', '.join(faults)}; change them as the brackets say")


def _cell(plan: _Plan, kind: str, width: int, larger: bool, share: float) -> Node:
    """A cell; `larger` says that its earlier input has twice the size, `share` how deep it stands, up to 1."""
    reduces = kind == "reduce"
    project = op(ReLUConvNorm, width=width)
    steps: dict[str, Node] = {
        "previous": reads("input", project),
        "earlier": reads("input1", _halved(width) if larger else project),
    }
    for number in range(plan.blocks):
        known = plan.states[: number + 2]
        sides = [f"block{number + 1}_{side}" for side in SIDES]
        for side in sides:  # the operation is one decision, whichever state it is applied to
            strides = [1 + (reduces and i < 2) for i in range(len(known))]
            made = [shared(f"{kind}.{side}", _operations(plan, width, stride, share)) for stride in strides]
            states: dict[str, Any] = {state: Read((i,), made[i]) for i, state in enumerate(known)}
            steps[side] = reads(*known, choose("input", **states))
        steps[f"block{number + 1}"] = reads(*sides, _combined(plan, width))
    given = plan.outputs[kind]
    for i in given or range(len(plan.states)):
        passed = _halved(width) if reduces and i < 2 else op(Identity)
        steps[f"{plan.states[i]}_out"] = reads(plan.states[i], passed if given else only_if(_unread(plan, i), passed))
    outs = [name for name in steps if name.endswith("_out")]
    return shared(kind, network(**steps, output=reads(*outs, concat())))


def _halved(width: int) -> Node:
    """Half the size without losing every second pixel, where the width has two halves."""
    return op(FactorizedReduce, width=width) if width % 2 == 0 else op(ReLUConvNorm, width=width, stride=2)


def _operations(plan: _Plan, width: int, stride: int, share: float) -> Node:
    """One operation; the identity's path is never dropped."""
    made: dict[str, Any] = {name: OPERATIONS[name](width, stride) for name in plan.operations}
    if plan.drop_path:
        drop = op(ScheduledDropPath, share=share)
        made = {name: node if name == "identity" else chain(node, drop) for name, node in made.items()}
    return choose("op", **made)


def _combined(plan: _Plan, width: int) -> Node:
    if not plan.combine:
        return add()
    return choose("combine", add=add(), concat=chain(concat(), op(ReLUConvNorm, width=width)))


def _unread(plan: _Plan, number: int) -> Derived:
    """Whether no block reads a state; in a supernet, where they read all of them, whether some cell has it unread."""
    state = plan.states[number]

    def unread(*inputs: tuple[str, ...]) -> bool:
        return any(len(read) > 1 for read in inputs) or all(state not in read for read in inputs)

    return derived(unread, *[f"{block}_{side}.input" for block in plan.states[2:] for side in SIDES])


SHORT = {
    "id": "identity", "s3": "sep_conv_3x3", "s5": "sep_conv_5x5", "s7": "sep_conv_7x7", "a3": "avg_pool_3x3",
    "m3": "max_pool_3x3", "c7": "conv_1x7_7x1",
}  # fmt: skip


def cells(normal: str, reduce: str, combine: bool = False) -> dict[str, tuple[str, ...]]:
    """The picks of two cells written as `s5@0 s3@1 | …`: per block, operation @ state (0 and 1 are the inputs)."""
    picks: dict[str, tuple[str, ...]] = {}
    for kind, text in (("normal", normal), ("reduce", reduce)):
        states = ["previous", "earlier"]
        for number, block in enumerate(text.split("|"), start=1):
            for side, edge in zip(SIDES, block.split(), strict=True):
                short, state = edge.split("@")
                picks[f"{kind}.block{number}_{side}.input"] = (states[int(state)],)
                picks[f"{kind}.block{number}_{side}.op"] = (SHORT[short],)
            if combine:
                picks[f"{kind}.block{number}.combine"] = ("add",)
            states.append(f"block{number}")
    return picks


ARCHITECTURES = {
    "NASNet_A": Published(
        cells(
            "s5@0 s3@1 | s5@1 s3@1 | a3@0 id@1 | a3@1 a3@1 | s3@0 id@0",
            "s5@0 s7@1 | m3@0 s7@1 | a3@0 s5@1 | id@3 a3@2 | s3@2 m3@0",
            combine=True,
        ),
        {
            "input": (3, 32, 32), "channels": 32, "cells": 6, "normal_outputs": (1, 2, 3, 4, 5, 6),
            "reduce_outputs": (3, 4, 5, 6), "auxiliary": True,
        },
        "6@768, https://arxiv.org/abs/1707.07012",
    ),
    "AmoebaNet_A": Published(
        cells(
            "a3@0 m3@0 | s3@1 id@1 | id@0 a3@1 | s3@0 s5@2 | a3@5 s3@0",
            "s3@1 a3@0 | m3@0 s7@2 | m3@1 m3@0 | s3@4 c7@0 | a3@1 s7@0",
        ),
        {
            "input": (3, 32, 32), "channels": 36, "cells": 6, "operations": "amoebanet", "combine": False,
            "normal_outputs": (1, 3, 4, 6), "reduce_outputs": (2, 3, 4, 5, 6), "auxiliary": True,
        },
        "https://arxiv.org/abs/1802.01548",
    ),
}  # fmt: skip
