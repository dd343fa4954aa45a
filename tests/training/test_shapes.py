import numpy as np
import pytest

from nasengine.errors import DataError
from nasengine.training.data import load
from nasengine.training.shapes import make_data


def test_the_same_seed_draws_the_same_shapes_and_numbers_are_those_of_the_masks() -> None:
    (images, masks), (again, numbers) = make_data(number=20), make_data("regression", number=20)
    assert images.shape == (20, 1, 32, 32) and np.array_equal(images, again)
    assert set(np.unique(masks)) == {0, 1, 2}
    assert numbers[:, 0] == pytest.approx((masks == 1).mean((1, 2))) and numbers[:, 1].max() > 0
    rows, columns = np.nonzero(masks[3])
    assert numbers[3, 2:] == pytest.approx([rows.mean() / 31, columns.mean() / 31])
    assert not np.array_equal(make_data(number=20, seed=1)[0], images)


def test_they_are_a_data_set_by_name() -> None:
    pixels, numbers = load("shapes", limit=50), load("shapes?task=regression", limit=50)
    assert (pixels.task, pixels.classes, pixels.input) == ("segmentation", 3, (1, 32, 32))
    assert (numbers.task, numbers.classes) == ("regression", 4)
    assert pixels.train.labels.shape[1:] == (32, 32)
    with pytest.raises(DataError, match="one of segmentation, regression"):
        load("shapes?task=classification")
