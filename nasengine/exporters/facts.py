"""What is known of an exported network: for architecture.json, for its card, and for the docstring of its source."""

import textwrap
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace
from nasengine.space import Architecture

LICENCE = (
    "The source was written by nasengine; what it holds of nasengine's own layers is under the Apache License 2.0 "
    "(https://www.apache.org/licenses/LICENSE-2.0), layers from your own files stay under your licence."
)
WIDTH = 110


def facts_of(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the network itself says, and what is given; where both speak of its size, the network is right."""
    space, architecture = model.space, model.picks
    assert isinstance(architecture, Architecture)
    counted = cost(space, architecture)
    _, output = trace(space, architecture)
    known = {"space": space.name, "settings": dict(space.settings)}
    own = {
        "architecture": architecture.to_json(),
        "input": list(space.input),
        "output": list(output),
        "classes": output[0],
        "params": counted.params,
        "macs": counted.macs,
        "versions": {"nasengine": _version(), "torch": torch.__version__},
    }
    return {**known, **given, **own}


def about(facts: Mapping[str, Any]) -> str:
    """The docstring of model.py."""
    settings = ", ".join(f"{name}={value!r}" for name, value in facts["settings"].items()) or "none"
    values = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in (facts.get("values") or {}).items())
    found = ", ".join(f"{name} {facts[name]}" for name in ("search", "strategy", "data") if facts.get(name))
    paragraphs = [
        f"Settings: {settings}",
        f"Input: (batch, {', '.join(map(str, facts['input']))}), images {_treated(facts.get('preprocessing') or {})}",
        f"Output: (batch, {', '.join(map(str, facts['output']))})",
        f"Parameters: {facts['params']:,}; multiply-adds per image: {facts['macs']:,}",
        *([f"Measured: {values}"] if values else []),
        *([f"From: {found}"] if found else []),
        f"Licence: {LICENCE}",
        "Architecture:",
    ]
    picks = [f"  {name}: {', '.join(kept)}" for name, kept in facts["architecture"].items()]
    head = f"A network of the space {facts['space']}, found by nasengine {facts['versions']['nasengine']}."
    lines = [line for one in paragraphs for line in textwrap.wrap(one, WIDTH, subsequent_indent="  ")]
    return "\n".join([head, "", *lines, *(picks or ["  no decisions"])])


def _treated(preprocessing: Mapping[str, Any]) -> str:
    if not preprocessing:
        return "treated as in training"
    mean, std = (", ".join(f"{value:.4g}" for value in preprocessing[name]) for name in ("mean", "std"))
    return f"as (pixels - mean) / std per channel, with mean {mean} and std {std}; bytes are divided by 255 before"


def _version() -> str:
    try:
        return version("nasengine")
    except PackageNotFoundError:
        return "unknown"
