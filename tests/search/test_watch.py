"""The collapse watch: shares of skips, entropy of gates, and when it speaks."""

import math

import pytest

from nasengine.search.watch import entropy, figures, warnings
from nasengine.space import Architecture


def test_entropy_runs_from_decided_to_open():
    assert entropy({"a": 0.25, "b": 0.25}) == pytest.approx(1.0)
    assert entropy({"a": 1.0, "b": 0.0}) == 0.0
    assert entropy({"a": 0.0, "b": 0.0}) == 0.0 and entropy({"a": 1.0}) == 0.0
    wanted = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1)) / math.log(2)
    assert entropy({"a": 9.0, "b": 1.0}) == pytest.approx(wanted)


def test_skips_are_counted_among_gated_picks_by_namespace():
    from nasengine.search_spaces import darts

    published = darts.ARCHITECTURES["DARTS_V1"]
    space = darts.space(channels=4, layers=3)
    gates = {name: {"skip_connect": 1.0, "none": 1.0} for name, d in space.decisions.items() if not d.of_edges}
    found = figures(space, Architecture(published.picks), gates)
    # normal: s3@1 s3@0 | sk@0 s3@1 | sk@0 s3@1 | s3@0 sk@2; reduce: mp mp | sk mp | mp sk | sk ap
    assert found["skip_shares"] == {"normal": 3 / 8, "reduce": 3 / 8} and found["skip_share"] == 6 / 16
    assert found["gate_entropy"] == pytest.approx(1.0)


def test_it_speaks_of_skips_and_of_gates_that_do_not_compete():
    calm = {"skip_shares": {"normal": 0.5, "reduce": 0.0}, "gate_entropy": 0.7}
    assert warnings(calm) == []
    kinds = [kind for kind, _ in warnings({"skip_shares": {"normal": 0.625, "reduce": 0.0}, "gate_entropy": 0.05})]
    assert kinds == ["skips normal", "entropy"]
