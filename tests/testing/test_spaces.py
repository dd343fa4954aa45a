"""The contract of spaces finds what is wrong with one, and says it in words."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from nasengine.interpreters.model import Model
from nasengine.search_spaces import nasbench201
from nasengine.space import Architecture
from nasengine.testing import Report, check_space
from nasengine.testing.other_python import ALONE, DIGESTS, OtherPython
from nasengine.user_files import import_file

FILE = '''"""A space to break in one way each."""

import torch
from torch import nn

from nasengine.errors import SpaceError
from nasengine.layers import Classifier, ConvNorm, Identity
from nasengine.space import Published, Space, chain, choose, op
{more}

class Layer(nn.Module):
    {attributes}

    def __init__(self, channels):
        super().__init__()
        {init}

    def forward(self, x):
        return {forward}


def space(input=(3, 32, 32), classes=10):
    {first}
    stem = op(ConvNorm, width=choose("width", 4, 8), kernel=3)
    mixer = choose("mixer", layer=op(Layer), other={other})
    return Space("mine", input=input, network=chain(stem=stem, mixer=mixer, head=op(Classifier, classes=classes)))
'''
HONEST = {
    "more": "", "attributes": "kind = 'conv'", "init": "self.conv = nn.Conv2d(channels, channels, 1)",
    "forward": "self.conv(x)", "first": "pass", "other": "op(Identity)",
}  # fmt: skip
EQUAL = "supernet, inherited network and exported source are equal"


@pytest.fixture(scope="module")
def processes() -> Iterator[dict[str, OtherPython]]:
    with OtherPython(*ALONE) as alone, OtherPython(*DIGESTS) as elsewhere:
        yield {"alone": alone, "elsewhere": elsewhere}


def module(folder: Path, **changes: str) -> ModuleType:
    file = folder / "mine.py"
    file.write_text(FILE.format(**{**HONEST, **changes}))
    return import_file(file)


def faults(report: Report) -> dict[str, str]:
    return {check.name: check.fault for check in report.faults}


def test_an_honest_space_of_a_user_passes(tmp_path: Path, processes: dict[str, OtherPython]) -> None:
    report = check_space(module(tmp_path), architectures=2, **processes).require()
    assert [check.name for check in report] == [
        "builds for small images, or names the smallest it takes",
        "sampled, mutated and crossed architectures are legal",
        "count equals enumeration, on its small copy",
        "its named architectures are legal",
        "its sizes can be cut from one set of weights",
        "its layers are what they say they are",
        EQUAL,
        "a changed decision changes the output, or the digest is the same",
        "digests are the same in another process",
    ]


def test_a_space_that_is_built_already_is_checked_as_it_is(processes: dict[str, OtherPython]) -> None:
    space = nasbench201.space(input=(1, 8, 8), channels=4, cells=1)
    report = check_space(space, architectures=1, alone=processes["alone"]).require()
    assert EQUAL in [check.name for check in report]


def test_a_smallest_size_that_an_error_names_is_taken(tmp_path: Path, processes: dict[str, OtherPython]) -> None:
    check = "if input[1] < 16: raise SpaceError(f'mine: {input} came; images are at least 16 by 16 pixels')"
    mine = module(tmp_path, first=check)
    check_space(mine, architectures=1, **processes).require()


@pytest.mark.parametrize(
    ("changes", "claim", "words"),
    [
        (
            {"first": "if input[1] < 16: raise SpaceError('mine: too small')"},
            "builds for small images, or names the smallest it takes",
            "without naming the smallest size: mine: too small",
        ),
        (
            {"more": "\nARCHITECTURES = {'good': Published({'mixer.mixer': ('layer',)}, {})}\n"},
            "its named architectures are legal",
            "good: stem.width is missing",
        ),
        (
            {"init": "self.conv = nn.Conv2d(channels, channels, 1, groups=2)"},
            "its sizes can be cut from one set of weights",
            "decision 'stem.width', at mixer.layer: Layer with 4 and 8 channels arriving",
        ),
        (
            {"init": "self.conv = nn.Conv2d(channels, channels, 1) if channels == 4 else nn.BatchNorm2d(channels)"},
            "its sizes can be cut from one set of weights",
            "the two do not hold the same tensors",
        ),
        (
            {"attributes": "keeps_zero = True"},
            "its layers are what they say they are",
            "Layer says keeps_zero, but makes something of zeros",
        ),
        (
            {"attributes": "calls = 0", "init": "pass", "forward": "x + self.count()\n\n    def count(self):\n"
             "        Layer.calls += 1\n        return Layer.calls"},
            "its sizes can be cut from one set of weights", "the smaller computes something else",
        ),
        (
            {"init": "pass", "forward": "x"},
            "a changed decision changes the output, or the digest is the same",
            "'mixer.mixer' goes from",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    changes: dict[str, str], claim: str, words: str, tmp_path: Path, processes: dict[str, OtherPython]
) -> None:
    found = faults(check_space(module(tmp_path, **changes), architectures=3, **processes))
    assert words in found[claim]


def test_a_layer_that_cannot_leave_breaks_equality(tmp_path: Path, processes: dict[str, OtherPython]) -> None:
    mine = module(tmp_path, forward="self.conv(x) if SpaceError else x")
    found = faults(check_space(mine, architectures=3, **processes))
    assert "SpaceError: imported from nasengine.errors" in found[EQUAL]


def test_a_child_with_weights_of_its_own_is_found(
    monkeypatch: pytest.MonkeyPatch, processes: dict[str, OtherPython]
) -> None:
    def forgetful(self: Model, architecture: Architecture) -> Model:
        return Model(self.space, architecture)

    monkeypatch.setattr(Model, "inherit", forgetful)
    space = nasbench201.space(input=(1, 8, 8), channels=4, cells=1)
    found = faults(check_space(space, architectures=1, alone=processes["alone"]))
    assert "the inherited network is" in found[EQUAL] and "off the supernet in eval mode" in found[EQUAL]


def test_exported_source_that_differs_is_found(
    monkeypatch: pytest.MonkeyPatch, processes: dict[str, OtherPython]
) -> None:
    from nasengine.interpreters import source

    monkeypatch.setattr(source._Writer, "add", lambda self, place, values: values[0])
    space = nasbench201.space(input=(1, 8, 8), channels=4, cells=1)
    found = faults(check_space(space, architectures=2, alone=processes["alone"]))
    assert "the exported source is" in found[EQUAL] and "the inherited" not in found[EQUAL]
