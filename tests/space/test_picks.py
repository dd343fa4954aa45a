"""Picks: what one architecture, everything and a mixture answer."""

import pytest

from nasengine.errors import SpaceError
from nasengine.space import EVERYTHING, Architecture, Mixture, choose, op, relaxed_only
from tests.space.random_spaces import Layer, Pool

MIXER = choose("mixer", conv=op(Layer), pool=op(Pool), none=relaxed_only(op(Pool)))
WIDTH = choose("width", small=16, large=32, middle=24)


def test_an_architecture_is_a_gate_of_ones() -> None:
    made = Architecture({"mixer": ("pool",), "width": ("middle",)})
    assert dict(made.gates("mixer", MIXER)) == {"pool": 1.0}
    assert made.value("width", WIDTH) == 24
    assert made.asked("width") and not made.asked("depth")


def test_architectures_are_equal_by_their_picks_in_any_order() -> None:
    a = Architecture({"a": ("x",), "b": ("y", "z")})
    b = Architecture({"b": ("y", "z"), "a": ("x",)})
    assert a == b and hash(a) == hash(b)
    assert a != Architecture({"a": ("x",), "b": ("y",)})
    assert len({a, b}) == 1


def test_an_architecture_travels_as_plain_lists() -> None:
    made = Architecture({"a": ("x",), "b": ("y", "z"), "c": ()})
    assert made.to_json() == {"a": ["x"], "b": ["y", "z"], "c": []}
    assert Architecture.from_json(made.to_json()) == made


def test_an_architecture_of_another_space_says_what_it_lacks() -> None:
    with pytest.raises(SpaceError, match="no pick for 'width'.*space.follow"):
        Architecture({"mixer": ("conv",)}).value("width", WIDTH)


def test_everything_is_all_options_and_the_largest_sizes() -> None:
    assert dict(EVERYTHING.gates("mixer", MIXER)) == {"conv": 1.0, "pool": 1.0, "none": 1.0}
    assert EVERYTHING.value("width", WIDTH) == 32
    assert EVERYTHING.value("mode", choose("mode", "first", "second")) == "first"
    assert EVERYTHING.asked("anything")


def test_a_mixture_answers_its_own_decisions_and_leaves_the_rest_to_its_base() -> None:
    base = Architecture({"width": ("small",), "other": ("conv",)})
    mixed = Mixture({"mixer": {"conv": 0.3, "none": 0.7}}, base)
    assert dict(mixed.gates("mixer", MIXER)) == {"conv": 0.3, "none": 0.7}
    assert dict(mixed.gates("other", MIXER)) == {"conv": 1.0}
    assert mixed.value("width", WIDTH) == 16
    assert mixed.asked("mixer") and mixed.asked("width") and not mixed.asked("depth")
    assert dict(Mixture({}).gates("mixer", MIXER)) == {"conv": 1.0, "pool": 1.0, "none": 1.0}
