"""One network as a picture: an SVG text for pages, or an .svg, .png or .pdf file; Graphviz' dot lays it out."""

import os
import shutil
import subprocess
from pathlib import Path

from nasengine.errors import ExportError
from nasengine.interpreters.drawing import dot
from nasengine.space import Architecture, Space

ENDINGS = (".svg", ".png", ".pdf")


def has_dot() -> bool:
    """Whether Graphviz' program dot is on the path."""
    return shutil.which("dot") is not None


def svg(space: Space, architecture: Architecture) -> str:
    """The network as one `<svg>` element; ExportError where dot is missing."""
    text = _laid_out(dot(space, architecture), "svg").decode()
    return text[text.index("<svg") :]


def draw(space: Space, architecture: Architecture, path: str | Path) -> Path:
    """Draw a network into an .svg, .png or .pdf file; ExportError where dot is missing or the ending is another."""
    path = Path(path)
    if path.suffix not in ENDINGS:
        raise ExportError(f"draw: {path} came; a file that ends in {', '.join(ENDINGS)} is allowed")
    if path.suffix == ".svg":
        content = f"{svg(space, architecture)}\n".encode()
    else:
        content = _laid_out(dot(space, architecture), path.suffix[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.{os.getpid()}")
    whole.write_bytes(content)
    os.replace(whole, path)
    return path


def _laid_out(graph: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise ExportError(
            "draw: Graphviz' program dot is not on the path; install it (Debian and Ubuntu: apt install graphviz; "
            "macOS: brew install graphviz), or read the lines that `nasengine show` prints"
        )
    done = subprocess.run([program, f"-T{form}"], input=graph.encode(), capture_output=True)
    if done.returncode:
        raise ExportError(f"draw: dot could not draw the network: {done.stderr.decode().strip()}")
    return done.stdout
