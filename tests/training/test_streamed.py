"""Images on disk give the same numbers as in memory: alone, in a training, in a supernet's halves, elsewhere."""

import contextlib
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nasengine.errors import DataError
from nasengine.search.halves import Endless, halves
from nasengine.training import picture_cache
from nasengine.training.batches import batches
from nasengine.training.data import Dataset, load
from nasengine.training.fidelity import reduced
from nasengine.training.fit import evaluate, fit
from nasengine.training.mapped import read, write
from nasengine.training.recipe import recipe
from nasengine.training.streamed import Streamed
from tests.training.drawn import draw_folder
from tests.waiting import META, Waiting, made_of_numbers


@pytest.fixture
def both(tmp_path: Path) -> tuple[Dataset, Dataset]:
    root = draw_folder(tmp_path / "set", count=30)
    return load(f"{root}?memory=1GB"), load(f"{root}?memory=0")


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 3, 3))


def test_facts_and_images_are_the_same(both: tuple[Dataset, Dataset]) -> None:
    inside, outside = both
    assert isinstance(outside.train.images, Streamed) and not inside.streamed
    for name in ("fingerprint", "mean", "std", "input", "classes", "balance", "class_names"):
        assert getattr(inside, name) == getattr(outside, name)
    for name in ("train", "validation", "test", "development"):
        one, other = getattr(inside, name), getattr(outside, name)
        assert torch.equal(one.images, other.images[:])
        assert torch.equal(one.labels, other.labels)
        assert one.images.shape == other.images.shape
        assert torch.equal(one.images[3], other.images[3])
    assert outside.train.nbytes < inside.train.nbytes / 10


def test_a_training_gives_the_same_bits(both: tuple[Dataset, Dataset]) -> None:
    short = recipe("proxy", epochs=2, warmup=0, batch=16)
    states = []
    for data in both:
        model = small_network()
        history = fit(model, data.train, short, validation=data.validation, seed=1)
        states.append((model.state_dict(), history[-1]["train_loss"], evaluate(model, data.test)))
    for name, tensor in states[0][0].items():
        assert torch.equal(tensor, states[1][0][name])
    assert states[0][1:] == states[1][1:]


@pytest.mark.parametrize("fidelity", [{"share": 0.5}, {"resolution": 4}, {"share": 0.4, "resolution": 8}])
def test_cheaper_copies_stay_on_disk_and_are_the_same(
    both: tuple[Dataset, Dataset], fidelity: dict[str, float]
) -> None:
    one, other = (reduced(data, fidelity, seed=2) for data in both)
    assert other.streamed and one.fingerprint == other.fingerprint
    assert one.train.images.shape == other.train.images.shape
    assert torch.equal(one.train.images, other.train.images[:])
    assert torch.equal(one.validation.images, other.validation.images[:])


def test_halves_stay_on_disk(both: tuple[Dataset, Dataset]) -> None:
    for one, other in zip(*(halves(data.train, seed=3) for data in both), strict=True):
        assert isinstance(other.images, Streamed)
        assert torch.equal(one.images, other.images[:])


def test_batches_without_end_are_the_same_and_go_on_from_what_is_left(both: tuple[Dataset, Dataset]) -> None:
    one, other, resumed = (Endless(data.train, 7, torch.Generator().manual_seed(4)) for data in (*both, both[1]))
    for step in range(6):
        if step == 2:
            resumed.left = other.left.clone()
            resumed.generator.set_state(other.generator.get_state())
        found, wanted = other.next(), one.next()
        assert all(map(torch.equal, found, wanted)) and torch.equal(other.left, one.left)
        assert step < 2 or all(map(torch.equal, resumed.next(), wanted))


def test_a_gpu_is_waited_for_once_in_a_pass(both: tuple[Dataset, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    """For the labels' order; images come from pinned memory, and the figures that they are normalised by are there."""
    split = both[1].train.to(META)
    endless = Endless(split, 4, torch.Generator().manual_seed(0))
    with Waiting() as waiting:
        monkeypatch.setattr(torch, "tensor", partial(made_of_numbers, torch.tensor, waiting))
        endless.next()
        waiting.noted.clear()
        endless.next()
        assert waiting.noted == []
        shapes = [images.shape for images, _ in batches(split, 8, torch.Generator().manual_seed(0), True)]
    assert waiting.noted == ["to the device"]
    assert len(shapes) > 1 and set(shapes) == {(8, *split.images.shape[1:])}


def test_pixels_for_a_gpu_are_read_into_pinned_memory(
    both: tuple[Dataset, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *a, pin_memory, **k: asked.append(pin_memory) or empty(*a, **k))
    images = both[1].train.images
    assert torch.equal(images[torch.tensor([2, 0])], both[0].train.images[[2, 0]])
    with contextlib.suppress(AssertionError, RuntimeError):  # there may be no GPU
        images.to("cuda")[:2]
    assert asked == [False, True]


def test_it_travels_as_a_name(both: tuple[Dataset, Dataset], tmp_path: Path) -> None:
    inside, outside = both
    assert len(pickle.dumps(outside)) < 20_000
    file = write(outside, tmp_path / "data" / "set.safetensors")
    assert file.stat().st_size < 20_000
    for found in (pickle.loads(pickle.dumps(outside)), read(file)):
        assert found.fingerprint == inside.fingerprint
        assert torch.equal(found.test.images[:], inside.test.images)
    small = read(write(reduced(outside, {"resolution": 4}, 0), tmp_path / "data" / "small.safetensors"))
    assert small.train.images.shape[1:] == (3, 4, 4)


def test_a_worker_that_does_not_see_the_file_says_so(both: tuple[Dataset, Dataset]) -> None:
    gone = replace(both[1].train.images, file=Path("/nowhere/pixels"))
    with pytest.raises(DataError, match="cannot be read.*NASENGINE_CACHE to a folder that they share"):
        gone[:2]


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize("official", [True, False])
def test_arrays_above_the_memory_go_to_disk(tmp_path: Path, kind: type, official: bool) -> None:
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (90, 7, 6, 5)).astype(kind), np.arange(90) % 3
    more = {"x_test": images[:9], "y_test": labels[:9]} if official else {}
    np.savez(tmp_path / "set.npz", x=images, y=labels, **more)
    inside, outside = load(tmp_path / "set.npz"), load(f"{tmp_path / 'set.npz'}?memory=1KB")
    assert outside.streamed and inside.fingerprint == outside.fingerprint
    assert inside.mean == pytest.approx(outside.mean, rel=1e-6)
    torch.testing.assert_close(inside.train.images, outside.train.images[:])
    torch.testing.assert_close(inside.test.images, outside.test.images[:])
    load(f"{tmp_path / 'set.npz'}?memory=1KB")
    assert len(list(picture_cache.cache_folder().iterdir())) == 1, "equal pixels are kept once"
