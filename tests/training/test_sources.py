import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nasengine.errors import DataError
from nasengine.training import sources
from nasengine.training.data import load


def toy(count=30, shape=(6, 5)):
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, *shape), dtype=np.uint8), (np.arange(count) % 3).astype(np.uint8)


def write_idx(path: Path, array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    content = head + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NASENGINE_DATA", str(tmp_path))
    monkeypatch.setattr(sources, "SYSTEM", tmp_path / "none")
    return tmp_path


def test_idx_folder_plain_and_zipped(tmp_path):
    images, labels = toy()
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    write_idx(folder / "train-images-idx3-ubyte.gz", images)
    write_idx(folder / "train-labels.idx1-ubyte", labels)
    with pytest.raises(DataError, match="too few images in 7 of 10 classes: dress"):
        load(folder)
    folder = folder.rename(tmp_path / "mine")
    assert len(load(folder).development) == 24, "no official test images: a share is put aside"
    write_idx(folder / "t10k-images-idx3-ubyte", images[:6])
    with pytest.raises(DataError, match="images and labels are needed of each part"):
        load(folder)
    write_idx(folder / "t10k-labels-idx1-ubyte", labels[:6])
    data = load(folder)
    assert (len(data.development), len(data.test), data.input) == (30, 6, (1, 6, 5))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PK\x03\x04", "no IDX file"), (bytes([0, 0, 8, 1, 0, 0, 0, 9, 1]), "1 bytes came; its head promises 9")],
)
def test_broken_idx_files_are_refused(tmp_path, content, message):
    images, _ = toy()
    write_idx(tmp_path / "train-images-idx3-ubyte", images)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_a_broken_gzip_is_refused(tmp_path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"nothing")
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not readable"):
        load(tmp_path)


def test_names_are_found_in_the_data_folder(data_folder):
    images, labels = toy()
    np.savez(data_folder / "loose_one.npz", x=images, y=labels)
    (data_folder / "packed").mkdir()
    np.savez(data_folder / "packed" / "packed.npz", x=images, y=labels)
    (data_folder / "mnist").mkdir()
    write_idx(data_folder / "mnist" / "train-images-idx3-ubyte", images)
    write_idx(data_folder / "mnist" / "train-labels-idx1-ubyte", labels)
    (data_folder / "empty_folder").mkdir()
    for name in ("loose-one", "loose_one", "packed", "mnist"):
        assert load(name).input == (1, 6, 5)
    with pytest.raises(DataError) as fault:
        load("lose-one")
    assert "digits, fashion-mnist, loose_one, mnist, packed, shapes is allowed" in str(fault.value)
    assert 'Did you mean "loose_one"?' in str(fault.value)


def test_npz_faults(tmp_path):
    (tmp_path / "text.npz").write_text("no zip")
    with pytest.raises(DataError, match="not a readable .npz"):
        load(tmp_path / "text.npz")
    np.savez(tmp_path / "names.npz", pictures=[1])
    with pytest.raises(DataError, match="pictures came; x_train, y_train"):
        load(tmp_path / "names.npz")
    np.savez(tmp_path / "objects.npz", x=np.array([{}], dtype=object), y=[0])
    with pytest.raises(DataError, match="not a readable .npz of plain arrays"):
        load(tmp_path / "objects.npz")


def write_pictures(root: Path, count=4, size=(6, 5), mode="RGB"):
    random = np.random.default_rng(len(str(root)))
    for label, name in enumerate(("ant", "bee", "cat")):
        (root / name).mkdir(parents=True)
        for number in range(count):
            array = random.integers(0, 80, (*size, 3), dtype=np.uint8) + np.uint8(80 * label)
            Image.fromarray(array).convert(mode).save(root / name / f"{number}.png")


def test_a_folder_for_each_class(tmp_path):
    write_pictures(tmp_path / "set")
    (tmp_path / "set" / ".cache").mkdir()
    data = load(tmp_path / "set")
    assert (data.input, data.class_names) == ((3, 6, 5), ("ant", "bee", "cat"))
    brightness = data.development.images.mean((1, 2, 3))
    by_class = [brightness[data.development.labels == label].mean().item() for label in range(3)]
    assert by_class == sorted(by_class), "labels follow the folders' names"


def test_train_and_test_folders_and_grey_pictures(tmp_path):
    write_pictures(tmp_path / "train", mode="L")
    write_pictures(tmp_path / "val", mode="L")
    write_pictures(tmp_path / "test", count=2, mode="L")
    data = load(tmp_path)
    assert (data.input, len(data.development), len(data.test)) == ((1, 6, 5), 24, 6)


def test_picture_faults(tmp_path):
    write_pictures(tmp_path / "set")
    Image.new("RGB", (9, 9)).save(tmp_path / "set" / "cat" / "3.png")
    with pytest.raises(DataError, match="3.png differs in size .6x5 and 9x9."):
        load(tmp_path / "set")
    (tmp_path / "set" / "bee" / "0.png").write_text("no picture")
    with pytest.raises(DataError, match="0.png is no readable picture"):
        load(tmp_path / "set")
    (tmp_path / "bare").mkdir()
    with pytest.raises(DataError, match="a folder without data came"):
        load(tmp_path / "bare")
    (tmp_path / "set.txt").write_text("")
    with pytest.raises(DataError, match="set.txt: a file came; .npz, .parquet, .csv or a folder"):
        load(tmp_path / "set.txt")


def picture_bytes(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


@pytest.mark.parametrize("column", ["jpeg", "image"])
def test_parquet_with_picture_bytes(tmp_path, column):
    import pyarrow
    import pyarrow.parquet

    images, labels = toy(shape=(6, 5, 3))
    cells = [picture_bytes(image) for image in images]
    if column == "image":
        cells = [{"bytes": cell, "path": None} for cell in cells]
    table = {column: cells, "label": labels, "split": ["train"] * 24 + ["test"] * 6}
    pyarrow.parquet.write_table(pyarrow.table(table), tmp_path / "set.parquet")
    data = load(tmp_path / "set.parquet")
    assert (data.input, len(data.development), len(data.test)) == ((3, 6, 5), 24, 6)
    assert data.test.labels.tolist() == labels[24:].tolist()
    pyarrow.parquet.write_table(pyarrow.table({"label": labels}), tmp_path / "bare.parquet")
    with pytest.raises(DataError, match="columns label came; label and one of jpeg"):
        load(tmp_path / "bare.parquet")
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(DataError, match="not a readable parquet"):
        load(tmp_path / "text.parquet")


def test_hugging_face_form(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    write_pictures(tmp_path / "set" / "train")
    write_pictures(tmp_path / "set" / "test", count=2)
    data = load(f"hf:{tmp_path / 'set'}")
    assert (data.input, data.class_names, len(data.development), len(data.test)) == (
        (3, 6, 5),
        ("ant", "bee", "cat"),
        12,
        6,
    )
    with pytest.raises(DataError, match="cannot be loaded"):
        load(f"hf:{tmp_path / 'nothing'}")


def test_fashion_mnist_is_the_published_set(needs):
    """Xiao et al., 2017, https://arxiv.org/abs/1708.07747: 60,000 + 10,000 images, training mean 0.2860, std 0.3530."""
    try:
        sources.find("fashion-mnist")
    except DataError:
        needs("fashion-mnist")
    data = load("fashion-mnist")
    assert (len(data.development), len(data.test), data.class_names[9]) == (60000, 10000, "ankle boot")
    assert data.mean[0] == pytest.approx(0.2860, abs=1e-3)
    assert data.std[0] == pytest.approx(0.3530, abs=1e-3)
