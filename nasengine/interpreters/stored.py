"""What a supernet holds for one place, and layers of other sizes that run on parts of it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nasengine.interpreters.kernels import KernelTransform
from nasengine.interpreters.slicing import KERNEL, Window, cut, put


class Slot(NamedTuple):
    """Where a layer keeps one of its tensors: among the parameters or buffers `of` a module, under `leaf`."""

    name: str
    of: dict[str, Tensor | None]
    leaf: str
    is_buffer: bool

    def tensor(self) -> Tensor:
        """What lies there now."""
        tensor = self.of[self.leaf]
        assert tensor is not None
        return tensor


def slots(layer: nn.Module) -> Iterator[Slot]:
    """All of a layer's; they stay the same when it moves to another device or precision."""
    for path, module in layer.named_modules():
        for is_buffer, of in ((False, module._parameters), (True, module._buffers)):
            for leaf, tensor in of.items():
                if tensor is not None:
                    yield Slot(f"{path}.{leaf}" if path else leaf, of, leaf, is_buffer)


class Stored:
    """The layer of a place at its largest size, in each of K stores, and what makes smaller kernels of its kernels."""

    def __init__(self, place: str, layers: Sequence[nn.Module], kernels: dict[str, KernelTransform], runs_whole: bool):
        self.place, self.layers, self.kernels = place, layers, kernels
        self.runs_whole = runs_whole  # the first layer is what the largest network asks for, and runs as it is
        self._slots = [{slot.name: slot for slot in slots(layer)} for layer in layers]

    def part(self, name: str, shape: Sequence[int], window: Window, shots: Tensor | None) -> Tensor:
        """What a layer of this size takes of a tensor: the stores' windows, mixed, with the kernel that fits."""
        transform = self.kernels.get(name)
        held = shape if transform is None else (*shape[:KERNEL], *transform.largest)
        mixed = self._mixed(name, held, window, shots)
        return mixed if transform is None else transform(mixed, shape[KERNEL:])

    def _mixed(self, name: str, shape: Sequence[int], window: Window, shots: Tensor | None) -> Tensor:
        first = cut(self.place, name, self._slots[0][name].tensor(), shape, window)
        if shots is None or not first.is_floating_point():  # numbers that count or point are the same in all stores
            return first
        parts = [first, *(cut(self.place, name, of[name].tensor(), shape, window) for of in self._slots[1:])]
        shares = shots.detach() if self._slots[0][name].is_buffer else shots  # statistics are nothing to learn from
        mixed = parts[0] * shares[0]
        for share, part in zip(shares[1:], parts[1:], strict=True):
            mixed = mixed + share * part
        return mixed.to(first.dtype)

    def take_back(self, name: str, before: Tensor, after: Tensor, window: Window, shots: Tensor | None) -> None:
        """Let the stores keep what a layer did to its copy of a buffer, each by its share."""
        for of, share in zip(self._slots, [None] if shots is None else shots.detach(), strict=True):
            stored = of[name].tensor()
            own = after if share is None else cut(self.place, name, stored, after.shape, window)
            new = own if share is None else own + share * (after - before)
            put(stored.data, new, window)  # not a change that a backward still to come would refuse

    def is_copy(self, name: str, part: Tensor) -> bool:
        """Whether changing a part of a tensor leaves the stored one as it was."""
        return not part._is_view() and part is not self._slots[0][name].tensor()


class Sized:
    """A layer of one size that has no tensors of its own: parts of the stored ones are lent to it for each run."""

    def __init__(self, layer: nn.Module, stored: Stored):
        self.layer, self.stored = layer, stored
        self.slots = [(slot, slot.tensor()) for slot in slots(layer)]
        first = stored.layers[0]
        held = dict(first.named_modules())
        self.modes: list[tuple[nn.Module, nn.Module]] = [
            (module, held.get(path, first)) for path, module in layer.named_modules()
        ]

    def __call__(self, inputs: Sequence[Tensor], window: Window, shots: Tensor | None) -> Tensor:
        """Run on these inputs; gradients, and batch statistics in training, reach the stores."""
        for module, stored in self.modes:
            if module.training is not stored.training:
                module.training = stored.training
        lent = [self.stored.part(slot.name, own.shape, window, shots) for slot, own in self.slots]
        copies = self._copies(lent) if shots is not None or window.side == "cyclic" else []
        try:
            for (slot, _), tensor in zip(self.slots, lent, strict=True):
                slot.of[slot.leaf] = tensor
            output: Tensor = self.layer(*inputs)
        finally:
            for slot, own in self.slots:
                slot.of[slot.leaf] = own
        with torch.no_grad():
            for name, before, after in copies:
                self.stored.take_back(name, before, after, window, shots)
        return output

    def _copies(self, lent: Sequence[Tensor]) -> list[tuple[str, Tensor, Tensor]]:
        """The buffers that training may change without the store: name, as they are, the same."""
        if not self.layer.training:
            return []
        buffers = [(slot.name, tensor) for (slot, _), tensor in zip(self.slots, lent, strict=True) if slot.is_buffer]
        return [(name, tensor.clone(), tensor) for name, tensor in buffers if self.stored.is_copy(name, tensor)]
