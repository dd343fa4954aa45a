"""ElasticViT: a lazy walk over levels of complexity, networks near in size, and a bank of good ones."""

import random
from fractions import Fraction

import pytest
import torch
from torch.nn import functional

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.ends import smallest
from nasengine.layers import Classifier, ConvNorm
from nasengine.space import Space, chain, choose, op, repeat
from nasengine.strategies._elastic_vit_bank import SIZE, Bank
from nasengine.strategies._elastic_vit_levels import Levels, reachable
from nasengine.strategies.elastic_vit import ElasticViT


@pytest.fixture(scope="module")
def space() -> Space:
    block = op(ConvNorm, width=8, kernel=choose("kernel", 1, 3, 5))
    stem = op(ConvNorm, width=choose("width", *range(4, 24, 2)))
    return Space("big", (1, 6, 6), chain(stem, repeat(block, 5), op(Classifier, classes=3)))


@torch.no_grad()
def drawn(made: ElasticViT, generator: torch.Generator) -> list:
    return [picks.base for picks in made.draws(generator)]


@pytest.mark.parametrize("number", [1, 2, 3, 8])
def test_the_walk_is_lazy_and_visits_all_levels_equally(number):
    """Its matrix is symmetric, so that its stationary distribution is uniform; it never jumps by more than 1."""
    matrix = [[Fraction(reachable(a, number).count(b), 3) for b in range(number)] for a in range(number)]
    assert all(matrix[a][b] == matrix[b][a] for a in range(number) for b in range(number))
    assert all(matrix[a][b] == 0 for a in range(number) for b in range(number) if abs(a - b) > 1)
    if number > 1:
        assert matrix[0][0] == matrix[-1][-1] == Fraction(2, 3)
    if number > 2:
        assert matrix[1][:3] == [Fraction(1, 3)] * 3


def test_levels_are_walked_step_by_step(space):
    made, generator, levels = ElasticViT(space), torch.Generator().manual_seed(0), []
    for _ in range(300):
        made.draws(generator)
        levels.append(made.level)
    assert {abs(a - b) for a, b in zip(levels, levels[1:], strict=False)} == {0, 1}
    assert set(levels) == set(range(5))


def test_levels_are_quantiles_of_multiply_adds_and_networks_of_a_step_are_of_one(space):
    levels = Levels(space, 5, 3)
    assert levels.bounds == sorted(levels.bounds) and Levels(space, 5, 3).bounds == levels.bounds
    rng, counts = random.Random(1), [0] * 5
    for _ in range(1000):
        counts[levels.of(space.sample(rng))] += 1
    assert all(100 < count < 300 for count in counts)
    assert all(levels.of(levels.sample(level, rng)) == level for level in range(5) for _ in range(10))


def test_minimal_networks_are_near_in_size_and_the_first_is_the_smallest(space):
    levels = Levels(space, 6, 3)
    assert levels.minimal[0] == levels.minimal[1] == smallest(space)
    assert len(set(levels.minimal)) == 3
    for level in (2, 3, 4, 5):
        assert levels.of(levels.minimal[level]) == level - level % 2
    macs = [cost(space, one).macs for one in levels.minimal]
    assert macs == sorted(macs)


def test_a_step_has_random_networks_and_one_minimal_one_that_they_teach(space):
    made, outputs = ElasticViT(space), []
    draws = made.draws(torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 0])
    assert len(draws) == 4 and draws[3].base == made.levels.minimal[made.level]

    def forward(images, picks, calm=False):
        outputs.append(torch.randn(4, 3, requires_grad=True))
        return outputs[-1]

    losses = list(made.losses(forward, functional.cross_entropy, (torch.zeros(4, 1, 6, 6), labels), draws))
    assert losses[:3] == [functional.cross_entropy(output, labels) for output in outputs[:3]]
    teacher = torch.stack([output.detach().softmax(1) for output in outputs[:3]]).mean(0)
    torch.testing.assert_close(losses[3], functional.cross_entropy(outputs[3], teacher))
    assert torch.autograd.grad(losses[3], outputs, allow_unused=True)[:3] == (None, None, None)


def test_the_bank_keeps_the_networks_of_lowest_loss(space):
    bank, rng = Bank(2, 10), random.Random(0)
    networks = list({space.sample(rng) for _ in range(40)})
    for number, one in enumerate(networks):
        bank.note(1, one, float(number))
    assert set(bank.levels[1]) == set(networks[:SIZE]) and bank.levels[0] == {}
    bank.note(1, networks[0], 99.0)  # measured again, and worse: the next better one takes its place
    bank.note(1, networks[20], 3.5)
    assert networks[0] not in bank.levels[1] and networks[20] in bank.levels[1]
    assert bank.draw(0, rng) is None and bank.draw(1, rng) in bank.levels[1]


def test_losses_of_the_bank_are_measured_again_after_some_steps(space):
    made, generator, sizes = ElasticViT(space, levels=1, refresh=4), torch.Generator().manual_seed(0), []
    for step in range(9):
        networks = drawn(made, generator)
        sizes.append(len(networks))
        if len(networks) > 4:
            assert set(networks[4:]) == set(made.bank.levels[0])
        made.hear([float(step)] * 4 + [100.0 + step] * (len(networks) - 4))
    assert [step for step, size in enumerate(sizes) if size > 4] == [3, 7]
    assert any(loss > 100 for loss in made.bank.levels[0].values()), "what was measured again counts"


def test_the_bank_is_drawn_from_more_and_more(space):
    made, chances = ElasticViT(space), []
    for progress in (0.0, 0.24, 0.25, 0.5, 0.75, 1.0):
        made.at(progress)
        chances.append(made.from_bank)
    assert chances == pytest.approx([0.2, 0.2, 0.35, 0.5, 0.65, 0.8])
    one = made.levels.sample(0, random.Random(3))
    made.levels.number, made.bank.levels = 1, [{one: 0.1}]
    made.level, generator = 0, torch.Generator().manual_seed(0)
    found = [network == one for _ in range(100) for network in drawn(made, generator)[:3]]
    assert 0.7 < sum(found) / len(found) < 0.9


def test_it_goes_on_where_it_ended(space):
    made, generator = ElasticViT(space, refresh=3), torch.Generator().manual_seed(0)
    for step in range(20):
        made.hear([1.0 / (step + 1)] * len(drawn(made, generator)))
    other, again = ElasticViT(space, refresh=3), torch.Generator()
    other.take_up(made.state())
    again.set_state(generator.get_state())
    for _ in range(10):
        one = drawn(made, generator)
        assert one == drawn(other, again) and made.level == other.level
        made.hear([0.5] * len(one))
        other.hear([0.5] * len(one))


def test_nothing_of_anything_is_refused(space):
    with pytest.raises(SpaceError, match="levels came as 0(?s:.)*refresh came as -1"):
        ElasticViT(space, levels=0, refresh=-1)
