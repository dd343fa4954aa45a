"""Loads a table: finds the file, reads what its mapping names, and refuses whatever is wrong with it, all at once."""

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nasengine import plugins
from nasengine.errors import TableError, did_you_mean
from nasengine.space import Space
from nasengine.tables import joining, places
from nasengine.tables.indexing import index
from nasengine.tables.mapping import SECONDS, TableMapping
from nasengine.tables.reading import Source, numbers
from nasengine.tables.table import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[np.float64]]


def load_table(
    name_or_path: str | Path,
    *,
    dataset: str | None = None,
    mapping: str | Path | dict[str, Any] | None = None,
    space: Space | str | None = None,
    space_settings: Mapping[str, Any] | None = None,
    join: Collection[str] = (),
) -> Table:
    """Load a table by name (`digits`, `nasbench201`, …) or from a file.

    `dataset` picks the columns of a table of several; `mapping` is a file, the name of a published table or the keys
    themselves, and otherwise lies beside the file; `space` overrides the mapping's; `join` names further files whose
    columns become values. Errors: TableError with every fault of the file; those of a space that cannot be loaded.
    """
    path = places.find(str(name_or_path))
    source = places.open_table(path)
    read = places.mapping_for(path, mapping, source)
    place = f"table {path}"
    read, dataset = read.of(place, dataset)
    _check_columns(place, read, source)
    made, file = _space(place, read, space, space_settings)
    found = index(read, source, made, file)
    by_epochs, wrong = _values(read, source)
    faults = [*found.faults, *wrong, *_length_faults(by_epochs, found.size)]
    if faults:
        raise TableError("\n".join(f"{place}: {fault}" for fault in faults))
    joined = [joining.find(word) for word in ([join] if isinstance(join, str) else join)]
    by_epochs, notes = _joined(joined, read, source, by_epochs)
    return Table(
        name=places.name_of(path),
        dataset=dataset,
        space=made,
        values=list(by_epochs.values())[-1],
        objective=read.objective,
        report=read.report or None,
        fidelities={epochs: columns for epochs, columns in by_epochs.items() if epochs is not None},
        fingerprint=_fingerprint(read, [path, *joined]),
        notes=(*read.notes, *notes, *_remarks(read, made, found.size)),
        find=found.find,
        space_name=space if isinstance(space, str) else read.space or made.name,
        known=found.known,
    )


def _check_columns(place: str, mapping: TableMapping, source: Source) -> None:
    """Refuse a mapping that names columns which the file does not have."""
    named = {f"values.{value}": column for value, column in mapping.values.items()}
    for epochs, columns in mapping.fidelities.items():
        named |= {f"fidelities.{epochs}.{value}": column for value, column in columns.items()}
    named |= {f"decisions.{decision}": column for decision, column in mapping.decisions.items()}
    for key in ("architecture", "picks", "seconds_per_epoch"):
        if column := getattr(mapping, key):
            named[key] = column
    there = ", ".join(source.names)
    faults = [
        f'{key}: there is no column "{column}"; there are {there}.{did_you_mean(column, source.names)}'
        for key, column in named.items()
        if column not in source.names
    ]
    if faults:
        raise TableError("\n".join(f"{place}: {fault}" for fault in faults))


def _space(
    place: str, mapping: TableMapping, space: Space | str | None, settings: Mapping[str, Any] | None
) -> tuple[Space, ModuleType | None]:
    """The space of a table, and the file that defines it, where there is one."""
    name = mapping.space if space is None or isinstance(space, Space) else space
    file = plugins.load("space", name) if name else None
    if isinstance(space, Space):
        return space, file
    if not name:
        raise TableError(f'{place}: its mapping names no space; give space = "NAME" or "./FILE.py" in it, or --space')
    return plugins.load_space(name, {**(mapping.settings if space is None else {}), **(settings or {})}), file


def _values(mapping: TableMapping, source: Source) -> "tuple[dict[int | None, Columns], list[str]]":
    """By epochs, lowest first: the columns of all values; and what is wrong with the numbers in them."""
    faults: list[str] = []
    wanted = {column for columns in mapping.columns().values() for column in columns.values()}
    wanted |= {mapping.seconds_per_epoch} - {""}
    read: dict[str, NDArray[np.float64]] = {}
    for column, cells in source.read(sorted(wanted)).items():
        read[column], wrong = numbers(cells, column)
        faults += wrong
    by_epochs: dict[int | None, Columns] = {}
    for epochs, columns in mapping.columns().items():
        by_epochs[epochs] = {value: read[column] for value, column in columns.items()}
        if mapping.seconds_per_epoch and epochs is not None:
            by_epochs[epochs] = {**by_epochs[epochs], SECONDS: epochs * read[mapping.seconds_per_epoch]}
    return by_epochs, faults


def _joined(
    files: Collection[Path], mapping: TableMapping, source: Source, by_epochs: "dict[int | None, Columns]"
) -> "tuple[dict[int | None, Columns], list[str]]":
    """The columns with those of further files, which are the same at every fidelity; and notes about them."""
    notes = []
    for file in files:
        taken = [name for columns in by_epochs.values() for name in columns]
        more, note = joining.join(file, mapping, source, taken)
        by_epochs = {epochs: {**columns, **more} for epochs, columns in by_epochs.items()}
        notes.append(note)
    return by_epochs, [note for note in notes if note]


def _length_faults(by_epochs: "Mapping[int | None, Columns]", rows: int) -> list[str]:
    """Arrays of an .npz need not be of one length; those of a table have to."""
    lengths = {name: len(column) for columns in by_epochs.values() for name, column in columns.items()}
    other = [f"{name} has {length:,}" for name, length in lengths.items() if length != rows]
    return [f"{rows:,} rows say what they are about; {', '.join(other)}"] if rows and other else []


def _fingerprint(mapping: TableMapping, files: Collection[Path]) -> str:
    """SHA-256 of all that answers come from: the mapping and the files; an official archive's name holds its own."""
    plain = {**mapping.to_plain(), "space": Path(mapping.space).name}
    made = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
    for path in files:
        made.update(path.read_bytes() if path.is_file() else path.name.encode())
    return made.hexdigest()


def _remarks(mapping: TableMapping, space: Space, rows: int) -> list[str]:
    """What is to be said of any table of this form."""
    found = []
    if space.where is None and (size := space.size()).exact and rows < size.count:
        found.append(
            f"The table holds {rows:,} of the {size.count:,} architectures of the space; queries of others fail."
        )
    if not mapping.report and not mapping.notes:
        found.append(f"The table has no value to report apart from {mapping.objective}, by which is selected.")
    return found
