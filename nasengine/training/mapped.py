"""A data set as a few plain tensors and text: on disk, mapped by every process of a machine instead of read again."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nasengine.errors import DataError
from nasengine.training.dataset import Dataset, Split
from nasengine.training.streamed import Streamed

PARTS = ("train", "validation", "test")
FACTS = (
    "name", "input", "classes", "fingerprint", "class_names", "mean", "std", "task", "target_mean", "target_std",
    "damaged", "split",
)  # fmt: skip


def take_apart(dataset: Dataset) -> tuple[dict[str, Tensor], str]:
    """A data set's tensors by name, and its other facts as JSON text; `put_together` is the way back.

    Of images that stay on disk these are the rows, and the name of their file: whoever puts them together must see it.
    """
    tensors: dict[str, Tensor] = {}
    streamed: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        for kind in ("images", "labels"):
            name, numbers = f"{part}.{kind}", getattr(getattr(dataset, part), kind)
            if isinstance(numbers, Streamed):
                streamed[name] = numbers.facts()
            tensors[name] = (numbers.rows if isinstance(numbers, Streamed) else numbers).contiguous()
    return tensors, json.dumps({**{name: getattr(dataset, name) for name in FACTS}, "streamed": streamed})


def put_together(tensors: Mapping[str, Tensor], facts: str) -> Dataset:
    """The data set of `take_apart`; its tensors are those given, not copies."""
    read = json.loads(facts)
    streamed = read.pop("streamed")
    numbers = {
        name: Streamed.from_facts(streamed[name], tensor) if name in streamed else tensor
        for name, tensor in tensors.items()
    }
    parts: dict[str, Any] = {part: Split(numbers[f"{part}.images"], numbers[f"{part}.labels"]) for part in PARTS}
    known: dict[str, Any] = {name: tuple(fact) if isinstance(fact, list) else fact for name, fact in read.items()}
    return Dataset(**parts, **known)


def write(dataset: Dataset, path: Path) -> Path:
    """Write a data set, whole or not at all; nothing is done where the file is there already."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        tensors, facts = take_apart(dataset)
        try:
            save_file(tensors, partial, metadata={"facts": facts})
            os.replace(partial, path)
        except (OSError, SafetensorError) as error:
            raise DataError(
                f"data {dataset.name}: workers read a copy in {path.parent}, and it cannot be written ({error}); make "
                "room there, or name another folder with --files"
            ) from error
        finally:
            partial.unlink(missing_ok=True)
    return path


def read(path: Path) -> Dataset:
    """Map a file of `write` into memory: processes that do so share its pages."""
    with safe_open(path, framework="pt") as file:
        return put_together({name: file.get_tensor(name) for name in file.keys()}, file.metadata()["facts"])  # noqa: SIM118
