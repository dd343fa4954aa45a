"""The sandwich rule: who is in a step, who teaches whom, how it starts, and when the others join."""

from collections import Counter
from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasengine.errors import SpaceError
from nasengine.interpreters.ends import largest, smallest
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, DropPath
from nasengine.search.turns import Turns
from nasengine.space import Space, chain, choose, op, repeat
from nasengine.strategies._sandwich_divergence import adaptive, alpha_divergence, kl
from nasengine.strategies.sandwich import Sandwich
from nasengine.testing import check_sampler
from nasengine.testing.samplers import small_images, small_sizes
from nasengine.training.metrics import Meter
from nasengine.training.recipe import recipe

RANDOM = torch.Generator().manual_seed(7)


def big_space() -> Space:
    """So many networks that a random one is neither end but by a rare chance."""
    block = op(ConvNorm, width=8, kernel=choose("kernel", 1, 3, 5))
    stem = op(ConvNorm, width=choose("width", *range(4, 24)))
    return Space("big", (1, 6, 6), chain(stem, repeat(block, 6), op(Classifier, classes=3)))


@torch.no_grad()
def drawn(made: Sandwich, seed: int = 0):
    return made.draws(torch.Generator().manual_seed(seed))


def test_a_step_has_one_largest_one_smallest_and_two_random_networks():
    """BigNAS (Yu et al., 2020, https://arxiv.org/abs/2003.11142)."""
    space, made = big_space(), Sandwich(big_space())
    for seed in range(10):
        networks = [getattr(picks, "base", picks) for picks in drawn(made, seed)]
        assert len(networks) == 4 and networks[0] == largest(space) and networks[1] == smallest(space)
        counts = Counter(networks)
        assert counts[largest(space)] == counts[smallest(space)] == 1
    assert len(drawn(Sandwich(big_space(), random=5))) == 7


def test_both_sides_of_a_network_are_trained_in_one_step():
    picks = drawn(Sandwich(big_space(), channels="bilateral"))
    assert [one.window.side for one in picks[1:]] == ["leading", "trailing"] * 3


def logits(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=RANDOM, dtype=torch.float64)


class Told:
    """A forward that gives prepared logits and remembers how it was called."""

    def __init__(self, number: int):
        self.outputs = [logits(5, 3).requires_grad_() for _ in range(number)]
        self.calm: list[bool] = []

    def __call__(self, images, picks, calm=False):
        self.calm.append(calm)
        return self.outputs[len(self.calm) - 1]


@pytest.mark.parametrize("divergence", ["kl", "alpha"])
def test_the_largest_learns_from_labels_and_teaches_without_learning_from_it(divergence):
    made, forward = Sandwich(big_space(), divergence=divergence), Told(4)
    labels, other = torch.tensor([0, 1, 2, 0, 1]), torch.tensor([2, 2, 2, 2, 2])
    each = list(made.losses(forward, functional.cross_entropy, (logits(5, 1, 6, 6), labels), drawn(made)))
    again = Told(4)
    again.outputs = forward.outputs
    others = list(made.losses(again, functional.cross_entropy, (logits(5, 1, 6, 6), other), drawn(made)))
    assert each[0] == functional.cross_entropy(forward.outputs[0], labels) != others[0]
    assert each[1:] == others[1:], "labels are the largest network's alone"
    for number, loss in enumerate(each[1:], start=1):
        slopes = torch.autograd.grad(loss, forward.outputs, allow_unused=True)
        assert [slope is not None for slope in slopes] == [place == number for place in range(4)]
    assert forward.calm == [False, True, True, True]


class Dropping(nn.Module):
    """Remembers whether dropout was at work, and whether its norm learned."""

    kind = "skip"
    seen: ClassVar[list[tuple[bool, bool]]] = []

    def __init__(self, channels: int, rate: float = 0.5):
        super().__init__()
        self.drop, self.norm = nn.Dropout(rate), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        Dropping.seen.append((self.drop.training, self.norm.training))
        return self.norm(self.drop(x))


def test_dropout_and_drop_path_are_active_in_the_largest_network_alone():
    network = chain(
        op(ConvNorm, width=choose("width", 4, 8)), op(Dropping), drop=op(DropPath), end=op(Classifier, classes=3)
    )
    space = Space("dropping", (1, 6, 6), network)
    search = Turns(space, Sandwich(space), small_images(), recipe("supernet", drop_path=0.2), 0, torch.device("cpu"))
    drop, rested = next(module for module in search.model.modules() if isinstance(module, DropPath)), []
    drop.register_forward_pre_hook(lambda module, inputs: rested.append(not module.training))
    search._begin(1)
    Dropping.seen.clear()
    search._weight_step(search.group.part((search.for_weights.images[:8], search.for_weights.labels[:8])), Meter())
    assert Dropping.seen == [(True, True), *[(False, True)] * 3], "norms learn in every network"
    assert rested == [False, True, True, True]
    assert drop.rate > 0


def test_residual_branches_start_as_zero_and_learn():
    space = small_sizes()
    model, made = Model(space), Sandwich(space)
    x, labels = torch.randn(12, 1, 6, 6), torch.arange(12) % 3
    deep = {"stem.width": ("8",), "blocks.depth": ("2",)}
    deep |= {f"blocks.{number}.op": ("conv",) for number in "01"} | {f"blocks.{n}.conv.kernel": ("3",) for n in "01"}
    flat = {name: kept for name, kept in deep.items() if "1" not in name} | {"blocks.depth": ("1",)}
    networks = [space.check(deep), space.check(flat)]
    assert not torch.equal(*(model(x, one) for one in networks))
    with torch.no_grad():
        made.look(model, 0.0)
    assert torch.equal(*(model(x, one) for one in networks)), "a block more changes nothing"
    functional.cross_entropy(model(x, networks[0]), labels).backward()
    scales = [p for name, p in model.named_parameters() if name.endswith("conv.norm.weight") and "blocks" in name]
    assert len(scales) == 2 and all(not p.any() and p.grad.any() for p in scales)


def test_only_the_beginning_is_initialised():
    model, made = Model(small_sizes()), Sandwich(small_sizes())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        made.look(model, 0.25)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_nothing_diverges_from_itself():
    """AlphaNet (Wang et al., 2021, https://arxiv.org/abs/2102.07954): at q = p value and gradient are 0."""
    same = logits(6, 5)
    for alpha in (-1.0, -0.5, 0.5, 1.0, 2.0):
        student = same.clone().requires_grad_()
        value, loss = alpha_divergence(student, same, alpha)
        assert value.abs().max() < 1e-12
        assert torch.autograd.grad(loss.sum(), student)[0].abs().max() < 1e-12
    student = same.clone().requires_grad_()
    assert float(kl(student, same).detach()) == pytest.approx(0.0, abs=1e-12)
    assert torch.autograd.grad(adaptive(student, same), student)[0].abs().max() < 1e-12


def test_at_alpha_one_the_gradient_is_that_of_kl():
    student, teacher = logits(6, 5).mul(0.3).requires_grad_(), logits(6, 5).mul(0.3)
    value, loss = alpha_divergence(student, teacher, 1.0)
    assert float(value.mean().detach()) == pytest.approx(float(kl(student, teacher).detach()))
    wanted, found = (torch.autograd.grad(one, student)[0] for one in (kl(student, teacher), loss.mean()))
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("alpha", [-1.0, 0.5, 2.0])
def test_the_gradient_is_that_of_the_divergence(alpha):
    """Written out and differentiated by torch, where no ratio is clipped."""
    student, teacher = logits(6, 5).mul(0.2).requires_grad_(), logits(6, 5).mul(0.2)
    p, q = teacher.softmax(1), student.softmax(1)
    direct = (q * ((p / q) ** alpha - 1)).sum(1) / (alpha * (alpha - 1))
    value, loss = alpha_divergence(student, teacher, alpha)
    torch.testing.assert_close(value, direct)
    wanted, found = (torch.autograd.grad(one.sum(), student, retain_graph=True)[0] for one in (direct, loss))
    torch.testing.assert_close(found, wanted)


def test_each_image_is_taught_by_the_side_that_is_further_off():
    teacher = torch.tensor([[4.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    student = torch.tensor([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]], requires_grad=True)
    values = [alpha_divergence(student, teacher, alpha)[0] for alpha in (-1.0, 1.0)]
    losses = [alpha_divergence(student, teacher, alpha)[1] for alpha in (-1.0, 1.0)]
    sides = (values[1] > values[0]).long()
    assert sides.tolist() == [0, 1] or sides.tolist() == [1, 0], "an example for either side"
    chosen = torch.stack([losses[side][image] for image, side in enumerate(sides.tolist())]).mean()
    assert adaptive(student, teacher) == chosen


def test_the_teacher_feels_nothing():
    teacher = logits(4, 3).requires_grad_()
    for divergence in (kl, adaptive):
        loss = divergence(logits(4, 3).requires_grad_(), teacher)
        assert torch.autograd.grad(loss, teacher, allow_unused=True) == (None,)


def scales(progresses: list[float], **options) -> list[float]:
    made = Sandwich(small_sizes(), **options)
    found = []
    for progress in progresses:
        made.at(progress)
        found.append(made.scale)
    return found


def test_without_delay_and_ramp_it_is_bignas_from_the_first_step():
    assert scales([0.0, 0.3, 1.0]) == [1.0, 1.0, 1.0] and Sandwich(small_sizes()).scale == 1.0


def test_shrinking_is_delayed_and_then_grows():
    """DepS (Annavajjala et al., 2024, https://arxiv.org/abs/2407.06167)."""
    found = scales([0.0, 0.49, 0.5, 0.6, 0.7, 1.0], delay=0.5, ramp=0.2, epsilon=0.2)
    assert found == pytest.approx([0.0, 0.0, 0.2, 0.6, 1.0, 1.0])
    made = Sandwich(small_sizes(), delay=0.5)
    assert [len(drawn(made)), made.at(0.5), len(drawn(made))] == [1, None, 4]
    assert scales([0.0, 0.9, 1.0], delay=1.0) == [0.0, 0.0, 0.0]


class Alone(Sandwich):
    """The largest network and nothing else, from the labels."""

    def draws(self, generator):
        return [self.largest]

    def losses(self, forward, loss, batch, draws):
        yield loss(forward(batch[0], draws[0]), batch[1])


@pytest.mark.parametrize("options", [{"ramp": 1.0, "epsilon": 0.0}, {"delay": 1.0}])
def test_with_epsilon_zero_the_full_model_trains_as_if_alone(options):
    space, models = small_sizes(), []
    for made in (Sandwich(space, **options), Alone(space)):
        torch.manual_seed(0)
        search = Turns(space, made, small_images(), recipe("supernet", epochs=2), 0, torch.device("cpu"))
        search.epoch()
        models.append(search.model.state_dict())
    assert all(torch.equal(tensor, models[1][name]) for name, tensor in models[0].items())


def test_others_gradients_are_scaled_and_the_largest_one_s_are_not():
    made, forward = Sandwich(big_space(), ramp=1.0, epsilon=0.25), Told(4)
    batch = (logits(5, 1, 6, 6), torch.tensor([0, 1, 2, 0, 1]))
    quarter = list(made.losses(forward, functional.cross_entropy, batch, drawn(made)))
    again = Told(4)
    again.outputs = forward.outputs
    whole = list(Sandwich(big_space()).losses(again, functional.cross_entropy, batch, drawn(made)))
    assert quarter[0] == whole[0]
    for part, full in zip(quarter[1:], whole[1:], strict=True):
        torch.testing.assert_close(4 * part, full)


@pytest.mark.parametrize("options", [{"divergence": "alpha"}, {"channels": "cyclic"}, {"delay": 0.4, "ramp": 0.3}])
def test_every_kind_of_sandwich_keeps_the_contract(options):
    check_sampler(partial(Sandwich, **options)).require()


def test_impossible_options_are_refused_all_at_once():
    with pytest.raises(SpaceError, match=r"random came as -1(?s:.)*delay came as 2(?s:.)*epsilon came as -0.5"):
        Sandwich(small_sizes(), random=-1, delay=2, epsilon=-0.5)
