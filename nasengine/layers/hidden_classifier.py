"""From a map of features to class scores, through one hidden layer."""

from torch import Tensor, nn


class HiddenClassifier(nn.Module):
    """The mean over all positions, linear to `hidden`, hard swish, linear: (batch, channels, ...) -> (batch, classes).

    `bias` is that of the hidden layer. MobileNetV3 (Howard et al., 2019, https://arxiv.org/abs/1905.02244), which has
    the bias; Once-for-all (Cai et al., 2020, https://arxiv.org/abs/1908.09791) leaves it out.
    """

    kind = "head"

    def __init__(self, channels: int, classes: int, hidden: int = 1280, bias: bool = False):
        super().__init__()
        self.hidden = nn.Linear(channels, hidden, bias=bias)
        self.activation = nn.Hardswish()
        self.linear = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.activation(self.hidden(x.mean((2, 3)))))
