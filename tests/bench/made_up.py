"""A small table whose optimum is known, in memory and as files, and strategies that do what a test wants."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nasengine.bench.contest import Contest
from nasengine.bench.tabular import Run
from nasengine.search.objective import Goal
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space
from nasengine.tables import Table
from nasengine.testing.strategies import agreement
from nasengine.testing.strategies import table as independent

SPACE = '''"""Four decisions with three options each."""
from nasengine.layers import Identity
from nasengine.space import Space, chain, choose, op

def space(input=(1, 8, 8), classes=10):
    step = lambda: choose("op", a=op(Identity), b=op(Identity), c=op(Identity))
    return Space("tiny", input, chain(one=step(), two=step(), three=step(), four=step()))
'''
MAPPING = """space = "./tiny_space.py"
picks = "picks"
values = { validation_accuracy = "valid", test_accuracy = "test", latency_ms = "ms" }
"""


def made_up(rows: int | None = None, report: bool = True) -> Table:
    """81 rows (or the first of them): the share of a plant's answers, with a slope that makes every score another."""
    space = independent(decisions=4, options=3)
    architectures = space.first(rows or 81)
    score = agreement(space, architectures[len(architectures) // 2])
    slope = np.arange(len(architectures)) / 1000
    valid = np.array([score(one) for one in architectures]) + slope
    values = {"validation_accuracy": valid, "latency_ms": 1.0 + slope}
    if report:
        values["test_accuracy"] = valid - 0.1
    return Table(
        name="tiny", dataset=None, space=space, values=values, objective="validation_accuracy",
        report="test_accuracy" if report else None, fidelities={}, fingerprint="f", notes=("Made up.",),
        find={one: row for row, one in enumerate(architectures)}.get,
    )  # fmt: skip


def contest(*objectives: str, rows: int | None = None, report: bool = True) -> Contest:
    """The table under a goal."""
    return Contest(made_up(rows, report), Goal.parse(objectives or ["validation_accuracy"], "soft"))


def write_files(folder: Path) -> Path:
    """The same as files that a user would write: a space, a mapping, a table; returns the table."""
    (folder / "tiny_space.py").write_text(SPACE)
    (folder / "tiny.toml").write_text(MAPPING)
    names = [f"{step}.op" for step in ("one", "two", "three", "four")]
    lines = ["picks;valid;test;ms"]
    for number in range(81):
        answers = [number // 3**place % 3 for place in range(4)]
        picks = json.dumps({name: ["abc"[answer]] for name, answer in zip(names, answers, strict=True)})
        valid = sum(answer == 1 for answer in answers) / 4 + number / 1000
        lines.append(f'"{picks.replace(chr(34), chr(34) * 2)}";{valid:.4f};{valid - 0.1:.4f};{1 + number / 100}')
    path = folder / "tiny.csv"
    path.write_text("\n".join(lines).replace(";", ",") + "\n")
    return path


class Listed:
    """Proposes rows of the made-up table in this order, then nothing more."""

    def __init__(self, space: Space, rows: Sequence[int]):
        self.architectures = [space.first(row + 1)[row] for row in rows]
        self.told: list[Told] = []

    def ask(self, rng: random.Random) -> Architecture | None:
        return self.architectures[len(self.told)] if len(self.told) < len(self.architectures) else None

    def tell(self, result: Told) -> None:
        self.told.append(result)


def listed(*rows: int) -> Callable[[Space], Listed]:
    """What makes such a strategy."""
    return lambda space: Listed(space, rows)


def run(label: str, seed: int, *rows: int, **more: object) -> Run:
    """A run that asked for these rows."""
    return Run(label, seed, list(rows), **more)  # type: ignore[arg-type]
