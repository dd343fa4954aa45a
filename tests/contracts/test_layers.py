"""Every layer keeps the contract of layers: a new name in nasengine.layers is tested by being there."""

from typing import Any

import pytest

from nasengine import layers
from nasengine.testing import check_layer

# settings that a layer needs, and the sizes that spaces may choose from
SETTINGS: dict[str, dict[str, Any]] = {
    "AuxiliaryHead": {"classes": 10},
    "BottleneckConv": {"sizes": {"width": (24, 32), "hidden": (4, 8), "kernel": (3, 5)}, "stride": 2},
    "Classifier": {"classes": 10, "norm": True},
    "ContextModulation": {"sizes": {"kernel": (3, 7)}},
    "ConvNorm": {"sizes": {"width": (24, 32, 48), "kernel": (1, 3)}, "stride": 2},
    "ConvNormReLU": {"sizes": {"width": (24, 32), "kernel": (1, 3)}},
    "DepthwiseSeparable": {"sizes": {"kernel": (3, 5)}, "stride": 2},
    "DilatedConv": {"sizes": {"kernel": (3, 5)}},
    "Downsampling": {"sizes": {"width": (24, 32)}, "norm": "after"},
    "EMOAttention": {"sizes": {"expand": (2, 2.5), "kernel": (3, 5)}, "head": 8, "window": 3},
    "EMOConv": {"sizes": {"width": (24, 32), "expand": (2, 3), "kernel": (3, 5)}, "stride": 2, "activation": "silu"},
    "EMOStem": {"sizes": {"width": (16, 24)}},
    "Expand": {"sizes": {"ratio": (2, 3, 4)}},
    "FactorizedConv": {"sizes": {"width": (24, 32), "hidden": (4, 8)}, "stride": 2},
    "FactorizedReduce": {"sizes": {"width": (16, 24)}},
    "InvertedBottleneck": {"sizes": {"width": (24, 32), "kernel": (3, 5), "expand": (3, 6)}, "stride": 2},
    "MLP": {"sizes": {"ratio": (2, 3, 4)}},
    "MLPClassifier": {"classes": 10, "dropout": 0.1},
    "MobileAttention": {"sizes": {"expand": (2, 4), "kernel": (3, 5)}, "head": 8},
    "NormClassifier": {"classes": 10},
    "Pointwise": {"sizes": {"width": (24, 32)}},
    "RandomMixing": {"positions": 64},
    "Attention": {"head": 8},
    "GELUClassifier": {"classes": 10},
    "GlobalDownsampling": {"sizes": {"width": (16, 24), "heads": (1, 2)}, "head": 8},
    "InceptionDepthwise": {"sizes": {"kernel": (7, 9, 11)}},
    "InceptionMixer": {"heads": 1, "head": 8, "pool": 2},
    "LocalDownsampling": {"sizes": {"width": (16, 24)}},
    "LocalGlobalDownsampling": {"sizes": {"width": (16, 24), "heads": (1, 2)}, "head": 8},
    "LocalRelation": {"sizes": {"kernel": (3, 5)}},
    "PositionConv": {"sizes": {"kernel": (3, 5)}},
    "PositionMap": {"size": (8, 8)},
    "SelfAttention": {"head": 8},
    "TokenMLP": {"sizes": {"hidden": (4, 8)}, "size": (8, 8)},
    "UniNetConv": {"sizes": {"expansion": (2, 3)}},
    "UniNetDepthwise": {"sizes": {"expansion": (2, 3)}, "width": 24},
    "UpsampleTo": {"inputs": 2},
    "WindowAttention": {"head": 8, "window": 3},
    "ReLUConvNorm": {"sizes": {"width": (24, 32)}, "affine": False, "track": False},
    "ResidualReduction": {"sizes": {"width": (16, 24)}},
    "ConvNormActivation": {"sizes": {"width": (24, 32), "kernel": (1, 3)}, "stride": 2},
    "DepthwiseConv": {"sizes": {"width": (24, 32), "kernel": (3, 5)}, "stride": 2, "squeeze": 0.25},
    "FeedForward": {"sizes": {"ratio": (3, 3.5, 4)}},
    "GroupedMBConv": {"sizes": {"width": (24, 32), "kernel": (3, 5), "expand": (1, 3)}},
    "HeadedAttention": {"sizes": {"heads": (1, 2)}},
    "HiddenClassifier": {"classes": 10, "sizes": {"hidden": (24, 32)}},
    "MBConv": {
        "sizes": {"width": (24, 32), "kernel": (3, 5, 7), "expand": (3, 4, 6)},
        "squeeze": 0.25,
        "activation": "hard_swish",
        "gate": "hard_sigmoid",
    },
    "PatchEmbedding": {"sizes": {"width": (24, 32)}, "patch": 4, "tokens": 4},
    "PixelClassifier": {"classes": 10},
    "PointwiseInTwo": {"sizes": {"width": (24, 32)}},
    "Resize": {"size": 12},
    "TokenClassifier": {"classes": 10},
    "SepConv": {"sizes": {"kernel": (3, 7), "expand": (2, 3)}},
    "SeparableConv": {"sizes": {"kernel": (3, 5)}, "stride": 2},
    "Truncate": {"width": 8},
}


@pytest.mark.parametrize("name", layers.__all__)
def test_a_layer_keeps_its_contract(name: str) -> None:
    check_layer(getattr(layers, name), **SETTINGS.get(name, {})).require()
