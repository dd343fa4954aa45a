"""Images that lie in arrays: scikit-learn's digits, .npz files and IDX files."""

import gzip
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from nasengine.errors import DataError
from nasengine.training.columns import label_columns, picture_column
from nasengine.training.raw import PART_WORDS, TEST, TRAIN, VALIDATION, Array, Raw
from nasengine.training.reading import Reading

_KINDS = {
    "x": ("x", "image", "images", "img", "imgs", "picture", "pictures", "data", "inputs"),
    "y": ("y", "label", "labels", "target", "targets", "class", "classes", "mask", "masks"),
}


def digits() -> Raw:
    """Return the 1,797 handwritten digits of scikit-learn, 8 by 8 grey pixels from 0 to 1."""
    file = _digits_file()
    if file is not None:
        rows = np.loadtxt(file, delimiter=",")
        images, labels = rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(int)
    else:
        from sklearn.datasets import load_digits

        found = load_digits()
        images, labels = found.images, found.target
    return Raw((images / 16.0).astype(np.float32), labels)


def _digits_file() -> Path | None:
    """Where scikit-learn keeps the digits; importing it takes many times as long as reading them."""
    package = find_spec("sklearn")
    for folder in (package and package.submodule_search_locations) or ():
        file = Path(folder, "datasets", "data", "digits.csv.gz")
        if file.is_file():
            return file
    return None


def npz(path: Path, reading: Reading) -> Raw:
    """Return the images of an .npz: x_train, y_train[, x_val, y_val][, x_test, y_test], or x, y.

    Names may be spelled in other ways: X, images, data; labels, targets, masks; train_images. The options column and
    label name others. Validation images stay apart.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            names = file.files
            found = _named(names, reading)
            arrays = {key: file[name] for key, name in found.items()}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"data {path}: not a readable .npz of plain arrays ({error})") from error
    pairs = {
        part: (arrays[part, "x"], arrays[part, "y"]) for part in range(3) if {(part, "x"), (part, "y")} <= arrays.keys()
    }
    if TRAIN not in pairs:
        raise DataError(
            f"data {path}: {', '.join(names)} came; x_train, y_train[, x_test, y_test] or x, y are needed, or others "
            "that the options column and label name"
        )
    return Raw(*pairs[TRAIN], pairs.get(TEST), validation=pairs.get(VALIDATION))


def _named(names: Sequence[str], reading: Reading) -> dict[tuple[int, str], str]:
    """Return the arrays by part and kind: a name has a word for its kind, and perhaps one for its part."""
    if reading.options.column or reading.options.label:
        column, label = picture_column(names, _KINDS["x"], reading), label_columns(names, _KINDS["y"], reading)
        return {(TRAIN, kind): name for kind, name in (("x", column), ("y", next(iter(label), None))) if name}
    found: dict[tuple[int, str], str] = {}
    for name in names:
        words = name.lower().replace("-", "_").split("_")
        parts = [PART_WORDS[word] for word in words if word in PART_WORDS]
        kinds = [kind for kind, known in _KINDS.items() for word in words if word in known]
        if len(kinds) == 1 and len(parts) + 1 == len(words):
            key = (parts[0] if parts else TRAIN, kinds[0])
            if parts or key not in found:
                found[key] = name
    return found


def has_idx(folder: Path) -> bool:
    """Say whether a folder holds training images in IDX form."""
    return _idx_file(folder, "train-images") is not None


def idx(folder: Path, class_names: tuple[str, ...] = ()) -> Raw:
    """Return the images of a folder of IDX files, plain or .gz, named as in MNIST (LeCun et al., 1998)."""
    files = {name: _idx_file(folder, name) for name in ("train-images", "train-labels", "t10k-images", "t10k-labels")}
    arrays = {name: _read_idx(file) for name, file in files.items() if file}
    if len(arrays) == 3 or "train-labels" not in arrays:
        raise DataError(f"data {folder}: {', '.join(arrays)} came; images and labels are needed of each part")
    test = (arrays["t10k-images"], arrays["t10k-labels"]) if len(arrays) == 4 else None
    return Raw(arrays["train-images"], arrays["train-labels"], test, class_names)


def _idx_file(folder: Path, start: str) -> Path | None:
    return next(iter(sorted(folder.glob(f"{start}[-.]idx*"))), None)


def _read_idx(path: Path) -> Array:
    """Return the array: two zeros, type 8 (bytes), the number of dimensions, each as 4 bytes, then the bytes."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise DataError(f"data {path}: not readable ({error})") from error
    if content[:3] != b"\x00\x00\x08" or len(content) < 4 + 4 * content[3]:
        raise DataError(f"data {path}: no IDX file of bytes (it begins with {content[:4].hex()}); 000008.. is needed")
    shape = tuple(int(number) for number in np.frombuffer(content, ">u4", content[3], 4))
    body = np.frombuffer(content, np.uint8, -1, 4 + 4 * len(shape))
    if body.size != np.prod(shape):
        raise DataError(f"data {path}: {body.size} bytes came; its head promises {'x'.join(map(str, shape))}")
    return body.reshape(shape)
