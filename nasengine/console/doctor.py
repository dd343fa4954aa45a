"""The doctor command: what this machine offers, and what is missing for which part."""

import importlib.util
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from nasengine.console.output import emit, say
from nasengine.console.version import version

LIBRARIES = (
    *("torch", "optuna", "ray", "sqlalchemy", "alembic", "networkx", "scikit-learn", "xgboost"),
    *("numpy", "pandas", "safetensors", "cyclopts", "rich"),
)
FOLDERS = ("NASENGINE_DATA", "NASENGINE_TABLES")
EXTRAS = {
    "data": ("datasets", "PIL"),
    "nats": ("nats_bench",),
    "llm": ("pydantic_ai",),
    "samplers": ("cmaes",),
    "dashboard": ("optuna_dashboard",),
    "postgres": ("psycopg",),
    "export": ("onnx", "onnxscript", "onnxruntime"),
    "edge": ("executorch", "openvino"),
    "viz": ("matplotlib", "graphviz", "plotly"),
    "cluster": ("aiohttp_cors",),
    "gpu": ("pynvml",),
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
        "tables": _tables(),
        "devices": _devices(),
        "folders": {name: os.environ.get(name) for name in FOLDERS},
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
    data, tables = (
        ", ".join(name if place is None else f"{name} ({place})" for name, place in found[kind].items())
        for kind in ("data", "tables")
    )
    folders = [
        f"{name}: {'not set' if place is None else place if Path(place).is_dir() else f'{place} is no folder'}"
        for name, place in found["folders"].items()
    ]
    gpus = ", ".join(found["gpus"]) or "none; networks are trained on the CPU"
    threads = "torch is missing" if found["threads"] is None else f"torch uses {found['threads']} threads"
    rows = {
        "nasengine": found["nasengine"],
        "python": f"{found['python']} on {found['platform']}",
        "libraries": libraries,
        "cores": f"{found['cores']}, {threads}",
        "gpu": gpus,
        "data": data or "none: digits come with scikit-learn, which is missing",
        "tables": tables or "none: set NASENGINE_TABLES to the folder where benchmark tables lie",
        "devices": _measured(found["devices"]),
        "folders": ("\n" + " " * 12).join(folders),
        "drawing": found["dot"] or "dot is missing (Debian: apt install graphviz); needed for show --draw alone",
        "extras": ("\n" + " " * 12).join(extras),
        "database": found["database"],
    }
    return [f"{name:11} {words}" for name, words in rows.items()]


def _torch() -> dict[str, Any]:
    nothing: dict[str, Any] = {"cores": os.cpu_count(), "threads": None, "gpus": []}
    try:
        import torch
    except Exception:  # missing, or broken: a library of its own that cannot be loaded
        return nothing
    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {**nothing, "threads": torch.get_num_threads(), "gpus": gpus}


def _data() -> dict[str, str | None]:
    """Data sets that can be used by name, with their place; digits comes with scikit-learn."""
    digits: dict[str, str | None] = {"digits": None} if importlib.util.find_spec("sklearn") else {}
    try:
        from nasengine.training.sources import known
    except Exception:  # torch is missing or broken, which is said already
        return digits
    return {**digits, **{name: str(place) for name, place in known().items() if _holds_images(place)}}


def _holds_images(place: Path) -> bool:
    """Whether a file can be a data set at all; a .parquet without labels is one of numbers, such as a table's."""
    if place.suffix != ".parquet":
        return True
    try:
        from pyarrow.parquet import read_schema  # type: ignore[import-untyped]

        return "label" in read_schema(place).names
    except Exception:  # broken, or pyarrow is: whoever uses the set will be told
        return True


def _tables() -> dict[str, str]:
    """Benchmark tables that can be used by name, with their files."""
    try:
        from nasengine.tables.places import known
    except Exception:  # a library is missing or broken, which is said already
        return {}
    return {name: str(place) for name, place in known().items()}


def _devices() -> dict[str, str]:
    """Devices whose latency can be an objective."""
    try:
        from nasengine.hardware.figures import devices

        return dict(devices())
    except Exception:  # a library is missing or broken, which is said already
        return {}


def _measured(devices: dict[str, str]) -> str:
    """Devices that can be measured here, and how many others there are."""
    published = [name for name, what in devices.items() if what.startswith("published")]
    here = ", ".join(name for name in devices if name not in published) or "none"
    return f"{here}{f'; {len(published)} of published tables (--json names them)' if published else ''}"


def _database(db: str) -> str:
    """Whether results can be written, in words; nothing is written, and no file is made."""
    if "://" in db and not db.startswith("sqlite:///"):
        return _reached(db)
    path = Path(db.removeprefix("sqlite:///"))
    folder = next(one for one in (path.absolute().parent, *path.absolute().parents) if one.is_dir())
    writable = os.access(path if path.exists() else folder, os.W_OK)
    state = "there" if path.exists() else "will be made"
    return f"{db}: {state}, {'writable' if writable else 'NOT WRITABLE: name another with --db'}"


def _reached(db: str) -> str:
    try:
        from nasengine.ledger import Ledger

        Ledger(db, create=False).close()
    except Exception as error:  # whatever it is, the rest of the list is to be seen
        return f"{db}: {error}"
    return f"{db}: reachable"


def _missing(modules: tuple[str, ...]) -> list[str]:
    return [name for name in modules if importlib.util.find_spec(name) is None]


def _version(name: str) -> str | None:
    try:
        return installed(name)
    except PackageNotFoundError:
        return None
