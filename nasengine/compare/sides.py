"""Two networks side by side: what differs in their figures, decisions, settings, recipes and searches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nasengine.commands import called
from nasengine.differences import Change, differences
from nasengine.runs import Trial

OF_SEARCH = (
    *("space", "strategy", "options", "evaluator", "data", "data_fingerprint", "seed", "epochs", "trials", "goal"),
    *("fidelity", "stopper", "version"),
)


@dataclass(frozen=True)
class Sides:
    """Two networks: their names, their figures in full, and what differs, by groups of names."""

    names: tuple[str, str]
    figures: Mapping[str, Change]
    different: Mapping[str, Mapping[str, Change]]
    same: tuple[str, ...]  # groups in which nothing differs

    def to_json(self) -> dict[str, Any]:
        """Everything, by the names of `--json`."""
        return {"names": self.names, "figures": self.figures, "different": self.different, "same": self.same}


def sides(one: Trial, other: Trial) -> Sides:
    """Compare two networks; decisions are those of their architectures, settings those that they were built with."""
    parts = {
        "architecture": (one.row["architecture"], other.row["architecture"]),
        "settings": (one.settings, other.settings),
        "recipe": (one.row["recipe"] or {}, other.row["recipe"] or {}),
        "search": ({name: one.search[name] for name in OF_SEARCH}, {name: other.search[name] for name in OF_SEARCH}),
        "surroundings": (_where(one), _where(other)),
    }
    found = {name: dict(differences("", *both)) for name, both in parts.items()}
    names = f"{one.search['name']}:{called(one.row)}", f"{other.search['name']}:{called(other.row)}"
    same = tuple(name for name, changes in found.items() if not changes)
    different = {name: changes for name, changes in found.items() if changes}
    return Sides(names, dict(_figures(one, other)), different, same)


def _figures(one: Trial, other: Trial) -> Iterator[tuple[str, Change]]:
    """What both networks reached and what they took, also where it is the same."""
    for name in dict.fromkeys([*one.values, *other.values]):
        yield name, (one.values.get(name), other.values.get(name))
    for name in ("params", "macs", "seconds", "seed", "digest"):
        yield name, (getattr(one, name), getattr(other, name))


def _where(trial: Trial) -> dict[str, Any]:
    return {name: value for name, value in (trial.search["environment"] or {}).items() if name != "resumed"}
