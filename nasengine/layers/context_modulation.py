"""EfficientMod's mixer: channels are multiplied by what the neighbourhood says."""

from torch import Tensor, nn
from torch.nn import functional


class ContextModulation(nn.Module):
    """Expanded channels times a context from their neighbourhood, projected back; shapes stay.

    The context is pointwise, depthwise of `kernel`, GELU, pointwise; it multiplies each of the `expand` copies of the
    channels that a pointwise convolution (and GELU, where expand is above 1) makes. All have biases.
    EfficientMod (Ma et al., 2024, https://arxiv.org/abs/2403.19963), where kernel is 7 and expand is 1, 4 or 6; its
    block is this with a norm and a shortcut, without an MLP after it.

    Departure: the expanded channels that belong to one of the context's lie next to each other, so that the leading
    channels of a wide layer are a narrow one; in the original they are as far apart as there are channels. It is the
    same layer with its inner channels in another order. Another `expand` is another layer.
    """

    kind = "conv"

    def __init__(self, channels: int, kernel: int = 7, expand: int = 4):
        super().__init__()
        self.expand = expand
        self.before = nn.Conv2d(channels, channels, 1)
        self.depthwise = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.after = nn.Conv2d(channels, channels, 1)
        self.up = nn.Conv2d(channels, expand * channels, 1)
        self.down = nn.Conv2d(expand * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        context = self.after(functional.gelu(self.depthwise(self.before(x))))
        expanded = functional.gelu(self.up(x)) if self.expand > 1 else self.up(x)
        modulated = expanded.unflatten(1, (-1, self.expand)) * context.unsqueeze(2)
        return self.down(modulated.flatten(1, 2))
