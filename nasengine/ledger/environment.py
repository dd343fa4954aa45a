"""Where a search ran: noted with it, so that its figures can be explained later."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any


def environment(torch: str | None = None, threads: int | None = None, gpu: str | None = None) -> dict[str, Any]:
    """Return versions, machine and the git revision of the working folder; what torch knows is handed in."""
    return {
        "python": platform.python_version(),
        "torch": torch,
        "numpy": version("numpy"),
        "platform": platform.platform(),
        "host": platform.node(),
        "cpus": os.cpu_count(),
        "threads": threads,
        "gpu": gpu,
        "git": git_revision(),
    }


def version(package: str = "nasengine") -> str:
    """Return nasengine's version, or `source` when it runs without being installed; or that of another package."""
    try:
        return installed_version(package)
    except PackageNotFoundError:
        return "source"


def git_revision() -> str | None:
    """Return the commit of the working folder, with `-dirty` when files differ from it; None outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
