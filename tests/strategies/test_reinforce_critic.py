"""FNAS' critic: what it learns, and that it only ever replaces evaluations that it is certain of.

FNAS: Liu et al., 2021, https://arxiv.org/abs/2105.11694.
"""

import random
from statistics import mean

import pytest
import torch

from nasengine.search.strategy import Told
from nasengine.space import Architecture
from nasengine.strategies._reinforce_critic import BEGINNER, Critic
from nasengine.strategies._reinforce_tokens import Tokens
from nasengine.strategies.reinforce import Reinforce
from nasengine.testing.strategies import agreement, search, table

SPACE = table(5, 3)
SCORE = agreement(SPACE, SPACE.sample(random.Random("plant")))
THRESHOLDS = (0.0, 0.2, 0.5, 1e9)


def log(number: int) -> list[Told]:
    """Results of random architectures: the same whatever a strategy would have asked for."""
    drawn = [SPACE.sample(random.Random(i)) for i in range(number)]
    return [Told(i, one, {}, SCORE(one)) for i, one in enumerate(drawn)]


def policy(strategy: Reinforce) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in strategy.controller.parameters()])


def test_it_trusts_itself_in_nothing_at_first_and_then_foretells_rewards() -> None:
    critic = Critic(Tokens(SPACE), seed=0)
    told = log(120)
    for one in told[: BEGINNER - 1]:
        critic.learn(one.architecture, one.value or 0.0)
        assert critic.foretell(one.architecture)[1] == float("inf")
    for one in told[BEGINNER - 1 :]:
        critic.learn(one.architecture, one.value or 0.0)
    new = [SPACE.sample(random.Random(f"new {i}")) for i in range(100)]
    wrong = [abs(critic.foretell(one)[0] - SCORE(one)) for one in new]
    spread = critic.spread
    assert sum(wrong) / len(wrong) < 0.3 * spread
    assert all(0 < critic.foretell(one)[1] < 1.5 for one in new)


def test_it_expects_larger_errors_where_they_were_larger() -> None:
    critic, rng = Critic(Tokens(SPACE), seed=0), random.Random(0)

    def noisy(one: Architecture) -> float:
        return rng.gauss(0, 1) if one.picks["step0.op"] == ("option0",) else 0.0

    for one in log(150):
        critic.learn(one.architecture, noisy(one.architecture))
    errors: dict[bool, list[float]] = {True: [], False: []}
    for one in log(150):
        errors[one.architecture.picks["step0.op"] == ("option0",)].append(critic.foretell(one.architecture)[1])
    assert mean(errors[True]) > 2 * mean(errors[False])


@pytest.mark.parametrize("method", ["ppo", "reinforce"])
def test_a_threshold_of_zero_is_the_plain_method_bit_for_bit(method: str) -> None:
    plain, off = Reinforce(SPACE, method=method), Reinforce(SPACE, method=method, critic_threshold=0.0)  # type: ignore[arg-type]
    hesitant = Reinforce(SPACE, method=method, critic_threshold=1e-300)  # type: ignore[arg-type]
    searches = [search(strategy, SCORE, 60, seed=3) for strategy in (plain, off, hesitant)]
    assert searches[0] == searches[1] == searches[2]
    assert torch.equal(policy(plain), policy(off)) and torch.equal(policy(plain), policy(hesitant))
    assert plain.saved == hesitant.saved == 0


def test_saved_evaluations_rise_with_the_threshold() -> None:
    told, saved = log(60), []
    for threshold in THRESHOLDS:
        strategy = Reinforce(SPACE, critic_threshold=threshold, imagined=4)
        for one in told:
            strategy.tell(one)
        saved.append(strategy.saved)
    assert saved == sorted(saved)
    assert saved[0] == 0 and saved[-1] == (len(told) - BEGINNER + 1) * strategy.imagined
    assert len(set(saved)) == len(THRESHOLDS)


def test_saved_evaluations_are_counted_and_reported() -> None:
    strategy = Reinforce(SPACE, critic_threshold=1e9, imagined=3)
    for one in log(BEGINNER + 1):
        strategy.tell(one)
    remarks = strategy.remarks()
    assert [remark.values for remark in remarks] == [
        {"saved": 3, "evaluated": BEGINNER},
        {"saved": 6, "evaluated": BEGINNER + 1},
    ]
    assert strategy.saved == 6 and strategy.remarks() == []


def test_what_the_critic_says_never_enters_the_replay_or_the_critic() -> None:
    strategy = Reinforce(SPACE, critic_threshold=1e9, replay=4)
    for one in log(60):
        strategy.tell(one)
    assert strategy.saved and strategy.critic is not None
    assert len(strategy.critic.examples) == 60
    assert len(strategy.learner.memory) <= 60 and all(one.measured for one in strategy.learner.memory)


def test_proposals_are_spent_on_what_the_critic_is_not_certain_of() -> None:
    strategy = Reinforce(SPACE, critic_threshold=1e9, repeats=True)
    for one in log(BEGINNER):
        strategy.tell(one)
    assert strategy.critic is not None
    strategy.threshold = sorted(strategy.critic.foretell(one)[1] for one in SPACE.enumerate())[100]
    asked = [strategy.ask(random.Random(i)) for i in range(40)]
    certain = [one is not None and strategy.critic.foretell(one)[1] < strategy.threshold for one in asked]
    assert sum(certain) < 5
