import math

import pytest
import torch
from torch import nn

from nasengine.errors import TrainingError
from nasengine.training.data import Split, load
from nasengine.training.fit import StopTraining, evaluate, fit, pick_device
from nasengine.training.recipe import Recipe


class Drop(nn.Module):
    """Randomness inside a module, from torch's global generator, as drop path has it."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def set_drop_rate(self, rate):
        self.rates.append(rate)

    def forward(self, x):
        if not self.training:
            return x
        return x * (torch.rand(len(x), 1, 1, 1) > self.rates[-1]) / (1 - self.rates[-1])


class Net(nn.Module):
    def __init__(self, width=8, seed=0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.Sequential(
                nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), Drop(), nn.MaxPool2d(2)
            )
            self.head = nn.Linear(16 * width, 10)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


@pytest.fixture(scope="module")
def digits():
    return load("digits", limit=400)


RECIPE = Recipe(epochs=4, batch=32, crop=1, cutout=2, drop_path=0.3, label_smoothing=0.1, warmup=0.5)


def numbers(history):
    return [{name: value for name, value in record.items() if name != "seconds"} for record in history]


def weights(model):
    return torch.cat([value.double().flatten() for value in model.state_dict().values()])


@pytest.mark.parametrize("optimizer", ["adan", "sgd", "adamw"])
def test_interrupted_and_resumed_equals_undisturbed(digits, tmp_path, optimizer):
    recipe = Recipe.from_json(RECIPE.to_json() | {"optimizer": optimizer})
    straight = Net()
    whole = fit(straight, digits.train, recipe, validation=digits.validation, seed=3)

    def stop(record):
        if record["epoch"] == 2:
            raise StopTraining

    path = tmp_path / "deep" / "training.pt"
    arguments = {"validation": digits.validation, "seed": 3, "checkpoint": path}
    first = fit(Net(), digits.train, recipe, on_epoch=stop, **arguments)
    assert len(first) == 2
    later = []
    resumed = Net(seed=9)
    rest = fit(resumed, digits.train, recipe, on_epoch=later.append, **arguments)
    assert numbers(rest) == numbers(whole)
    assert [record["epoch"] for record in later] == [2, 3, 4], "the last epoch is told again"
    assert torch.equal(weights(resumed), weights(straight))
    assert [file.name for file in path.parent.iterdir()] == ["training.pt"], "no half-written files stay"
    assert numbers(fit(Net(), digits.train, recipe, on_epoch=later.append, **arguments)) == numbers(whole)
    assert len(later) == 3, "a finished training is only read"


def test_a_seed_decides_everything_and_the_global_generator_is_left_alone(digits):
    runs = []
    for seed, disturbance in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(disturbance)
        before = torch.get_rng_state()
        model = Net()
        fit(model, digits.train, Recipe(epochs=1, crop=1, drop_path=0.2), seed=seed)
        assert torch.equal(torch.get_rng_state(), before)
        runs.append(weights(model))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_records_tell_the_truth(digits):
    model = Net()
    history = fit(model, digits.train, Recipe(epochs=3, min_lr=0.001), validation=digits.validation)
    assert [record["epoch"] for record in history] == [1, 2, 3]
    again = evaluate(model, digits.validation, batch=7)
    assert history[-1]["validation_accuracy"] == pytest.approx(again["accuracy"])
    assert history[-1]["validation_loss"] == pytest.approx(again["loss"], rel=1e-5)
    assert history[0]["train_loss"] > history[-1]["train_loss"]
    assert history[-1]["train_accuracy"] > 0.5
    assert 0.001 < history[-1]["lr"] < history[0]["lr"] <= 0.01
    assert all(record["seconds"] > 0 for record in history)
    assert "validation_loss" not in fit(Net(), digits.train, Recipe(epochs=1))[0]


def test_evaluate_by_hand_and_in_evaluation_mode(digits):
    model = Net().train()
    scores = evaluate(model, digits.test)
    assert model.training
    model.eval()
    logits = model(digits.test.images)
    assert scores["accuracy"] == pytest.approx((logits.argmax(1) == digits.test.labels).float().mean().item())
    assert scores["loss"] == pytest.approx(nn.functional.cross_entropy(logits, digits.test.labels).item(), rel=1e-5)


def test_drop_path_rises_linearly_from_zero(digits):
    model = Net()
    fit(model, digits.train, Recipe(epochs=4, drop_path=0.2))
    assert model.body[3].rates == pytest.approx([0, 0.05, 0.1, 0.15])


class WithAside(Net):
    def __init__(self):
        super().__init__()
        self.extra = nn.Linear(64, 10)

    def forward_with_asides(self, x):
        return self(x), {"auxiliary": self.extra(x.flatten(1))}


def test_the_auxiliary_loss_reaches_the_aside_and_only_when_asked(digits):
    for auxiliary, moved in ((0.4, True), (0.0, False)):
        model = WithAside()
        before = model.extra.weight.detach().clone()
        fit(model, digits.train, Recipe(epochs=1, auxiliary=auxiliary))
        assert torch.equal(model.extra.weight, before) != moved


def one_step(recipe):
    """Train one linear layer for one step of plain gradient descent; return its weights' change and the record."""
    random = torch.Generator().manual_seed(0)
    split = Split(torch.randn(6, 1, 2, 2, generator=random, dtype=torch.float32), torch.arange(6) % 3)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False))
    nn.init.zeros_(model[1].weight)
    (record,) = fit(model, split, recipe)
    return split, model[1].weight.detach(), record


def test_label_smoothing_enters_the_gradient():
    plain = Recipe(epochs=1, optimizer="sgd", lr=1.0, weight_decay=0, clip=0, label_smoothing=0.3)
    split, moved, record = one_step(plain)
    target = nn.functional.one_hot(split.labels, 3).float() * 0.7 + 0.1
    expected = (target - 1 / 3).T @ split.images.flatten(1) / 6
    torch.testing.assert_close(moved, expected)
    assert record["train_loss"] == pytest.approx(math.log(3))


def test_clipping_bounds_the_first_step():
    _, moved, _ = one_step(Recipe(epochs=1, optimizer="sgd", lr=1.0, weight_decay=0, clip=0.01))
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)


def test_a_loss_that_is_no_number_stops_at_once_and_says_where(digits):
    class Exploding(Net):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return super().forward(x) * (math.inf if self.calls == 9 else 1)

    with pytest.raises(TrainingError) as fault:
        fit(Exploding(), digits.train, Recipe(epochs=5, batch=64, lr=0.125, schedule="constant"))
    text = str(fault.value)
    assert "epoch 2, step 4 (of 5), with adan at lr 0.125" in text
    assert "recipe.lr" in text


def test_a_validation_loss_that_is_no_number_stops_too(digits):
    broken = Split(digits.validation.images * math.nan, digits.validation.labels)
    with pytest.raises(TrainingError, match="epoch 1"):
        fit(Net(), digits.train, Recipe(epochs=2), validation=broken)


def test_bfloat16_runs_where_it_is_asked_for(digits):
    seen = []
    model = Net()
    model.head.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    (record,) = fit(model, digits.train, Recipe(epochs=1, precision="bfloat16"))
    assert set(seen) == {torch.bfloat16}
    assert model.head.weight.dtype == torch.float32
    assert math.isfinite(record["train_loss"])


def test_images_and_weights_arrive_channels_last(digits):
    model = Net()
    images = load((torch.rand(40, 3, 6, 6), torch.arange(40) % 2)).train
    model.body[0] = nn.Conv2d(3, 8, 3, padding=1)
    model.head = nn.Linear(72, 2)
    formats = []
    model.body[0].register_forward_hook(
        lambda module, inputs, output: formats.append(inputs[0].is_contiguous(memory_format=torch.channels_last))
    )
    fit(model, images, Recipe(epochs=1, crop=1))
    assert all(formats)
    assert model.body[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_last_batch_of_one_image_is_left_out(digits):
    split = Split(digits.train.images[:33], digits.train.labels[:33])
    sizes = []
    model = Net()
    model.head.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    fit(model, split, Recipe(epochs=1, batch=16))
    assert sizes == [16, 16]


def test_auto_takes_a_gpu_where_there_is_one():
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_named():
    with pytest.raises(TrainingError, match='"cuda" came, and torch sees no GPU'):
        pick_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_learns_in_bfloat16_and_resumes(digits, tmp_path):
    recipe = Recipe(epochs=2, crop=1)
    history = fit(Net(), digits.train, recipe, device="auto", checkpoint=tmp_path / "training.pt")
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert fit(Net(), digits.train, recipe, device="auto", checkpoint=tmp_path / "training.pt") == history


class Grouped(nn.Module):
    """A network in float64 without batch statistics, with an auxiliary head."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.body = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.GELU(), nn.MaxPool2d(2))
            self.head, self.extra = nn.Linear(128, 10), nn.Linear(64, 10)
        self.double()
        self.sizes = []

    def forward(self, x):
        if self.training:
            self.sizes.append(len(x))
        return self.head(self.body(x).flatten(1))

    def forward_with_asides(self, x):
        return self(x), {"auxiliary": self.extra(x.flatten(1))}


def exact(images):
    """Images in float64, and a loss that stays there."""
    return Split(images.images.double(), images.labels)


@pytest.mark.parametrize("micro_batch", [2, 7, 16, 31])
def test_a_micro_batch_makes_the_same_steps(digits, micro_batch, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor)  # the loss is taken in float32 otherwise
    recipe = Recipe(epochs=2, batch=32, crop=1, cutout=2, label_smoothing=0.1, auxiliary=0.4)
    train = Split(digits.train.images[:81].double(), digits.train.labels[:81])  # the last batch holds 17
    runs = []
    for number in (None, micro_batch):
        model = Grouped()
        (first, second) = fit(model, train, recipe, validation=exact(digits.validation), micro_batch=number)
        assert max(model.sizes) <= (number or 32) + (number == 2), "three rather than one"
        assert min(model.sizes) >= 2
        runs.append((weights(model), second["train_loss"], second["train_accuracy"], second["validation_loss"]))
    torch.testing.assert_close(runs[0][0], runs[1][0], rtol=0, atol=1e-10)
    assert runs[0][1:] == pytest.approx(runs[1][1:], abs=1e-10)


def test_a_micro_batch_of_the_whole_batch_changes_no_bit(digits):
    one, two = Net(), Net()
    assert numbers(fit(one, digits.train, RECIPE)) == numbers(fit(two, digits.train, RECIPE, micro_batch=32))
    assert torch.equal(weights(one), weights(two))


def test_a_training_goes_on_with_another_micro_batch(digits, tmp_path):
    def stop(record):
        if record["epoch"] == 2:
            raise StopTraining

    path = tmp_path / "training.pt"
    fit(Net(), digits.train, RECIPE, checkpoint=path, on_epoch=stop)
    rest = fit(Net(), digits.train, RECIPE, checkpoint=path, micro_batch=8)
    assert [record["epoch"] for record in rest] == [1, 2, 3, 4]
    assert rest[-1]["train_loss"] < rest[0]["train_loss"]
