"""The sizes of MetaFormers: those of their maps, and the settings that cannot be."""

from collections.abc import Iterator, Mapping, Sequence

from nasengine.errors import SpaceError, did_you_mean
from nasengine.search_spaces._metaformer_mixers import MIXERS, WHOLE_HEADS


def sides(input: Sequence[int], stages: int, stem: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Height and width of the maps in each stage; `stem` is kernel, stride and padding."""
    kernel, stride, padding = stem
    height, width = ((side + 2 * padding - kernel) // stride + 1 for side in input[1:])
    found = []
    for _ in range(stages):
        found.append((height, width))
        height, width = (height + 1) // 2, (width + 1) // 2
    return found


def shares(depths: Sequence[int]) -> list[float]:
    """The mean place of each stage's blocks, from 0 for the first block of all to 1 for the last."""
    middles = [sum(depths[:i]) + (depth - 1) / 2 for i, depth in enumerate(depths)]
    return [middle / max(1, sum(depths) - 1) for middle in middles]


def require(
    input: Sequence[int],
    widths: Sequence[int],
    depths: Sequence[int],
    mixers: Sequence[str],
    kernels: Sequence[int],
    head: int,
    stem: tuple[int, int, int],
    factors: Mapping[str, Sequence[float]],
    dropout: float,
) -> None:
    """Raise SpaceError with every setting that cannot be, each with its place and what to do."""
    faults = [
        *_of_stages(widths, depths),
        *_of_factors(factors),
        *_of_mixers(mixers, kernels),
        *_of_heads(widths, factors["width_factors"], head, [mixer for mixer in mixers if mixer in WHOLE_HEADS]),
        *_of_images(input, len(widths), stem),
        *([] if 0 <= dropout < 1 else [f"head_dropout={dropout} came; give a share of 0 or more, below 1"]),
    ]
    if faults:
        raise SpaceError("\n".join(f"space metaformer: {fault}" for fault in faults))


def _of_stages(widths: Sequence[int], depths: Sequence[int]) -> Iterator[str]:
    if not widths or len(widths) != len(depths) or min((*widths, *depths)) < 1:
        yield f"widths {widths} and depths {depths} came; give a number of 1 or more in both for each stage"


def _of_factors(factors: Mapping[str, Sequence[float]]) -> Iterator[str]:
    for name, given in factors.items():
        if not given or min(given) <= 0:
            yield f"{name}={given} came; give one number or more, each above 0"


def _of_mixers(mixers: Sequence[str], kernels: Sequence[int]) -> Iterator[str]:
    if not mixers:
        yield f"mixers is empty; give some of {', '.join(MIXERS)}"
    for mixer in mixers:
        if mixer not in MIXERS:
            yield f'mixer "{mixer}" is unknown; there are {", ".join(MIXERS)}.{did_you_mean(mixer, MIXERS)}'
    if even := [kernel for kernel in kernels if kernel % 2 == 0 or kernel < 1]:
        yield f"kernels {even} came, which would change the maps' sizes; give odd ones"
    if not kernels:
        yield "kernels is empty; give one odd number or more"


def _of_heads(widths: Sequence[int], factors: Sequence[float], head: int, mixers: Sequence[str]) -> Iterator[str]:
    if head < 1 or (head % 2 and "iformer" in mixers):
        yield f"head_channels={head} came; give 1 or more channels, for iformer an even number"
        return
    for i, width in enumerate(widths if mixers else ()):
        sizes = [int(width * factor) for factor in factors]
        if uneven := [size for size in sizes if size % head]:
            yield (
                f"stage{i + 1}.width: widths {uneven} came, and {' and '.join(mixers)} has heads of {head} channels, "
                f"which must divide them; change head_channels or widths, or leave {' and '.join(mixers)} out of mixers"
            )
        elif "iformer" in mixers and min(sizes, default=2 * head) < 2 * head:
            yield (
                f"stage{i + 1}.width: {min(sizes)} channels came, and iformer convolves what a head of {head} leaves; "
                f"give {2 * head} or more, a smaller head_channels, or leave iformer out of mixers"
            )


def _of_images(input: Sequence[int], stages: int, stem: tuple[int, int, int]) -> Iterator[str]:
    if min(stem[:2]) < 1 or stem[2] < 0:
        yield f"stem={stem} came; give a kernel and a stride of 1 or more, and a padding of 0 or more"
        return
    strides = stem[1] * 2 ** (stages - 1)
    if min(input[1:]) < strides:
        yield (
            f"stage{stages}.downsampling: images of {input[1]} by {input[2]} came, and the strides up to here divide "
            f"by {strides}; give images of at least {strides} by {strides}, fewer widths and depths, or a smaller stem"
        )
