"""Sets of the Hugging Face hub, or of a folder in its form."""

from pathlib import Path
from typing import Any

import numpy as np

from nasengine.errors import DataError
from nasengine.training.columns import label_columns, picture_column
from nasengine.training.decode import Picture
from nasengine.training.pictures import labelled
from nasengine.training.raw import TEST, TRAIN, Raw
from nasengine.training.reading import Reading


def hugging_face(name: str, reading: Reading) -> Raw:
    """Return a set of the Hugging Face hub (or of a folder in its form): its splits `train` and, if any, `test`.

    The image is the first column of pictures and the label the first of classes, or those that the options name.
    Labels may be classes, words, whole numbers, or numbers with a point, which make a regression.
    """
    try:
        import datasets
    except ImportError as error:
        raise DataError(f"data hf:{name}: needs the package datasets; pip install 'nasengine[data]'") from error
    found = _loaded(name)
    if "train" not in found:
        raise DataError(f"data hf:{name}: splits {', '.join(found)} came; train is needed")
    features = found["train"].features
    images = [key for key, kind in features.items() if isinstance(kind, datasets.Image)]
    classes = [key for key, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    image = picture_column(list(features), images, reading)
    labels = label_columns(list(features), (*classes, "label", "labels"), reading)
    if image is None or not labels:
        raise DataError(f"data hf:{name}: columns {', '.join(features)} came; an image and a class label are needed")
    pictures: list[Picture] = []
    values, parts = [], []
    for which, part in (("train", TRAIN), ("test", TEST)):
        if which in found:
            rows = found[which].cast_column(image, datasets.Image(decode=False))
            pictures += [_picture(rows, image, which, row) for row in range(len(rows))]
            values += [np.stack([np.asarray(rows[label][:]) for label in labels], axis=1)]
            parts += [part] * len(rows)
    every = np.concatenate(values)
    names = tuple(getattr(features[labels[0]], "names", None) or ()) if len(labels) == 1 else labels
    return labelled(pictures, every[:, 0] if len(labels) == 1 else every, parts, reading, names)


def _loaded(name: str) -> Any:
    import datasets

    folder = Path(name).expanduser()
    try:
        if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
            kept = datasets.load_from_disk(str(folder))
            return kept if isinstance(kept, dict) else {"train": kept}
        return datasets.load_dataset(str(folder) if folder.is_dir() else name)
    except Exception as error:  # the hub's client raises many kinds, from its network library too
        raise DataError(
            f"data hf:{name}: cannot be loaded ({type(error).__name__}: {str(error).partition(chr(10))[0]}); give the "
            "name of a set of the hub, which is fetched once, or a folder in its form"
        ) from error


def _picture(rows: Any, column: str, which: str, row: int) -> Picture:
    def content() -> bytes | None:
        cell = rows[row][column]
        if cell["bytes"] is None and cell["path"] is not None:
            return Path(cell["path"]).read_bytes()
        return cell["bytes"]

    return Picture(f"{which} {row}", f"{rows._fingerprint}|{column}|{row}", content)
