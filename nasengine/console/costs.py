"""What a search has cost and what went wrong with its workers, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from nasengine.console.output import duration, number
from nasengine.ledger import Ledger
from nasengine.ledger.costs import total
from nasengine.ledger.queries import FAULT

SHOWN = 5  # faults; the rest are counted


def cost_words(cost: Mapping[str, float]) -> str:
    """Core time, GPU time, energy, tokens and attempts, as far as there are any."""
    times = {"core_seconds": "of cores", "gpu_seconds": "of GPUs", "lost_seconds": "lost with workers"}
    words = [f"{duration(cost[name])} {what}" for name, what in times.items() if cost.get(name)]
    words += [f"{cost['joules'] / 3.6e6:.3g} kWh"] if cost.get("joules") else []
    words += [f"{cost['tokens']:,.0f} tokens"] if cost.get("tokens") else []
    words += [f"{cost['dollars']:.2f} dollars"] if cost.get("dollars") else []
    words += [f"{number(int(cost['attempts']))} attempts"] if cost.get("attempts", 0) > 1 else []
    return ", ".join(words)


def after_words(ledger: Ledger, name: str, rows: Sequence[Mapping[str, Any]] | None = None) -> str:
    """The cost of a search and the latest faults of its workers, each on a line; empty where there are none.

    `rows` are the search's results, where they were read already.
    """
    remarks = ledger.remarks(name)
    cost = total(ledger.results(name) if rows is None else rows, remarks)
    words = cost_words({**cost, "attempts": 0})  # as many as there were jobs, and the faults
    faults = [row["text"] for row in remarks if row["kind"] == FAULT]
    lines = [f"cost: {words}"] if words else []
    if faults:
        earlier = f", the last {SHOWN}" if len(faults) > SHOWN else ""
        lines += [f"faults of workers: {len(faults)}{earlier}", *(f"  {fault}" for fault in faults[-SHOWN:])]
    return "\n".join(lines)
