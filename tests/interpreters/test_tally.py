"""What is remembered of pieces adds up to the same as a walk over every layer, and saves that walk."""

import gc
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.interpreters.shape import Shape
from nasengine.interpreters.tally import Tally
from nasengine.space import Architecture, Space, chain, choose, derived, op, repeat, run, shared
from tests.space.random_spaces import PROPERTY, Layer, spaces

Share = Counter[str]


class EveryLayer:
    """Looks at every layer; values are shapes that no layer changes."""

    def __init__(self) -> None:
        self.met: Share = Counter()

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]) -> Shape:
        shape, share = of_layer(place, layer, settings, inputs)
        self.met += share
        return shape

    def add(self, place: str, values: Sequence[Shape]) -> Shape:
        return values[0]

    def concat(self, place: str, values: Sequence[Shape]) -> Shape:
        return (sum(value[0] for value in values), *values[0][1:])

    def mix(self, name: str, choice: Any, on: Mapping[str, tuple[Any, Shape]]) -> Shape:
        return max(value for _, value in on.values())


def of_layer(
    place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]
) -> tuple[Shape, Counter[str]]:
    """The first shape that arrives, its channels cut to ten; and the layer in words."""
    channels = settings.get("width", inputs[0][0])
    return (min(channels, 10), 8, 8), Counter([f"{layer.__name__} {sorted(settings.items())} {inputs}"])


def tally() -> Tally[Share]:
    return Tally(Counter(), of_layer, lambda one, other: one + other)


def every_layer(space: Space, architecture: Architecture) -> Share:
    walk = EveryLayer()
    run(space.network, (space.input,), architecture, walk)
    return walk.met


@PROPERTY
@given(spaces(condition=False, alive=True), st.randoms(use_true_random=False))
def test_pieces_add_up_to_the_whole(space: Space, rng: random.Random) -> None:
    made, loose = tally(), _Loose
    for one in [space.sample(rng) for _ in range(6)]:
        assert loose.of(made, space, one) == every_layer(space, one)


def test_a_memory_that_is_too_small_begins_anew_and_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasengine.interpreters.tally.MOST", 3)
    space, made, rng, held = chosen(), tally(), random.Random(1), []
    for one in [space.sample(rng) for _ in range(12)]:
        assert made.of(space, one) == every_layer(space, one)
        held.append(len(made.spaces[space][1]))
    assert max(held) == 3


def test_what_is_remembered_of_a_space_goes_with_it() -> None:
    space, made = chosen(), tally()
    made.of(space, space.sample(random.Random(1)))
    assert len(made.spaces) == 1
    del space
    gc.collect()
    assert len(made.spaces) == 0


class _Loose:
    """A tally where values that are joined need not have one shape: random spaces do not see to that."""

    @staticmethod
    def of(made: Tally[Share], space: Space, architecture: Architecture) -> Share:
        walk = type("Walk", (made.walk,), {name: vars(EveryLayer)[name] for name in ("add", "concat", "mix")})
        made.walk = walk
        return made.of(space, architecture)


def chosen() -> Space:
    """Three equal cells; the second layer of each is as wide as the first decision says."""
    cell = chain(op(Layer, kernel=choose("kernel", 3, 5)), op(Layer, width=derived(int, "width")))
    network = chain(op(Layer, width=choose("width", 4, 8)), repeat(shared("cell", cell), 3))
    return Space("chosen", (3, 8, 8), network)


def test_a_second_architecture_is_hardly_walked() -> None:
    seen: list[str] = []

    def heard(place: str, *layer: Any) -> tuple[Shape, Share]:
        seen.append(place)
        return of_layer(place, *layer)

    space, made = chosen(), Tally(Counter[str](), heard, lambda one, other: one + other)
    for width in ("4", "8", "4", "8"):
        architecture = Architecture({"width": (width,), "cell.kernel": ("3",)})
        assert made.of(space, architecture) == every_layer(space, architecture)
    # each width once: the stem, and one cell where the three are equal
    assert len(seen) == 2 * 3
    made.of(space, Architecture({"width": ("4",), "cell.kernel": ("5",)}))
    assert len(seen) == 2 * 3 + 1 + 0
