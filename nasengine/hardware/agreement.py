"""How well a table of layers foretells the latency of whole networks, beside what counting operations foretells."""

from dataclasses import dataclass
from random import Random
from statistics import median

from nasengine.bench.agreement import tau_b
from nasengine.errors import NasError
from nasengine.hardware.correction import FITTED, draw
from nasengine.hardware.layer_table import LayerTable
from nasengine.interpreters.cost import cost
from nasengine.space import Architecture, Space


@dataclass(frozen=True)
class Compared:
    """One network: milliseconds measured whole and estimated from its layers, and its multiply-adds."""

    architecture: Architecture
    measured: float
    estimated: float
    macs: int

    @property
    def error(self) -> float:
        """How far the estimate is off, relative to the measurement."""
        return self.estimated / self.measured - 1


@dataclass(frozen=True)
class Agreement:
    """The comparison of several networks, none of which the table's correction was fitted to."""

    networks: tuple[Compared, ...]

    @property
    def error(self) -> float:
        """The median of the absolute relative errors."""
        return median(abs(one.error) for one in self.networks)

    @property
    def tau(self) -> float:
        """Kendall's tau-b of estimated and measured latency."""
        return tau_b([one.estimated for one in self.networks], [one.measured for one in self.networks])

    @property
    def tau_of_macs(self) -> float:
        """Kendall's tau-b of multiply-adds and measured latency: what the table has to beat."""
        return tau_b([one.macs for one in self.networks], [one.measured for one in self.networks])


def compare(table: LayerTable, space: Space, number: int, seed: int = 0) -> Agreement:
    """Measure random networks whole and by layers; those that the correction is fitted to are not among them."""
    if number < 2:
        raise NasError(f"samples: {number} came; to compare orders it takes at least 2")
    fitted = draw(space, FITTED, Random(0))
    networks = draw(space, number, Random(seed + 1), without=fitted)
    if len(networks) < 2:
        raise NasError(
            f"space {space.name}: beyond the {len(fitted)} networks that the table is fitted to {len(networks)} was "
            "found; to say how good the table is takes 2 more; measure the networks themselves"
        )
    return Agreement(tuple(_compared(table, space, one) for one in networks))


def _compared(table: LayerTable, space: Space, one: Architecture) -> Compared:
    return Compared(one, table.measure(space, one).median, table.estimate(space, one), cost(space, one).macs)
