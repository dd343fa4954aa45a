"""How much faster the native kernels are than torch's own operations, both in channels-last memory.

    python -m benchmarks.native_kernels

Forward and backward of a bank of depthwise convolutions with its ReLU, of a bank of 1x1 convolutions, and of a sum of
batch norms, in the sizes of the DARTS supernet: `cifar` (16 images of 32 x 32, 16 channels), its halves and quarters,
and `digits` (64 images of 8 x 8, 8 channels). Torch runs the quicker of two forms of the depthwise convolution: the
image once for each member, or a group of as many outputs as there are members for each channel. Freed memory is kept
for both sides, as every training process keeps it.
"""

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.measure import Measured, interleaved, quiet_process, repeat, seconds, show

Size = tuple[int, int, int]  # images, channels, height and width
CIFAR, HALF, QUARTER, DIGITS = (16, 16, 32), (16, 32, 16), (16, 64, 8), (64, 8, 8)
MEMBERS = 4
CONVOLUTIONS = [  # name, size, kernel, stride, dilation, goal
    ("3x3, cifar", CIFAR, 3, 1, 1, 1.5),
    ("5x5, cifar", CIFAR, 5, 1, 1, 3.0),
    ("dilated 3x3, cifar", CIFAR, 3, 1, 2, 3.0),
    ("dilated 5x5, cifar", CIFAR, 5, 1, 2, 4.0),
    ("dilated 5x5, stride 2, cifar", CIFAR, 5, 2, 2, 4.0),
    ("3x3, quarter", QUARTER, 3, 1, 1, 1.5),
    ("dilated 5x5, quarter", QUARTER, 5, 1, 2, 4.0),
    ("3x3, digits", DIGITS, 3, 1, 1, 1.5),
    ("dilated 5x5, digits", DIGITS, 5, 1, 2, 4.0),
]
MIXTURES = [  # name, size, goal
    ("cifar", CIFAR, 1.0), ("half", HALF, 1.2), ("quarter", QUARTER, 1.2), ("digits", DIGITS, 1.7),
]  # fmt: skip
SUMS = [("cifar", CIFAR), ("half", HALF), ("quarter", QUARTER), ("digits", DIGITS)]
LONG_ENOUGH = 0.01  # seconds that torch takes at least in a turn
TURNS = 20  # of a round: memory of this size makes single ones differ twice over


def measurements(rounds: int = 7) -> Iterator[Measured]:
    """Each kernel and size, as torch's time over ours; nothing where no compiler is found."""
    from nasengine.native.build import library
    from nasengine.training.allocator import keep_freed_memory

    if any(library(name) is None for name in ("depthwise", "pointwise", "norm_sum")):
        return
    keep_freed_memory()
    for name, size, kernel, stride, dilation, goal in CONVOLUTIONS:
        ours, *theirs = convolution_steps(size, kernel, stride, dilation)
        ratio, spread = interleaved(*often(min(theirs, key=quickest), ours), rounds, turns=TURNS)
        yield Measured(f"depthwise {name}", ratio, spread, goal, "torch's conv2d, channels-last")
    for name, size, goal in MIXTURES:
        ratio, spread = interleaved(*often(*mixture_steps(size)), rounds, turns=TURNS)
        yield Measured(f"{MEMBERS} pointwise, {name}", ratio, spread, goal, "torch's grouped conv2d, channels-last")
    for name, size in SUMS:
        ratio, spread = interleaved(*often(*sum_steps(size)), rounds, turns=TURNS)
        yield Measured(f"sum of {MEMBERS} batch norms, {name}", ratio, spread, 1.45, "torch's batch_norm and additions")


def quickest(step: Callable[[], object]) -> float:
    """The shortest of a few runs."""
    return min(seconds(step) for _ in range(4))


def often(slow: Callable[[], object], fast: Callable[[], object]) -> tuple[Callable[[], object], Callable[[], object]]:
    """Both steps, each as often as the first one needs for a turn."""
    times = 1 + int(LONG_ENOUGH / quickest(slow))
    return partial(repeat, slow, times), partial(repeat, fast, times)


def convolution_steps(size: Size, kernel: int, stride: int, dilation: int) -> tuple[Callable[[], object], ...]:
    """Forward and backward of a bank: natively, and in torch's two forms."""
    import torch
    from torch.nn.functional import conv2d

    from nasengine.native.depthwise import depthwise

    images, channels, side = size
    padding = dilation * (kernel // 2)
    x = torch.randn(images, channels, side, side).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(MEMBERS * channels, 1, kernel, kernel, requires_grad=True)
    out = (side - 1) // stride + 1
    gradient = torch.randn(images, len(weight), out, out).to(memory_format=torch.channels_last)

    def repeated() -> torch.Tensor:
        return conv2d(torch.cat([x.relu()] * MEMBERS, 1), weight, None, stride, padding, dilation, len(weight))

    def multiplied() -> torch.Tensor:
        return conv2d(x.relu(), weight, None, stride, padding, dilation, channels)

    def step(forward: Callable[[], torch.Tensor]) -> object:
        return torch.autograd.grad(forward(), (x, weight), gradient)

    native = partial(depthwise, x, weight, stride, dilation, relu=True)
    return tuple(partial(step, forward) for forward in (native, repeated, multiplied))


def mixture_steps(size: Size) -> tuple[Callable[[], object], Callable[[], object]]:
    """Forward and backward of a bank of 1x1 convolutions, each with an image of its own: torch's, and natively."""
    import torch
    from torch.nn.functional import conv2d

    from nasengine.native.pointwise import pointwise

    images, channels, side = size
    x, gradient = torch.randn(2, images, MEMBERS * channels, side, side).unbind()
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    weight = torch.randn(MEMBERS * channels, channels, 1, 1, requires_grad=True)

    def theirs() -> object:
        return torch.autograd.grad(conv2d(x, weight, groups=MEMBERS), (x, weight), gradient)

    def ours() -> object:
        return torch.autograd.grad(pointwise(x, weight, MEMBERS), (x, weight), gradient)

    return theirs, ours


def sum_steps(size: Size) -> tuple[Callable[[], object], Callable[[], object]]:
    """Forward and backward of a sum of batch norms: torch's, and natively."""
    import torch
    from torch.nn.functional import batch_norm

    from nasengine.native.norm_sum import norm_sum

    images, channels, side = size
    drawn = torch.randn(MEMBERS + 1, images, channels, side, side)
    *values, gradient = (one.contiguous(memory_format=torch.channels_last) for one in drawn)
    values = [value.requires_grad_() for value in values]
    weights = [torch.rand(channels, requires_grad=True) for _ in values]

    def theirs() -> object:
        norms = [
            batch_norm(value, None, None, weight, None, True) for value, weight in zip(values, weights, strict=True)
        ]
        return torch.autograd.grad(norms[0] + norms[1] + norms[2] + norms[3], [*values, *weights], gradient)

    def ours() -> object:
        made, _, _ = norm_sum(values, weights, [None] * MEMBERS)
        return torch.autograd.grad(made, [*values, *weights], gradient)

    return theirs, ours


def main() -> None:
    """Print the table."""
    quiet_process()
    show(measurements(), "native kernels")


if __name__ == "__main__":
    main()
