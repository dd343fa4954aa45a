"""What is measured is the exported module."""

import sys
from random import Random

import torch
from torch import nn

from nasengine import plugins
from nasengine.hardware import program
from nasengine.interpreters.cost import cost
from nasengine.interpreters.source import source
from tests.hardware.places import tiny


def test_the_network_is_the_exported_class_and_leaves_no_trace() -> None:
    space = tiny()
    architecture = space.sample(Random(0))
    text = source(space, architecture).text
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    modules = set(sys.modules)
    module = program.network(text, space.input)
    assert torch.equal(torch.rand(3), wanted)
    assert type(module).__name__ == "Network" and not type(module).__module__.startswith("nasengine.")
    assert set(sys.modules) - modules == set()
    assert sum(one.numel() for one in module.parameters()) == cost(space, architecture).params
    assert not module.training and module(torch.zeros(2, 1, 4, 4)).shape == (2, 3)


def test_numbers_keep_their_size_through_a_deep_network() -> None:
    layers = [nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)) for _ in range(120)]
    deep = program.drawn(lambda: nn.Sequential(*layers)).eval()
    assert deep(torch.randn(1, 4, 8, 8)).std() < 1e-3
    momenta = [layer[1].momentum for layer in layers]
    program.settle(deep, (4, 8, 8))
    assert deep.eval()(torch.randn(1, 4, 8, 8)).std() > 0.1
    assert [layer[1].momentum for layer in layers] == momenta


def test_norms_without_statistics_are_left_alone() -> None:
    space = plugins.load_space("nasbench201", {"input": (1, 8, 8), "channels": 2, "cells": 1, "track": False})
    text = source(space, space.sample(Random(0))).text
    assert program.network(text, space.input)(torch.zeros(1, 1, 8, 8)).shape == (1, 10)
