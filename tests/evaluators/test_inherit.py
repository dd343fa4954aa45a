"""Measuring with a supernet's weights: the same network, its own statistics, and nothing but what may be touched."""

import dataclasses
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from nasengine import plugins
from nasengine.evaluators import inherit
from nasengine.evaluators.inherit import evaluate, supernet_of
from nasengine.interpreters.model import Model
from nasengine.interpreters.weights import load_weights, save_weights
from nasengine.job import Job
from nasengine.space import Architecture, Space
from nasengine.training import data
from nasengine.training.batches import batches
from nasengine.training.fit import evaluate as measure
from nasengine.training.recipe import recipe
from nasengine.training.statistics import estimate_statistics

SETTINGS: dict[str, Any] = {"input": (1, 8, 8), "channels": 4}
SIZES: dict[str, Any] = {
    "input": (1, 8, 8), "widths": (8, 16), "depths": (1, 2), "mixers": ("identity", "pool", "conv"),
    "stem": (3, 1, 1), "kernels": (3, 5),
}  # fmt: skip
LIMIT = 300
MEASURED = ("accuracy", "balanced_accuracy", "f1", "loss", "top5_accuracy")


@pytest.fixture(scope="module")
def dataset() -> data.Dataset:
    return data.load("digits", limit=LIMIT)


@pytest.fixture(scope="module")
def space() -> Space:
    return plugins.load_space("small-cell", SETTINGS)


def trained(space: Space, split: data.Split, folder: Path, steps: int = 60) -> Path:
    """A supernet trained for a few steps on one random path each."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Model(space)
    optimizer, order = torch.optim.SGD(model.parameters(), 0.1, 0.9), torch.Generator().manual_seed(0)
    stream = (batch for _ in range(steps) for batch in batches(split, 32, order, drop_last=True))
    for step, (images, labels) in zip(range(steps), stream, strict=False):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images, space.sample(random.Random(step))), labels).backward()
        optimizer.step()
    return save_weights(model, folder / "weights" / "supernet.safetensors")


@pytest.fixture(scope="module")
def weights(space: Space, dataset: data.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(space, dataset.train, tmp_path_factory.mktemp("one"))


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    yield
    inherit._kept.clear()


def job(space: Space, weights: Path | None, number: int = 0, **more: Any) -> Job:
    fidelity = {"limit": LIMIT, **more.pop("fidelity", {})}
    picks = space.sample(random.Random(number)).to_json()
    return Job(
        number, space.name, dict(space.settings), picks, "inherit", recipe("proxy", batch=32).to_json(), "digits",
        fidelity, 0, weights=None if weights is None else str(weights), **more,
    )  # fmt: skip


def blind(part: data.Split) -> data.Split:
    """Images that nothing finite comes out of, where they must not be touched."""
    return dataclasses.replace(part, images=torch.full_like(part.images, math.nan))


def put_back(child: Model, supernet: Model) -> None:
    """Give a supernet the statistics of a network cut out of it, where that network's channels are stored."""
    stored = dict(supernet.named_buffers())
    for name, buffer in child.named_buffers():
        if buffer.dim():
            stored[name][: len(buffer)] = buffer


@pytest.mark.parametrize("name", ["small-cell", "metaformer"])
def test_it_equals_the_supernet_run_with_the_architecture_after_the_same_statistics(
    name: str, dataset: data.Dataset, tmp_path: Path
) -> None:
    space = plugins.load_space(name, SETTINGS if name == "small-cell" else SIZES)
    file = trained(space, dataset.train, tmp_path, steps=5)
    for number in range(3):
        asked = job(space, file, number)
        architecture = Architecture.from_json(asked.architecture)
        child, supernet = supernet_of(asked, space).network(architecture), Model(space).eval()
        load_weights(supernet, file)
        estimate_statistics(child, dataset.train, batches=20, batch=32)
        put_back(child, supernet)
        with torch.no_grad():
            logits = supernet(dataset.validation.images, architecture)
        torch.testing.assert_close(child(dataset.validation.images), logits, rtol=1e-4, atol=1e-5)
        values = evaluate(asked, space, dataset).values
        assert values["validation_loss"] == pytest.approx(
            float(nn.functional.cross_entropy(logits, dataset.validation.labels)), rel=1e-4
        )
        assert values["validation_accuracy"] == pytest.approx(
            float((logits.argmax(1) == dataset.validation.labels).float().mean()), abs=0.01
        )


def test_statistics_of_its_own_make_a_network_better(space: Space, dataset: data.Dataset, weights: Path) -> None:
    """Single path one-shot (Guo et al., 2020, https://arxiv.org/abs/1904.00420), section 3.4."""
    better = []
    for number in range(6):
        asked = job(space, weights, number)
        raw = supernet_of(asked, space).network(Architecture.from_json(asked.architecture))
        own = evaluate(asked, space, dataset).values["validation_loss"]
        better.append(own < measure(raw, dataset.validation)["loss"])
    assert sum(better) >= 5


def test_a_candidate_touches_no_test_image_and_leaves_no_weights(
    space: Space, dataset: data.Dataset, weights: Path, tmp_path: Path
) -> None:
    unseen = dataclasses.replace(dataset, test=blind(dataset.test))
    result = evaluate(job(space, weights), space, unseen, weights_to=tmp_path / "w.safetensors")
    assert result.error is None and set(result.values) == {f"validation_{name}" for name in MEASURED}
    assert result.params and result.macs and result.digest and result.epochs == []
    assert result.weights is None and not (tmp_path / "w.safetensors").exists()
    assert result.values == evaluate(job(space, weights), space, dataset).values


def test_the_chosen_network_is_measured_on_test_images_and_can_be_taken_away(
    space: Space, dataset: data.Dataset, weights: Path, tmp_path: Path
) -> None:
    unseen = dataclasses.replace(dataset, validation=blind(dataset.validation))
    asked = job(space, weights, final=True)
    result = evaluate(asked, space, unseen, weights_to=tmp_path / "final.safetensors")
    assert result.error is None and set(result.values) == {f"test_{name}" for name in MEASURED}
    model = Model(space, Architecture.from_json(asked.architecture))
    load_weights(model, Path(str(result.weights)))
    assert measure(model, dataset.test)["loss"] == pytest.approx(result.values["test_loss"])


def test_more_batches_and_smaller_images_are_other_fidelities(
    space: Space, dataset: data.Dataset, weights: Path
) -> None:
    whole = evaluate(job(space, weights), space, dataset).values
    few = evaluate(job(space, weights, fidelity={"batches": 1}), space, dataset).values
    small = evaluate(job(space, weights, fidelity={"resolution": 6}), space, dataset)
    assert small.error is None and len({values["validation_loss"] for values in (whole, few, small.values)}) == 3


def test_the_supernet_is_read_once_and_again_when_its_file_changes(
    space: Space, dataset: data.Dataset, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    monkeypatch.setattr(inherit, "load_weights", lambda *args, **more: read.append(args) or load_weights(*args, **more))
    file = tmp_path / "supernet.safetensors"
    tensors = load_file(weights)
    save_file(tensors, file)
    first = [evaluate(job(space, file, number), space, dataset).values for number in range(3)]
    assert len(read) == 1 and first[0] != first[1]
    save_file({name: tensor * 0.5 if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}, file)
    assert evaluate(job(space, file), space, dataset).values != first[0] and len(read) == 2


DRESSING = '''
"""Cuts networks out of the last channels, where its one parameter says so."""
import torch
from nasengine.interpreters.slicing import LEADING, TRAILING, Dressed

class Trailing:
    def __init__(self, space, threshold: float = 0.5):
        self.threshold, self.learned = threshold, torch.zeros(1)

    def parameters(self):
        return [self.learned]

    def draws(self, generator):
        return []

    def dress(self, architecture):
        return Dressed(architecture, TRAILING if float(self.learned) > self.threshold else LEADING)
'''


@pytest.fixture
def dressing(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "trailing.py").write_text(DRESSING)
    return {"strategy": str(tmp_path / "trailing.py"), "options": {"threshold": 0.5}, "search": "big"}


def beside(weights: Path, to: Path, **tensors: torch.Tensor) -> Path:
    save_file({**load_file(weights), **{f"strategy.{name[1:]}": tensor for name, tensor in tensors.items()}}, to)
    return to


def test_a_strategy_dresses_networks_by_what_it_had_learned(
    dataset: data.Dataset, tmp_path: Path, dressing: dict[str, Any]
) -> None:
    space = plugins.load_space("metaformer", SIZES)
    plain = trained(space, dataset.train, tmp_path, steps=1)
    rng = random.Random(0)
    small = space.follow({"stage1.width": ("8",)}, rng)
    name = "stage1.downsampling.conv.weight"
    stored = load_file(plain)[name]
    assert len(stored) == 12
    for value, expected in ((0.0, stored[:8]), (1.0, stored[4:])):
        file = beside(plain, tmp_path / f"{value}.safetensors", _0=torch.tensor([value]))
        asked = dataclasses.replace(job(space, file, fidelity={"supernet": dressing}), architecture=small.to_json())
        assert evaluate(asked, space, dataset).error is None
        torch.testing.assert_close(supernet_of(asked, space).network(small).state_dict()[name], expected)


def error_of(asked: Job, space: Space, dataset: data.Dataset) -> str:
    result = evaluate(asked, space, dataset)
    assert result.values == {}
    return str(result.error)


def test_what_is_wrong_is_a_result_with_a_sentence(
    space: Space, dataset: data.Dataset, weights: Path, tmp_path: Path, dressing: dict[str, Any]
) -> None:
    assert "--supernet NAME" in error_of(job(space, None), space, dataset)
    assert "there is no such file" in error_of(job(space, tmp_path / "gone.safetensors"), space, dataset)
    with_strategy = job(space, weights, fidelity={"supernet": dressing})
    assert "strategy.0 is missing" in error_of(with_strategy, space, dataset)
    for name, settings in (("small-cell", {**SETTINGS, "channels": 8}), ("metaformer", SIZES)):
        other = plugins.load_space(name, settings)
        said = error_of(job(other, weights, fidelity={"supernet": {**dressing, "search": "big"}}), other, dataset)
        assert "settings are not those that the supernet was trained with" in said
        assert "nasengine results --name big" in said
