"""When classes are so uneven that it is said."""

import numpy as np
import pytest

from nasengine.training.balance import imbalance, imbalance_words
from nasengine.training.data import Dataset, load


def with_counts(*counts: int) -> Dataset:
    labels = np.repeat(np.arange(len(counts)), counts)
    return load((np.zeros((len(labels), 4, 4), np.uint8), labels))


def test_even_classes_need_no_word() -> None:
    data = with_counts(20, 24, 20)
    assert imbalance(data) == pytest.approx(14 / 12)
    assert imbalance_words(data) is None


def test_uneven_classes_are_named() -> None:
    words = imbalance_words(with_counts(100, 10, 30)) or ""
    assert "10.0 to 1: 0 has 60 training images, 1 6; always saying 0 would be 71% right" in words
    assert "--recipe.sampling balanced" in words


def test_a_regression_has_no_classes() -> None:
    data = load((np.zeros((9, 4, 4), np.uint8), np.linspace(0.5, 3, 9)))
    assert (data.balance, imbalance(data), imbalance_words(data)) == (None, None, None)
