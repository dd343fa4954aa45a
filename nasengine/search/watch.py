"""Watches a supernet's gates for collapse: skips that win everything, gates that have stopped to compete."""

import math
from collections.abc import Mapping
from typing import Any

from nasengine.interpreters.depth import namespaces
from nasengine.space import Architecture, Space

MANY_SKIPS = 0.5  # share of skips in what is settled on; DARTS' collapsed cells have more than half
FEW_BITS = 0.1  # entropy of the gates, 1 being a choice without preference


def figures(space: Space, architecture: Architecture, gates: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """`skip_share` of the settled architecture, `skip_shares` by namespace, and `gate_entropy` (0 to 1)."""
    owners = namespaces(space)
    found: dict[str, list[bool]] = {}
    for name, kept in architecture.picks.items():
        if name in gates:
            found.setdefault(owners[name], []).extend(space.decisions[name].kinds[option] == "skip" for option in kept)
    everything = [skip for skips in found.values() for skip in skips]
    return {
        "skip_share": sum(everything) / max(len(everything), 1),
        "skip_shares": {namespace: sum(skips) / len(skips) for namespace, skips in found.items()},
        "gate_entropy": sum(map(entropy, gates.values())) / max(len(gates), 1),
    }


def entropy(strengths: Mapping[str, float]) -> float:
    """The entropy of strengths as shares of their sum, 1 where all are equal and 0 where one has everything."""
    total = sum(strengths.values())
    shares = [strength / total for strength in strengths.values() if strength > 0] if total > 0 else []
    return -sum(p * math.log(p) for p in shares) / math.log(len(strengths)) if len(strengths) > 1 else 0.0


def warnings(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an epoch's figures say about collapse: what it is about, and one sentence; nothing without gates."""
    found = [
        (
            f"skips {namespace}",
            f"skip connections are {share:.0%} of what {namespace or 'the network'} settles on: the search is "
            "collapsing; search fewer epochs, or with pr-darts and a larger skip_weight",
        )
        for namespace, share in record.get("skip_shares", {}).items()
        if share > MANY_SKIPS
    ]
    if record.get("gate_entropy", 1.0) < FEW_BITS:
        said = f"the gates' entropy is {record['gate_entropy']:.2f} (1 is open, 0 decided): nothing competes any more"
        found.append(("entropy", said))
    return found
