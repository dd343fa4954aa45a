"""A table of published results: each row is an architecture of one space, trained and measured by somebody before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from nasengine.errors import TableError, did_you_mean
from nasengine.space import Architecture, Space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REMEMBERED = 100_000  # answers that are kept ready; one of NAS-Bench-101's architectures takes about 3 kB


@dataclass(frozen=True, eq=False)
class Table:
    """Published results of the architectures of a space, row by row.

    `values` are columns of float64, one entry a row, at the highest fidelity and in the table's own units;
    `objective` is the value to select by, `report` the one to report (None where the table has one value only).
    `fidelities` holds the columns by epochs, the highest ones too; it is empty where the table knows no epochs.
    `notes` are what a page about the table has to say. `known` gives rows by architecture; `find`, of an architecture
    that is not in it, or None where the table does not have it.
    """

    name: str
    dataset: str | None
    space: Space
    values: "Mapping[str, NDArray[np.float64]]"
    objective: str
    report: str | None
    fidelities: "Mapping[int, Mapping[str, NDArray[np.float64]]]"
    fingerprint: str
    notes: tuple[str, ...]
    find: Callable[[Architecture], int | None] = field(repr=False)
    space_name: str = ""  # by which plug-ins find the space
    known: dict[Architecture, int] = field(default_factory=dict, repr=False)
    _ready: dict[tuple[int, int | None], Mapping[str, float]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """The number of rows."""
        return len(next(iter(self.values.values())))

    def row(self, architecture: Architecture) -> int:
        """The row of an architecture; raises TableError where the table has none."""
        row = self.known.get(architecture)
        if row is None:
            row = self.find(architecture)
            if row is None:
                raise TableError(
                    f"table {self.name}: none of its {len(self):,} rows is for {words(architecture)}; "
                    "a search needs a table of the whole space, or a space restricted to the table"
                )
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            self.known[architecture] = row
        return row

    def at(self, row: int, epochs: int | None = None) -> Mapping[str, float]:
        """Every value of a row, at the highest fidelity or after so many epochs."""
        ready = self._ready.get((row, epochs))
        if ready is None:
            columns = self.values if epochs is None else self._after(epochs)
            ready = MappingProxyType({name: float(column[row]) for name, column in columns.items()})
            if len(self._ready) >= REMEMBERED:
                self._ready.clear()
            self._ready[row, epochs] = ready
        return ready

    def best(self, name: str) -> float:
        """The largest entry of a value: the optimum, where the value is to be made large."""
        if name not in self.values:
            raise TableError(
                f'table {self.name}: it has no value "{name}"; there are {", ".join(self.values)}.'
                f"{did_you_mean(name, self.values)}"
            )
        return float(self.values[name].max())

    def _after(self, epochs: int) -> "Mapping[str, NDArray[np.float64]]":
        if epochs not in self.fidelities:
            known = ", ".join(map(str, self.fidelities)) or "no numbers of epochs; leave them out"
            raise TableError(f"table {self.name}: epochs {epochs} came; it has {known}")
        return self.fidelities[epochs]


def words(architecture: Architecture) -> str:
    """An architecture on one line, for a message."""
    return ", ".join(f"{name}={'+'.join(kept)}" for name, kept in architecture.picks.items())
