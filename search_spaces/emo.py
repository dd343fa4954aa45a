"""EMO (Zhang et al., ICCV 2023, https://arxiv.org/abs/2301.01146): inverted residuals, some of which attend first.

Four stages of one kind of block, the inverted residual mobile block: attention in windows or none, pointwise expansion,
depthwise convolution, pointwise projection, with a norm before and a shortcut around. A stage decides on its width and
depth, each block on kernel, expansion and whether it attends; a stage's first block halves the map, does not attend
and expands to twice as many channels. The published networks have the parameters that the paper gives, which it cuts
off after the first decimal of a million; the multiply-adds are one or two in a hundred below its operations.

Departures: see EMOAttention; batch norms before blocks have torch's epsilon; small images have fewer strides, odd ones
are rounded up at each; paths are dropped at one rate in all blocks, where the paper raises it from block to block;
weights begin as torch's layers do, not from a truncated normal distribution.
"""

from collections.abc import Iterator
from typing import Any

from nasengine.errors import SpaceError
from nasengine.layers import BatchNorm, Classifier, DropPath, EMOAttention, EMOConv, EMOStem, TokenNorm
from nasengine.layers.resize import strides_for
from nasengine.space import Choice, Node, Published, Space, add, chain, choose, network, op, reads, repeat

STAGES = range(1, 5)


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    widths: tuple[int, ...] = (32, 48, 80, 168),
    depths: tuple[int, ...] = (2, 2, 8, 3),
    expansions: tuple[float, ...] = (2, 2.5, 3, 3.5),
    heads: tuple[int, ...] = (16, 16, 20, 21),
    kernels: tuple[int, ...] = (3, 5),
    window: int = 7,
    stem: int = 24,
    smallest_map: int = 4,
) -> Space:
    """A stem and four stages; the defaults are the sizes of EMO-1M.

    widths: the medium width of each stage, a multiple of its heads; narrow and wide have a head less and more
    depths: the medium number of blocks of each stage; shallow is one less (where any are left), deep one more
    expansions: the medium expansion of each stage; each block may have half less or half more
    heads: channels of a head in each stage
    kernels: sides of the depthwise kernels to choose from, odd
    window: the largest side of a window of attention, in positions
    stem: width of the first layers
    smallest_map: pixels a side that the last maps keep at least; on small images the first strides are left out for it
    """
    sizes = {"widths": widths, "depths": depths, "expansions": expansions, "heads": heads}
    if faults := list(_faults(input, sizes, kernels, {"window": window, "stem": stem}, smallest_map)):
        raise SpaceError("\n".join(f"space emo: {fault}" for fault in faults))
    first, *strides = strides_for(min(input[1:]), (2,) * 5, smallest_map)
    steps: dict[str, Node] = {"stem": op(EMOStem, width=stem, stride=first)}
    for i, number in enumerate(STAGES):
        style: dict[str, Any] = {"activation": "silu" if number < 3 else "gelu"}
        norm = op(BatchNorm) if number < 3 else op(TokenNorm, epsilon=1e-6)
        kernel, expand = choose("kernel", *kernels), _expand(expansions[i])
        shape = {"kernel": kernel, "expand": _expand(expansions[i], times=2)}
        conv = op(EMOConv, width=_width(widths[i], heads[i]), stride=strides[i], **shape, **style)
        down = chain(norm=norm, conv=conv)
        style |= {"kernel": kernel, "expand": expand}
        attention = op(EMOAttention, head=heads[i], window=window, **style)
        mixer = choose("mixer", conv=op(EMOConv, **style), attention=attention)
        block = network(norm=norm, mixer=mixer, drop=op(DropPath), out=reads("input", "drop", add()))
        steps[f"stage{number}"] = chain(down=down, blocks=repeat(block, _depth(depths[i])))
    head = {"norm": op(TokenNorm, epsilon=1e-6), "head": op(Classifier, classes=classes)}
    return Space("emo", input=input, network=chain(**steps, **head))


def _expand(medium: float, times: int = 1) -> Choice:
    return choose("expand", **{f"{e:g}": float(times * e) for e in (medium - 0.5, medium, medium + 0.5) if e > 0})


def _width(medium: int, head: int) -> Choice:
    options = {"narrow": medium - head, "medium": medium, "wide": medium + head}
    return choose("width", **{name: width for name, width in options.items() if width > 0})


def _depth(medium: int) -> Choice:
    """How many blocks follow the first."""
    options = {"shallow": medium - 1, "medium": medium, "deep": medium + 1}
    return choose("depth", **{name: depth - 1 for name, depth in options.items() if depth > 0})


def _faults(
    input: tuple[int, int, int],
    sizes: dict[str, tuple[Any, ...]],
    kernels: tuple[int, ...],
    numbers: dict[str, int],
    smallest_map: int,
) -> Iterator[str]:
    for name, given in sizes.items():
        if len(given) != len(STAGES) or min(given, default=0) <= 0:
            yield f"{name}={given} came; give four numbers above 0, one for every stage"
    for number, width, head in zip(STAGES, sizes["widths"], sizes["heads"], strict=False):
        if head > 0 and width % head:
            yield (
                f"stage{number}.down.conv.width: {width} channels came; heads of {head} must divide them, change "
                "widths or heads"
            )
    if not kernels or any(kernel < 1 or kernel % 2 == 0 for kernel in kernels):
        yield f"kernels={kernels} came; give odd numbers, so that smaller ones lie in the middle"
    for name, number in numbers.items():
        if number < 1:
            yield f"{name}={number} came; give 1 or more"
    wanted = max((kernel // 2 + 1 for kernel in kernels), default=1)
    if smallest_map < wanted:
        yield (
            f"smallest_map={smallest_map} came; kernels={kernels} are told apart on maps of at least {wanted} pixels a "
            "side, give that or smaller kernels"
        )
    if min(input[1:]) < smallest_map:
        yield (
            f"images of {input[1]} by {input[2]} pixels came; the last maps have at least {smallest_map} pixels a "
            "side, so give images of at least that size, or a smaller smallest_map"
        )


def picks(depths: tuple[int, ...], expansions: tuple[float, ...]) -> dict[str, tuple[str, ...]]:
    """The picks of a published network: medium sizes, kernels of 3 and later 5, attention in the last two stages."""
    made: dict[str, tuple[str, ...]] = {}
    for number, depth, expansion in zip(STAGES, depths, expansions, strict=True):
        stage = f"stage{number}"
        shape = {"kernel": ("3" if number < 3 else "5",), "expand": (f"{expansion:g}",)}
        made |= {f"{stage}.down.conv.width": ("medium",), f"{stage}.blocks.depth": ("medium",)}
        made |= {f"{stage}.down.conv.{name}": option for name, option in shape.items()}
        for block in range(depth - 1):
            mixer = "conv" if number < 3 else "attention"
            place = f"{stage}.blocks.{block}.mixer"
            made[f"{place}.mixer"] = (mixer,)
            made |= {f"{place}.{mixer}.{name}": option for name, option in shape.items()}
    return made


SIZES = {  # widths, depths, expansions, channels of a head
    "EMO-1M": ((32, 48, 80, 168), (2, 2, 8, 3), (2, 2.5, 3, 3.5), (16, 16, 20, 21)),
    "EMO-2M": ((32, 48, 120, 200), (3, 3, 9, 3), (2, 2.5, 3, 3.5), (16, 16, 20, 20)),
    "EMO-5M": ((48, 72, 160, 288), (3, 3, 9, 3), (2, 3, 4, 4), (24, 24, 32, 32)),
    "EMO-6M": ((48, 72, 160, 320), (3, 3, 9, 3), (2, 3, 4, 5), (16, 24, 20, 32)),
}


def _published(
    widths: tuple[int, ...], depths: tuple[int, ...], expansions: tuple[float, ...], heads: tuple[int, ...]
) -> Published:
    sizes = {"widths": widths, "depths": depths, "expansions": expansions, "heads": heads}
    settings = {"input": (3, 224, 224), "classes": 1000, **sizes}
    return Published(picks(depths, expansions), settings, "https://arxiv.org/abs/2301.01146")


ARCHITECTURES = {name: _published(*sizes) for name, sizes in SIZES.items()}
