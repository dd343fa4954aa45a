"""A CSV of pictures: a row each, with its path, its label or labels, and perhaps its part."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nasengine.errors import DataError, did_you_mean
from nasengine.training.columns import label_columns, picture_column
from nasengine.training.decode import Picture, of_file
from nasengine.training.pictures import labelled
from nasengine.training.raw import PART_WORDS, TRAIN, Array, Raw
from nasengine.training.reading import Reading

PATHS = ("path", "file", "filename", "file_name", "image")
LABELS = ("label", "class", "target")
SPLIT = "split"
_SHOWN = 10
Rows = list[tuple[int, dict[str, str]]]  # with their line numbers


def listed(path: Path, reading: Reading) -> Raw:
    """Return the pictures of a CSV with columns `path`, `label` and perhaps `split` (train, validation, test).

    Paths are relative to the CSV. Words, and whole numbers, are classes by their names; numbers with a point, or
    several label columns, are the targets of a regression.
    """
    columns, rows = _rows(path, reading)
    column = picture_column(columns, PATHS, reading)
    labels = label_columns(columns, LABELS, reading)
    if column is None or not labels:
        raise DataError(
            f"{reading.place}: columns {', '.join(columns)} came; path and label are needed, or name them by the "
            "options column and label"
        )
    faults: list[str] = []
    pictures = _pictures(path.parent, column, rows, faults)
    parts = _parts(rows, columns, faults)
    values, names = _values(rows, labels, reading, faults)
    if faults:
        more = [f"and {len(faults) - _SHOWN:,} more"] if len(faults) > _SHOWN else []
        raise DataError("\n".join(f"{reading.place}: {fault}" for fault in [*faults[:_SHOWN], *more]))
    task = "regression" if names else reading.options.task
    return labelled(pictures, values, parts, reading, names, task)


def _rows(path: Path, reading: Reading) -> tuple[list[str], Rows]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            table = csv.DictReader(file, delimiter=max(",;\t", key=head.count), strict=True)
            rows = [(table.line_num, row) for row in table]
            columns = [name.strip() for name in table.fieldnames or []]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{reading.place}: not a readable CSV in UTF-8 ({error})") from error
    if not rows:
        raise DataError(
            f"{reading.place}: a CSV without rows came; a first line of names and a row a picture are needed"
        )
    broken = [line for line, row in rows if None in row or None in row.values()]
    if broken:
        lines = ", ".join(map(str, broken[:_SHOWN]))
        raise DataError(f"{reading.place}: line {lines}: not {len(columns)} cells as in the first line; mend them")
    return columns, [(line, {key.strip(): cell.strip() for key, cell in row.items()}) for line, row in rows]


def _pictures(folder: Path, column: str, rows: Rows, faults: list[str]) -> list[Picture]:
    pictures = []
    for line, row in rows:
        file = folder / Path(row[column]).expanduser()
        if file.is_file():
            pictures.append(of_file(file, f"line {line}, {row[column]}"))
        else:
            faults.append(f'line {line}: the file "{row[column]}" is not there; paths are relative to {folder}')
    return pictures


def _parts(rows: Rows, columns: Sequence[str], faults: list[str]) -> list[int]:
    if SPLIT not in columns:
        return [TRAIN] * len(rows)
    for line, row in rows:
        word = row[SPLIT]
        if word.lower() not in PART_WORDS:
            hint = did_you_mean(word, PART_WORDS)
            faults.append(f'line {line}: split "{word}" came; train, validation or test is allowed.{hint}')
    return [PART_WORDS.get(row[SPLIT].lower(), TRAIN) for _, row in rows]


def _values(rows: Rows, labels: Sequence[str], reading: Reading, faults: list[str]) -> tuple[Array, tuple[str, ...]]:
    """Return labels, with the targets' names where they are those of a regression."""
    cells = [[row[name] for name in labels] for _, row in rows]
    empty = [
        (line, name)
        for (line, _), row in zip(rows, cells, strict=True)
        for name, cell in zip(labels, row, strict=True)
        if not cell
    ]
    faults += [f'line {line}: an empty "{name}" came; every picture needs one' for line, name in empty]
    task = reading.options.task
    single = [row[0] for row in cells]
    if empty or task == "classification" and len(labels) == 1:
        return np.array(single), ()
    if task is None and len(labels) == 1 and not _are_numbers(single):
        return np.array(single), ()
    return _targets(rows, cells, faults), tuple(labels)


def _are_numbers(cells: Sequence[str]) -> bool:
    """Say whether cells are numbers with a point: whole ones are names of classes."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return False
    return any(not cell.lstrip("+-").isdigit() for cell in cells) and not all(value != value for value in values)


def _targets(rows: Rows, cells: list[list[str]], faults: list[str]) -> Array:
    values = np.zeros((len(cells), len(cells[0])), np.float32)
    for place, ((line, _), row) in enumerate(zip(rows, cells, strict=True)):
        for target, cell in enumerate(row):
            try:
                values[place, target] = float(cell)
            except ValueError:
                faults.append(f'line {line}: "{cell}" came; a number is needed, as in the other lines')
    return values
