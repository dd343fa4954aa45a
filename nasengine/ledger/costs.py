"""What a search has cost: the sum over its trials, and over what its strategy said to a language model."""

from collections.abc import Iterable, Mapping
from typing import Any

SPOKEN = ("tokens", "dollars")  # what remarks count
NOT_SUMMED = ("micro_batch",)  # a size, not a cost


def total(rows: Iterable[Mapping[str, Any]], remarks: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return seconds, core_seconds, gpu_seconds, joules, attempts, tokens, dollars, and whatever else trials counted.

    A trial that was answered from another cost nothing; what was tried before a retry did.
    """
    names = ("seconds", "core_seconds", "gpu_seconds", "joules", "attempts", *SPOKEN)
    found = dict.fromkeys(names, 0.0)
    for row in rows:
        if row["reused_from"] is None:
            earlier = (row["lineage"] or {}).get("failed_before", ())
            for one in (row, *earlier):
                _add(found, one)
    for remark in remarks:
        values = remark["values"] or {}
        for name in SPOKEN:
            found[name] += values.get(name) or 0.0
    return found


def _add(found: dict[str, float], one: Mapping[str, Any]) -> None:
    cost, seconds = one.get("cost") or {}, one.get("seconds")
    for name, value in cost.items():
        if value is not None and name not in NOT_SUMMED and name != "seconds":
            found[name] = found.get(name, 0.0) + value
    if seconds is not None:
        found["seconds"] += seconds
    if "attempts" not in cost and (cost or seconds is not None):
        found["attempts"] += 1.0
