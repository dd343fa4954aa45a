"""Latencies and energies that others measured and published, as devices: tables below NASENGINE_TABLES.

HELP (Lee et al., 2021, https://arxiv.org/abs/2106.08630) measured NAS-Bench-201, and samples of FBNet and of
Once-for-all's MobileNetV3, on GPUs, processors and phones; `hwnb_…` are columns of HW-NAS-Bench (Li et al., 2021,
https://arxiv.org/abs/2103.10584). A network that a table does not hold has no latency there; none is guessed.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from nasengine.errors import NasError
from nasengine.space import Architecture, Space
from nasengine.tables.joining import LATENCIES
from nasengine.tables.loading import load_table
from nasengine.tables.reading import Source, open_source, texts

LATENCY, ENERGY = "latency_ms", "energy_mj"
BLOCKS = ("k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip")  # FBNet's digits
SIDE = "resize.resolution"  # the decision of space mobile; without it the images' height counts


class Held(NamedTuple):
    """An open file: the row of a network, where it has one, and the column of a device's value."""

    row: Callable[[Architecture, Space], int | None]
    column: Callable[[str], Any]  # one number a row


@dataclass(frozen=True, eq=False)
class File:
    """A published file: for which space, which columns are no devices, and how its rows are found."""

    space: str
    name: str
    about: tuple[str, ...]  # columns that say which network a row is
    open: Callable[[Path], Held]
    images: tuple[int, ...] | None  # (channels, height, width) that it was measured with, where that is one
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the space; other networks are not in it


@dataclass(frozen=True)
class Published:
    """One device of a published file."""

    name: str
    file: File
    path: Path
    columns: Mapping[str, str]  # value -> column

    def value(self, value: str, space: Space, architecture: Architecture) -> float:
        """Milliseconds or millijoules of a network; raises NasError where the table does not hold it."""
        wrong = {name: space.settings[name] for name in self.file.settings if space.settings.get(name) is not None}
        wrong = {name: came for name, came in wrong.items() if came != self.file.settings[name]}
        if wrong:
            raise NasError(
                f"device {self.name}: {_words(wrong)} came; {self.path.name} was measured with "
                f"{_words({name: self.file.settings[name] for name in wrong})}; set that, or measure on cpu"
            )
        held = _held(self.file, self.path)
        row, column = held.row(architecture, space), held.column(self.columns[value])
        if row is None:
            raise NasError(
                f"device {self.name}: {self.path.name} does not hold the network "
                f"{_words({name: '+'.join(kept) for name, kept in architecture.picks.items()})}; "
                f"only the {len(column):,} published ones have a figure; "
                "measure on cpu instead"
            )
        return float(column[row])

    def facts(self, space: Space) -> dict[str, Any]:
        """Where the figures are from, and what to know about them."""
        found: dict[str, Any] = {"device": self.name, "published": self.path.name, "values": list(self.columns)}
        if note := getattr(LATENCIES.get(self.file.name), "note", ""):
            found["note"] = note
        if self.file.images and tuple(space.input) != self.file.images:
            found["differs"] = (
                f"measured on images {self.file.images} (channels, height, width), here they are {tuple(space.input)}: "
                "the figures order networks, they are not what these would take"
            )
        return found


def published(space: str) -> dict[str, Published]:
    """The devices by name that there are published tables for, below NASENGINE_TABLES, for a space."""
    found: dict[str, Published] = {}
    for file, path in _files():
        if file.space == space:
            for device, columns in _devices(file, path).items():
                found.setdefault(device, Published(device, file, path, columns))
    return found


def everywhere() -> list[tuple[str, str]]:
    """Every published device with what it is."""
    spaces = dict.fromkeys(file.space for file, _ in _files())
    known: dict[str, list[str]] = {}
    for space in spaces:
        for name, one in published(space).items():
            known.setdefault(name, []).append(
                f"{' and '.join(value.split('_')[0] for value in one.columns)} of {space}"
            )
    return [(name, f"published {', '.join(words)}") for name, words in known.items()]


def _files() -> Iterator[tuple[File, Path]]:
    root = os.environ.get("NASENGINE_TABLES")
    for file in FILES if root else ():
        below = Path(root or "").expanduser()
        for path in (below / "hw_latency" / f"{file.name}.parquet", below / f"{file.name}.parquet"):
            if path.is_file():
                yield file, path
                break


def _devices(file: File, path: Path) -> dict[str, dict[str, str]]:
    """By device the columns of its values; a column without an ending is a latency."""
    found: dict[str, dict[str, str]] = {}
    for column in _open(path).names:
        if column not in file.about:
            value = ENERGY if column.endswith(ENERGY) else LATENCY
            found.setdefault(column.removesuffix(f"_{value}"), {})[value] = column
    return found


@lru_cache(maxsize=16)
def _open(path: Path) -> Source:
    return open_source(path)


@lru_cache(maxsize=16)
def _held(file: File, path: Path) -> Held:
    return file.open(path)


def _cells(path: Path) -> Held:
    """NAS-Bench-201: the table of accuracies spells out the cells, and the file's columns are joined to it."""
    table = load_table("nasbench201", join=(str(path),))
    ending = LATENCIES[path.stem].ending if path.stem in LATENCIES else ""
    return Held(lambda architecture, space: table.row(architecture), lambda name: table.values[name + ending])


def _blocks(path: Path) -> Held:
    """FBNet: 22 digits, one for each block."""
    known = {
        Architecture({f"layer{number}.block": (BLOCKS[int(digit)],) for number, digit in enumerate(ops, 1)}): row
        for row, ops in enumerate(map(str, texts(_open(path).read(["ops"])["ops"])))
    }
    return Held(lambda architecture, space: known.get(architecture), partial(_column, path))


def _stages(path: Path) -> Held:
    """Once-for-all: kernel and expansion of four blocks a stage, of which `depth` say how many there are."""
    columns = _open(path).read(["ksize", "expand", "depth", "resolution"])
    cells = zip(*(map(str, texts(columns[name])) for name in ("ksize", "expand", "depth", "resolution")), strict=True)
    known = {_picks(*cell): row for row, cell in reversed([*enumerate(cells)])}  # the first of equal ones

    def find(architecture: Architecture, space: Space) -> int | None:
        side = architecture.picks.get(SIDE, (str(space.input[1]),))
        return known.get(Architecture({**architecture.picks, SIDE: side}))

    return Held(find, partial(_column, path))


def _picks(kernels: str, expansions: str, depths: str, side: str) -> Architecture:
    picks: dict[str, tuple[str, ...]] = {SIDE: (side,)}
    for stage, depth in enumerate(depths):
        picks[f"stage{stage + 1}.rest.depth"] = (depth,)
        for block in range(int(depth)):
            place = f"stage{stage + 1}." + ("first" if block == 0 else f"rest.{block - 1}")
            picks[f"{place}.kernel"] = (kernels[4 * stage + block],)
            picks[f"{place}.expand"] = (expansions[4 * stage + block],)
    return Architecture(picks)


@lru_cache(maxsize=64)
def _column(path: Path, name: str) -> Any:
    return _open(path).read([name])[name]


def _words(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


FILES = (
    File("nasbench201", "nb201_latency_ms", ("index",), _cells, (3, 32, 32), {"channels": 16, "cells": 5}),
    File("nasbench201", "nb201_pi5_pixel_latency_energy", ("index",), _cells, None, {"channels": 16, "cells": 5}),
    File("fbnet", "fbnet_latency_ms", ("ops",), _blocks, (3, 32, 32), {"width": 1.0, "depths": (1, 4, 4, 4, 4, 4, 1)}),
    File("mobile", "ofa_mbv3_latency_ms", ("ksize", "expand", "depth", "resolution"), _stages, None),
)
