"""DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055): a normal and a reduction cell, stacked.

A cell has four nodes; each adds what two edges bring from earlier states, and each edge is one of seven operations. An
eighth, `none`, competes in the supernet only. The search networks of the papers differ in settings:

- DARTS searches with affine=False, pool_norm=True (what SUPERNET holds): 1,930,618 weights;
- PR-DARTS (Zhou et al., 2020, https://arxiv.org/abs/2006.16537) with layers=6, affine=False, track=False,
  last_norm=True: 1,323,002 weights.

Departures from the papers: sizes that the originals refuse (odd or small images) are rounded up at each reduction.
"""

from typing import Any, Literal

from nasengine.errors import SpaceError
from nasengine.layers import (
    AuxiliaryHead,
    AvgPool,
    BatchNorm,
    Classifier,
    ConvNorm,
    DilatedConv,
    DropPath,
    FactorizedReduce,
    Identity,
    MaxPool,
    ReLUConvNorm,
    SeparableConv,
    Zero,
)
from nasengine.space import (
    Choice,
    Node,
    Published,
    Space,
    aside,
    cell,
    chain,
    choose,
    network,
    op,
    reads,
    relaxed_only,
    shared,
    stack,
)

SUPERNET = {"affine": False, "pool_norm": True, "drop_path": False}
RECIPES = {"32x32": "darts-cifar10", "224x224": "darts-imagenet"}  # of the published networks, by the images' size


def space(
    input: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    channels: int = 16,
    layers: int = 8,
    nodes: int = 4,
    stem: Literal["cifar", "imagenet"] = "cifar",
    affine: bool = True,
    pool_norm: bool = False,
    track: bool = True,
    last_norm: bool = False,
    auxiliary: bool = False,
    drop_path: bool = True,
    none: bool = True,
) -> Space:
    """The space at one scale; architectures of one scale are architectures of every other.

    channels: width of the first cells, doubled at each reduction
    layers: number of cells; those at a third and two thirds reduce
    nodes: nodes in a cell
    stem: "cifar" keeps the image's size, "imagenet" divides it by 8
    affine: whether the norms in the cells learn a scale and a shift
    pool_norm: whether a norm follows each pooling
    track: whether the norms in the cells keep running statistics; without, evaluation uses the batch's
    last_norm: whether a norm and a ReLU stand before the classifier
    auxiliary: whether a second classifier stands at two thirds, for the loss in training
    drop_path: whether paths can be dropped in training, at the rate that the recipe sets
    none: whether the empty operation competes in the supernet
    """
    if layers < 1 or nodes < 1 or channels < 1:
        raise SpaceError(f"space darts: layers={layers}, nodes={nodes}, channels={channels} came; each is at least 1")
    norm = {"affine": affine, "track": track}
    width, reduced, cells = channels, stem == "imagenet", []
    for i in range(layers):
        reduce = i in (layers // 3, 2 * layers // 3)
        width *= 1 + reduce
        strided = _operations(2, norm, pool_norm, drop_path, none) if reduce else None
        plain = _operations(1, norm, pool_norm, drop_path, none)
        before = op(FactorizedReduce if reduced else ReLUConvNorm, width=width, **norm)
        prepare = (before, op(ReLUConvNorm, width=width, **norm))
        made: Node = shared("reduce" if reduce else "normal", cell(_edges(plain, strided), prepare, nodes))
        if auxiliary and i == 2 * layers // 3:
            made = chain(made, aside("auxiliary", op(AuxiliaryHead, classes=classes, last_norm=stem == "cifar")))
        cells.append(made)
        reduced = reduce
    head = op(Classifier, classes=classes, norm=last_norm)
    if stem == "cifar":
        whole = network(stem=op(ConvNorm, width=3 * channels, kernel=3), cells=stack(*cells), head=head)
    else:
        whole = network(**_imagenet_stem(channels), cells=reads("stem0", "stem1", stack(*cells)), head=head)
    return Space("darts", input=input, network=whole)


def _imagenet_stem(channels: int) -> dict[str, Node]:
    """Two states for the first cell, at a quarter and an eighth of the image's size."""
    narrow = op(ConvNorm, width=channels // 2, kernel=3, stride=2)
    wide = op(ReLUConvNorm, width=channels, kernel=3, stride=2)
    return {"stem0": chain(narrow, wide), "stem1": op(ReLUConvNorm, width=channels, kernel=3, stride=2)}


def _edges(plain: Choice, strided: Choice | None) -> Any:
    """In a reduction cell the edges from the cell's inputs, states 0 and 1, have the stride."""
    return lambda source, node: strided if strided and source < 2 else plain


def _operations(stride: int, norm: dict[str, bool], pool_norm: bool, drop_path: bool, none: bool) -> Choice:
    """One edge; its options are in the published order."""
    drop = [op(DropPath)] if drop_path else []
    after_pool = [op(BatchNorm, affine=False, track=norm["track"])] if pool_norm else []
    empty = {"none": relaxed_only(op(Zero, stride=stride))} if none else {}
    return choose(
        "op",
        **empty,
        max_pool_3x3=_line(op(MaxPool, kernel=3, stride=stride), *after_pool, *drop),
        avg_pool_3x3=_line(op(AvgPool, kernel=3, stride=stride), *after_pool, *drop),
        skip_connect=op(Identity) if stride == 1 else _line(op(FactorizedReduce, **norm), *drop),
        sep_conv_3x3=_line(op(SeparableConv, kernel=3, stride=stride, **norm), *drop),
        sep_conv_5x5=_line(op(SeparableConv, kernel=5, stride=stride, **norm), *drop),
        dil_conv_3x3=_line(op(DilatedConv, kernel=3, stride=stride, **norm), *drop),
        dil_conv_5x5=_line(op(DilatedConv, kernel=5, stride=stride, **norm), *drop),
    )


def _line(first: Node, *rest: Node) -> Node:
    """A chain, unless there is one node only: its place then has no number."""
    return chain(first, *rest) if rest else first


SHORT = {
    "mp": "max_pool_3x3", "ap": "avg_pool_3x3", "sk": "skip_connect", "s3": "sep_conv_3x3", "s5": "sep_conv_5x5",
    "d3": "dil_conv_3x3", "d5": "dil_conv_5x5",
}  # fmt: skip


def cells(normal: str, reduce: str) -> dict[str, tuple[str, ...]]:
    """The picks of two cells written as `s3@1 sk@0 | …`: per node, operation @ state (0 and 1 are the inputs)."""
    picks: dict[str, tuple[str, ...]] = {}
    for name, text in (("normal", normal), ("reduce", reduce)):
        for n, node in enumerate(text.split("|")):
            edges = sorted((int(state), SHORT[short]) for short, state in (edge.split("@") for edge in node.split()))
            states = [f"in{state}" if state < 2 else f"node{state - 2}" for state, _ in edges]
            picks[f"{name}.node{n}.inputs"] = tuple(states)
            for state, (_, operation) in zip(states, edges, strict=True):
                picks[f"{name}.node{n}.{state}.op"] = (operation,)
    return picks


def _published(note: str, normal: str, reduce: str) -> Published:
    settings = {"input": (3, 32, 32), "channels": 36, "layers": 20, "auxiliary": True}
    return Published(cells(normal, reduce), settings, note)


ARCHITECTURES = {
    "DARTS_V1": _published(
        "first order, https://arxiv.org/abs/1806.09055",
        "s3@1 s3@0 | sk@0 s3@1 | sk@0 s3@1 | s3@0 sk@2",
        "mp@0 mp@1 | sk@2 mp@0 | mp@0 sk@2 | sk@2 ap@0",
    ),
    "DARTS_V2": _published(
        "second order, https://arxiv.org/abs/1806.09055",
        "s3@0 s3@1 | s3@0 s3@1 | s3@1 sk@0 | sk@0 d3@2",
        "mp@0 mp@1 | sk@2 mp@1 | mp@0 sk@2 | sk@2 mp@1",
    ),
    "PC_DARTS_cifar": _published(
        "searched on CIFAR-10, https://arxiv.org/abs/1907.05737",
        "s3@1 sk@0 | s3@0 d3@1 | s5@0 s3@1 | ap@0 d3@1",
        "s5@1 mp@0 | s5@1 s5@2 | s3@0 s3@3 | s3@1 s3@2",
    ),
    "PC_DARTS_image": _published(
        "searched on ImageNet, https://arxiv.org/abs/1907.05737",
        "sk@1 s3@0 | s3@0 sk@1 | s3@1 s3@3 | s3@1 d5@4",
        "s3@0 sk@1 | d5@2 mp@1 | s3@2 s3@1 | s5@0 s3@3",
    ),
    "PDARTS": _published(
        "https://arxiv.org/abs/1904.12760",
        "sk@0 d3@1 | sk@0 s3@1 | s3@1 s3@3 | s3@0 d5@4",
        "ap@0 s5@1 | s3@0 d5@2 | mp@0 d3@1 | d3@1 d5@3",
    ),
    "GDAS_V1": _published(
        "https://arxiv.org/abs/1910.04465",
        "sk@0 sk@1 | sk@0 s5@2 | s3@3 sk@0 | s5@4 s3@3",
        "s5@0 s3@1 | s5@2 s5@1 | d5@2 s3@1 | s5@0 s5@2",
    ),
    "SNAS": _published(
        "https://arxiv.org/abs/1812.09926",
        "s3@0 s3@1 | sk@0 d3@1 | sk@1 sk@0 | sk@0 s3@1",
        "mp@0 mp@1 | mp@1 sk@2 | sk@2 mp@1 | mp@0 d5@2",
    ),
    "DrNAS_cifar10": _published(
        "searched on CIFAR-10, https://arxiv.org/abs/2006.10355",
        "s3@0 s5@1 | s3@1 s3@2 | sk@0 s3@1 | s3@2 d5@3",
        "mp@0 s5@1 | d5@2 s5@1 | s5@1 d5@3 | sk@4 s5@1",
    ),
    "DrNAS_imagenet": _published(
        "searched on ImageNet, https://arxiv.org/abs/2006.10355",
        "s3@1 s3@0 | s3@0 s3@1 | s3@0 d3@3 | sk@0 s3@1",
        "mp@0 s3@1 | s3@0 sk@2 | s3@0 s3@2 | s3@3 s3@1",
    ),
    "PRDARTS": _published(
        "https://arxiv.org/abs/2006.16537",
        "sk@0 s3@1 | d3@2 s3@0 | d3@3 s3@1 | d3@4 d3@1",
        "ap@0 d5@1 | s3@0 d5@2 | s5@1 d3@3 | d5@4 d5@1",
    ),
}
