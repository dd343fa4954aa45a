"""Joins a second file's columns to a table as further values: latencies and energies measured by others."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasengine.errors import TableError, did_you_mean
from nasengine.tables.mapping import TableMapping
from nasengine.tables.reading import ENDINGS, Source, numbers, open_source, some, texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Join:
    """What is known of a published file that may be joined: how its columns are called as values."""

    ending: str = ""  # put behind each column's name
    note: str = ""


LATENCIES = {
    "nb201_latency_ms": Join(
        "_latency_ms",
        "Latencies are those of HELP (Lee et al., 2021, https://arxiv.org/abs/2106.08630); hwnb_… are HW-NAS-Bench's "
        "for CIFAR-10 (Li et al., 2021, https://arxiv.org/abs/2103.10584). Under 0.1 ms on raspi4 and pixel3 are "
        "cells without a path from input to output, which the converter had removed.",
    ),
    "nb201_pi5_pixel_latency_energy": Join(
        note="Latencies and energies of the Raspberry Pi 5 and the Pixel phone were measured once for each class of "
        "isomorphic cells (HW-NAS-Bench-360)."
    ),
}


def join(
    path: Path, mapping: TableMapping, source: Source, taken: Sequence[str]
) -> "tuple[dict[str, NDArray[np.float64]], str]":
    """The columns of a file in the order of the table's rows; and a note about them."""
    other, known = open_source(path), LATENCIES.get(path.stem, Join())
    by = mapping.join_by or mapping.architecture
    place = f"table {source.place}, joined with {path}"
    for one in (source, other):
        if not by or by not in one.names:
            raise TableError(
                f'{place}: files are joined by the column "{by}", which {one.place} does not have; it has '
                f"{some(one.names)}; name a column that both have: join_by = …{did_you_mean(by, one.names)}"
            )
    order, faults = _order(source, other, by)
    columns = {}
    for column, cells in _numeric(other, by).items():
        made, wrong = numbers(cells, column)
        faults += wrong
        name = column + known.ending
        if name in taken:
            faults.append(f'value "{name}" is there already; rename the column')
        columns[name] = made
    if not columns:
        faults.append("the joined file has no column of numbers")
    if faults:
        raise TableError("\n".join(f"{place}: {fault}" for fault in faults))
    return {name: column[order] for name, column in columns.items()}, known.note


def find(word: str) -> Path:
    """The file that a path, a path below NASENGINE_TABLES, or the name of a file in a folder of it means."""
    root = os.environ.get("NASENGINE_TABLES")
    roots = [Path(root).expanduser()] if root else []
    places = [Path(word).expanduser(), *(below / word for below in roots)]
    if not word.endswith(ENDINGS):
        places = [place for below in roots for ending in ENDINGS for place in sorted(below.glob(f"*/{word}{ending}"))]
    for place in places:
        if place.is_file():
            return place
    known = sorted(name for name in LATENCIES if any(list(below.glob(f"*/{name}.*")) for below in roots))
    raise TableError(
        f'join: "{word}" came, and no such file is there, nor below NASENGINE_TABLES ({root or "not set"}); '
        f"by name there are {', '.join(known) or 'none'}.{did_you_mean(word, known)}"
    )


def _order(source: Source, other: Source, by: str) -> tuple[list[int], list[str]]:
    """For each row of the table the other file's; and what is missing or double."""
    wanted, given = (texts(one.read([by])[by]) for one in (source, other))
    rows: dict[Any, int] = {}
    twice = [f"row {row} as row {rows[key]}" for row, key in enumerate(given) if rows.setdefault(key, row) != row]
    missing = [str(key) for key in wanted if key not in rows]
    faults = []
    if twice:
        faults.append(f"{len(twice):,} rows of the joined file repeat the {by} of another: {some(twice)}")
    if missing:
        faults.append(f"{len(missing):,} rows are not in the joined file; their {by}: {some(missing)}")
    return [rows.get(key, 0) for key in wanted], faults


def _numeric(other: Source, by: str) -> dict[str, Sequence[Any]]:
    """The columns that hold numbers, wholly or in part."""
    import numpy as np

    columns = other.read([name for name in other.names if name != by])
    return {name: cells for name, cells in columns.items() if np.isfinite(numbers(cells, name)[0]).any()}
