"""MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452): stages of blocks that mix positions, then channels.

The published networks are PoolFormer (https://arxiv.org/abs/2111.11418) and MetaFormer's baselines IdentityFormer,
RandFormer, PoolFormerV2, ConvFormer and CAFormer, equal in parameters and multiply-adds to the last digit. Mixers of
seven other papers can be asked for by name (see `mixers`); they stand where a mixer stands here, before an MLP. The
random one ties a network to one image size.

Departures from the papers:
- queries, keys and values have a matrix each, so that widths can be cut;
- weights start as torch's layers do, not from a normal distribution of deviation 0.02 with biases of zero;
- the rate at which paths drop rises from stage to stage, each at the mean of its blocks, not from block to block.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from nasengine.layers import (
    GELU,
    BatchNorm,
    ChannelNorm,
    Classifier,
    Downsampling,
    Expand,
    GroupNorm,
    LayerScale,
    MLPClassifier,
    Norm,
    NormClassifier,
    Pointwise,
    ResScale,
    ScheduledDropPath,
    StarReLU,
)
from nasengine.search_spaces._metaformer_mixers import MIXERS as MIXERS
from nasengine.search_spaces._metaformer_mixers import mixer_choice
from nasengine.search_spaces._metaformer_published import ARCHITECTURES as ARCHITECTURES
from nasengine.search_spaces._metaformer_sizes import require, shares, sides
from nasengine.space import Node, Space, add, chain, choose, derived, network, op, reads, repeat, shared

THIRD = 2  # the first stage whose shortcuts have factors


def space(
    input: tuple[int, int, int] = (3, 64, 64),
    classes: int = 10,
    widths: tuple[int, ...] = (32, 64, 128),
    depths: tuple[int, ...] = (2, 4, 4),
    width_factors: tuple[float, ...] = (1, 1.5),
    depth_factors: tuple[float, ...] = (0.5, 0.75, 1),
    mixers: tuple[str, ...] = ("identity", "pool", "conv", "attention"),
    kernels: tuple[int, ...] = (3, 5, 7),
    ratios: tuple[int, ...] = (2, 3, 4),
    per: Literal["block", "stage"] = "block",
    head_channels: int = 16,
    stem: tuple[int, int, int] = (3, 2, 1),
    downsampling_norm: bool = True,
    bias: bool = False,
    scale: Literal["none", "layer", "residual"] = "residual",
    layer_scale: float = 1e-5,
    head: Literal["linear", "mlp", "group"] = "linear",
    head_dropout: float = 0.0,
    drop_path: bool = False,
) -> Space:
    """As many stages as there are widths; the defaults suit small images, the published settings ImageNet's.

    widths: channels of each stage
    depths: blocks of each stage
    width_factors: what each stage may choose to multiply its width by
    depth_factors: what each stage may choose to multiply its depth by, rounded down to at least one block
    mixers: of identity, pool, conv, attention, random, inception, iformer, uniformer, moat, emo, efficientmod, window
    kernels: what a conv mixer may choose from
    ratios: how many times the channels an MLP may have inside
    per: whether each block chooses its mixer, kernel and ratio, or one choice serves all blocks of a stage
    head_channels: channels of one attention head; for the mixers attention, iformer and emo they divide every width
    stem: kernel, stride and padding of the first convolution; in the papers 7,4,2
    downsampling_norm: whether the downsamplings have a norm, after the first and before the later ones
    bias: whether the two layers of an MLP have a bias
    scale: learned factors at the end of each branch ("layer"), on the shortcuts from the third stage on, or none
    layer_scale: where the factors of "layer" start
    head: layer norm and a linear layer, the same with an MLP, or group norm before the mean and a linear layer
    head_dropout: share of an MLP head's channels that are dropped in training
    drop_path: whether paths can be dropped in training, at a rate that rises to what the recipe sets
    """
    factors = {"width_factors": width_factors, "depth_factors": depth_factors, "ratios": ratios}
    require(input, widths, depths, mixers, kernels, head_channels, stem, factors, head_dropout)
    maps, drops = sides(input, len(widths), stem), shares(depths)
    stages: dict[str, Node] = {}
    for i, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        name = f"stage{i + 1}"
        after: dict[str, Node] = {"scale": op(LayerScale, start=layer_scale)} if scale == "layer" else {}
        after |= {"drop": op(ScheduledDropPath, share=drops[i])} if drop_path else {}
        shortcut = op(ResScale) if scale == "residual" and i >= THIRD else None
        sizes = dict.fromkeys(int(width * factor) for factor in width_factors)
        mixer = mixer_choice(mixers, kernels, head_channels, min(sizes), maps[i])
        block = _block(name, mixer, _mlp(name, ratios, bias), after, shortcut)
        first = dict(zip(("kernel", "stride", "padding"), stem, strict=True)) if i == 0 else {}
        norm = ("before" if i else "after") if downsampling_norm else "none"
        counts = dict.fromkeys(max(1, int(depth * factor)) for factor in depth_factors)
        stages[name] = chain(
            downsampling=shared(name, op(Downsampling, width=choose("width", *sizes), **first, norm=norm)),
            blocks=shared(name, repeat(block, choose("depth", *counts), tie=per == "stage")),
        )
    return Space("metaformer", input=input, network=chain(**stages, head=_head(head, classes, head_dropout)))


def _head(kind: str, classes: int, dropout: float) -> Node:
    """From the last map to the classes."""
    heads: dict[str, Node] = {
        "linear": op(NormClassifier, classes=classes),
        "mlp": op(MLPClassifier, classes=classes, dropout=dropout),
        "group": chain(norm=op(GroupNorm), classifier=op(Classifier, classes=classes)),
    }
    return heads[kind]


def _mlp(stage: str, ratios: Sequence[int], bias: bool) -> Node:
    """What mixes channels; the stage's width comes out of it again."""
    return chain(
        up=op(Expand, ratio=choose("ratio", *ratios), bias=bias),
        activation=shared(stage, choose("activation", star_relu=op(StarReLU), gelu=op(GELU))),
        down=op(Pointwise, width=derived(_same, "width"), bias=bias),
    )


def _same(width: int) -> int:
    return width


def _block(stage: str, mixer: Node, mlp: Node, after: Mapping[str, Node], shortcut: Node | None) -> Node:
    """Both mixings, each shortcut(x) + after(mixing(norm(x))); the kind of norm is the stage's."""
    norm = shared(
        stage, choose("norm", layer=op(Norm), channel=op(ChannelNorm), group=op(GroupNorm), batch=op(BatchNorm))
    )
    steps: dict[str, Any] = {}
    source = "input"
    for name, mixing in {"mixer": mixer, "mlp": mlp}.items():
        steps |= {f"{name}_norm": reads(source, norm), name: mixing}
        steps |= {f"{name}_{word}": node for word, node in after.items()}
        branch = [*steps][-1]
        if shortcut is not None:
            steps[f"{name}_shortcut"] = reads(source, shortcut)
            source = f"{name}_shortcut"
        steps[f"{name}_sum"] = reads(source, branch, add())
        source = f"{name}_sum"
    return network(**steps)
