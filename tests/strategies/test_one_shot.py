"""Single paths: drawn uniformly or fairly, through all channels equally often, in one store or several."""

import random
from collections import Counter
from functools import partial

import pytest
import torch
from torch import nn

from nasengine.errors import SpaceError
from nasengine.interpreters.channels import windows
from nasengine.interpreters.model import Model
from nasengine.interpreters.slicing import LEADING, TRAILING, Dressed, cyclic
from nasengine.layers import AvgPool, Classifier, ConvNorm, Identity, MaxPool, SeparableConv
from nasengine.search.relax import relax
from nasengine.space import Architecture, Space, chain, choose, op
from nasengine.strategies.one_shot import OneShot
from nasengine.testing import check_sampler
from nasengine.testing.samplers import small_images, small_sizes
from nasengine.training.recipe import recipe


def mixed_space(where=None) -> Space:
    """Decisions of four, three and two options, all always asked."""
    network = chain(
        stem=op(ConvNorm, width=choose("width", 4, 6, 8)), square=op(ConvNorm, width=4),
        first=choose("op", skip=op(Identity), max=op(MaxPool), mean=op(AvgPool), conv=op(SeparableConv)),
        second=choose("op", skip=op(Identity), max=op(MaxPool), mean=op(AvgPool), conv=op(SeparableConv)),
        third=choose("op", skip=op(Identity), conv=op(SeparableConv)),
        head=op(Classifier, classes=3),
    )  # fmt: skip
    return Space("mixed", (1, 6, 6), network, where=where)


@torch.no_grad()
def paths(made: OneShot, steps: int, seed: int = 0) -> list[list[Architecture]]:
    generator = torch.Generator().manual_seed(seed)
    return [[picks.base for picks in made.draws(generator)] for _ in range(steps)]


def uses(networks: list[Architecture]) -> dict[str, Counter]:
    names = networks[0].picks
    return {name: Counter(network.picks[name][0] for network in networks) for name in names}


def test_each_option_of_the_largest_decisions_is_in_exactly_one_network_of_a_fair_step():
    """FairNAS (Chu et al., 2019, https://arxiv.org/abs/1907.01845), strict fairness."""
    for step in paths(OneShot(mixed_space(), fairness="strict"), 20):
        assert len(step) == 4
        found = uses(step)
        assert set(found["first.op"].values()) == set(found["second.op"].values()) == {1}
        assert set(found["third.op"].values()) == {2}, "two options, each in two of four networks"


def test_after_n_fair_steps_each_operation_was_updated_n_times_and_uniform_paths_vary():
    fair = uses(sum(paths(OneShot(mixed_space(), fairness="strict"), 30), []))
    assert set(fair["first.op"].values()) == {30}
    uniform = uses(sum(paths(OneShot(mixed_space()), 120), []))
    assert uniform["first.op"].total() == 120 and len(set(uniform["first.op"].values())) > 1


def test_fewer_options_are_balanced_over_the_least_common_multiple():
    """Three options in steps of four networks: after three steps, twelve networks, each was there four times."""
    steps = paths(OneShot(mixed_space(), fairness="strict"), 9)
    for start in (0, 3, 6):
        assert set(uses(sum(steps[start : start + 3], []))["stem.width"].values()) == {4}


def test_decisions_that_only_some_networks_ask_deal_to_those():
    networks = sum(paths(OneShot(small_sizes(), fairness="strict"), 60), [])
    kernels = [
        network.picks["blocks.0.conv.kernel"][0] for network in networks if "blocks.0.conv.kernel" in network.picks
    ]
    counts = Counter(kernels)
    assert len(kernels) == 60, "conv is in one of the four networks of each step"
    assert set(counts.values()) == {30}


def test_several_options_kept_are_dealt_without_repeating_one():
    names = {name: op(Identity) for name in "abcde"}
    space = Space("many", (4, 6, 6), chain(choose("op", keep=2, **names), op(Classifier, classes=3)))
    networks = sum(paths(OneShot(space, fairness="strict"), 6), [])
    kept = [network.picks["op"] for network in networks]
    assert all(len(set(pair)) == 2 for pair in kept)
    assert set(Counter(option for pair in kept for option in pair).values()) == {2 * 30 // 5}


def test_a_condition_of_the_space_goes_before_fairness():
    space = mixed_space(where=lambda one: one.picks["first.op"] != one.picks["second.op"])
    networks = sum(paths(OneShot(space, fairness="strict"), 20), [])
    assert all(space.faults(network.picks) == [] for network in networks)


def test_uniform_paths_are_uniform():
    """Single Path One-Shot (Guo et al., 2019, https://arxiv.org/abs/1904.00420): every path is equally likely."""
    networks = sum(paths(OneShot(mixed_space()), 4000), [])
    for name, counts in uses(networks).items():
        share = 1 / len(mixed_space().decisions[name].options)
        deviation = (4000 * share * (1 - share)) ** 0.5
        assert all(abs(count - 4000 * share) < 4 * deviation for count in counts.values()), name


def test_gradients_of_a_fair_step_add_up():
    made, space = OneShot(mixed_space(), fairness="strict"), mixed_space()
    model, generator = Model(space).double().train(), torch.Generator().manual_seed(0)
    images, labels = torch.randn(8, 1, 6, 6, dtype=torch.float64), torch.arange(8) % 3
    with torch.no_grad():
        draws = made.draws(generator)
    for loss in made.losses(model, nn.functional.cross_entropy, (images, labels), draws):
        loss.backward()
    added = model.get_parameter("head.linear.weight").grad.clone()
    model.zero_grad()
    sum(nn.functional.cross_entropy(model(images, picks), labels) for picks in draws).backward()
    torch.testing.assert_close(added, model.get_parameter("head.linear.weight").grad)


def usage(stored: int, widths: list[int], kinds: list) -> list[int]:
    """How often each channel of a store is in the windows of these widths."""
    counts = [0] * stored
    for window in kinds:
        for width in widths:
            start = window.start(width, stored)
            for channel in range(start, start + width):
                counts[channel % stored] += 1
    return counts


def test_channels_are_used_equally_often_cyclically_and_from_both_sides_but_not_from_the_left_alone():
    """ViTAS (Su et al., 2022, https://arxiv.org/abs/2106.13700); BCNet (Su et al., 2021,
    https://arxiv.org/abs/2105.10533): with every width from 1 to C from both sides, each channel counts C + 1."""
    stored, widths = 8, list(range(1, 9))
    leading = usage(stored, widths, [LEADING])
    assert leading == sorted(leading, reverse=True) and leading[0] == 8 and leading[-1] == 1
    assert usage(stored, widths, [LEADING, TRAILING]) == [stored + 1] * stored
    for some in (widths, [2, 4, 6]):
        cycle = usage(stored, some, [cyclic(step / stored) for step in range(stored)])
        assert len(set(cycle)) == 1


def test_what_is_drawn_goes_through_the_windows_that_were_asked_for():
    assert windows("bilateral", random.Random(0)) == [LEADING, TRAILING]
    with pytest.raises(SpaceError, match='channels: "middle" came'):
        windows("middle", random.Random(0))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        left, right = OneShot(mixed_space(), channels="bilateral").draws(generator)
        assert left.base == right.base and (left.window, right.window) == (LEADING, TRAILING)
        made = OneShot(mixed_space(), channels="cyclic")
        shifts = [made.draws(generator)[0].window.shift for _ in range(50)]
    assert 0 <= min(shifts) < 0.1 and 0.9 < max(shifts) < 1


@pytest.mark.parametrize("options", [{"fairness": "strict"}, {"channels": "bilateral"}, {"channels": "cyclic"}])
def test_every_way_to_draw_keeps_the_contract(options):
    check_sampler(partial(OneShot, **options)).require()


def test_several_stores_keep_the_contract():
    check_sampler(partial(OneShot, shots=3), training=recipe("supernet", epochs=6, lr=0.05)).require()


def trained(**options):
    torch.manual_seed(0)
    space = mixed_space()
    return relax(space, OneShot(space, **options), small_images(), recipe("supernet", epochs=2))


def test_one_store_is_single_path_one_shot():
    """K-shot NAS (Su et al., 2021, https://arxiv.org/abs/2106.06442) with K = 1."""
    one, plain = trained(shots=1), trained()
    assert OneShot(mixed_space(), shots=1).parameters() == [] and one.parameters == []
    for name, tensor in plain.model.state_dict().items():
        assert torch.equal(tensor, one.model.state_dict()[name]), name
    assert "gate_loss" not in one.epochs[0] and "gate_loss" in trained(shots=2).epochs[0]


def test_shares_lie_on_the_simplex_and_follow_from_the_architecture():
    torch.manual_seed(0)
    made = OneShot(mixed_space(), shots=4)
    shares = [made.dress(one).shots.detach() for one in made.space.first(30)]
    for share in shares:
        assert share.shape == (4,) and bool((share >= 0).all())
        assert float(share.sum()) == pytest.approx(1.0, abs=1e-6)
    assert not torch.allclose(shares[0], shares[-1])
    with torch.no_grad():
        assert not made.draws(torch.Generator())[0].shots.requires_grad
    assert made.draws(torch.Generator())[0].shots.requires_grad


def test_the_simplex_net_learns():
    torch.manual_seed(0)
    space = mixed_space()
    made = OneShot(space, shots=2)
    before = [tensor.detach().clone() for tensor in made.parameters()]
    found = relax(space, made, small_images(), recipe("supernet", epochs=1))
    assert all(not torch.equal(old, new) for old, new in zip(before, found.parameters, strict=True))


def test_a_store_that_has_all_the_share_is_run_alone_and_gradients_follow_the_shares():
    torch.manual_seed(0)
    space = mixed_space()
    model, one = Model(space, shots=2).double().eval(), space.sample(random.Random(1))
    images = torch.randn(4, 1, 6, 6, dtype=torch.float64)

    def run(*shares):
        return model(images, Dressed(one, LEADING, torch.tensor(shares, dtype=torch.float64)))

    first, second = run(1.0, 0.0), run(0.0, 1.0)
    assert not torch.allclose(first, second)
    run(0.25, 0.75).square().sum().backward()
    slopes = [weight.grad for name, weight in model.named_parameters() if name.endswith("head.linear.weight")]
    torch.testing.assert_close(3 * slopes[0], slopes[1])


def test_no_store_at_all_is_refused():
    with pytest.raises(SpaceError, match="shots came as 0"):
        OneShot(mixed_space(), shots=0)
