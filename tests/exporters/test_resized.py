"""The same weights for images of another size, where they are not for one size alone."""

import random

import pytest
import torch

from nasengine.errors import ExportError
from nasengine.exporters.resized import resized
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, RandomMixing
from nasengine.plugins import load_space
from nasengine.space import Architecture, Space, chain, op


def test_weights_are_taken_over() -> None:
    settings = {"channels": 4, "cells": 1, "input": (1, 8, 8)}
    small = load_space("nasbench201", settings)
    model = Model(small, small.sample(random.Random(1))).eval()
    larger = resized(model, load_space("nasbench201", {**settings, "input": (1, 24, 24)}))
    assert larger.space.input == (1, 24, 24) and not larger.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, larger.state_dict()[name])
    assert larger(torch.zeros(2, 1, 24, 24)).shape == (2, 10)


def mixed(side: int) -> Space:
    mixing = op(RandomMixing, positions=side * side)
    return Space("mixed", (1, side, side), chain(op(ConvNorm, width=4, kernel=3), mixing, op(Classifier, classes=3)))


def test_weights_of_one_size_are_named() -> None:
    with pytest.raises(
        ExportError, match=r"image 6 by 6: some weights belong to images of 4 by 4: .*matrix is \(16, 16\)"
    ):
        resized(Model(mixed(4), Architecture({})), mixed(6))


def test_a_space_that_cannot_be_built_so_is_told() -> None:
    broken = Space("mixed", (1, 6, 6), mixed(4).network)
    with pytest.raises(ExportError, match="image 6 by 6: the network cannot be built for it: .*export it without"):
        resized(Model(mixed(4), Architecture({})), broken)
