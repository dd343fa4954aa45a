"""The doctor command: what this machine offers, and what is missing for which part."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from nasengine.console.output import emit, say
from nasengine.console.version import version
from nasengine.errors import NasError

LIBRARIES = ("torch", "optuna", "ray", "sqlalchemy", "networkx", "scikit-learn", "xgboost", "pandas", "safetensors")
EXTRAS = {
    "data": ("datasets", "PIL", "kornia"),
    "llm": ("pydantic_ai",),
    "dashboard": ("optuna_dashboard",),
    "postgres": ("psycopg",),
    "export": ("onnx", "onnxscript", "onnxruntime"),
    "viz": ("matplotlib", "graphviz", "plotly"),
    "cluster": ("aiohttp_cors",),
}


def doctor(db: str, json: bool) -> None:
    """Show everything found, as a list or as JSON."""
    found: dict[str, Any] = {
        "nasengine": version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        **_torch(),
        "data": _data(),
        "dot": shutil.which("dot"),
        "extras": {extra: _missing(modules) for extra, modules in EXTRAS.items()},
        "database": _database(db),
    }
    if json:
        emit(found)
    else:
        say("\n".join(_lines(found)))


def _lines(found: dict[str, Any]) -> list[str]:
    libraries = ", ".join(f"{name} {one or 'missing'}" for name, one in found["libraries"].items())
    extras = [
        f"{extra}: without {', '.join(missing)}; pip install 'nasengine[{extra}]'" if missing else f"{extra}: installed"
        for extra, missing in found["extras"].items()
    ]
    data = ", ".join(name if place is None else f"{name} ({place})" for name, place in found["data"].items())
    gpus = ", ".join(found["gpus"]) or "none; networks are trained on the CPU"
    rows = {
        "nasengine": found["nasengine"],
        "python": f"{found['python']} on {found['platform']}",
        "libraries": libraries,
        "cores": f"{found['cores']}, torch uses {found['threads']} threads",
        "gpu": gpus,
        "data": data,
        "drawing": found["dot"] or "dot is missing (Debian: apt install graphviz); needed for show --draw alone",
        "extras": ("\n" + " " * 12).join(extras),
        "database": found["database"],
    }
    return [f"{name:11} {words}" for name, words in rows.items()]


def _torch() -> dict[str, Any]:
    import torch

    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "gpus": gpus}


def _data() -> dict[str, str | None]:
    """Data sets that can be used by name, with their place; digits comes with scikit-learn."""
    from nasengine.training.sources import known

    return {"digits": None, **{name: str(place) for name, place in known().items()}}


def _database(db: str) -> str:
    """Whether results can be written, in words; tried on a copy of the path, never on the database itself."""
    if "://" in db and not db.startswith("sqlite:///"):
        return _tried(db, lambda: _open(db))
    path = Path(db.removeprefix("sqlite:///"))
    folder = next(one for one in (path.absolute().parent, *path.absolute().parents) if one.is_dir())
    writable = os.access(path if path.exists() else folder, os.W_OK)
    state = "there" if path.exists() else "will be made"
    return f"{db}: {state}, {'writable' if writable else 'NOT WRITABLE: name another with --db'}"


def _tried(db: str, action: Callable[[], None]) -> str:
    try:
        action()
    except NasError as error:
        return f"{db}: {error}"
    return f"{db}: reachable"


def _open(db: str) -> None:
    from nasengine.ledger import Ledger

    Ledger(db, create=False).close()


def _missing(modules: tuple[str, ...]) -> list[str]:
    return [name for name in modules if importlib.util.find_spec(name) is None]


def _version(name: str) -> str | None:
    try:
        return installed(name)
    except PackageNotFoundError:
        return None
