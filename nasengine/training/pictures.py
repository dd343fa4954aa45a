"""Images that lie in picture files: a folder per class, images beside masks, bytes in a parquet file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nasengine.errors import DataError
from nasengine.training.columns import label_columns, picture_column
from nasengine.training.data_words import Task
from nasengine.training.decode import ENDINGS, Picture, decode, of_file
from nasengine.training.raw import TEST, TRAIN, Images, Raw, divided
from nasengine.training.reading import Reading
from nasengine.training.streamed import Streamed, pieces

IMAGES, MASKS = "images", "masks"
_FOLDED = ("val", "valid", "validation")  # folders that join the training images: the split is made afresh


def labelled(
    pictures: Sequence[Picture], labels: Any, parts: Sequence[int], reading: Reading, names: Sequence[str] = (),
    task: Task | None = None,
) -> Raw:  # fmt: skip
    """Return the set of pictures with a label each, in the parts that numbers name; damaged ones are left out."""
    decoded = decode(pictures, reading)
    damaged = tuple(pictures[place].name for place in sorted(decoded.damaged))
    return divided(
        decoded.pixels, np.asarray(labels), parts, list(decoded.damaged),
        class_names=tuple(names), task=task, damaged=damaged,
    )  # fmt: skip


def has_classes(folder: Path) -> bool:
    """Say whether a folder holds a folder of images for each class, at once or below `train`."""
    below = folder / "train" if (folder / "train").is_dir() else folder
    return any(_files(entry) for entry in _folders(below))


def has_masks(folder: Path) -> bool:
    """Say whether a folder holds the folders `images` and `masks` and no other, at once or below `train`."""
    below = folder / "train" if (folder / "train").is_dir() else folder
    return {entry.name for entry in _folders(below)} == {IMAGES, MASKS}


def folder(path: Path, reading: Reading) -> Raw:
    """Return folder/class/…/*.png, or folder/train/class/… with an official `test` folder beside `train`.

    A `val`, `valid` or `validation` folder joins the training images: the split is always made afresh.
    """
    roots = _roots(path)
    names = sorted({entry.name for root, _ in roots for entry in _folders(root)})
    pictures, labels, parts = [], [], []
    empty = set(names)
    for root, part in roots:
        for number, name in enumerate(names):
            found = _files(root / name) if (root / name).is_dir() else []
            pictures += [of_file(file) for file in found]
            labels += [number] * len(found)
            parts += [part] * len(found)
            if found:
                empty.discard(name)
    if empty:
        raise DataError(
            f"{reading.place}: class folders without a picture came: {', '.join(sorted(empty))}; each folder is a "
            f"class: put pictures there ({', '.join(sorted(ENDINGS))}), or remove it"
        )
    return labelled(pictures, np.asarray(labels, np.int64), parts, reading, names)


def masked(path: Path, reading: Reading) -> Raw:
    """Return folder/images/NAME.jpg with folder/masks/NAME.png, or the same below `train` and an official `test`.

    A mask's number is the class of a pixel, 255 marks pixels that do not count; masks of 0 and 255 alone are black and
    white, and 255 is then class 1.
    """
    pairs: list[tuple[Path, Path, int]] = []
    faults: list[str] = []
    for root, part in _roots(path):
        images, masks = ({file.stem: file for file in _files(root / name)} for name in (IMAGES, MASKS))
        for word, stems in ((MASKS, images.keys() - masks.keys()), (IMAGES, masks.keys() - images.keys())):
            if stems:
                shown = ", ".join(sorted(stems)[:5]) + (", …" if len(stems) > 5 else "")
                faults.append(f"{reading.place}: {root / word} lacks {shown}; images and masks have the same names")
        pairs += [(images[stem], masks[stem], part) for stem in sorted(images.keys() & masks.keys())]
    if faults:
        raise DataError("\n".join(faults))
    if not pairs:
        raise DataError(f"{reading.place}: no pictures came in {path / IMAGES}; images and masks are needed")
    pictures = decode([of_file(image) for image, _, _ in pairs], reading)
    classes = decode([of_file(mask) for _, mask, _ in pairs], reading, masks=True)
    damaged = sorted(pictures.damaged.keys() | classes.damaged.keys())
    sides = tuple(pictures.pixels.shape[2:]), tuple(classes.pixels.shape[1:])
    if sides[0] != sides[1]:
        raise DataError(f"{reading.place}: images of {sides[0]} and masks of {sides[1]} came; one size is needed")
    raw = divided(
        pictures.pixels, classes.pixels, [part for _, _, part in pairs], damaged,
        task="segmentation", damaged=tuple(str(pairs[place][0]) for place in damaged),
    )  # fmt: skip
    return _black_and_white(raw)


def parquet(path: Path, reading: Reading) -> Raw:
    """Return a parquet file's rows: `label`, picture bytes in `jpeg`, `png`, `image` or `img`, and perhaps `split`."""
    import pyarrow.parquet  # type: ignore[import-untyped]

    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise DataError(f"data {path}: not a readable parquet file ({error})") from error
    column = picture_column(table.column_names, ("jpeg", "png", "image", "img"), reading)
    label = label_columns(table.column_names, ("label",), reading)
    if column is None or not label:
        columns = ", ".join(table.column_names)
        raise DataError(f"data {path}: columns {columns} came; label and one of jpeg, png, image, img are needed")
    stamp, cells = of_file(path).stamp, table[column]
    pictures = [Picture(f"row {row}", f"{stamp}|{column}|{row}", _cell(cells, row)) for row in range(len(cells))]
    parts = [TRAIN] * len(cells)
    if "split" in table.column_names:
        parts = [TEST if word == "test" else TRAIN for word in table["split"].to_pylist()]
    labels = np.stack([table[name].to_numpy(zero_copy_only=False) for name in label], axis=1)
    return labelled(pictures, labels[:, 0] if len(label) == 1 else labels, parts, reading, task=reading.options.task)


def _cell(cells: Any, row: int) -> Any:
    def content() -> bytes | None:
        found = cells[row].as_py()
        return found["bytes"] if isinstance(found, dict) else found

    return content


def _roots(path: Path) -> list[tuple[Path, int]]:
    """The folders that hold classes, and the part that each is."""
    if not (path / "train").is_dir():
        return [(path, TRAIN)]
    train = [(path / part, TRAIN) for part in ("train", *_FOLDED) if (path / part).is_dir()]
    return [*train, *([(path / "test", TEST)] if (path / "test").is_dir() else [])]


def _folders(path: Path) -> list[Path]:
    return [entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")]


def _files(path: Path) -> list[Path]:
    """The pictures below a folder, however deep."""
    return sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())


def _black_and_white(raw: Raw) -> Raw:
    """Masks of 0 and 255 alone as masks of 0 and 1."""
    parts = [raw.labels, *([raw.test[1]] if raw.test else [])]
    if any(((some != 0) & (some != 255)).any() for part in parts for some in pieces(part)):
        return raw
    return replace(raw, labels=_at_most_one(raw.labels), test=raw.test and (raw.test[0], _at_most_one(raw.test[1])))


def _at_most_one(masks: Images) -> Images:
    return replace(masks, most=1) if isinstance(masks, Streamed) else np.minimum(masks, 1)
