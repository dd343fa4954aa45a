"""The published MetaFormers: PoolFormer, and the baselines of the MetaFormer paper."""

from typing import Any, NamedTuple

from nasengine.space import Published

FIRST_PAPER, SECOND_PAPER = "https://arxiv.org/abs/2111.11418", "https://arxiv.org/abs/2210.13452"
NARROW, WIDE = (64, 128, 320, 512), (96, 192, 384, 768)
POOLFORMER = {"downsampling_norm": False, "bias": True, "scale": "layer", "head": "group"}
BASELINE = {"downsampling_norm": True, "bias": False, "scale": "residual"}


class Size(NamedTuple):
    """Channels and blocks of the four stages."""

    widths: tuple[int, ...]
    depths: tuple[int, ...]


POOLFORMER_SIZES = {  # IdentityFormer, RandFormer and PoolFormerV2 have the same
    "s12": Size(NARROW, (2, 2, 6, 2)),
    "s24": Size(NARROW, (4, 4, 12, 4)),
    "s36": Size(NARROW, (6, 6, 18, 6)),
    "m36": Size(WIDE, (6, 6, 18, 6)),
    "m48": Size(WIDE, (8, 8, 24, 8)),
}
CONVFORMER_SIZES = {  # CAFormer has the same
    "s18": Size(NARROW, (3, 3, 9, 3)),
    "s36": Size(NARROW, (3, 12, 18, 3)),
    "m36": Size((96, 192, 384, 576), (3, 12, 18, 3)),
    "b36": Size((128, 256, 512, 768), (3, 12, 18, 3)),
}


def _published(size: Size, mixers: tuple[str, ...], norm: str, activation: str, note: str, **style: Any) -> Published:
    """A network of four stages with these mixers; all blocks of a stage are alike."""
    settings = {
        "input": (3, 224, 224), "classes": 1000, "widths": size.widths, "depths": size.depths, "width_factors": (1.0,),
        "depth_factors": (1.0,), "mixers": tuple(dict.fromkeys(mixers)), "kernels": (7,), "ratios": (4,),
        "per": "stage", "head_channels": 32, "stem": (7, 4, 2), "drop_path": True, **style,
    }  # fmt: skip
    picks: dict[str, tuple[str, ...]] = {}
    for number, (width, depth, mixer) in enumerate(zip(*size, mixers, strict=True), 1):
        stage = {"width": str(width), "depth": str(depth), "norm": norm, "mixer.op": mixer}
        stage |= {"mixer.conv.kernel": "7"} if mixer == "conv" else {}
        stage |= {"mlp.up.ratio": "4", "activation": activation}
        picks |= {f"stage{number}.{name}": (option,) for name, option in stage.items()}
    return Published(picks, settings, note)


def _all() -> dict[str, Published]:
    found = {}
    for name, size in POOLFORMER_SIZES.items():
        start = 1e-5 if name in ("s12", "s24") else 1e-6
        style = {**POOLFORMER, "layer_scale": start}
        found[f"poolformer-{name}"] = _published(size, ("pool",) * 4, "group", "gelu", FIRST_PAPER, **style)
    families = {
        "identityformer": ("identity",) * 4,
        "randformer": ("identity", "identity", "random", "random"),
        "poolformerv2": ("pool",) * 4,
    }
    for family, mixers in families.items():
        for name, size in POOLFORMER_SIZES.items():
            style = {**BASELINE, "head": "linear"}
            found[f"{family}-{name}"] = _published(size, mixers, "layer", "star_relu", SECOND_PAPER, **style)
    families = {"convformer": ("conv",) * 4, "caformer": ("conv", "conv", "attention", "attention")}
    for family, mixers in families.items():
        for name, size in CONVFORMER_SIZES.items():
            style = {**BASELINE, "head": "mlp"}
            found[f"{family}-{name}"] = _published(size, mixers, "channel", "star_relu", SECOND_PAPER, **style)
    return found


ARCHITECTURES = _all()
