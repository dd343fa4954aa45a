"""A network as source: readable, alone in its file, equal to the model, and honest about what it cannot take along."""

import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from nasengine.errors import ExportError
from nasengine.interpreters.model import Model
from nasengine.interpreters.source import Source, source, state
from nasengine.layers import Classifier, ConvNorm, DropPath, Identity, MaxPool
from nasengine.plugins import load_space
from nasengine.space import Architecture, Space, add, aside, chain, choose, concat, network, op, reads, residual
from nasengine.user_files import import_file


def namespace(made: Source) -> dict[str, object]:
    """The exported file, run."""
    names: dict[str, object] = {"__name__": "exported"}
    exec(compile(made.text, "exported.py", "exec"), names)
    return names


def predicts_the_same(space: Space, architecture: Architecture) -> Source:
    made = source(space, architecture)
    model = Model(space, architecture).eval()
    built = namespace(made)["Network"]()  # type: ignore[operator]
    built.load_state_dict(state(model, made))
    x = torch.randn(2, *space.input)
    assert torch.equal(built.eval()(x), model(x))
    return made


def two_layers(first: type, second: type, **settings: object) -> Space:
    return Space("two", (4, 6, 6), chain(a=op(first, **settings), b=op(second), head=op(Classifier, classes=3)))


def user_file(folder: Path, text: str, name: str = "mine") -> ModuleType:
    (folder / f"{name}.py").write_text(text)
    return import_file(folder / f"{name}.py")


LAYER = """from torch import nn


class Layer(nn.Module):
    def __init__(self, channels):
        super().__init__()
"""
FORWARD = "\n    def forward(self, x):\n        return x\n"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("darts", {"channels": 4, "layers": 3, "auxiliary": True}),
        ("nasbench201", {"channels": 4, "cells": 1}),
        ("metaformer", {}),
    ],
)
def test_every_space_leaves_as_clean_source(name: str, settings: dict[str, object], tmp_path: Path) -> None:
    space = load_space(name, settings)
    made = predicts_the_same(space, space.sample(random.Random(1)))
    assert "nasengine" not in made.text and "DropPath" not in made.text and "Auxiliary" not in made.text
    file = tmp_path / "model.py"
    file.write_text(made.text)
    for words in (["check", "--select", "E,F,I,UP,B"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", "--no-cache", str(file)]
        done = subprocess.run(ruff, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr


def test_attributes_are_named_by_place_and_unique() -> None:
    chosen = choose("op", **{"3x3": op(ConvNorm, width=4, kernel=3), "skip": op(Identity)}, keep=2)
    steps = {"class": op(Identity), "train": op(Identity), "a_b": chain(c=chosen), "a": chain(b_c=chosen)}
    space = Space("odd", (4, 6, 6), network(**steps, head=op(Classifier, classes=3)))
    made = predicts_the_same(space, space.sample(random.Random(0)))
    assert made.attributes == {
        "class": "_class", "train": "train_2", "a_b.c.3x3": "a_b_c_3x3", "a_b.c.skip": "a_b_c_skip",
        "a.b_c.3x3": "a_b_c_3x3_2", "a.b_c.skip": "a_b_c_skip_2", "head": "head",
    }  # fmt: skip


def test_a_number_is_left_out_where_it_tells_nothing_apart() -> None:
    one, two = chain(op(ConvNorm, width=4), op(DropPath)), chain(op(Identity), op(Identity))
    space = Space("numbers", (4, 6, 6), network(one=one, two=two, h=op(Classifier, classes=2)))
    made = predicts_the_same(space, Architecture({}))
    assert list(made.attributes.values()) == ["one", "two_0", "two_1", "h"]
    assert "        two_1 = self.two_1(two_0)\n" in made.text


def test_asides_and_unused_steps_are_left_out() -> None:
    aux = chain(op(Identity), aside("extra", op(Classifier, classes=3)))
    head = reads("a", op(Classifier, classes=3))
    steps = {"a": op(ConvNorm, width=4), "b": op(MaxPool), "c": aux, "head": head}
    space = Space("unused", (4, 6, 6), network(**steps))
    assert set(predicts_the_same(space, Architecture({})).attributes) == {"a", "head"}


def test_sums_joins_and_one_layer_alone() -> None:
    both = network(a=op(ConvNorm, width=4), b=op(MaxPool), sum=reads("a", "b", add()), cat=reads("a", "sum", concat()))
    for net in (both, residual(op(Identity)), op(Classifier, classes=2)):
        predicts_the_same(Space("joins", (4, 6, 6), net), Architecture({}))


def test_a_long_sum_keeps_to_the_line() -> None:
    options = {f"an_option_with_a_rather_long_name_{i}": op(ConvNorm, width=4) for i in range(4)}
    space = Space("long", (4, 6, 6), chain(a=choose("x", keep=4, **options), h=op(Classifier, classes=2)))
    text = predicts_the_same(space, space.sample(random.Random(0))).text
    assert max(map(len, text.splitlines())) <= 120


def test_the_docstring_cannot_break_the_file() -> None:
    space = Space("doc", (4, 6, 6), op(Classifier, classes=2))
    about = 'A """quoted""" \\path\\name and a last quote"'
    assert namespace(source(space, Architecture({}), about))["__doc__"].strip() == about  # type: ignore[attr-defined]


def test_settings_are_written_as_python() -> None:
    mine = two_layers(ConvNorm, Identity, width=4, affine=False)
    assert "self.a = ConvNorm(4, width=4, affine=False)" in predicts_the_same(mine, Architecture({})).text


def test_layers_of_torch_itself_are_called_by_their_name() -> None:
    made = predicts_the_same(two_layers(nn.BatchNorm2d, nn.InstanceNorm2d), Architecture({}))
    assert "self.a = nn.BatchNorm2d(4)" in made.text and "class BatchNorm2d" not in made.text


USER = '''"""A user's layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

from .beside import Outer, scale

if TYPE_CHECKING:
    from torch import Tensor as T

# why it is four
FACTOR = math.sqrt(16)
TABLE = {}
TABLE["x"] = FACTOR


class Layer(Outer):
    """Uses all sorts of things."""

    class Inner(nn.Module):
        def __init__(self, channels: int):
            super().__init__()

        def forward(self, x: T) -> T:
            return scale(x) * TABLE["x"]

    def forward(self, x: T) -> Later:
        return F.relu(self.inner(x))


class Later(nn.Module):
    pass
'''
BESIDE = """from torch import nn


def scale(x):
    return x * 2 + len(str(Outer))


class Outer(nn.Module):
    def __init__(self, channels, activation=None):
        super().__init__()
        self.inner = nn.Conv2d(channels, channels, 1)
        self.activation = activation
"""


def test_a_user_file_brings_bases_functions_constants_and_siblings(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text(BESIDE)
    mine = user_file(tmp_path, USER)
    space = two_layers(mine.Layer, mine.Layer.Inner, activation=mine.Outer)
    made = source(space, Architecture({}))
    names = namespace(made)
    assert {"Layer", "Outer", "scale", "FACTOR", "TABLE", "Later"} <= set(names)
    assert "# why it is four\n" in made.text and "activation=Outer" in made.text
    assert "self.b = Layer.Inner(4)" in made.text
    assert names["TABLE"] == {"x": 4.0}


def test_the_source_is_that_of_import_time(tmp_path: Path) -> None:
    body = LAYER + "\n    def forward(self, x):\n        return x + {}\n"
    old = user_file(tmp_path, body.format(1))
    new = user_file(tmp_path, body.format(2))
    assert "x + 1" in source(two_layers(old.Layer, Identity), Architecture({})).text
    assert "x + 2" in source(two_layers(new.Layer, Identity), Architecture({})).text


NAMESAKE = """from torch import nn as {0}

K = {1}


def _go(x, K=K):
    return x * K


class Layer({0}.Module):
    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        return _go(x) + (0 if isinstance(self, Layer) else 100)
"""


def test_two_layers_of_one_name_live_side_by_side(tmp_path: Path) -> None:
    one = user_file(tmp_path, NAMESAKE.format("nn", 2), "one")
    two = user_file(tmp_path, NAMESAKE.format("N", 5), "two")
    made = predicts_the_same(two_layers(one.Layer, two.Layer), Architecture({}))
    assert "class Layer(nn.Module)" in made.text and "class Layer2(nn.Module)" in made.text and "K2 = 5" in made.text


def test_a_layer_called_network_gives_way(tmp_path: Path) -> None:
    mine = user_file(tmp_path, LAYER.replace("Layer", "Network") + FORWARD)
    assert "class Network2(nn.Module)" in predicts_the_same(two_layers(mine.Network, Identity), Architecture({})).text


REFUSED = {
    "another package": ("import numpy as np\n" + LAYER + "        self.n = np.ones(3)\n", r"mine\.py:1: np: .*numpy"),
    "our own internals": (
        "from nasengine.errors import NasError\n" + LAYER + "        self.n = NasError\n",
        r"mine\.py:1: NasError: imported from nasengine\.errors",
    ),
    "an import inside": (LAYER + "        import numpy\n", r"mine\.py:7: numpy: imported inside"),
    "a whole module of layers": (
        "from nasengine.layers import mlp\n" + LAYER + "        self.n = mlp.MLP(channels)\n",
        r"mine\.py:1: mlp: .*from nasengine\.layers\.mlp",
    ),
    "a star import": ("from math import *\n" + LAYER + "        self.n = sqrt(4)\n", r"mine\.py:5: sqrt: .*star"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_along_is_refused_with_file_line_and_name(case: str, tmp_path: Path) -> None:
    text, words = REFUSED[case]
    mine = user_file(tmp_path, text + FORWARD)
    with pytest.raises(ExportError, match=words):
        source(two_layers(mine.Layer, Identity), Architecture({}))


def test_a_class_of_a_function_is_refused_with_its_line() -> None:
    class Local(Identity):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    with pytest.raises(ExportError, match=r"test_source\.py:\d+: .*Local: it is defined inside a function"):
        source(two_layers(Local, Identity), Architecture({}))


def test_a_class_of_main_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Identity, "__module__", "__main__")
    with pytest.raises(ExportError, match=r"skip\.py:\d+: Identity: it is defined in __main__"):
        source(two_layers(Identity, MaxPool), Architecture({}))


def test_a_class_made_while_running_is_refused(tmp_path: Path) -> None:
    body = LAYER + FORWARD + "\n\nOther = Layer\nLayer = type('Layer', (Layer,), {})\n"
    with pytest.raises(ExportError, match=r"Layer: the file binds this name to something else"):
        source(two_layers(user_file(tmp_path, body).Other, Identity), Architecture({}))


def test_a_setting_that_is_no_plain_value_is_refused() -> None:
    class Kernel(int):
        pass

    with pytest.raises(ExportError, match=r"a: setting kernel came as 3; exported source can hold"):
        source(two_layers(ConvNorm, Identity, width=4, kernel=Kernel(3)), Architecture({}))


def test_what_one_sum_alone_reads_is_computed_there() -> None:
    chained = chain(a=residual(op(ConvNorm, width=4), op(Identity)), h=op(Classifier, classes=2))
    text = predicts_the_same(Space("sums", (4, 6, 6), chained), Architecture({})).text
    assert "        a_body_0 = self.a_body_0(x)\n        a = x + self.a_body_1(a_body_0)\n" in text
    twice = network(a=op(ConvNorm, width=4), sum=reads("a", "a", add()), h=op(Classifier, classes=2))
    assert "sum = a + a\n" in predicts_the_same(Space("twice", (4, 6, 6), twice), Architecture({})).text
