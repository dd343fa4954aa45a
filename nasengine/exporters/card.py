"""The card of an exported network: a README.md that says what it is, where it comes from, and how to load it."""

from collections.abc import Mapping
from typing import Any

LOADING = """\
```python
import torch
from model import load

network = load()  # Network() with the weights of model.safetensors, in evaluation mode
print(network(torch.randn(1, {input})).shape)
```
"""
LINEAGE = ("search", "trial", "kind", "strategy", "seed", "seconds", "lineage")


def card(facts: Mapping[str, Any]) -> str:
    """Markdown from what architecture.json holds; what is not known is left out."""
    channels_height_width = ", ".join(map(str, facts["input"]))
    parts = [
        f"# {facts['space']}: a network found by nasengine\n",
        _figures(facts),
        _section("Drawing", f"```\n{facts['drawing'].rstrip()}\n```\n" if facts.get("drawing") else ""),
        _section("Architecture", _table(facts["architecture"], "decision", "kept")),
        _section("Space settings", _table(facts["settings"], "setting", "value")),
        _section("Load it", f"It needs torch and safetensors.\n\n{LOADING.format(input=channels_height_width)}"),
        _section("Data", _data(facts)),
        _section("Recipe", _table(facts.get("recipe") or {}, "setting", "value")),
        _section("Where it comes from", _table({k: facts[k] for k in LINEAGE if facts.get(k) is not None}, "", "")),
    ]
    return "\n".join(part for part in parts if part)


def _figures(facts: Mapping[str, Any]) -> str:
    rows = {
        "parameters": f"{facts['params']:,}",
        "multiply-adds per image": f"{facts['macs']:,}",
        "input (channels, height, width)": facts["input"],
        "outputs": facts["classes"],
        **{name.replace("_", " "): _number(value) for name, value in (facts.get("values") or {}).items()},
        "digest": facts.get("digest"),
        "largest difference to the searched network": f"{facts['parity']:.1e} of the output's size",
        "made with": f"nasengine {facts['versions']['nasengine']}, torch {facts['versions']['torch']}",
    }
    return _table({name: value for name, value in rows.items() if value is not None}, "", "")


def _data(facts: Mapping[str, Any]) -> str:
    data = facts.get("data")
    return _table(data, "", "") if isinstance(data, Mapping) else f"{data}\n" if data else ""


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _table(rows: Mapping[str, Any], left: str, right: str) -> str:
    if not rows:
        return ""
    lines = [f"| {left} | {right} |", "| --- | --- |"]
    return "\n".join(lines + [f"| {name} | {_cell(value)} |" for name, value in rows.items()]) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(inner)}" for name, inner in value.items())
    return str(value).replace("|", "\\|").replace("\n", " ")


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
