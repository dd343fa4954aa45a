"""How a file is read as a table: which column names the architecture, which hold values, and what they cost.

A user writes it as TOML or JSON beside the file; `docs/tables.md` explains every key.
"""

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from nasengine.errors import TableError, did_you_mean

WAYS = ("architecture", "picks", "decisions")  # to say which architecture a row is about
SECONDS = "seconds"


@dataclass(frozen=True)
class TableMapping:
    """What the columns of a file mean; columns are given by name, `{dataset}` in one stands for the chosen data set."""

    space: str = ""  # a name, or a file, relative to the mapping's own
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the space
    architecture: str = ""  # the column that spells architectures as the space file does
    picks: str = ""  # the column of JSON {decision: [options]}; in .npz also an array (rows, decisions) of numbers
    decisions: Mapping[str, str] = field(default_factory=dict)  # decision: column
    values: Mapping[str, str] = field(default_factory=dict)  # value: column, whatever the fidelity
    fidelities: Mapping[int, Mapping[str, str]] = field(default_factory=dict)  # epochs: {value: column}
    epochs: int | None = None  # of the one fidelity that a table without `fidelities` has
    seconds_per_epoch: str = ""  # the column of seconds that one epoch takes
    objective: str = ""
    report: str = ""
    datasets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # name: further {words} in columns
    notes: tuple[str, ...] = ()
    join_by: str = ""  # the column by which files are joined; the architecture's, unless said otherwise

    @classmethod
    def from_plain(cls, place: str, plain: Mapping[str, Any]) -> Self:
        """Read what TOML or JSON gave; every fault of it is in one TableError."""
        names = [f.name for f in fields(cls)]
        faults = [
            f'"{key}" is no key; allowed are {", ".join(names)}.{did_you_mean(key, names)}'
            for key in plain
            if key not in names
        ]
        known = {key: value for key, value in plain.items() if key in names}
        faults += [fault for key, value in known.items() if (fault := _type_fault(key, value))]
        if not faults:
            made = cls(**{key: _made(key, value) for key, value in known.items()})
            made = replace(made, objective=made._chosen_objective(), report=made._chosen_report())
            faults = made._faults()
        if faults:
            raise TableError("\n".join(f"mapping {place}: {fault}" for fault in faults))
        return made

    def to_plain(self) -> dict[str, Any]:
        """The keys that are given, as plain dictionaries: what `from_plain` reads."""
        return {key: value for key, value in json.loads(json.dumps(asdict(self))).items() if value}

    def of(self, place: str, dataset: str | None) -> tuple[Self, str | None]:
        """The mapping with the columns of one data set (the first, where none is named), and its name."""
        if not self.datasets:
            if dataset is not None:
                raise TableError(f'{place}: dataset "{dataset}" came; the table knows one only; leave it out')
            return self, None
        chosen = dataset or next(iter(self.datasets))
        if chosen not in self.datasets:
            raise TableError(
                f'{place}: dataset "{chosen}" came; there are {", ".join(self.datasets)}.'
                f"{did_you_mean(chosen, self.datasets)}"
            )
        words = {"dataset": chosen, **self.datasets[chosen]}
        return replace(
            self,
            values=_filled(self.values, words),
            fidelities={epochs: _filled(columns, words) for epochs, columns in self.fidelities.items()},
            seconds_per_epoch=_fill(self.seconds_per_epoch, words),
        ), chosen

    def columns(self) -> dict[int | None, dict[str, str]]:
        """By epochs, lowest first: the column of each value; the key is None where no epochs are known."""
        if not self.fidelities:
            return {self.epochs: dict(self.values)}
        return {epochs: {**self.values, **self.fidelities[epochs]} for epochs in sorted(self.fidelities)}

    def _chosen_objective(self) -> str:
        names = list(self.columns().values())[-1]
        one = next(iter(names)) if len(names) == 1 else ""
        return self.objective or ("validation_accuracy" if "validation_accuracy" in names else one)

    def _chosen_report(self) -> str:
        names = list(self.columns().values())[-1]
        return self.report or ("test_accuracy" if "test_accuracy" in names.keys() - {self.objective} else "")

    def _faults(self) -> list[str]:
        """What is wrong between the keys, each of which may be right by itself."""
        faults = []
        ways = [way for way in WAYS if getattr(self, way)]
        if len(ways) != 1:
            faults.append(f"{' and '.join(ways) or 'nothing'} says what a row is about; give one of {', '.join(WAYS)}")
        by_epochs = self.columns()
        for epochs, columns in by_epochs.items():
            where = f"fidelities.{epochs}" if self.fidelities else "values"
            if not columns:
                faults.append(f'{where} is empty; give it values: validation_accuracy = "the column\'s name"')
            elif not self.objective:
                faults.append(f"{where} holds no validation_accuracy; say which value to select by: objective = …")
            elif self.objective not in columns:
                hint = did_you_mean(self.objective, columns)
                faults.append(f'objective "{self.objective}" is not in {where}; there are {", ".join(columns)}.{hint}')
        highest = list(by_epochs.values())[-1]
        if self.report and self.report not in highest:
            hint = did_you_mean(self.report, highest)
            faults.append(f'report "{self.report}" is no value; there are {", ".join(highest)}.{hint}')
        return faults + self._cost_faults()

    def _cost_faults(self) -> list[str]:
        timed = SECONDS in self.values
        if self.seconds_per_epoch and any(SECONDS in columns for columns in self.columns().values()):
            return ["both seconds_per_epoch and a value called seconds came; give one"]
        if self.seconds_per_epoch and not (self.fidelities or self.epochs):
            return ["seconds_per_epoch came without a number of epochs; give epochs = …, or fidelities"]
        if len(self.fidelities) > 1 and timed:
            return ["values.seconds would be the same at every fidelity; give it in each, or give seconds_per_epoch"]
        return []


def read_mapping(path: Path) -> TableMapping:
    """Read a mapping from a .toml or .json file; its space file is looked for beside it."""
    try:
        text = path.read_text(encoding="utf-8")
        plain = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise TableError(f"mapping {path}: not readable as {path.suffix[1:] or 'TOML'} ({error})") from error
    if not isinstance(plain, dict):
        raise TableError(f"mapping {path}: a {type(plain).__name__} came; a table of keys is needed")
    made = TableMapping.from_plain(str(path), plain)
    if made.space.endswith(".py"):
        return replace(made, space=str((path.parent / Path(made.space).expanduser()).resolve()))
    return made


def _type_fault(key: str, value: Any) -> str:
    """What is wrong with the form of one key's value; empty where nothing is."""
    if key in ("settings", "decisions", "values", "fidelities"):
        good = isinstance(value, Mapping)
        wanted = "a table"
        if good and key in ("decisions", "values"):
            good, wanted = all(isinstance(column, str) for column in value.values()), "a table of column names"
        if good and key == "fidelities":
            good = all(str(e).isdecimal() and int(e) and _are_columns(columns) for e, columns in value.items())
            wanted = "a table of tables, from whole numbers of epochs to column names: [fidelities.200]"
    elif key == "datasets":
        good, wanted = isinstance(value, list | tuple | Mapping), 'a list of names: ["cifar10", "cifar100"]'
    elif key == "notes":
        good, wanted = isinstance(value, list | tuple) and _texts(value), "a list of sentences"
    elif key == "epochs":
        good, wanted = type(value) is int and value > 0, "a whole number of at least 1"
    else:
        good, wanted = isinstance(value, str), "text"
    return "" if good else f"{key} came as {value!r}; give {wanted}"


def _are_columns(columns: Any) -> bool:
    return isinstance(columns, Mapping) and _texts(columns.values())


def _texts(items: Collection[Any]) -> bool:
    return all(isinstance(item, str) for item in items)


def _made(key: str, value: Any) -> Any:
    if key == "fidelities":
        return {int(epochs): dict(columns) for epochs, columns in value.items()}
    if key == "datasets":
        return {name: dict(value[name]) if isinstance(value, Mapping) else {} for name in value}
    return tuple(value) if key == "notes" else value


def _filled(columns: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    return {value: _fill(column, words) for value, column in columns.items()}


def _fill(column: str, words: Mapping[str, str]) -> str:
    for word, text in words.items():
        column = column.replace(f"{{{word}}}", text)
    return column
