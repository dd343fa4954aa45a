"""Operations as plain nn.Modules: torch only, the width that arrives first, so that exported source stands alone.

Class attributes say what a layer is to those who never look inside: `kind` ("conv", "skip", "pool", "attention",
"mlp", "norm", "zero"), `identity` (its output is its input), `zero` (it puts out zeros), `keeps_zero` (it maps zero to
zero) and `training_only` (the identity at evaluation).
"""

from nasengine.layers.activation import ReLU, StarReLU
from nasengine.layers.attention import Attention
from nasengine.layers.bottleneck import BottleneckConv, FactorizedConv
from nasengine.layers.convolution import (
    ConvNorm,
    ConvNormReLU,
    DepthwiseSeparable,
    DilatedConv,
    InvertedBottleneck,
    ReLUConvNorm,
    SeparableConv,
    SepConv,
)
from nasengine.layers.head import AuxiliaryHead, Classifier
from nasengine.layers.hidden_classifier import HiddenClassifier
from nasengine.layers.inverted_residual import (
    ConvNormActivation,
    DepthwiseConv,
    GroupedMBConv,
    MBConv,
    PointwiseInTwo,
    SqueezeExcite,
)
from nasengine.layers.mlp import MLP
from nasengine.layers.norm import BatchNorm, Norm
from nasengine.layers.pooling import AvgPool, MaxPool, Pooling
from nasengine.layers.reduction import FactorizedReduce, ResidualReduction
from nasengine.layers.resize import Resize
from nasengine.layers.skip import DropPath, Identity, ScheduledDropPath, Truncate, Zero
from nasengine.layers.vision_transformer import FeedForward, HeadedAttention, PatchEmbedding, TokenClassifier, TokenNorm

__all__ = [
    "MLP", "Attention", "AuxiliaryHead", "AvgPool", "BatchNorm", "BottleneckConv", "Classifier", "ConvNorm",
    "ConvNormActivation", "ConvNormReLU", "DepthwiseConv", "DepthwiseSeparable", "DilatedConv", "DropPath",
    "FactorizedConv", "FactorizedReduce", "FeedForward", "GroupedMBConv", "HeadedAttention", "HiddenClassifier",
    "Identity", "InvertedBottleneck", "MBConv", "MaxPool", "Norm", "PatchEmbedding", "PointwiseInTwo", "Pooling",
    "ReLU", "ReLUConvNorm", "ResidualReduction", "Resize", "ScheduledDropPath", "SepConv", "SeparableConv",
    "SqueezeExcite", "StarReLU", "TokenClassifier", "TokenNorm", "Truncate", "Zero",
]  # fmt: skip
