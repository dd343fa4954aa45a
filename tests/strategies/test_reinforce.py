"""A controller learns from rewards: it converges on a plant, under conditions, failures and every kind of decision."""

import random
from statistics import mean
from typing import Any

import pytest
import torch

from nasengine.errors import NasError
from nasengine.plugins import load_strategy
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space
from nasengine.strategies._reinforce_controller import Independent, LSTMController, log_chances, spelled
from nasengine.strategies._reinforce_learner import Ranks
from nasengine.strategies._reinforce_updates import Baseline, correction, ppo_loss
from nasengine.strategies.reinforce import Reinforce
from nasengine.testing.strategies import agreement, check_strategy, search, table, uneven

WAYS: list[dict[str, Any]] = [
    {},
    {"method": "reinforce"},
    {"controller": "independent", "method": "reinforce"},
    {"controller": "independent", "batch": 5},
]


@pytest.mark.parametrize("options", WAYS, ids=str)
@pytest.mark.parametrize("space", [table(5, 4), uneven()], ids=lambda space: space.name)
def test_the_likeliest_architecture_becomes_the_plant(space: Space, options: dict[str, Any]) -> None:
    plant = space.sample(random.Random("plant 1"))
    strategy = Reinforce(space, repeats=True, **options)
    found = search(strategy, agreement(space, plant), 250)
    assert strategy.likeliest() == plant
    assert mean(one.value or 0 for one in found[-30:]) > mean(one.value or 0 for one in found[:30]) + 0.2


@pytest.mark.parametrize(
    "options", [*WAYS[1:], {"replay": 3}, {"critic_threshold": 0.5, "imagined": 2, "batch": 10}], ids=str
)
def test_other_ways_keep_the_contract_of_strategies_too(options: dict[str, Any]) -> None:
    check_strategy(lambda space: Reinforce(space, **options), beats_random=False).require()


def test_plain_ppo_is_what_the_formulas_say() -> None:
    """The whole search against a loop of a few lines: raw rewards, NASNet's baseline, PPO-clip, entropy bonus."""
    space = table(4, 3)
    score = agreement(space, space.sample(random.Random("plant")))
    strategy = Reinforce(space, reward="raw", repeats=True, batch=4, passes=3, rate=0.01, entropy=0.05, hidden=7)
    results = search(strategy, score, 24)
    controller = LSTMController(strategy.tokens.count, 7, torch.Generator().manual_seed(0))
    adam, baseline = torch.optim.Adam(controller.parameters(), lr=0.01), Baseline(0.95, inclusive=False)
    for start in range(0, 24, 4):
        told = results[start : start + 4]
        batch = spelled([strategy.tokens.spell(one.architecture) for one in told])
        advantages = torch.tensor([baseline.advantage(one.value or 0.0) for one in told], dtype=torch.float64)
        old = log_chances(controller, batch)[0].detach()
        for _ in range(3):
            logs, entropy = log_chances(controller, batch)
            adam.zero_grad()
            (ppo_loss(logs, old, advantages, 0.2) - 0.05 * entropy.mean()).backward()
            adam.step()
    for mine, theirs in zip(controller.parameters(), strategy.controller.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_the_independent_controller_takes_the_published_figures() -> None:
    # As-ViT's search: Adam 0.08 on each reward, moving average 0.9 that holds the reward already, logits 1e-3 N(0, 1)
    strategy = Reinforce(table(), controller="independent", method="reinforce", reward="raw", repeats=True)
    assert isinstance(strategy.controller, Independent)
    before = strategy.controller.logits.detach().clone()
    assert before.std().item() == pytest.approx(1e-3, rel=0.3)
    first, second = (strategy.space.sample(random.Random(i)) for i in range(2))
    strategy.tell(Told(0, first, {}, 0.7))
    assert torch.equal(strategy.controller.logits.detach(), before)  # the first advantage is exactly 0
    strategy.tell(Told(1, second, {}, 0.9))
    moved = (strategy.controller.logits.detach() - before).abs().max().item()
    assert moved == pytest.approx(0.08, rel=0.5)


def test_replayed_results_join_with_their_correction(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watch(logs: torch.Tensor, behaviour: torch.Tensor, most: float) -> torch.Tensor:
        seen.append(correction(logs, behaviour, most))
        return seen[-1]

    monkeypatch.setattr("nasengine.strategies._reinforce_learner.correction", watch)
    space = table(5, 4)
    score = agreement(space, space.sample(random.Random("plant")))
    search(Reinforce(space, replay=3, rate=0.02), score, 60)
    weights = torch.cat(seen)
    assert len(seen) == 60 // 5 - 1 and all(len(one) == 3 for one in seen)
    assert weights.max() <= 2 and weights.min() < 0.9  # 2 is the limit


def test_replayed_results_of_an_unchanged_policy_weigh_exactly_one() -> None:
    space = table(5, 4)
    strategy = Reinforce(space, replay=5, rate=1e-300)  # a step that changes no number
    search(strategy, agreement(space, space.sample(random.Random("plant"))), 20)
    memory = strategy.learner.memory
    logs, _ = log_chances(strategy.controller, spelled([one.spelling for one in memory]))
    then = torch.tensor([one.behaviour for one in memory], dtype=torch.float64)
    assert len(memory) == 20
    assert torch.allclose(correction(logs, then, 2.0), torch.ones(20, dtype=torch.float64), rtol=1e-12)


def test_it_ends_when_everything_was_told_unless_repeats_are_wanted() -> None:
    space = table(2, 3)
    score = agreement(space, space.sample(random.Random("plant")))
    results = search(Reinforce(space), score, 30)
    assert len(results) == len({one.architecture for one in results}) == 9
    assert len(search(Reinforce(space, repeats=True), score, 30)) == 30


def test_a_condition_of_the_space_is_met() -> None:
    base = table(4, 3)
    odd = lambda one: len(set(one.picks.values())) > 1  # noqa: E731
    space = Space("odd", base.input, base.network, where=odd)
    results = search(Reinforce(space), lambda one: float(one.picks["step0.op"] == ("option0",)), 60)
    assert all(odd(one.architecture) for one in results)
    never_drawn = Space("narrow", base.input, base.network, where=lambda one: set(one.picks.values()) == {("option2",)})
    drawn = Reinforce(never_drawn).ask(random.Random(0))
    assert drawn == Architecture({f"step{i}.op": ("option2",) for i in range(4)})


def test_failures_are_rewarded_like_the_worst_so_far() -> None:
    space = table(3, 3)
    one, two, three = (space.sample(random.Random(i)) for i in range(3))
    failed, worst = Reinforce(space, batch=1), Reinforce(space, batch=1)
    failed.tell(Told(0, one, {}, None, "out of memory"))  # nothing to compare with: passed over
    for strategy, value in ((failed, None), (worst, 0.3)):
        strategy.tell(Told(1, two, {}, 0.3))
        strategy.tell(Told(2, three, {}, 0.8))
        strategy.tell(Told(3, one, {}, value))
    for mine, theirs in zip(failed.controller.parameters(), worst.controller.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_ranks_forget_the_scale_and_keep_the_order() -> None:
    ranks = Ranks()
    scores = [ranks.score(value) for value in (10.0, 91.0, 90.0, 91.0, 9.0)]
    assert scores[0] == 0
    assert scores[1] == pytest.approx(0.6744898) and scores[4] == pytest.approx(-1.2815516)
    assert scores[2] == 0.0  # the middle of three
    scaled = Ranks()
    assert scores == [scaled.score(value / 100 - 3) for value in (10.0, 91.0, 90.0, 91.0, 9.0)]


def test_global_random_numbers_are_left_alone_and_seeds_matter() -> None:
    space = table()
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    one, same, other = Reinforce(space), Reinforce(space), Reinforce(space, seed=1)
    score = agreement(space, space.sample(random.Random("plant")))
    results = [search(strategy, score, 30) for strategy in (one, same, other)]
    assert results[0] == results[1] != results[2]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_impossible_options_are_refused_together() -> None:
    with pytest.raises(NasError, match=r"batch came as 0.*rate came as -1.*momentum came as 1"):
        Reinforce(table(), batch=0, rate=-1.0, momentum=1.0)
    with pytest.raises(NasError, match="one of reinforce, ppo"):
        load_strategy("reinforce", table(), {"method": "a2c"})
