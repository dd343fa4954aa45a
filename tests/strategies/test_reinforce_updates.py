"""The gradients of REINFORCE and PPO against exact expectations over a space that can be enumerated."""

import random

import pytest
import torch
from torch import Tensor

from nasengine.strategies._reinforce_controller import (
    Controller,
    Independent,
    LSTMController,
    log_chances,
    speak,
    spelled,
)
from nasengine.strategies._reinforce_tokens import Tokens
from nasengine.strategies._reinforce_updates import Baseline, correction, ppo_loss, reinforce_loss
from nasengine.testing.strategies import uneven

SPACE = uneven().small()
TOKENS = Tokens(SPACE)
EVERY = list(SPACE.enumerate())
BATCH = spelled([TOKENS.spell(one) for one in EVERY])
REWARDS = torch.tensor([random.Random(i).random() for i in range(len(EVERY))], dtype=torch.float64)


def made(kind: str, seed: int = 0) -> Controller:
    generator = torch.Generator().manual_seed(seed)
    return LSTMController(TOKENS.count, 12, generator) if kind == "lstm" else Independent(TOKENS.count, generator)


def gradient(controller: Controller, value: Tensor) -> Tensor:
    found = torch.autograd.grad(value, list(controller.parameters()), allow_unused=True, retain_graph=True)
    flat = [torch.zeros_like(p) if g is None else g for p, g in zip(controller.parameters(), found, strict=True)]
    return torch.cat([one.flatten() for one in flat])


@pytest.mark.parametrize("kind", ["lstm", "independent"])
def test_chances_of_all_architectures_add_up_to_one(kind: str) -> None:
    logs, _ = log_chances(made(kind), BATCH)
    assert len(EVERY) > 20
    assert logs.exp().sum().item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("kind", ["lstm", "independent"])
@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_the_expected_reinforce_gradient_is_that_of_the_expected_reward(kind: str, baseline: float) -> None:
    controller = made(kind)
    logs, _ = log_chances(controller, BATCH)
    chances = logs.detach().exp()
    # E[grad log pi (R - b)], one rollout after the other (Zoph et al., 2018, https://arxiv.org/abs/1707.07012)
    singles = [gradient(controller, reinforce_loss(logs[i : i + 1], REWARDS[i] - baseline)) for i in range(len(EVERY))]
    expected = -sum(chance * single for chance, single in zip(chances, singles, strict=True))
    exact = gradient(controller, (logs.exp() * REWARDS).sum())
    assert exact.norm() > 1e-4
    assert torch.allclose(expected, exact, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("kind", ["lstm", "independent"])
def test_ppo_with_identical_policies_is_the_plain_policy_gradient(kind: str) -> None:
    controller = made(kind)
    logs, _ = log_chances(controller, BATCH)
    advantages = REWARDS - REWARDS.mean()
    assert torch.equal((logs - logs.detach()).exp(), torch.ones_like(logs))
    clipped = gradient(controller, ppo_loss(logs, logs.detach(), advantages, 0.2))
    plain = gradient(controller, reinforce_loss(logs, advantages))
    assert torch.allclose(clipped, plain, rtol=1e-12, atol=0)


def test_ppo_stops_where_the_chance_moved_far_enough_in_the_wanted_direction() -> None:
    old = torch.zeros(4, dtype=torch.float64)
    logs = torch.tensor([1.3, 1.3, 0.7, 0.7], dtype=torch.float64).log().requires_grad_()
    advantages = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    ppo_loss(logs, old, advantages, 0.2).backward()
    # min(r A, clip(r) A): 1.2 and -0.8 are constants, -1.3 and 0.7 still move (Schulman et al., 2017)
    assert logs.grad is not None
    assert logs.grad.tolist() == pytest.approx([0, 1.3 / 4, -0.7 / 4, 0])


def test_the_correction_of_an_unchanged_policy_is_exactly_one() -> None:
    # FNAS (Liu et al., 2021, https://arxiv.org/abs/2105.11694): the clipped product of ratios
    first, _ = log_chances(made("lstm"), BATCH)
    again, _ = log_chances(made("lstm"), BATCH)
    assert torch.equal(correction(again, first, 2.0), torch.ones_like(first))
    other, _ = log_chances(made("lstm", seed=1), BATCH)
    ratios = (other - first).exp()
    assert torch.equal(correction(other, first, 1.0), ratios.clamp(max=1.0))


def test_the_first_advantage_is_exactly_zero() -> None:
    # As-ViT's search takes the reward into its baseline before it forms the advantage
    inclusive = Baseline(0.9, inclusive=True)
    assert inclusive.advantage(91.3) == 0
    assert inclusive.advantage(92.3) == pytest.approx(1 - 0.1 / 0.19)
    past = Baseline(0.95, inclusive=False)
    assert past.advantage(91.3) == 0
    assert past.advantage(92.3) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["lstm", "independent"])
def test_drawn_chances_are_those_computed_for_learning(kind: str) -> None:
    """Step by step as proposals are drawn, and all at once as the update sees them."""
    controller = made(kind, seed=3)
    logs, _ = log_chances(controller, BATCH)
    seen = {one: 0 for one in EVERY}
    rng = random.Random(0)
    for _ in range(1500):
        seen[speak(controller, TOKENS, rng)] += 1
    gaps = [seen[one] / 1500 - chance for one, chance in zip(EVERY, logs.exp().tolist(), strict=True)]
    assert max(map(abs, gaps)) < 0.03


def test_entropy_is_that_of_the_policy() -> None:
    controller = made("lstm", seed=2)
    logs, entropies = log_chances(controller, BATCH)
    exact = -(logs.exp() * logs).sum().item()
    assert (logs.exp() * entropies).sum().item() == pytest.approx(exact, rel=1e-9)


def test_weights_start_between_minus_and_plus_a_tenth_and_leave_global_draws_alone() -> None:
    # NASNet's controller (Zoph et al., 2018)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    flat = torch.cat([p.detach().flatten() for p in made("lstm").parameters()])
    assert torch.equal(torch.random.get_rng_state(), before)
    assert -0.1 <= flat.min() < -0.09 and 0.09 < flat.max() <= 0.1
    logits = next(iter(Independent(20000, torch.Generator().manual_seed(0)).parameters()))
    assert logits.std().item() == pytest.approx(1e-3, rel=0.05)
