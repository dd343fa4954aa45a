"""Opens the file of a table: parquet, csv or npz, as named columns of text or of numbers.

An `.npz` holds one array a column, all of equally many rows. An array of two dimensions (rows, seeds) stands for its
mean over the second, and `NAME[3]` for its column 3. What is called `mapping` is the file's own mapping, as JSON text.
As the table that ships is laid out:

    architecture (rows,)                      text, as the space's file spells it; or instead
    picks (rows, decisions)                   numbers of options in declared order, -1 where a decision is not asked,
    decisions (decisions,)                    with the names of its columns
    validation_accuracy, test_accuracy (rows,) or (rows, seeds)
    learning_curve (rows, epochs)             validation accuracy after each epoch, mean over the seeds
    params, macs, latency_ms, seconds_per_epoch (rows,)
    mapping                                   {"space": "small_cell", "architecture": "architecture", "values": {…},
                                              "fidelities": {"1": {"validation_accuracy": "learning_curve[0]"}, …}}
"""

import csv
import json
import math
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasengine.errors import TableError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENDINGS = (".parquet", ".csv", ".tsv", ".npz")
SHOWN = 5  # faults of one kind that a message spells out


@dataclass(frozen=True)
class Source:
    """An open file: the names of its columns, and a function that reads some of them as lists or arrays."""

    place: str
    names: tuple[str, ...]
    read: "Callable[[Sequence[str]], dict[str, Sequence[Any]]]"
    mapping: dict[str, Any] | None = None  # what an .npz says about itself


def open_source(path: Path) -> Source:
    """Open a file by its ending; raises TableError where it cannot be read."""
    readers = {".parquet": _parquet, ".csv": _csv, ".tsv": _csv, ".npz": _npz}
    if path.suffix not in readers:
        raise TableError(f"table {path}: a file with the ending {path.suffix!r} came; allowed are {', '.join(ENDINGS)}")
    try:
        return readers[path.suffix](path)
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile) as error:  # pyarrow's errors are ValueErrors
        raise TableError(f"table {path}: not readable as {path.suffix[1:]} ({error})") from error


def texts(column: Sequence[Any]) -> list[str | bytes]:
    """A column of names: text without blanks around it, bytes as they are, whole numbers as such; missing is empty."""
    return [cell if type(cell) is bytes else _text(cell) for cell in column]


def numbers(column: Sequence[Any], name: str) -> "tuple[NDArray[np.float64], list[str]]":
    """A column of finite numbers, and a sentence about those that are none."""
    import numpy as np

    made = np.array([_number(cell) for cell in column] if isinstance(column, list) else column, dtype=np.float64)
    if made.ndim == 2:
        made = made.mean(axis=1)
    broken = np.flatnonzero(~np.isfinite(made)).tolist()
    if not broken:
        return made, []
    shown = some(f"row {row} ({_shown(column[row])})" for row in broken)
    return made, [f"column {name}: {len(broken):,} of {len(made):,} rows hold no finite number: {shown}"]


def some(items: Iterable[str]) -> str:
    """The first few of many faults."""
    found = list(items)
    return ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")


def _parquet(path: Path) -> Source:
    import pyarrow  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    names = tuple(pq.read_schema(path).names)

    def read(columns: Sequence[str]) -> dict[str, Sequence[Any]]:
        table = pq.read_table(path, columns=list(columns))
        kinds = pyarrow.types
        return {
            name: column.to_numpy()
            if kinds.is_floating(column.type) or (kinds.is_integer(column.type) and not column.null_count)
            else column.to_pylist()
            for name, column in ((name, table[name]) for name in columns)
        }

    return Source(str(path), names, read)


def _csv(path: Path) -> Source:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    if not rows:
        raise ValueError("it is empty; the first line has to name the columns")
    names, *body = rows
    body = [row for row in body if row]
    ragged = [f"row {number} has {len(row)}" for number, row in enumerate(body) if len(row) != len(names)]
    if ragged:
        raise ValueError(f"its first line names {len(names)} columns; {some(ragged)}")
    columns = (
        dict(zip(names, map(list, zip(*body, strict=True)), strict=True)) if body else {name: [] for name in names}
    )
    return Source(str(path), tuple(names), lambda wanted: {name: columns[name] for name in wanted})


def _npz(path: Path) -> Source:
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    mapping = json.loads(str(arrays["mapping"])) if "mapping" in arrays else None
    columns: dict[str, Sequence[Any]] = {}
    for name, array in arrays.items():
        if array.ndim in (1, 2):
            columns[name] = array if array.dtype.kind in "iufb" else array.tolist()
        if array.ndim == 2:
            columns.update({f"{name}[{number}]": array[:, number] for number in range(array.shape[1])})
    return Source(str(path), tuple(columns), lambda wanted: {name: columns[name] for name in wanted}, mapping)


def _text(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell) if whole else cell).strip()


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return math.nan


def _shown(cell: Any) -> str:
    return "nothing" if cell is None or str(cell) == "" else str(cell)
