"""Latency by layers: each kind of layer is measured once, and a network's is the corrected sum of its layers'.

A table of layers is what FBNet (Wu et al., 2019, https://arxiv.org/abs/1812.03443) and ProxylessNAS (Cai et al., 2019,
https://arxiv.org/abs/1812.00332) estimate latency with. It is filled as layers are met, and corrected for what lies
between the layers (sums, concatenations, calls, caches): `overhead + factor * sum`, fitted to a few whole networks.
"""

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from nasengine.hardware import program
from nasengine.hardware.correction import FITTED, Correction, draw, fit
from nasengine.hardware.device import Device
from nasengine.hardware.store import Store
from nasengine.hardware.timing import RUNS, WARM_UP, Timing
from nasengine.interpreters.closure import Closure
from nasengine.interpreters.shape import build, trace
from nasengine.interpreters.source import source
from nasengine.space import Architecture, Space

HOW = (
    f"median of at least {RUNS} runs after {WARM_UP} of warm-up, in one process, of the exported network; "
    "estimates are overhead + factor * the sum of its layers"
)


class LayerTable:
    """Milliseconds of layers and of whole networks on one device, kept in a folder."""

    def __init__(self, device: Device, folder: Path | None = None):
        self.device = device
        self.store = Store(device.facts(), folder)
        self._corrections: dict[int, tuple[Space, Correction]] = {}
        self._keys: dict[Any, str] = {}

    def estimate(self, space: Space, architecture: Architecture) -> float:
        """Milliseconds of a network, from its layers; what was not met before is measured first."""
        return self.correction(space).of(sum(self.layers(space, architecture).values()))

    def layers(self, space: Space, architecture: Architecture) -> dict[str, float]:
        """Milliseconds of each layer alone, by place; layers for training only are left out."""
        shapes, _ = trace(space, architecture)
        return {
            place: self._layer(layer, settings, inputs)
            for place, (layer, settings, inputs) in shapes.layers.items()
            if not getattr(layer, "training_only", False)
        }

    def measure(self, space: Space, architecture: Architecture, again: bool = False) -> Timing:
        """The whole exported network, on the device. A network that was measured before is not, except `again`."""
        text = source(space, architecture).text
        key = f"network {hashlib.sha256(text.encode()).hexdigest()}"
        known = None if again else self.store.get(key)
        if known is not None:
            return known
        timing = self.device.time(program.network(text, space.input), [space.input])
        return self.store.put(key, timing, again)

    def correction(self, space: Space) -> Correction:
        """What brings sums of layers to whole networks' latencies, fitted to a few random networks of the space."""
        if id(space) not in self._corrections:
            networks = draw(space, FITTED, Random(0))
            sums = [sum(self.layers(space, one).values()) for one in networks]
            wholes = [self.measure(space, one).median for one in networks]
            self._corrections[id(space)] = space, fit(sums, wholes)
        return self._corrections[id(space)][1]

    def facts(self, space: Space) -> dict[str, Any]:
        """The device's fingerprint, where its timings are kept, and the correction, once it was fitted."""
        found = {**self.device.facts(), "how": HOW, "kept": str(self.store.folder)}
        if id(space) in self._corrections:
            found["correction"] = vars(self.correction(space))
        return found

    def _layer(self, layer: type, settings: Mapping[str, Any], inputs: Sequence[tuple[int, ...]]) -> float:
        met = (layer, repr(sorted(settings.items())), tuple(inputs))
        if met not in self._keys:
            self._keys[met] = _key(layer, settings, inputs)
        key = self._keys[met]
        known = self.store.get(key)
        if known is None:
            module = program.drawn(lambda: build(layer, inputs, settings)).float().eval()
            known = self.store.put(key, self.device.time(module, inputs))
        return known.median


def _key(layer: type, settings: Mapping[str, Any], inputs: Sequence[tuple[int, ...]]) -> str:
    """A layer's name that lasts: class and code, settings, and shapes arriving."""
    words = ", ".join(f"{name}={_value(value)}" for name, value in sorted(settings.items()))
    return f"layer {layer.__module__}.{layer.__qualname__}({words}) {list(inputs)} {_code(layer)}"


def _value(value: Any) -> str:
    if isinstance(value, type) or inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


@lru_cache(maxsize=4096)
def _code(layer: type) -> str:
    """A hash over the source of a layer and of all that it uses: changed layers are measured anew."""
    closure = Closure(reserved=())
    closure.name(layer)
    return hashlib.sha256("\n".join(closure.definitions()).encode()).hexdigest()[:12]
