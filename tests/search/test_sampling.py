"""Samplers in the gradient loop: what they learn from, what is recorded, and that an interruption changes no number."""

import random
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from nasengine.interpreters.ends import largest
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, DropPath
from nasengine.search.group import Part
from nasengine.search.lesson import Lesson, calmed
from nasengine.search.relax import relax
from nasengine.search.turns import Turns
from nasengine.space import Space, chain, choose, op
from nasengine.training.data import Split
from nasengine.training.metrics import Meter
from nasengine.training.recipe import Recipe

RECIPE = Recipe(epochs=4, batch=8, flip=True)


class Paths:
    """Two networks a step; remembers how many it drew, and starts with small weights."""

    def __init__(self, space: Space, parameters: int = 0):
        self.space, self.drawn, self.heard, self.looks = space, 0, [], []
        self.own = [torch.zeros(1, requires_grad=True) for _ in range(parameters)]

    def parameters(self):
        return self.own

    def at(self, progress):
        self.progress = progress

    def draws(self, generator):
        self.drawn += 1
        rng = random.Random(int(torch.randint(2**31, (), generator=generator)) + self.drawn)
        return [self.space.sample(rng) for _ in range(2)]

    def gates(self):
        return {}

    def hear(self, losses):
        self.heard.append(losses)

    def look(self, model, progress):
        assert not torch.is_grad_enabled() and progress == self.progress
        self.looks.append(progress)
        if progress == 0:
            for weight in model.parameters():
                weight.mul_(0.5)

    def state(self):
        return {"drawn": self.drawn, "heard": self.heard}

    def take_up(self, state):
        self.drawn, self.heard = state["drawn"], state["heard"]


def without_time(epochs):
    return [{name: value for name, value in record.items() if name != "seconds"} for record in epochs]


def test_a_sampler_learns_from_all_images_has_no_gates_and_chooses_nothing(small_space, small_data):
    made, notes = Paths(small_space), []
    found = relax(small_space, made, small_data, RECIPE, policy="best", on_note=notes.append)
    assert found.architecture == largest(small_space) and found.epoch == 4 and found.parameters == []
    assert made.drawn == len(made.heard) == 4 * 48 // 8, "all 48 training images, and not one half of them"
    assert set(found.values) == {"train_loss", "train_accuracy"} and notes == []
    assert "gate_entropy" not in found.epochs[0] and "gate_loss" not in found.epochs[0]


def test_it_hears_its_losses_and_looks_before_every_epoch(small_space, small_data):
    made = Paths(small_space)
    found = relax(small_space, made, small_data, RECIPE)
    assert made.looks == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert all(len(losses) == 2 for losses in made.heard)
    first = [2 * losses[0] for losses in made.heard[-6:]]  # the default divides by the number of draws
    assert found.epochs[-1]["train_loss"] == pytest.approx(sum(first) / 6, rel=1e-5)


def test_what_a_look_changes_is_what_the_training_begins_with(small_space, small_data):
    torch.manual_seed(0)
    search = Turns(small_space, Paths(small_space), small_data, RECIPE, 0, torch.device("cpu"))
    before = [weight.detach().clone() for weight in search.model.parameters()]
    search._begin(0)
    assert all(torch.equal(0.5 * old, new) for old, new in zip(before, search.model.parameters(), strict=True))


def test_an_interrupted_sampler_goes_on_to_the_same_numbers(small_space, small_data, tmp_path):
    class Killed(Exception):
        pass

    def kill(values, gates):
        if values["epoch"] == 2:
            raise Killed

    path = tmp_path / "supernet.pt"
    whole = relax(small_space, Paths(small_space), small_data, RECIPE)
    with pytest.raises(Killed):
        relax(small_space, Paths(small_space), small_data, RECIPE, checkpoint=path, on_epoch=kill)
    made = Paths(small_space)
    resumed = relax(small_space, made, small_data, RECIPE, checkpoint=path)
    assert without_time(resumed.epochs) == without_time(whole.epochs) and len(made.heard) == 24
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


def test_a_sampler_with_parameters_keeps_the_two_halves(small_space, small_data):
    class Learning(Paths):
        order, gate_rate, gate_decay = 1, 0.1, 0.0

        def __init__(self, space):
            super().__init__(space, parameters=1)

        def losses(self, forward, loss, batch, draws):
            yield loss(forward(batch[0], draws[0]), batch[1]) + (self.own[0] - 1).square().sum()

    made = Learning(small_space)
    found = relax(small_space, made, small_data, RECIPE)
    assert made.drawn == 2 * 4 * 24 // 8 and "gate_accuracy" in found.epochs[0]
    assert 0.5 < float(found.parameters[0]) < 1.5
    assert found.architecture == largest(small_space) and found.epoch == 4


def test_losses_are_backpropagated_one_by_one_and_gradients_add_up(small_space, small_data):
    """In double precision the two ways to add agree; at no time do two networks wait for their backward pass."""
    waiting, most = set(), []

    class Counted(Paths):
        def losses(self, forward, loss, batch, draws):
            for number, picks in enumerate(draws):
                output = forward(batch[0], picks)
                waiting.add(number)
                output.register_hook(lambda slope, number=number: waiting.discard(number))
                most.append(len(waiting))
                yield loss(output, batch[1])

    torch.manual_seed(0)
    search = Turns(small_space, Counted(small_space), small_data, RECIPE, 0, torch.device("cpu"))
    search.model.train()
    draws = search.relaxation.draws(torch.Generator().manual_seed(search.seed + 2))
    search.relaxation.drawn = 0
    images, labels = small_data.train.images[:8], small_data.train.labels[:8]
    twin = Model(small_space)
    twin.load_state_dict(search.model.state_dict())
    sum(nn.functional.cross_entropy(twin(images, picks), labels) for picks in draws).backward()
    search._weight_step(search.group.part((images, labels)), Meter())
    assert most == [1, 1]
    for mine, theirs in zip(search.model.parameters(), twin.parameters(), strict=True):
        assert (mine.grad is None) == (theirs.grad is None)
        if mine.grad is not None:
            torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_any_loss_that_is_no_number_is_seen(small_space):
    class Spoiled(Paths):
        def losses(self, forward, loss, batch, draws):
            yield loss(forward(batch[0], draws[0]), batch[1])
            yield torch.tensor(float("nan"))

    made = Spoiled(small_space)
    model = Model(small_space)
    lesson = Lesson(model, model, made, Part(torch.randn(4, 1, 6, 6), torch.zeros(4, dtype=torch.int64), 1.0))
    draws = made.draws(torch.Generator().manual_seed(0))
    assert len(list(lesson.losses(draws))) == 2 and lesson.loss.isfinite()
    assert lesson.seen()[0].isnan()


class Noisy(nn.Module):
    """A convolution with dropout, whose width may be cut."""

    kind = "conv"

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.conv, self.drop, self.norm = nn.Conv2d(channels, width, 1), nn.Dropout(0.5), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.drop(self.conv(x)))


def noisy_space() -> Space:
    network = chain(
        stem=op(ConvNorm, width=4), wide=op(Noisy, width=choose("width", 4, 8)), drop=op(DropPath),
        head=op(Classifier, classes=3),
    )  # fmt: skip
    return Space("noisy", (1, 6, 6), network)


@pytest.mark.parametrize("width", ["4", "8"])
def test_within_calm_dropout_and_drop_path_rest_and_norms_learn(width):
    space = noisy_space()
    model, picks = Model(space).train(), space.check({"wide.width": (width,)})
    for module in model.modules():
        if hasattr(module, "set_drop_rate"):
            module.set_drop_rate(0.5)
    x = torch.randn(8, 1, 6, 6)
    assert not torch.equal(model(x, picks), model(x, picks))
    seen = model.get_buffer("wide.norm.running_mean").clone()
    with calmed(model):
        assert torch.equal(model(x, picks), model(x, picks))
    assert not torch.equal(model.get_buffer("wide.norm.running_mean"), seen)
    assert not torch.equal(model(x, picks), model(x, picks)), "afterwards they drop again"


def test_drop_path_rises_with_the_epochs(small_data):
    space, rates = noisy_space(), []
    drop = []

    class Watching(Paths):
        def draws(self, generator):
            rates.append(drop[0].rate)
            return super().draws(generator)

    torch.manual_seed(0)
    search = Turns(
        space, Watching(space), small_data, Recipe(epochs=2, batch=48, drop_path=0.4), 0, torch.device("cpu")
    )
    drop.extend(module for module in search.model.modules() if isinstance(module, DropPath))
    search.epoch(), search.epoch()
    assert rates == pytest.approx([0.0, 0.2])


def test_torchs_global_generator_stays_as_it_was(small_space, small_data):
    before = torch.get_rng_state()
    relax(small_space, Paths(small_space), small_data, Recipe(epochs=1, batch=8))
    assert torch.equal(torch.get_rng_state(), before)


def test_small_batches_are_judged_by_all_images(small_space, small_data):
    few = Split(small_data.train.images[:2], small_data.train.labels[:2])
    assert relax(small_space, Paths(small_space), replace(small_data, train=few), Recipe(epochs=1, batch=2)).epoch == 1
