"""What a score is a function of: a network, batches of images and labels, a seed."""

import copy
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.conv import _ConvNd

from nasengine.proxies.watching import Signs

Batch = tuple[Tensor, Tensor]
_NORMS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


@dataclass
class Pass:
    """One run of a network in training mode: what it read, what it gave, what it left on its way."""

    images: Tensor  # asks for gradients
    logits: Tensor
    loss: Tensor  # of the task: cross-entropy, or the squared error
    weights: dict[str, Tensor]  # of convolutions and linear layers, by the layer's name
    outputs: dict[str, Tensor]  # of the same layers, (batch, channels, …)
    signs: list[Tensor]  # where its activations are on, bool (batch, units)

    @cached_property
    def gradients(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The loss's gradients by the weights and by the outputs; zero where it does not depend on them."""
        wanted = [*self.weights.values(), *self.outputs.values()]
        found = torch.autograd.grad(self.loss, wanted, retain_graph=True, materialize_grads=True)
        split = len(self.weights)
        return dict(zip(self.weights, found[:split], strict=True)), dict(zip(self.outputs, found[split:], strict=True))


class Probe:
    """A network looked at without changing it: everything is measured on copies, with random numbers of its own.

    `batches` are (images, labels), images as (batch, channels, height, width); scores that need one take the first.
    Scores that share a run of the network share it here, so one probe serves them all at little more than the dearest.
    """

    def __init__(
        self,
        network: nn.Module,
        batches: Sequence[Batch],
        seed: int = 0,
        loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
    ):
        self.network, self.batches, self.seed, self.loss = network, batches, seed, loss
        self._passes: dict[int, Pass] = {}

    @property
    def device(self) -> torch.device:
        """Where the images are, and the network has to be."""
        return self.batches[0][0].device

    def copy(self) -> nn.Module:
        """A copy of the network in training mode; the weights of its layers ask for gradients, frozen ones as well."""
        network = copy.deepcopy(self.network).train()
        for _, layer in weighted(network):
            layer.weight.requires_grad_(True)
        return network

    def random(self, purpose: str) -> torch.Generator:
        """Random numbers that depend on the seed and on what they are for alone."""
        return torch.Generator().manual_seed(zlib.crc32(f"{self.seed} {purpose}".encode()))  # it takes 32 bits

    def noise(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Standard-normal numbers on the device."""
        return torch.randn(*shape, generator=generator).to(self.device)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """What a network draws in there (dropout, drop path) is by the seed; torch's own random numbers stay as is."""
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            yield

    def run(self, batch: int = 0) -> Pass:
        """The network's run on one of the batches, made once."""
        if batch not in self._passes:
            self._passes[batch] = self._run(*self.batches[batch])
        return self._passes[batch]

    def _run(self, images: Tensor, labels: Tensor) -> Pass:
        network, outputs = self.copy(), {}
        for name, layer in weighted(network):
            layer.register_forward_hook(lambda layer, _, output, name=name: outputs.update({name: output}))
        images = images.detach().clone().requires_grad_()
        with self.quiet(), torch.enable_grad(), Signs() as signs:
            logits = network(images)
        loss = self.loss(logits, labels)
        weights = {name: layer.weight for name, layer in weighted(network)}
        return Pass(images, logits, loss, weights, outputs, signs.found)


def weighted(network: nn.Module) -> Iterator[tuple[str, _ConvNd | nn.Linear]]:
    """The layers whose weights are scored, convolutions and linear ones, with their names."""
    for name, layer in network.named_modules():
        if isinstance(layer, _ConvNd | nn.Linear):
            yield name, layer


def renewed(network: nn.Module, generator: torch.Generator, gain: float | None = None) -> None:
    """Draw the weights of all scored layers anew, in place; biases become 0, norms' scales 1 and their shifts 0.

    Weights are standard-normal, or with a `gain` normal with variance gain² / fan-in.
    """
    with torch.no_grad():
        for _, layer in weighted(network):
            std = 1.0 if gain is None else gain * layer.weight[0].numel() ** -0.5
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * std)
            if layer.bias is not None:
                layer.bias.zero_()
        for norm in network.modules():
            if isinstance(norm, _NORMS):
                learned = dict(norm.named_parameters(recurse=False))
                if "weight" in learned:
                    learned["weight"].fill_(1.0)
                if "bias" in learned:
                    learned["bias"].zero_()
