import numpy as np
import pytest
import torch

from nasengine.errors import DataError
from nasengine.training import tables
from nasengine.training.data import load


def toy(count=90, classes=3, shape=(6, 5), seed=0):
    """Pictures that all differ, and labels in equal numbers."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, *shape), dtype=np.uint8), np.arange(count) % classes


def pictures(split):
    return {image.numpy().tobytes() for image in split.images}


def test_digits_come_normalised_and_in_proportion():
    data = load("digits")
    assert (data.input, data.classes) == ((1, 8, 8), 10)
    assert (len(data.train), len(data.validation), len(data.test)) == (1078, 360, 359)
    assert data.train.images.dtype == torch.float32
    assert data.train.labels.dtype == torch.int64
    assert data.train.images.mean().item() == pytest.approx(0, abs=1e-5)
    assert data.train.images.std().item() == pytest.approx(1, abs=1e-5)
    for part in (data.train, data.validation, data.test):
        share = torch.bincount(part.labels) / len(part)
        assert share.min() > 0.094
        assert share.max() < 0.104
    assert load(data) is data


def test_digits_are_the_same_without_scikit_learn_being_imported(monkeypatch):
    direct, fingerprint = tables.digits(), load("digits").fingerprint
    assert direct.images.shape == (1797, 8, 8)
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    asked = tables.digits()
    for mine, theirs in ((direct.images, asked.images), (direct.labels, asked.labels)):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
    assert load("digits").fingerprint == fingerprint


def test_the_parts_never_overlap_and_hold_everything():
    images, labels = toy()
    data = load((images, labels))
    parts = [pictures(part) for part in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 90
    assert len(data.development) == len(data.train) + len(data.validation)


def test_the_seed_fixes_the_split_and_the_limit_never_moves_the_test():
    images, labels = toy(300)
    first, again, other = load((images, labels)), load((images, labels)), load((images, labels), seed=1)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert torch.equal(first.train.images, again.train.images)
    assert not torch.equal(first.test.labels, other.test.labels) or pictures(first.test) != pictures(other.test)
    small = load((images, labels), limit=40)
    assert len(small.train) + len(small.validation) == 40
    assert torch.equal(small.test.labels, first.test.labels)
    assert small.fingerprint != first.fingerprint
    assert torch.bincount(small.development.labels).tolist() in ([13, 13, 14], [13, 14, 13], [14, 13, 13])


def test_one_changed_pixel_changes_the_fingerprint():
    images, labels = toy()
    before = load((images, labels)).fingerprint
    images[7, 1, 1] ^= 1
    assert load((images, labels)).fingerprint != before


def test_rare_classes_reach_every_part():
    labels = np.array([0] * 90 + [1] * 3 + [2] * 7)
    images, _ = toy(100)
    data = load((images, labels))
    for part in (data.train, data.validation, data.test):
        assert set(part.labels.tolist()) == {0, 1, 2}
    assert len(load((images, labels), limit=30).development) == 30


def test_official_test_images_are_the_test():
    images, labels = toy()
    test_images, test_labels = toy(12, seed=1)
    data = load((torch.from_numpy(images), torch.from_numpy(labels), test_images, test_labels))
    assert len(data.test) == 12
    assert data.test.labels.tolist() == test_labels.tolist()
    back = data.test.images[:, 0] * data.std[0] + data.mean[0]
    torch.testing.assert_close(back * 255, torch.from_numpy(test_images).float(), rtol=0, atol=1e-3)
    assert len(data.development) == 90


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((6, 5), (1, 6, 5)),
        ((6, 5, 3), (3, 6, 5)),
        ((3, 6, 5), (3, 6, 5)),
        ((6, 5, 1), (1, 6, 5)),
        ((1, 6, 5), (1, 6, 5)),
        ((7, 6, 6), (7, 6, 6)),
        ((6, 6, 7), (7, 6, 6)),
        ((3, 4, 3), (3, 4, 3)),
    ],
)
def test_every_layout_is_understood(shape, expected, tmp_path):
    images, labels = toy(shape=shape)
    np.savez(tmp_path / "set.npz", x=images, y=labels[:, None])
    assert load(tmp_path / "set.npz").input == expected


def test_npz_with_an_official_split(tmp_path):
    images, labels = toy()
    np.savez(tmp_path / "set.npz", x_train=images, y_train=labels, x_test=images[:9], y_test=labels[:9])
    data = load(tmp_path / "set.npz")
    assert (len(data.development), len(data.test)) == (90, 9)


def test_a_constant_channel_stays_finite():
    images, labels = toy(shape=(4, 4, 3))
    images[..., 1] = 17
    assert torch.isfinite(load((images, labels)).train.images).all()


def test_every_fault_is_named_at_once():
    images, labels = toy()
    broken = images.astype(np.float64)
    broken[0, 0, :2] = np.nan
    with pytest.raises(DataError) as fault:
        load((broken, labels[:-1], images[:4, :3], labels[:4].astype(float)))
    text = str(fault.value)
    assert "90 images and 89 labels came" in text
    assert "2 pixels that are NaN or infinite came" in text
    assert "test labels of shape (4,) and type float64" in text
    assert "test images of (1, 3, 5) came; (1, 6, 5)" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images, labels: (images, labels * 0), "one class came"),
        (lambda images, labels: (images, labels - 1), "labels from -1 to 1 came; 0 to 1 are allowed"),
        (lambda images, labels: (images, labels + 1), r"too few images in 1 of 4 classes: 0 \(0\)"),
        (lambda images, labels: (images[:5], labels[:5]), r"2 \(1\); at least 3 each"),
        (lambda images, labels: (images[:0], labels[:0]), "0 images"),
        (lambda images, labels: (images.reshape(90, 2, 5, 3, 1), labels), "shape"),
        (lambda images, labels: (images.reshape(90, 30), labels), "shape"),
        (lambda images, labels: (images, labels, images, labels + 1), "test labels from 1 to 3"),
        (lambda images, labels: (images,), "1 came; images, labels"),
        (lambda images, labels: (images.astype(str), labels), "numbers are needed"),
    ],
)
def test_bad_arrays_are_refused_with_a_reason(change, message):
    with pytest.raises(DataError, match=message):
        load(change(*toy()))


def test_bad_limits_and_shares_are_refused():
    with pytest.raises(DataError, match="limit 5 came; from 6 up"):
        load(toy(), limit=5)
    with pytest.raises(DataError, match=r"validation 1\.5 came"):
        load(toy(), validation=1.5)


@pytest.mark.parametrize(("name", "shape"), [("mnist_15k", (1, 28, 28)), ("sign-digits-32", (3, 32, 32))])
def test_sets_of_the_data_folder_are_found_by_name(needs, name, shape):
    needs("data")
    assert load(name).input == shape
