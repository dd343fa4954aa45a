"""Images that lie in picture files: a folder per class, JPEG bytes in a parquet file, Hugging Face sets."""

import io
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasengine.errors import DataError
from nasengine.training.raw import Array, Raw

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".tif", ".tiff"}
_PARTS = {"train", "val", "valid", "validation", "test"}


def has_classes(folder: Path) -> bool:
    """Say whether a folder holds a folder of images for each class, at once or below `train`."""
    below = folder / "train" if (folder / "train").is_dir() else folder
    return any(_files(entry) for entry in below.iterdir() if _is_class(entry))


def folder(path: Path) -> Raw:
    """Return folder/class/*.png, or folder/train/class/*.png with an official `test` folder beside `train`.

    A `val`, `valid` or `validation` folder joins the training images: the split is always made afresh.
    """
    parted = (path / "train").is_dir()
    roots = [path / part for part in sorted(_PARTS - {"test"}) if (path / part).is_dir()] if parted else [path]
    tests = [path / "test"] if parted and (path / "test").is_dir() else []
    names = sorted({entry.name for root in roots + tests for entry in root.iterdir() if _is_class(entry)})
    images, labels = _below(roots, names)
    return Raw(images, labels, _below(tests, names) if tests else None, tuple(names))


def parquet(path: Path) -> Raw:
    """Return a parquet file's rows: `label`, picture bytes in `jpeg`, `png`, `image` or `img`, and perhaps `split`."""
    import pyarrow.parquet  # type: ignore[import-untyped]

    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise DataError(f"data {path}: not a readable parquet file ({error})") from error
    column = next((name for name in ("jpeg", "png", "image", "img") if name in table.column_names), None)
    if column is None or "label" not in table.column_names:
        columns = ", ".join(table.column_names)
        raise DataError(f"data {path}: columns {columns} came; label and one of jpeg, png, image, img are needed")
    labels = table["label"].to_numpy()
    pictures = [row["bytes"] if isinstance(row, dict) else row for row in table[column].to_pylist()]
    images = _stacked(((io.BytesIO(picture), f"row {row}") for row, picture in enumerate(pictures)), str(path))
    if "split" not in table.column_names:
        return Raw(images, labels)
    test = np.asarray(table["split"].to_pylist()) == "test"
    return Raw(images[~test], labels[~test], (images[test], labels[test]) if test.any() else None)


def hugging_face(name: str) -> Raw:
    """Return a set of the Hugging Face hub (or of a folder in its form): its splits `train` and, if any, `test`."""
    try:
        import datasets
    except ImportError as error:
        raise DataError(f"data hf:{name}: needs the package datasets; pip install nasengine[data]") from error
    try:
        found = datasets.load_dataset(name)
    except Exception as error:  # the hub's client raises many kinds, from its network library too
        raise DataError(f"data hf:{name}: cannot be loaded ({type(error).__name__}: {error})") from error
    if "train" not in found:
        raise DataError(f"data hf:{name}: splits {', '.join(found)} came; train is needed")
    features = found["train"].features
    image = next((key for key, kind in features.items() if isinstance(kind, datasets.Image)), None)
    label = next((key for key, kind in features.items() if isinstance(kind, datasets.ClassLabel)), None)
    label = label or next((key for key in ("label", "labels") if key in features), None)
    if image is None or label is None:
        raise DataError(f"data hf:{name}: columns {', '.join(features)} came; an image and a class label are needed")
    class_names = tuple(getattr(features[label], "names", ()))

    def part(which: str) -> tuple[Array, Array]:
        rows = ((row[image], f"{which} {number}") for number, row in enumerate(found[which].select_columns([image])))
        return _stacked(rows, f"hf:{name}"), np.asarray(found[which][label][:])

    return Raw(*part("train"), part("test") if "test" in found else None, class_names)


def _is_class(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS)


def _below(roots: Sequence[Path], names: Sequence[str]) -> tuple[Array, Array]:
    files, labels = [], []
    for root, (number, name) in itertools.product(roots, enumerate(names)):
        found = _files(root / name) if (root / name).is_dir() else []
        files += found
        labels += [number] * len(found)
    return _stacked(((file, str(file)) for file in files), str(roots[0])), np.asarray(labels, np.int64)


def _stacked(pictures: Iterable[tuple[Any, str]], place: str) -> Array:
    """Return pictures of one size as bytes (N, height, width[, 3]); grey only where all of them are."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise DataError(f"data {place}: reading pictures needs pillow; pip install nasengine[data]") from error
    arrays: list[Array] = []
    for picture, name in pictures:
        try:
            with picture if isinstance(picture, Image.Image) else Image.open(picture) as opened:
                grey = opened.mode in ("1", "L")
                arrays.append(np.asarray(opened.convert("L" if grey else "RGB")))
        except (UnidentifiedImageError, OSError) as error:
            raise DataError(f"data {place}: {name} is no readable picture ({error})") from error
        if arrays[-1].shape[:2] != arrays[0].shape[:2]:
            sizes = " and ".join("x".join(map(str, array.shape[:2])) for array in (arrays[0], arrays[-1]))
            raise DataError(f"data {place}: {name} differs in size ({sizes}); bring all pictures to one size first")
    if any(array.ndim == 3 for array in arrays):
        arrays = [array if array.ndim == 3 else np.repeat(array[:, :, None], 3, axis=2) for array in arrays]
    return np.stack(arrays) if arrays else np.zeros((0, 1, 1), np.uint8)
