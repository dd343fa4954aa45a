"""Every space keeps the contract of spaces: a new file in search_spaces/ is tested by being there."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from nasengine.errors import NasError
from nasengine.plugins import listing, load, load_space, supernet_settings
from nasengine.testing import check_space
from nasengine.testing.other_python import ALONE, DIGESTS, OtherPython

SPACES = [name for name, _ in listing("space")]
# sizes that make a check quick; a space that is not named here is checked as it comes
QUICK = {
    "darts": {"channels": 2, "layers": 3},
    "nasbench201": {"channels": 4, "cells": 1},
    "nasbench101": {"channels": 8, "cells": 1},
    "nasnet": {"channels": 4, "cells": 1, "blocks": 2},
    "nasbench-macro": {"channels": 4, "features": 16},
    "metaformer": {"widths": (16, 32, 32), "depths": (1, 2, 2), "head_channels": 8, "kernels": (3, 5)},
    "mobile": {
        "width": 0.5, "widths": (0.5, 1), "kernels": (3, 5), "expansions": (2, 3), "depths": (2,),
        "resolutions": (8, 12),
    },
    "fbnet": {"width": 0.25, "depths": (1, 1, 1, 1, 1, 1, 1), "features": 16},
    "mnasnet": {"widths": (8, 8, 16), "layers": (1, 2, 2), "strides": (1, 2, 1), "stem": 8, "features": 16},
    "proxyless": {
        "stem": 8, "first": 8, "widths": (8, 8, 16, 16, 24, 24), "depths": (2, 1, 1, 1, 1, 1), "features": 16,
    },
    "vit": {"widths": (16, 24), "depths": (1, 2), "heads": (1, 2), "ratios": (2, 3)},
    "iformer": {"widths": (8, 16, 16, 16), "depths": (1, 1, 1, 1), "heads": (1, 2, 2, 2), "head": 4},
    "inceptionnext": {"widths": (8, 16, 16, 16), "depths": (1, 1, 1, 1), "patch": 1},
    "emo": {"widths": (4, 4, 8, 8), "depths": (1, 1, 1, 1), "heads": (4, 4, 4, 4), "stem": 4, "smallest_map": 3},
    "uniformer": {"widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "head": 4, "patch": 1},
    "uninet": {"widths": (8, 8, 8, 16, 16, 16), "depths": (1,) * 6, "stem": 8, "head": 8, "features": 16},
}  # fmt: skip
# whose own sizes take more than minutes in double precision
LARGE = {
    "iformer": {"widths": (32,) * 4, "depths": (1, 2, 2, 1), "heads": (1, 3, 3, 3), "head": 8},
    "inceptionnext": {"widths": (16, 24, 32, 32), "depths": (1, 2, 2, 1)},
    "emo": {"widths": (16, 16, 24, 24), "depths": (2, 1, 2, 2), "heads": (8, 8, 8, 8), "stem": 8},
    "uniformer": {"widths": (16, 16, 32, 32), "depths": (1, 2, 2, 1), "head": 8},
    "uninet": {"widths": (8, 16, 24, 40, 40, 48), "depths": (1, 2, 1, 1, 1, 2), "stem": 16},
    "nasbench101": {"channels": 16},
    "nasnet": {"channels": 8, "cells": 1, "blocks": 4},
    "mobile": {"width": 0.5},
    "fbnet": {"width": 0.5, "features": 64},
    "mnasnet": {"widths": (8, 8, 16, 16, 24, 24, 32), "stem": 8, "features": 64},
    "proxyless": {"stem": 8, "first": 8, "widths": (8, 8, 16, 16, 24, 24), "features": 64},
}


@pytest.fixture(scope="module")
def alone() -> Iterator[OtherPython]:
    """One clean interpreter for all exported sources."""
    with OtherPython(*ALONE) as process:
        yield process


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[OtherPython]:
    """One other process for all digests."""
    with OtherPython(*DIGESTS) as process:
        yield process


@pytest.mark.parametrize("name", SPACES)
def test_a_space_keeps_its_contract(name: str, alone: OtherPython, elsewhere: OtherPython) -> None:
    check_space(load("space", name), QUICK.get(name), architectures=2, alone=alone, elsewhere=elsewhere).require()


@pytest.mark.parametrize("name", [name for name in SPACES if supernet_settings(name)])
def test_a_space_keeps_its_contract_as_a_supernet_is_trained(
    name: str, alone: OtherPython, elsewhere: OtherPython
) -> None:
    settings = {**QUICK.get(name, {}), **supernet_settings(name)}
    check_space(load("space", name), settings, architectures=2, alone=alone, elsewhere=elsewhere).require()


UNSIGNED = {("metaformer", "layer_scale")}  # a number that may be anything


def numbers_of(name: str) -> list[tuple[str, Any]]:
    """The settings that are numbers, each with values of its type that are less than nothing."""
    wrong = []
    for setting in inspect.signature(load("space", name).space).parameters.values():
        value, numeric = setting.default, (int, float)
        if isinstance(value, tuple) and all(isinstance(one, numeric) for one in value):
            wrong.append((setting.name, tuple(type(one)(-1) for one in value or (1,))))
        elif isinstance(value, numeric) and not isinstance(value, bool):
            wrong.append((setting.name, type(value)(-1)))
    return [one for one in wrong if (name, one[0]) not in UNSIGNED]


@pytest.mark.parametrize("name", SPACES)
def test_numbers_that_cannot_be_are_refused_in_a_sentence_before_anything_is_built(name: str) -> None:
    for setting, value in numbers_of(name):
        with pytest.raises(NasError, match=f"space {name.replace('-', '.')}: .*{setting}") as caught:
            load_space(name, {setting: value})
        assert re.search("came|give|least|at", str(caught.value)), caught.value
    with pytest.raises(NasError) as caught:
        load_space(name, {"input": (3, 0, 8), "classes": 0})
    assert str(caught.value).splitlines() == [
        f"space {name}: input=(3, 0, 8) came; give channels, height and width of an image, each 1 or more",
        f"space {name}: classes=0 came; give 1 or more",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_a_space_keeps_its_contract_at_full_size(name: str, alone: OtherPython, elsewhere: OtherPython) -> None:
    check_space(load("space", name), LARGE.get(name), architectures=20, alone=alone, elsewhere=elsewhere).require()
