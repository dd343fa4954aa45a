"""What stands around a search: the commands that come next, what it cost, where it ran."""

from collections.abc import Mapping
from typing import Any

from nasengine.commands import export_command, search_command, show_command, train_command
from nasengine.console.output import duration
from nasengine.report.findings import Findings


def commands(found: Findings, db: str) -> list[tuple[str, str]]:
    """What one does next, and the exact command for it."""
    search, best = found.search, found.best
    told = []
    if search["state"] != "complete":
        told.append(("Go on with this search", search_command(search, db)))
    if best is None and found.of_kind("supernet") and search["state"] == "complete":
        from nasengine.engine import next_search

        told.append(("Search the supernet", next_search(search["name"], db)))
    if best is not None and search["evaluator"] != "table" and best["kind"] != "supernet":
        told.append(("Take the best network away", export_command(search, best, db)))
    if best is not None:
        told.append(("Look at it", show_command(search, best, db)))
        told.append(("Train it again under three seeds", train_command(search, best, db)))
    if search["state"] == "complete" and search["words"]:
        told.append(("Search once more", search_command({**search, "name": f"{search['name']}-again"}, db)))
    return [(title, command) for title, command in told if command]


def costs(found: Findings) -> list[tuple[str, str]]:
    """What all attempts took, with units."""
    told = []
    for name, value in found.cost.items():
        if value:
            words_of = (
                duration(value) if name.endswith("seconds") else f"{value:,.0f}" if value >= 100 else f"{value:.4g}"
            )
            more = f" ({value / 3.6e6:.3g} kWh)" if name == "joules" else ""
            told.append((name.replace("_", " ").replace("seconds", "time"), words_of + more))
    return told


def environment(found: Findings) -> Mapping[str, Any]:
    """Where it ran; each time that it went on is counted, not listed."""
    known = dict(found.search["environment"] or {})
    resumed = known.pop("resumed", [])
    known |= {"nasengine": found.search["version"], "data": found.search["data"]}
    known |= {"data fingerprint": (found.search["data_fingerprint"] or "")[:16] or None, "seed": found.search["seed"]}
    known |= {"went on": f"{len(resumed)} times"} if resumed else {}
    return {name: value for name, value in known.items() if value is not None}
