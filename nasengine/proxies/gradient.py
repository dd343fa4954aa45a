"""Scores from the loss's gradient on one batch: what a network would lose or learn by its weights.

All as collected by Abdelfattah et al., 2021 (https://arxiv.org/abs/2101.08134): sums over the weights of convolutions
and linear layers, cross-entropy on one batch, norms in training mode.
"""

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from nasengine.proxies.probe import Probe, weighted
from nasengine.proxies.watching import TwiceDifferentiable


def grad_norm(probe: Probe) -> float:
    """The Euclidean norm of each layer's gradient, summed."""
    gradients, _ = probe.run().gradients
    return float(sum(gradient.norm() for gradient in gradients.values()))


def snip(probe: Probe) -> float:
    """Each weight times its gradient, absolute, summed: the loss's gradient by a mask of ones over the weights.

    SNIP (Lee et al., 2019, https://arxiv.org/abs/1810.02340).
    """
    run = probe.run()
    gradients, _ = run.gradients
    return float(sum((run.weights[name].detach() * gradient).abs().sum() for name, gradient in gradients.items()))


def fisher(probe: Probe) -> float:
    """For each channel of each layer's output, half the mean over images of (activation times gradient, summed)².

    Fisher pruning (Theis et al., 2018, https://arxiv.org/abs/1801.05787) as in BlockSwap (Turner et al., 2020,
    https://arxiv.org/abs/1906.04113). Departure: the code of Abdelfattah et al. counts a channel once for each of its
    weights; here, as in the papers, it counts once.
    """
    run = probe.run()
    _, gradients = run.gradients
    total = 0.0
    for name, gradient in gradients.items():
        product = (run.outputs[name].detach() * gradient).double()
        channels = 1 if run.weights[name].dim() > 2 else -1
        last = product.movedim(channels, -1)
        total += float(last.reshape(len(last), -1, last.shape[-1]).sum(1).square().mean(0).sum()) / 2
    return total


def grasp(probe: Probe) -> float:
    """Each weight times the Hessian-gradient product, negative, summed: how much pruning would hurt the gradient flow.

    GraSP (Wang et al., 2020, https://arxiv.org/abs/2002.07376), with the sign of Abdelfattah et al.: higher is better.
    """
    network = probe.copy()
    weights: list[Tensor] = [layer.weight for _, layer in weighted(network)]
    images, labels = probe.batches[0]
    # only the plain kernel of attention has second derivatives
    with probe.quiet(), torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), TwiceDifferentiable():
        loss = probe.loss(network(images), labels)
        gradients = _gradients(loss, weights, create_graph=True)
        products = _gradients(sum((g.detach() * g).sum() for g in gradients), weights)
    return sum(-float((w.detach() * hg).sum()) for w, hg in zip(weights, products, strict=True)) + 0.0  # never -0.0


def _gradients(value: Tensor | int, weights: list[Tensor], create_graph: bool = False) -> tuple[Tensor, ...]:
    if not isinstance(value, Tensor) or not value.requires_grad:
        return tuple(torch.zeros_like(weight) for weight in weights)
    return torch.autograd.grad(value, weights, create_graph=create_graph, materialize_grads=True)
