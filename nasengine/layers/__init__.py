"""Operations as plain nn.Modules: torch only, the width that arrives first, so that exported source stands alone.

Class attributes say what a layer is to those who never look inside: `kind` ("conv", "skip", "pool", "attention",
"mlp", "norm", "zero"), `identity` (its output is its input), `zero` (it puts out zeros), `keeps_zero` (it maps zero to
zero) and `training_only` (the identity at evaluation).
"""

from nasengine.layers.activation import GELU, ReLU, StarReLU
from nasengine.layers.attention import Attention, RandomMixing
from nasengine.layers.bottleneck import BottleneckConv, FactorizedConv
from nasengine.layers.context_downsampling import GlobalDownsampling, LocalDownsampling, LocalGlobalDownsampling
from nasengine.layers.context_modulation import ContextModulation
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
from nasengine.layers.downsampling import Downsampling
from nasengine.layers.emo import EMOAttention, EMOConv, EMOStem
from nasengine.layers.gelu_classifier import GELUClassifier
from nasengine.layers.head import AuxiliaryHead, Classifier, MLPClassifier, NormClassifier
from nasengine.layers.hidden_classifier import HiddenClassifier
from nasengine.layers.inception_depthwise import InceptionDepthwise
from nasengine.layers.inception_mixer import InceptionMixer
from nasengine.layers.inverted_residual import (
    ConvNormActivation,
    DepthwiseConv,
    GroupedMBConv,
    MBConv,
    PointwiseInTwo,
    SqueezeExcite,
)
from nasengine.layers.mlp import MLP, Expand, Pointwise
from nasengine.layers.moat import MobileAttention
from nasengine.layers.norm import BatchNorm, ChannelNorm, GroupNorm, Norm
from nasengine.layers.pooling import AvgPool, MaxPool, Pooling
from nasengine.layers.position import PositionConv, PositionMap
from nasengine.layers.reduction import FactorizedReduce, ResidualReduction
from nasengine.layers.resize import Resize
from nasengine.layers.scale import LayerScale, ResScale
from nasengine.layers.segmentation import PixelClassifier, UpsampleTo
from nasengine.layers.skip import DropPath, Identity, ScheduledDropPath, Truncate, Zero
from nasengine.layers.token_mlp import TokenMLP
from nasengine.layers.uniformer import LocalRelation
from nasengine.layers.uninet import UniNetConv, UniNetDepthwise, UniNetSeparable
from nasengine.layers.vision_transformer import FeedForward, HeadedAttention, PatchEmbedding, TokenClassifier, TokenNorm
from nasengine.layers.window_attention import SelfAttention, WindowAttention

__all__ = [
    "GELU", "MLP", "Attention", "AuxiliaryHead", "AvgPool", "BatchNorm", "BottleneckConv", "ChannelNorm", "Classifier",
    "ContextModulation", "ConvNorm", "ConvNormActivation", "ConvNormReLU", "DepthwiseConv", "DepthwiseSeparable",
    "DilatedConv", "Downsampling", "DropPath", "EMOAttention", "EMOConv", "EMOStem", "Expand", "FactorizedConv",
    "FactorizedReduce", "FeedForward", "GELUClassifier", "GlobalDownsampling", "GroupNorm", "GroupedMBConv",
    "HeadedAttention", "HiddenClassifier", "Identity", "InceptionDepthwise", "InceptionMixer", "InvertedBottleneck",
    "LayerScale", "LocalDownsampling", "LocalGlobalDownsampling", "LocalRelation", "MBConv", "MLPClassifier", "MaxPool",
    "MobileAttention", "Norm", "NormClassifier", "PatchEmbedding", "PixelClassifier", "Pointwise", "PointwiseInTwo",
    "Pooling", "PositionConv", "PositionMap", "RandomMixing", "ReLU", "ReLUConvNorm", "ResScale", "ResidualReduction",
    "Resize", "ScheduledDropPath", "SelfAttention", "SepConv", "SeparableConv", "SqueezeExcite", "StarReLU",
    "TokenClassifier", "TokenMLP", "TokenNorm", "Truncate", "UniNetConv", "UniNetDepthwise", "UniNetSeparable",
    "UpsampleTo", "WindowAttention", "Zero",
]  # fmt: skip
