"""What a search has cost: the sum over its trials, and over what its strategy said to a language model."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

SPOKEN = ("tokens", "dollars")  # what remarks count
NOT_SUMMED = ("micro_batch",)  # a size, not a cost


def total(rows: Iterable[Mapping[str, Any]], remarks: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return seconds, core_seconds, gpu_seconds, joules, attempts, tokens, dollars, and whatever else trials counted.

    A trial that was answered from another cost nothing; what was tried before a retry did.
    """
    names = ("seconds", "core_seconds", "gpu_seconds", "joules", "attempts", *SPOKEN)
    found: Counter[str] = Counter(dict.fromkeys(names, 0.0))
    for row in rows:
        if row["reused_from"] is None:
            earlier = (row["lineage"] or {}).get("failed_before", ())
            for one in (row, *earlier):
                _add(found, one)
    for remark in remarks:
        values = remark["values"] or {}
        found.update({name: float(values[name]) for name in SPOKEN if values.get(name) is not None})
    return dict(found)


def _add(found: Counter[str], one: Mapping[str, Any]) -> None:
    cost = dict(one.get("cost") or {})
    if cost or one.get("seconds") is not None:
        cost.setdefault("attempts", 1.0)
    figures = {**cost, "seconds": one.get("seconds")}
    found.update({name: value for name, value in figures.items() if value is not None and name not in NOT_SUMMED})
