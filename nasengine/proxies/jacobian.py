"""Scores from how the outputs depend on the images."""

import torch
from torch import Tensor

from nasengine.proxies.probe import Probe

K = 1e-5


def jacob_cov(probe: Probe) -> float:
    """How unlike each other the images' gradients of the summed outputs are; largest where none are correlated.

    With the eigenvalues v of their correlation matrix, -sum(log(v + k) + 1 / (v + k)), k = 1e-5: the first version of
    Mellor et al. (https://arxiv.org/abs/2006.04647v1), as in Abdelfattah et al., 2021
    (https://arxiv.org/abs/2101.08134). Departure: float64 and, as the matrix is symmetric, no complex eigenvalues.
    """
    run = probe.run()
    gradient = torch.autograd.grad(run.logits.sum(), run.images, retain_graph=True, materialize_grads=True)[0]
    return spread(gradient.flatten(1))


def spread(gradients: Tensor) -> float:
    """The score of gradients (batch, numbers); not a number where one of them is constant."""
    correlations = torch.corrcoef(gradients.double())
    if not correlations.isfinite().all():
        return float("nan")
    values = torch.linalg.eigvalsh(correlations).clamp_min(0)
    return -float((torch.log(values + K) + 1 / (values + K)).sum())
