"""One network as a picture: an SVG text for pages, or an .svg, .png or .pdf file; Graphviz' dot lays it out.

Where a space has cells, they are drawn one by one below a strip that shows where they stand; any other network is
drawn as its stages.
"""

import html
import os
import re
import shutil
import subprocess
from pathlib import Path

from nasengine.errors import ExportError
from nasengine.interpreters.cells import cell_figures, cells, statements
from nasengine.interpreters.paint import CLASS, INK, QUIET, style
from nasengine.interpreters.stage_table import strip, table
from nasengine.interpreters.stages import stages
from nasengine.space import Architecture, Space

ENDINGS = (".svg", ".png", ".pdf")
SECONDS = 60  # dot is given up after so many


def has_dot() -> bool:
    """Whether Graphviz' program dot is on the path."""
    return shutil.which("dot") is not None


def svg(space: Space, architecture: Architecture) -> str:
    """The network as one `<svg>` element, to stand in a page or a file; ExportError where dot is missing.

    It is transparent. Its colours follow the page's CSS variables --ink and --paper, or the reader's light or dark.
    """
    text = _laid_out(graph(space, architecture), "svg").decode()
    text = re.sub(r' id="[^"]*"|<!--.*?-->\n?|<title>.*?</title>\n?', "", text[text.index("<svg") :], flags=re.DOTALL)
    return re.sub(r"<svg ([^>]*)>", rf'<svg class="{CLASS}" role="img" \1><style>{style()}</style>', text, count=1)


def draw(space: Space, architecture: Architecture, path: str | Path) -> Path:
    """Draw a network into an .svg, .png or .pdf file; ExportError where dot is missing or the ending is another."""
    path = Path(path)
    if path.suffix not in ENDINGS:
        raise ExportError(f"draw: {path} came; a file that ends in {', '.join(ENDINGS)} is allowed")
    if path.suffix == ".svg":
        content = f"{svg(space, architecture)}".encode()
    else:
        content = _laid_out(graph(space, architecture), path.suffix[1:])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_name(f".{path.name}.{os.getpid()}")
        whole.write_bytes(content)
        os.replace(whole, path)
    except OSError as error:
        raise ExportError(f"draw: {path}: {error.strerror}; name a file in a folder that can be written") from error
    return path


def graph(space: Space, architecture: Architecture) -> str:
    """The picture in dot's language."""
    found = cells(space.network)
    rows = stages(space, architecture, found)
    lines = [
        "digraph network {",
        '  bgcolor=transparent; rankdir=LR; nodesep=0.16; ranksep=0.3; fontname="Helvetica"; fontsize=12; pad=0.1;',
        f'  fontcolor="{INK}"; node [fontname="Helvetica", fontsize=11, fontcolor="{INK}", height=0.3, width=0.3,'
        f' margin="0.08,0.04", style="rounded,filled", color="{QUIET}"];',
        f'  edge [arrowsize=0.5, color="{QUIET}"];',
    ]
    if not found:
        return "\n".join([*lines, f"  stages [shape=plain, style=solid, label=<{table(space, rows)}>];", "}", ""])
    lines.append(f"  labelloc=t; labeljust=l; label=<{strip(space, rows)}>;")
    for number, figure in reversed([*enumerate(cell_figures(space, architecture, found))]):  # dot puts the last on top
        lines += [f"  subgraph cluster_{number} {{", f"    label=<<B>{html.escape(figure.name)}</B>>; penwidth=0;"]
        lines += [f"    {line}" for line in statements(figure, f"f{number}_")]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def _laid_out(text: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise ExportError(
            "draw: Graphviz' program dot is not on the path; install it (Debian and Ubuntu: apt install graphviz; "
            "macOS: brew install graphviz), or read the lines that `nasengine show` prints"
        )
    try:
        done = subprocess.run([program, f"-T{form}"], input=text.encode(), capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ExportError(f"draw: dot laid the network out for {SECONDS} s and was stopped; it is too large") from error
    if done.returncode:
        raise ExportError(f"draw: dot could not draw the network: {done.stderr.decode().strip()}")
    return done.stdout
