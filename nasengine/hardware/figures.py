"""The figures of a network that are known before it is trained, by the names under which searches use them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from nasengine.errors import NasError, did_you_mean
from nasengine.hardware.device import find, here, is_measured
from nasengine.hardware.layer_table import LayerTable
from nasengine.hardware.published import ENERGY, LATENCY, everywhere, published
from nasengine.interpreters.cost import cost
from nasengine.interpreters.liveness import peak_memory
from nasengine.space import Architecture, Space

REMEMBERED = 100_000  # architectures whose figures are kept ready
Figure = Callable[[Architecture], float]


@dataclass(frozen=True)
class _Known:
    """One value: its estimate, its measurement, and what is known of how both come about."""

    estimate: Figure
    measure: Figure
    facts: Callable[[], dict[str, Any]] | None = None


class Figures:
    """What networks of a space cost, by value names: params, macs, memory_bytes, latency_ms@DEVICE, energy_mj@DEVICE.

    A device is `cpu`, `cpu:2`, `cuda`, `onnxruntime`, … (`nasengine.hardware.device`), measured on this machine, or one
    that tables were published for (`nasengine.hardware.published`). Timings are kept below `folder`. The table of
    layers is corrected with random networks of `space`: give the space itself, not one that is bounded by its figures.
    Raises NasError with every name that is none and every device that is not there.
    """

    def __init__(self, space: Space, names: Sequence[str], *, folder: Path | None = None):
        self.space, self.folder = space, folder
        self._tables: dict[str, LayerTable] = {}
        self._estimated: dict[Architecture, dict[str, float]] = {}
        self._known: dict[str, _Known] = {}
        faults = []
        for name in names:
            try:
                self._known[name] = self._named(name)
            except NasError as error:
                faults.append(str(error))
        if faults:
            raise NasError("\n".join(faults))

    def estimate(self, architecture: Architecture) -> dict[str, float]:
        """Every figure without building the network: latency by the table of layers. Asked again it is looked up."""
        known = self._estimated.get(architecture)
        if known is None:
            if len(self._estimated) >= REMEMBERED:
                self._estimated.clear()
            known = {name: one.estimate(architecture) for name, one in self._known.items()}
            self._estimated[architecture] = known
        return dict(known)

    def measure(self, architecture: Architecture) -> dict[str, float]:
        """Every figure, latency that of the whole exported network on the device; the others as estimated."""
        return {name: one.measure(architecture) for name, one in self._known.items()}

    def facts(self) -> dict[str, Any]:
        """By value name: the fingerprint of its device, or the published table, and how the figure comes about."""
        return {name: one.facts() for name, one in self._known.items() if one.facts is not None}

    def table(self, device: str) -> LayerTable:
        """The table of layers of a device."""
        if device not in self._tables:
            self._tables[device] = LayerTable(find(device, [*published(self.space.name)]), self.folder)
        return self._tables[device]

    def _named(self, name: str) -> _Known:
        plain, at, device = name.partition("@")
        if not at and plain in _COUNTED:
            count = _COUNTED[plain]
            return _Known(lambda one: count(self.space, one), lambda one: count(self.space, one))
        if plain not in (LATENCY, ENERGY) or not device:
            allowed = [*_COUNTED, f"{LATENCY}@DEVICE", f"{ENERGY}@DEVICE"]
            raise NasError(
                f'figure "{name}": known before training are {", ".join(allowed)}.{did_you_mean(plain, allowed)}'
            )
        if plain == LATENCY and is_measured(device):
            return self._measured(self.table(device))
        return self._published(plain, device)

    def _measured(self, table: LayerTable) -> _Known:
        return _Known(
            lambda one: table.estimate(self.space, one),
            lambda one: table.measure(self.space, one).median,
            lambda: table.facts(self.space),
        )

    def _published(self, value: str, device: str) -> _Known:
        there = {name: one for name, one in published(self.space.name).items() if value in one.columns}
        if device not in there:
            raise NasError(self._absent(value, device, [*there]))
        one = there[device]

        def look_up(architecture: Architecture) -> float:
            return one.value(value, self.space, architecture)

        return _Known(look_up, look_up, lambda: one.facts(self.space))

    def _absent(self, value: str, device: str, there: Sequence[str]) -> str:
        """What is said of a device that is not there."""
        own = ["cpu", "cuda", "onnxruntime"] if value == LATENCY else []
        measured = f"{', '.join(own)} are measured; " if own else "energy is known from published tables only; "
        tables = f"published for space {self.space.name} are {', '.join(there) or 'none'}"
        root = "" if everywhere() else " (NASENGINE_TABLES names no folder with tables of devices)"
        return f'device "{device}" of {value}: {measured}{tables}{root}.{did_you_mean(device, [*own, *there])}'


_cost = lru_cache(maxsize=16)(cost)  # counted once for both of its numbers


_COUNTED: dict[str, Callable[[Space, Architecture], float]] = {
    "params": lambda space, architecture: _cost(space, architecture).params,
    "macs": lambda space, architecture: _cost(space, architecture).macs,
    "memory_bytes": peak_memory,
}


def values_of(space: Space, device: str) -> list[str]:
    """The value names of all that a device says of a space's networks: latency_ms@DEVICE, energy_mj@DEVICE."""
    tables = published(space.name)
    known = (LATENCY,) if is_measured(device) or device not in tables else tables[device].columns
    return [f"{value}@{device}" for value in known]


def devices() -> list[tuple[str, str]]:
    """Every device that can be named here, with what it is: those of this machine, then those of published tables."""
    return here() + everywhere()
