"""Where figures are kept: the newest of each in results/bench.json, every run in results/bench_history.jsonl."""

import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Measured
from nasengine.ledger.environment import git_revision, version

RESULTS = Path(__file__).parents[1] / "results"
NEWEST, HISTORY = "bench.json", "bench_history.jsonl"


def keep(measured: Mapping[str, Iterable[Measured]], folder: Path, whole: bool) -> None:
    """Write the figures of each module: over the older ones of the same name or, after a whole run, over all.

    A refused figure is marked as such among the newest, for that is what was measured last; the history is without it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    newest = {} if whole else {figure.name: figure for figure in read(folder)}
    newest |= {figure.name: figure for figures in measured.values() for figure in figures}
    part = folder / f".{NEWEST}.{os.getpid()}"
    part.write_text(json.dumps([figure.to_json() for figure in newest.values()], indent=2) + "\n")
    part.replace(folder / NEWEST)
    steady = {module: [one.to_json() for one in figures if one.steady] for module, figures in measured.items()}
    steady = {module: figures for module, figures in steady.items() if figures}
    if steady:
        with (folder / HISTORY).open("a") as history:
            history.write(json.dumps(circumstances() | {"figures": steady}) + "\n")


def read(folder: Path = RESULTS) -> list[Measured]:
    """The newest figures; none where nothing has been measured."""
    path = folder / NEWEST
    return [Measured.from_json(facts) for facts in json.loads(path.read_text())] if path.exists() else []


def circumstances() -> dict[str, str | None]:
    """When, at which commit, on which processor and with which torch."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"date": now, "commit": git_revision(), "cpu": processor(), "torch": version("torch")}


def processor() -> str:
    """What the processor calls itself."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
