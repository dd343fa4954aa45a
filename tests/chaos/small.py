"""Small: 4,096 networks of six convolutions, in a space that loads torch only where a network is built."""

from typing import Any

from nasengine.space import Space, chain, choose, op


class Convolution:
    """A convolution, made when it is asked for."""

    kind = "conv"

    def __new__(cls, channels: int, kernel: int = 3) -> Any:
        import torch

        return torch.nn.Conv2d(channels, 4, kernel, padding=kernel // 2)


class Head:
    """The mean of each channel, and a score for each class."""

    kind = "mlp"

    def __new__(cls, channels: int, classes: int = 10) -> Any:
        import torch

        return torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(channels, classes)
        )


def space(input: tuple[int, int, int] = (1, 8, 8), classes: int = 10) -> Space:
    """Six convolutions, each with one of four kernels."""
    steps = {f"step{number}": op(Convolution, kernel=choose(f"kernel{number}", 1, 3, 5, 7)) for number in range(6)}
    return Space("small", input=input, network=chain(**steps, head=op(Head, classes=classes)))
