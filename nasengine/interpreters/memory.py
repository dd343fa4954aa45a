"""How much memory a training step takes, found on the meta device without computing anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nasengine.interpreters.inside import Fused, identity
from nasengine.interpreters.model import Model
from nasengine.space import Architecture, Choice, Picks, Space

ADAN_SLOTS = 4  # three averages and the gradient before
PROBES = (2, 4)  # batches from which larger ones are extrapolated


@dataclass(frozen=True)
class Memory:
    """Bytes that a training step holds at its peak, early in the backward pass."""

    weights: int  # parameters and buffers
    gradients: int
    optimizer: int
    activations: int  # the batch, and all that the forward pass keeps for the backward pass
    working: int  # the gradient of the largest of these, which the backward pass needs beside them

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.working


def training_memory(space: Space, picks: Picks, batch: int, optimizer_slots: int = ADAN_SLOTS) -> Memory:
    """The memory of one training step on `batch` images, in torch's default dtype.

    An architecture is trained as the network it is; any other picks (a mixture, or everything) within the whole
    supernet, gates that are tensors being learned with it if they require gradients. `optimizer_slots` is how many
    numbers the optimizer keeps per weight: Adan 4, Adam 2, momentum 1. Workspaces of single kernels are not counted.
    Attention counts as the fused kernel keeps it, which takes queries, keys and values that are not strided within a
    head; with other ones it counts with its matrix of weights.
    """
    with torch.device("meta"):
        whole = isinstance(picks, Architecture)
        model = Model(space, picks) if whole else Model(space)
        images = torch.empty(batch, *space.input)
        kept = _Kept([*model.parameters(), *model.buffers()], images)
        with torch.autograd.graph.saved_tensors_hooks(kept.pack, kept.unpack), Fused():
            outputs = model.forward_with_asides(images, None if whole else _OnMeta(picks))
    learning = _bytes(p for p in model.parameters() if p.requires_grad)
    weights = _bytes(model.parameters()) + _bytes(model.buffers())
    del outputs  # it held the saved tensors, and with them the identity of their storages
    sizes = kept.storages.values()
    return Memory(weights, learning, optimizer_slots * learning, sum(sizes), max(sizes))


def largest_batch(space: Space, picks: Picks, limit_bytes: int, optimizer_slots: int = ADAN_SLOTS) -> int:
    """The largest batch whose training step fits into the limit; 0 where not even one image does."""
    few, more = (training_memory(space, picks, batch, optimizer_slots) for batch in PROBES)
    per_image = (more.total - few.total) / (PROBES[1] - PROBES[0])
    fixed = few.total - per_image * PROBES[0]
    return max(0, int((limit_bytes - fixed) / per_image))


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


class _Kept:
    """What autograd keeps for the backward pass: each storage once, those of weights never."""

    def __init__(self, weights: Iterable[Tensor], images: Tensor):
        self.weights = {identity(tensor) for tensor in weights}
        self.storages = {identity(images): images.untyped_storage().nbytes()}

    def pack(self, tensor: Tensor) -> Tensor:
        if identity(tensor) not in self.weights:
            self.storages[identity(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    def unpack(self, tensor: Tensor) -> Tensor:
        return tensor


class _OnMeta:
    """The same picks, with gates that are tensors moved to the meta device."""

    def __init__(self, picks: Picks):
        self.picks = picks

    def gates(self, name: str, choice: Choice) -> Mapping[str, Any]:
        gates = self.picks.gates(name, choice)
        return {option: _on_meta(gate) if isinstance(gate, Tensor) else gate for option, gate in gates.items()}

    def value(self, name: str, choice: Choice) -> Any:
        return self.picks.value(name, choice)

    def asked(self, name: str) -> bool:
        return self.picks.asked(name)


def _on_meta(gate: Tensor) -> Tensor:
    return torch.empty_like(gate, device="meta", requires_grad=gate.requires_grad)
