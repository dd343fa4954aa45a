"""Contracts as a kit: what our own spaces, layers and strategies are tested by, to be run on files of your own.

Each check returns a Report: claims one by one, each with its fault in words; `.require()` raises AssertionError with
all of them. `nasengine describe --space ./mine.py --check` runs check_space.

    from nasengine.testing import check_layer, check_space, check_strategy

    def test_my_space():
        check_space(my_module).require()
"""

from nasengine.testing.layers import check_layer
from nasengine.testing.relaxations import check_relaxation
from nasengine.testing.report import Check, Report
from nasengine.testing.samplers import check_sampler
from nasengine.testing.spaces import check_space
from nasengine.testing.strategies import check_strategy

__all__ = ["Check", "Report", "check_layer", "check_relaxation", "check_sampler", "check_space", "check_strategy"]
