"""Pictures of the best networks, as images that a page holds in itself; in lines of text where dot is missing."""

import base64
from dataclasses import dataclass

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.interpreters import picture
from nasengine.interpreters.drawing import text
from nasengine.job import Json
from nasengine.report.findings import Findings
from nasengine.space import Architecture

NONE_YET = "There is no complete network yet."
SHOWN = 3  # networks


@dataclass(frozen=True)
class Picture:
    """One network: its title, its lines of text, and the address of its image where there is one."""

    title: str
    lines: str
    address: str | None


def pictures(found: Findings) -> tuple[list[Picture], str]:
    """The best networks, each once, and a sentence on what is missing; none where the space cannot be loaded."""
    rows = _chosen(found)
    if not rows:
        chooses = not found.of_kind("supernet") or found.search["state"] != "complete"
        return [], NONE_YET if chooses else "This search trained a supernet for others, and chose no network."
    try:
        made = [_picture(found, row) for row in rows]
    except (NasError, KeyError, TypeError, ValueError) as error:  # a space's file may have changed, or be elsewhere
        return [], f"The networks cannot be drawn: {error}"
    missing = "" if picture.has_dot() else "Install Graphviz for pictures: apt install graphviz, brew install graphviz."
    return made, missing


def _chosen(found: Findings) -> list[Json]:
    best = [found.best] if found.best else []
    unique: dict[str, Json] = {}
    for row in [*best, *found.ranked]:
        if row["architecture"]:
            unique.setdefault(row["digest"] or str(row["id"]), row)
    return list(unique.values())[:SHOWN]


def _picture(found: Findings, row: Json) -> Picture:
    settings = (row["lineage"] or {}).get("settings", found.search["settings"]) or {}
    space = plugins.load_space(found.search["space"], settings)
    architecture = Architecture.from_json(row["architecture"])
    name = "The best network" if row["best"] else f"Trial {row['trial']}"
    address = _address(picture.svg(space, architecture)) if picture.has_dot() else None
    return Picture(name, text(space, architecture), address)


def _address(svg: str) -> str:
    """As an image of its own: its names stay apart from those of other pictures, and it follows light and dark."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
