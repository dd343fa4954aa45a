"""Reads the official archives of NATS-Bench (topology) through the package that its authors publish, `nats_bench`.

Their `get_more_info` answers with the 12-epoch results unless it is told otherwise (hp="200"), and with one random seed
unless is_random is False: both are always given here. Reading all 15,625 cells takes minutes; `save` keeps the result.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nasengine.errors import TableError
from nasengine.tables.published import NATS
from nasengine.tables.reading import Source

TOPOLOGY, SIZE = "NATS-tss", "NATS-sss"
# our name: (the set that validation and time come from, the set that test comes from)
DATASETS = {
    "cifar10": ("cifar10-valid", "cifar10"),
    "cifar100": ("cifar100", "cifar100"),
    "imagenet16": ("ImageNet16-120", "ImageNet16-120"),
}
EPOCHS = ("12", "200")
COST = ("params", "macs")


def is_archive(path: Path) -> bool:
    """Whether a path is an official archive, by its name: a folder ending in -simple, or one .pickle.pbz2."""
    return path.name.startswith((TOPOLOGY, SIZE)) and (path.is_dir() or path.suffix == ".pbz2")


def open_archive(path: Path) -> Source:
    """Open an archive; its columns are called as in `published.NATS`, accuracies in percent."""
    if path.name.startswith(SIZE):
        raise TableError(f"table {path}: the size space of NATS-Bench came; the topology space ({TOPOLOGY}-…) is read")
    try:
        from nats_bench import create  # type: ignore[import-not-found]
    except ImportError:
        raise TableError(
            f"table {path}: the archives of NATS-Bench are read by their own package: pip install 'nasengine[nats]'"
        ) from None
    try:
        api = create(str(path), "tss", fast_mode=path.is_dir(), verbose=False)
    except Exception as error:  # whatever unpickling a broken archive may raise
        raise TableError(f"table {path}: not readable as an archive of NATS-Bench ({error!r})") from error
    names = [f"{dataset}_{part}" for dataset in DATASETS for part in COST]
    names += [f"{d}_{part}_{e}" for d in DATASETS for e in EPOCHS for part in ("val", "test", "seconds")]
    return Source(str(path), ("index", "architecture", *names), lambda wanted: _read(api, wanted))


def save(path: str | Path, to: str | Path) -> Path:
    """Read a whole archive once and write it as one .npz with its mapping in it, which `load_table` opens at once."""
    import numpy as np

    source = open_archive(Path(path))
    columns = source.read(source.names)
    file = Path(to).with_suffix(".npz")
    np.savez_compressed(file, mapping=json.dumps(NATS.to_plain()), **columns)  # type: ignore[arg-type]
    return file


def _read(api: Any, wanted: Sequence[str]) -> dict[str, Sequence[Any]]:
    """The wanted columns, one row for each architecture in the order of their official numbers."""
    rows = []
    for number in range(len(api)):
        cell = _Cell(api, number)
        rows.append([cell.value(name) for name in wanted])
        if api.fast_mode:  # it loads each cell when asked, and keeps them all: several GB
            api.arch2infos_dict.pop(number, None)
    return dict(zip(wanted, map(list, zip(*rows, strict=True)), strict=True))


class _Cell:
    """What the package knows of one architecture, each thing asked once."""

    def __init__(self, api: Any, number: int):
        self.api, self.number = api, number
        self.information = cache(lambda part, hp: api.get_more_info(number, part, hp=hp, is_random=False))

    def value(self, column: str) -> Any:
        if column == "index":
            return self.number
        if column == "architecture":
            return self.api.arch(self.number)
        dataset, part, *epochs = column.split("_")
        learned, tested = DATASETS[dataset]
        if part in COST:
            cost = self.api.get_cost_info(self.number, learned, hp=EPOCHS[-1])
            return 1e6 * cost["params" if part == "params" else "flops"]  # the package speaks in millions
        if part == "test":
            return self.information(tested, epochs[0])["test-accuracy"]
        return self.information(learned, epochs[0])["valid-accuracy" if part == "val" else "train-all-time"]
