"""AutoFormer (Chen et al., 2021, https://arxiv.org/abs/2107.00651): a vision transformer's width, depth, heads, MLPs.

One width for all blocks; each block has its own number of heads, of 64 channels whatever the width, and its own MLP
ratio. Every size is cut out of the largest one, which the paper calls weight entanglement. ViT (Dosovitskiy et al.,
2021, https://arxiv.org/abs/2010.11929) and DeiT (Touvron et al., 2021, https://arxiv.org/abs/2012.12877) are networks
of the same space.

Departures from the published code: the supernet is as large as the largest options (there some wider); relative
positions take oblong images too; there are no dropout and no drop path.
"""

from typing import Any, Literal

from nasengine.errors import SpaceError
from nasengine.layers import FeedForward, HeadedAttention, PatchEmbedding, TokenClassifier, TokenNorm
from nasengine.layers.vision_transformer import HEAD
from nasengine.space import Published, Space, chain, choose, op, repeat, residual


def space(
    input: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    patch: int = 4,
    widths: tuple[int, ...] = (192, 216, 240),
    depths: tuple[int, ...] = (12, 13, 14),
    heads: tuple[int, ...] = (3, 4),
    ratios: tuple[float, ...] = (3.5, 4),
    relative: bool = True,
    pool: Literal["mean", "class"] = "mean",
) -> Space:
    """A chosen number of transformer blocks over patches of the image; the sizes are those of AutoFormer-tiny.

    patch: side of a patch, in pixels
    widths: channels of a token to choose from
    depths: numbers of blocks to choose from
    heads: numbers of heads of each block to choose from, of 64 channels each
    ratios: factors of the channels inside each MLP to choose from
    relative: whether attention knows the distance of patches, in rows and in columns
    pool: "mean" classifies the mean of the patches, "class" the class token
    """
    height, width = input[1:]
    faults = []
    for name, values in (("widths", widths), ("depths", depths), ("heads", heads), ("ratios", ratios)):
        if not values or min(values) <= 0:
            faults.append(f"{name}={values} came; give one number or more, each above 0")
    if patch < 1:
        faults.append(f"patch={patch} came; give 1 pixel or more")
    elif height < patch or width < patch:
        faults.append(
            f"images of {height} by {width} pixels came; with patches of {patch} they are at least {patch} by {patch}, "
            "so give larger images or a smaller patch"
        )
    elif height % patch or width % patch:
        faults.append(
            f"images of {height} by {width} pixels came; patches of {patch} must divide both sides, so resize the "
            "images or give another patch"
        )
    if faults:
        raise SpaceError("space vit: " + "; ".join(faults))
    grid = height // patch, width // patch
    attention = op(HeadedAttention, heads=choose("heads", *heads), grid=grid if relative else None)
    mlp = op(FeedForward, ratio=choose("ratio", **{f"{ratio:g}": float(ratio) for ratio in ratios}))
    block = chain(
        attention=residual(op(TokenNorm), attention),
        mlp=residual(op(TokenNorm), mlp),
    )
    embedding = op(PatchEmbedding, width=choose("width", *widths), patch=patch, tokens=grid[0] * grid[1])
    return Space(
        "vit",
        input=input,
        network=chain(
            embedding=embedding,
            blocks=repeat(block, choose("depth", *depths)),
            head=op(TokenClassifier, classes=classes, pool=pool),
        ),
    )


def picks(width: int, heads: str, ratios: str) -> dict[str, tuple[str, ...]]:
    """The picks of a width and of as many blocks as there are heads and ratios."""
    each = list(zip(heads.split(), ratios.split(), strict=True))
    made: dict[str, tuple[str, ...]] = {"embedding.width": (str(width),), "blocks.depth": (str(len(each)),)}
    for number, (head, ratio) in enumerate(each):
        made[f"blocks.{number}.attention.heads"] = (head,)
        made[f"blocks.{number}.mlp.ratio"] = (ratio,)
    return made


IMAGENET: dict[str, object] = {"input": (3, 224, 224), "classes": 1000, "patch": 16}


def _autoformer(widths: tuple[int, ...], depths: tuple[int, ...], heads: tuple[int, ...], *found: Any) -> Published:
    settings = {**IMAGENET, "widths": widths, "depths": depths, "heads": heads, "ratios": (3, 3.5, 4)}
    return Published(picks(*found), settings, "https://arxiv.org/abs/2107.00651")


def _plain(width: int, link: str) -> Published:
    heads = width // HEAD
    settings = {
        **IMAGENET, "widths": (width,), "depths": (12,), "heads": (heads,), "ratios": (4,), "relative": False,
        "pool": "class",
    }  # fmt: skip
    return Published(picks(width, f"{heads} " * 12, "4 " * 12), settings, link)


ARCHITECTURES = {
    "AutoFormer-T": _autoformer(
        (192, 216, 240), (12, 13, 14), (3, 4),
        192, "3 3 3 3 3 3 3 3 3 3 4 3 3", "3.5 3.5 3 3.5 3 3 4 4 3.5 4 3.5 4 3.5",
    ),
    "AutoFormer-S": _autoformer(
        (320, 384, 448), (12, 13, 14), (5, 6, 7),
        384, "6 6 5 7 5 5 5 6 6 7 7 6 7", "3 3.5 3 3.5 4 4 4 4 4 4 4 3.5 4",
    ),
    "AutoFormer-B": _autoformer(
        (528, 576, 624), (14, 15, 16), (9, 10),
        576, "9 9 9 9 9 10 9 9 10 9 10 9 9 10", "3.5 3.5 4 3.5 4 3.5 3.5 3 4 4 3 4 3 3.5",
    ),
    "DeiT-T": _plain(192, "https://arxiv.org/abs/2012.12877"),
    "DeiT-S": _plain(384, "https://arxiv.org/abs/2012.12877"),
    "ViT-B": _plain(768, "https://arxiv.org/abs/2010.11929"),
}  # fmt: skip
