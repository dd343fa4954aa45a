"""AZ-NAS (Lee and Ham, 2024, https://arxiv.org/abs/2403.19232): four views of a network, brought together by ranks."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from nasengine.errors import NasError
from nasengine.proxies.blocks import maps_between_blocks
from nasengine.proxies.probe import Probe, renewed

EPSILON = 1e-8
COMPONENTS = ("expressivity", "progressivity", "trainability", "complexity")


def az_nas(probe: Probe) -> dict[str, float]:
    """Expressivity, progressivity and trainability of a network; its complexity are the multiply-adds.

    Weights are drawn normal with variance 2 / fan-in, images standard-normal, as many as the batch has. The maps are
    those between blocks; neighbours of another aspect are not compared.
    Departures: the paper's variant for transformers leaves progressivity out and runs in evaluation mode; here every
    network is treated alike, in training mode. Negative eigenvalues, which only rounding makes, count as 0.
    """
    network, generator = probe.copy(), probe.random("az-nas")
    renewed(network, generator, gain=math.sqrt(2))
    images = probe.noise(probe.batches[0][0].shape, generator)
    with probe.quiet(), torch.enable_grad():
        maps = maps_between_blocks(network, images)
    pairs = [pair for pair in zip(maps, maps[1:], strict=False) if comparable(*pair)]
    if not pairs:
        raise NasError(
            f"proxy az-nas: the network gives {len(maps)} maps between its blocks; two or more of like form are "
            "compared; take another proxy for such a network"
        )
    entropies = [entropy(x.detach()) for x in maps]
    steps = [after - before for before, after in zip(entropies, entropies[1:], strict=False)]
    kept = [preserved(*pair, generator) for pair in reversed(pairs)]
    found = {"expressivity": sum(entropies), "progressivity": min(steps), "trainability": sum(kept) / len(kept)}
    return {name: -math.inf if math.isnan(value) else value for name, value in found.items()}


def entropy(x: Tensor) -> float:
    """Of a map's principal components: -sum p log(p + 1e-8), p their shares of the variance over images and pixels."""
    pixels = x.transpose(0, 1).flatten(1)
    values = torch.linalg.eigvalsh(torch.cov(pixels, correction=0)).clamp_min(0)
    shares = values / values.sum()
    return float((-shares * torch.log(shares + EPSILON)).sum())


def preserved(before: Tensor, after: Tensor, generator: torch.Generator) -> float:
    """How well a block hands a random gradient back: 2 - s - 1 / s, at most 0, which is where s is 1.

    s is the largest singular value of the mean product of the gradients before and after it (1e-6 is added to the
    divisor). Minus infinity for a block that does nothing at all. The pixels of a larger map are folded into channels.
    """
    out = torch.randint(0, 2, after.shape, generator=generator).to(after) * 2 - 1
    came = torch.zeros_like(before)
    if before.requires_grad and after.requires_grad:
        # blocks of a network with connections across share parts of the graph, so it is kept
        came = torch.autograd.grad(after, before, out, materialize_grads=True, retain_graph=True)[0]
    if came.shape == out.shape and torch.equal(came, out):
        return -math.inf
    came, out = folded(came, out.shape[2:]), folded(out, came.shape[2:])
    rows = [x.movedim(1, -1).flatten(0, -2) for x in (came, out)]
    return trainability(rows[0].T @ rows[1] / len(rows[1]))


def trainability(product: Tensor) -> float:
    """2 - s - 1 / (s + 1e-6) for the largest singular value s of a matrix."""
    if not product.isfinite().all():
        return -math.inf
    largest = float(torch.linalg.matrix_norm(product, 2))
    return 2 - largest - 1 / (largest + 1e-6)


def comparable(before: Tensor, after: Tensor) -> bool:
    """Whether height and width shrink or grow by the same factor, rounded up."""
    large, small = sorted((before.shape[2:], after.shape[2:]), reverse=True)
    steps = {-(-many // few) for many, few in zip(large, small, strict=True)}
    return len(steps) == 1


def folded(x: Tensor, size: Sequence[int]) -> Tensor:
    """A map with so many neighbouring pixels in the channels that it is no larger than `size`; zeros fill its edges."""
    step = max(-(-have // want) for have, want in zip(x.shape[2:], size, strict=True))
    if step <= 1:
        return x
    height, width = (want * step for want in size)
    return functional.pixel_unshuffle(functional.pad(x, (0, width - x.shape[3], 0, height - x.shape[2])), step)


def ranked(candidate: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> float:
    """The sum over the components of log(rank / m) among m networks, the candidate and the others; at most 0.

    The best has rank m; equal ones share the mean of their ranks. Only the order within each component counts.
    """
    total = 0.0
    for name, value in candidate.items():
        below = sum(other[name] < value for other in others)
        equal = 1 + sum(other[name] == value for other in others)
        total += math.log((below + (equal + 1) / 2) / (len(others) + 1))
    return total
