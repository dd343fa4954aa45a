"""Two values of the same things against each other, as PNG, SVG or PDF, drawn by matplotlib."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from nasengine.bench.colours import colour
from nasengine.bench.pictures import STYLE
from nasengine.errors import NasError

ENDINGS = (".svg", ".png", ".pdf")


def check_picture(path: Path) -> None:
    """Raise NasError where such a picture cannot be drawn here: before anything that takes long is begun."""
    if path.suffix not in ENDINGS:
        raise NasError(f"draw: {path} came; a file that ends in {', '.join(ENDINGS)} is allowed")
    if importlib.util.find_spec("matplotlib") is None:
        raise NasError(f"draw: {path} cannot be drawn without matplotlib; run pip install 'nasengine[viz]'")


def write_scatter(
    x: Sequence[float], y: Sequence[float], names: Sequence[str], axes: tuple[str, str], title: str, path: Path
) -> Path:
    """One point with its name for each pair; needs matplotlib."""
    check_picture(path)
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 5.2), layout="constrained")
        FigureCanvasAgg(figure)
        plot = figure.subplots()
        plot.scatter(x, y, color=colour(0), s=28)
        for name, across, up in zip(names, x, y, strict=True):
            plot.annotate(name, (across, up), xytext=(4, 3), textcoords="offset points", fontsize=8, color="#444444")
        plot.set(xlabel=axes[0], ylabel=axes[1], title=title)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else None)
    return path
