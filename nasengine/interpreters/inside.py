"""What happens inside a layer at inference: how much it holds at once, and whether it looks at each position alone."""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nasengine.interpreters.shape import Shape, build

SIDE = 3  # positions in each direction of the map on which a layer is tried


@dataclass(frozen=True)
class Inside:
    """One image in a layer, in numbers held."""

    peak: int  # at once, beside its inputs; the output among them
    output: int  # what stays
    source: int | None  # the input that the output is a view of, so that nothing new stays


class Live(TorchDispatchMode):
    """A context that follows tensors from when an operator makes them to when nobody holds them any more."""

    def __init__(self, known: Sequence[Tensor]) -> None:
        super().__init__()
        self.known = {identity(tensor) for tensor in known}
        self.held: dict[int, int] = {}
        self.now = self.peak = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # skipping it means to load it, on the first call

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        outputs = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(outputs):
            if isinstance(tensor, Tensor) and identity(tensor) not in self.known | self.held.keys():
                self._take(tensor)
        return outputs

    def _take(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        size = storage.nbytes() // tensor.element_size()
        self.held[identity(tensor)] = size
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._drop, identity(tensor))

    def _drop(self, key: int) -> None:
        self.now -= self.held.pop(key, 0)


class Fused(TorchFunctionMode):
    """Attention on the meta device as real devices compute it: there alone it would keep its matrix of weights."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = args[:3]
        if function is scaled_dot_product_attention and not kwargs and all(x.stride(-1) == 1 for x in tensors):
            return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(*args)[0]
        return function(*args, **(kwargs or {}))


class _AsItIs(TorchFunctionMode):
    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*args, **(kwargs or {}))


def identity(tensor: Tensor) -> int:
    """What tensors share that share their memory."""
    return int(tensor.untyped_storage()._cdata)


def inside(layer: type, settings: Mapping[str, Any], inputs: Sequence[Shape], fused: bool) -> Inside:
    """What a layer holds while it works on one image, found on the meta device, remembered."""
    return _inside(_Case(layer, settings, tuple(inputs)), fused)


def is_positionwise(layer: type, settings: Mapping[str, Any], inputs: Sequence[Shape]) -> bool:
    """Whether a layer's output at each position depends on its input there alone: tried with random weights."""
    one = len(inputs) == 1 and len(inputs[0]) == 3
    return one and _positionwise(_Case(layer, settings, ((inputs[0][0], SIDE, SIDE),)))


class _Case:
    """A layer, its settings and the shapes arriving, as a key."""

    def __init__(self, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]) -> None:
        self.layer, self.settings, self.inputs = layer, settings, inputs
        self.key = layer, repr(sorted(settings.items())), inputs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Case) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=65536)
@torch.no_grad()
def _inside(case: _Case, fused: bool) -> Inside:
    with torch.device("meta"):
        module = build(case.layer, case.inputs, case.settings).eval()
        values = [torch.empty(1, *shape) for shape in case.inputs]
    live = Live([*module.parameters(), *module.buffers(), *values])
    with Fused() if fused else _AsItIs(), live:
        output = module(*values)
    sources = [number for number, value in enumerate(values) if identity(value) == identity(output)]
    if sources:
        return Inside(live.peak, 0, sources[0])
    return Inside(live.peak, output.untyped_storage().nbytes() // output.element_size(), None)


@lru_cache(maxsize=65536)
@torch.no_grad()
def _positionwise(case: _Case) -> bool:
    generator = torch.Generator().manual_seed(0)
    try:
        with torch.random.fork_rng(devices=[]):
            module = build(case.layer, case.inputs, case.settings).eval().double()
        for tensor in module.parameters():
            tensor.uniform_(0.1, 1.0, generator=generator)
        image = torch.rand(1, *case.inputs[0], generator=generator, dtype=torch.float64)
        other = image.clone()
        other[..., 1, 1] += torch.rand(image.shape[1], generator=generator, dtype=torch.float64)
        before, after = module(image), module(other)
    except Exception:  # it takes no map of this size: then it does not take positions as they come
        return False
    if before.shape[2:] != image.shape[2:]:
        return False
    changed = (before != after).any(1)[0]
    return int(changed.sum()) <= 1
