"""One epoch in words, and the cell that a supernet settles on."""

from collections.abc import Mapping
from typing import Any

from nasengine.job import COMPARED

BARE = 3  # letters of an option's name that are enough to know it by


def epoch_words(values: Mapping[str, Any]) -> str:
    """Loss, the task's figure (accuracy, r2 or iou) and, for a supernet, what it settles on."""
    words = [f"loss {values['train_loss']:.3f}"]
    words += [f"{name} {values[f'train_{name}']:.3f}" for name in COMPARED if f"train_{name}" in values]
    if "skip_share" in values:
        words += [f"skips {values['skip_share']:.0%}", f"entropy {values['gate_entropy']:.2f}"]
        words.append(cell_words(values["architecture"]))
    return "  ".join(words)


def cell_words(picks: Mapping[str, Any]) -> str:
    """The chosen layers in short, by namespace, without their sources: `normal sep3 ski | dil5 sep3 …`."""
    groups: dict[str, dict[str, list[str]]] = {}
    edges = {name for name, kept in picks.items() if any(_leads_on(name, option, picks) for option in kept)}
    for name, kept in picks.items():
        if name not in edges:
            *scope, _ = name.split(".")
            namespace, node = (*scope, "", "")[:2]
            groups.setdefault(namespace, {}).setdefault(node, []).extend(map(_short, kept))
    return "  ".join(
        f"{namespace} {' | '.join(' '.join(options) for options in nodes.values())}".strip()
        for namespace, nodes in groups.items()
    )


def _leads_on(name: str, option: str, picks: Mapping[str, Any]) -> bool:
    scope = name.rpartition(".")[0]
    return any(other.startswith(f"{scope}.{option}." if scope else f"{option}.") for other in picks)


def _short(option: str) -> str:
    digits = "".join(letter for letter in option if letter.isdigit())[:1]
    return option[:BARE] + digits if not option.isdigit() else option
