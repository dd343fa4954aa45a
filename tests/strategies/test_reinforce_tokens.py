"""The tokens of a controller: one spelling for each architecture, and uniform answers at equal scores."""

import math
import random
from collections import defaultdict

import pytest

from nasengine.layers import Identity
from nasengine.search_spaces import darts, metaformer
from nasengine.space import Architecture, Space, chain, choose, op
from nasengine.strategies._reinforce_tokens import STOP, Step, Tokens
from nasengine.testing.strategies import uneven

SPACES = [uneven(), darts.space(input=(1, 8, 8), channels=4, layers=3), metaformer.space(input=(1, 8, 8))]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_an_architecture_is_spelled_and_spoken_again(space: Space) -> None:
    tokens, rng = Tokens(space), random.Random(0)
    for _ in range(50):
        architecture = space.sample(rng)
        spelling = tokens.spell(architecture)
        positions = iter(spelling)

        def draw(step: Step, positions=positions) -> int:
            said, position = next(positions)
            assert said is step
            return position

        assert tokens.speak(draw) == architecture
        assert next(positions, None) is None


def test_what_is_not_asked_has_no_token() -> None:
    inner = choose("inner", x=op(Identity), y=op(Identity))
    space = Space(
        "nested", (1, 8, 8), chain(a=choose("outer", plain=op(Identity), deep=inner), only=choose("o", b=op(Identity)))
    )
    plain, deep = Architecture({"a.outer": ("plain",), "only.o": ("b",)}), None
    deep = next(one for one in space.enumerate() if one.picks["a.outer"] == ("deep",))
    assert [step.decision for step, _ in Tokens(space).spell(plain)] == ["a.outer"]
    assert len(Tokens(space).spell(deep)) == 2


@pytest.mark.parametrize("keep", [1, 2, (1, 2), (0, 3), (2, 4), (4, 4)])
def test_at_equal_scores_every_answer_is_equally_likely(keep: int | tuple[int, int]) -> None:
    options = {name: op(Identity) for name in "abcd"}
    space = Space("sets", (1, 8, 8), choose("set", keep=keep, **options))
    tokens, chances = Tokens(space), defaultdict(float)
    for architecture in space.enumerate():
        chance = 0.0
        for step, position in tokens.spell(architecture):
            chance += step.ways[position] - math.log(sum(map(math.exp, step.ways)))
        chances[architecture] += math.exp(chance)
    ways = space.decisions["set"].ways()
    assert len(chances) == ways
    assert list(chances.values()) == pytest.approx([1 / ways] * ways)


def test_options_come_in_their_order_and_a_longer_answer_ends_with_stop() -> None:
    space = Space("sets", (1, 8, 8), choose("set", keep=(1, 3), **{name: op(Identity) for name in "abcd"}))
    spelling = Tokens(space).spell(Architecture({"set": ("a", "c")}))
    assert [step.options[position] for step, position in spelling] == ["a", "c", STOP]
    assert [step.options for step, _ in spelling] == [("a", "b", "c", "d"), ("b", "c", "d", STOP), ("d", STOP)]
