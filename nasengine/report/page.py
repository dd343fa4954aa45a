"""The page itself: findings, charts and pictures poured into the templates, written whole or not at all."""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nasengine.errors import NasError
from nasengine.report import charts
from nasengine.report.contents import Contents
from nasengine.report.drawings import drawings
from nasengine.report.drawn import Chart
from nasengine.report.gates import GateStory

TEMPLATES = Path(__file__).with_name("templates")
CONFIG = {"displayModeBar": False, "responsive": True}


def html(contents: Contents) -> str:
    """The whole page as text, with its style, its scripts and plotly in it."""
    from plotly.offline import get_plotlyjs

    places = _Places()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"place": places.take, "place_gates": places.take_gates}
    body = environment.get_template("body.html").render(vars(contents) | drawings(contents))
    scripts = [get_plotlyjs(), (TEMPLATES / "page.js").read_text(encoding="utf-8")]
    return environment.get_template("page.html").render(
        title=f"{contents.name}: report of a search", body=Markup(body), scripts=[Markup(one) for one in scripts],
        policy=_policy(scripts), style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        data=Markup(_json({"charts": places.figures, "gates": places.gates})),
    )  # fmt: skip


@dataclass
class _Places:
    """Hands out the names of the places where charts go, and keeps what goes there."""

    figures: dict[str, Any] = field(default_factory=dict)
    gates: dict[str, Any] = field(default_factory=dict)

    def take(self, chart: Chart) -> str:
        name = f"chart-{len(self.figures) + 1}"
        self.figures[name] = json.loads(chart.figure.to_json()) | {"config": CONFIG}
        return name

    def take_gates(self, told: GateStory) -> str:
        """Strengths as whole numbers: thousandths of the way from the smallest to the largest."""
        name = f"gates-{len(self.gates) + 1}"
        low, scale = told.smallest, 1000 / (told.largest - told.smallest or 1.0)
        maps = [
            {"options": one.options, "strengths": [[round((v - low) * scale) for v in row] for row in one.strengths]}
            for one in told.maps
        ]
        self.gates[name] = {
            "epochs": list(told.epochs), "smallest": low, "largest": told.largest, "maps": maps
        }  # fmt: skip
        return name


def _json(value: Any) -> str:
    """JSON that can stand in a script element, whatever text is in it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _policy(scripts: Sequence[str]) -> str:
    """What the page may do: run these very scripts, show images that it holds, and ask nobody for anything."""
    sums = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in sums)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:"


def write(contents: Contents, path: Path) -> Path:
    """Write the page; raises NasError, and leaves nothing, where it cannot be written or plotly is missing."""
    charts.need_plotly()
    if path.suffix not in (".html", ".htm"):
        raise NasError(f"report: {path} came; a file that ends in .html is written: --to {path.with_suffix('.html')}")
    text = html(contents)
    try:
        _put(text, path)
    except OSError as error:
        raise NasError(f"report: {path} cannot be written ({error.strerror}); name another file with --to") from error
    return path


def _put(text: str, path: Path) -> None:
    """Write a file whole: beside its place first, then into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
