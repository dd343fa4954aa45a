"""The folder of decoded pictures that are too many for the memory: found by what they are made of, written whole."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasengine.errors import DataError
from nasengine.training.streamed import Streamed, pieces

FORMAT = "1"
Array = NDArray[Any]


def cache_folder() -> Path:
    """Return the folder: NASENGINE_CACHE, or ~/.cache/nasengine."""
    return Path(os.environ.get("NASENGINE_CACHE") or "~/.cache/nasengine").expanduser() / "pictures"


def key_of(*facts: Iterable[str]) -> str:
    """Return the name of what is made of these facts."""
    digest = hashlib.sha256(FORMAT.encode())
    for fact in facts:
        digest.update("\0".join(fact).encode(errors="surrogateescape") + b"\1")
    return digest.hexdigest()[:32]


def kept(key: str) -> tuple[Streamed, dict[str, Any]] | None:
    """Return the pictures of a key, and what was noted with them; None where there are none."""
    folder = cache_folder() / key
    try:
        facts = json.loads((folder / "facts.json").read_text())
    except (OSError, ValueError):
        return None
    shape = tuple(facts["shape"])
    return Streamed((folder / "pixels").absolute(), shape, facts["kind"], torch.arange(shape[0])), facts


def keep(
    key: str | None, shape: tuple[int, ...], kind: str, fill: Callable[[Array], dict[str, Any]]
) -> tuple[Streamed, dict[str, Any]]:
    """Make a file of pixels, let `fill` write into it, and keep it with the facts that it returns: whole or not at all.

    Without a key what is written is its own: equal pixels are kept once. Raises DataError where the folder has no room
    for it, or cannot be written.
    """
    folder = cache_folder()
    partial = folder / f"{key or secrets.token_hex(8)}.{os.getpid()}.part"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        with (partial / "pixels").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a map onto a full disk would end the process
        pixels = np.memmap(partial / "pixels", kind, "r+", shape=shape)
        facts = {"shape": shape, "kind": kind, **fill(pixels)}
        pixels.flush()
        key = key or key_of((str(shape), kind, _digest(pixels)))
        (partial / "facts.json").write_text(json.dumps(facts))
        if not (folder / key / "facts.json").exists():
            shutil.rmtree(folder / key, ignore_errors=True)
            os.rename(partial, folder / key)
    except OSError as error:
        raise DataError(
            f"data: decoded pictures are kept in {folder}, and they cannot be written there ({error}); make room, name "
            "another folder in NASENGINE_CACHE, or give more memory, such as ?memory=8GB"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    found = kept(key)
    assert found is not None
    return found


def _digest(pixels: Array) -> str:
    digest = hashlib.sha256()
    for some in pieces(pixels):
        digest.update(some.data)
    return digest.hexdigest()


def clear() -> int:
    """Remove all decoded pictures; returns how many bytes that were."""
    folder = cache_folder()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    shutil.rmtree(folder, ignore_errors=True)
    return size


def machine_memory() -> int:
    """Return the bytes of memory that this process may have, by the machine and its control group."""
    bounds = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with suppress(OSError, ValueError):  # no control group, or "max"
        bounds.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(bounds)
