"""A trial's network as a picture for Optuna's dashboard, made of what the database knows of it."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nasengine.interpreters.picture import has_dot, svg
from nasengine.plugins import load_space
from nasengine.space import Architecture, Space


def portrait(search: Mapping[str, Any], row: Mapping[str, Any]) -> str | None:
    """Draw a row of `nas_trials` as SVG, at the size it was trained at; None where Graphviz' dot is missing.

    It has paper of its own: in the dashboard it takes its ink from the system's colours, the page from a switch.
    """
    if not has_dot():
        return None
    settings = (row["lineage"] or {}).get("settings", search["settings"]) or {}
    text = svg(_space(search["space"], json.dumps(settings)), Architecture.from_json(row["architecture"]))
    return text.replace("<svg ", '<svg style="background:var(--nas-paper)" ', 1)


@lru_cache(maxsize=4)
def _space(name: str, settings: str) -> Space:
    return load_space(name, json.loads(settings))
