"""What is measured: the network as it is exported, and its layers one by one."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from nasengine.exporters.parity import import_exported
from nasengine.hardware.torch_devices import images

SETTLING = 4  # images that a network's batch statistics are taken from


def network(text: str, shape: Sequence[int]) -> nn.Module:
    """The module of an exported file, in evaluation mode, for images (channels, height, width).

    Its weights are random. Batch statistics are those of random images, so that numbers keep their size from layer to
    layer as they do in a trained network: numbers that vanish would be slow on a CPU.
    """
    with tempfile.TemporaryDirectory(prefix="nasengine-") as folder:
        path = Path(folder) / "model.py"
        path.write_text(text, encoding="utf-8")
        module = drawn(import_exported(path).Network).float()
        settle(module, shape)
    return module.eval()


def drawn(make: Callable[[], nn.Module]) -> nn.Module:
    """A module with random weights, always the same ones; torch's own random numbers stay where they are."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make()


def settle(module: nn.Module, shape: Sequence[int]) -> None:
    """Give every batch norm the statistics of a few random images."""
    norms = [one for one in module.modules() if isinstance(one, _BatchNorm) and one.track_running_stats]
    momenta = [one.momentum for one in norms]
    for one in norms:
        one.momentum = 1.0
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        module.train()(*images([shape], SETTLING))
    for one, momentum in zip(norms, momenta, strict=True):
        one.momentum = momentum
