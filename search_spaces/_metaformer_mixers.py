"""What may mix positions in a MetaFormer: its own mixers, and those of other papers."""

from collections.abc import Callable, Sequence

from nasengine.layers import (
    Attention,
    ContextModulation,
    EMOAttention,
    Identity,
    InceptionDepthwise,
    InceptionMixer,
    LocalRelation,
    MobileAttention,
    Pooling,
    RandomMixing,
    SepConv,
    WindowAttention,
)
from nasengine.space import Choice, Node, choose, op

MIXERS = (
    "identity", "pool", "conv", "attention", "random", "inception", "iformer", "uniformer", "moat", "emo",
    "efficientmod", "window",
)  # fmt: skip
WHOLE_HEADS = ("attention", "iformer", "emo")  # whose heads divide the channels


def mixer_choice(
    allowed: Sequence[str], kernels: Sequence[int], head: int, narrowest: int, side: tuple[int, int]
) -> Choice:
    """The mixers allowed, on maps of this height and width whose channels are `narrowest` or more.

    Of iFormer's heads half attend at the narrowest width; InceptionNeXt's kernel reaches no further than the map.
    """
    mixers: dict[str, Callable[[], Node]] = {
        "identity": lambda: op(Identity),
        "pool": lambda: op(Pooling, kernel=3),
        "conv": lambda: op(SepConv, kernel=choose("kernel", *kernels)),
        "attention": lambda: op(Attention, head=head),
        "random": lambda: op(RandomMixing, positions=side[0] * side[1]),
        "inception": lambda: op(InceptionDepthwise, kernel=min(11, 2 * max(side) - 1)),
        "iformer": lambda: op(InceptionMixer, heads=narrowest // head // 2, head=head),
        "uniformer": lambda: op(LocalRelation),
        "moat": lambda: op(MobileAttention, head=head),
        "emo": lambda: op(EMOAttention, head=head),
        "efficientmod": lambda: op(ContextModulation),
        "window": lambda: op(WindowAttention, head=head),
    }
    return choose("op", **{name: mixers[name]() for name in allowed})
