"""MeCo (Jiang et al., 2023, https://openreview.net/forum?id=KFm2lZiI7n): how uncorrelated the channels of maps are."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nasengine.proxies.probe import Probe
from nasengine.proxies.watching import ACTIVATIONS, CONVOLUTIONS, NORMS, POOLINGS, LoneValues, Watching


def meco(probe: Probe, side: int | None = None) -> float:
    """The smallest eigenvalue of the correlations between a map's channels, summed over all maps; for one random image.

    A map is the output of a convolution, norm, activation or pooling, channels by pixels. The image is standard-normal,
    of `side` by `side` pixels, or as large as the network's own (the published code takes 64 for networks of 32). At
    least 0, and near 0 wherever there are more channels than pixels.
    Departures: the published code hooks modules, so that it misses functions and counts a map once more for each
    module that hands it on; here every operation counts once. Constant channels correlate with nothing, themselves
    included, as in the code.
    """
    network, shape = probe.copy(), probe.batches[0][0].shape
    pixels = shape[2:] if side is None else (side, side)
    image = probe.noise((1, shape[1], *pixels), probe.random("meco"))
    with probe.quiet(), torch.no_grad(), LoneValues(), _Maps() as maps:
        network(image)
    return sum(maps.least)


class _Maps(Watching):
    def __init__(self) -> None:
        super().__init__()
        self.least: list[float] = []

    def after(self, function: Any, x: Tensor, output: Tensor) -> None:
        if output.dim() == 4 and function in ACTIVATIONS | CONVOLUTIONS | NORMS | POOLINGS:
            channels_last = function in (functional.layer_norm, torch.layer_norm)
            rows = output[0].movedim(-1, 0) if channels_last else output[0]
            self.least.append(least_eigenvalue(rows.flatten(1)))


def least_eigenvalue(rows: Tensor) -> float:
    """Of the correlations between rows (channels, pixels); 0 where a row is constant."""
    if rows.shape[1] < 2:
        return 0.0
    correlations = torch.nan_to_num(torch.atleast_2d(torch.corrcoef(rows.double())), 0.0, 0.0, 0.0)
    return max(float(torch.linalg.eigvalsh(correlations)[0]), 0.0)
