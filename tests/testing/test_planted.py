"""The plant is what it says: each bit shows through one option, and a search that looks finds all four."""

import random

import pytest
import torch
from torch import nn

from nasengine.errors import SpaceError
from nasengine.interpreters.model import Model
from nasengine.space import Architecture, Mixture
from nasengine.testing import planted

POOLS = {
    "skip_connect": nn.Identity(),
    "max_pool_3x3": nn.MaxPool2d(3, 1, 1),
    "avg_pool_3x3": nn.AvgPool2d(3, 1, 1, count_include_pad=False),
}
BITS = list(planted.PLANT)
SPACE = planted.space()


def bit_of(labels: torch.Tensor, bit: str) -> torch.Tensor:
    return labels // 2 ** (3 - BITS.index(bit)) % 2


def best_cut(numbers: torch.Tensor, bits: torch.Tensor) -> float:
    """The accuracy of the best threshold on one number, in either direction."""
    ordered = bits[numbers.argsort()].double()
    right = (ordered.sum() - ordered.cumsum(0) + (1 - ordered).cumsum(0)) / len(bits)
    return float(torch.maximum(right, 1 - right).max())


@pytest.mark.parametrize("bit", BITS)
def test_of_the_fixed_operations_only_the_planted_one_shows_its_bit(bit):
    data = planted.dataset(train=4000).train
    x, bits = data.images[:, BITS.index(bit), None], bit_of(data.labels, bit)
    for option, operation in POOLS.items():
        y = operation(x)
        y = (y - y.mean((2, 3), keepdim=True)).abs() if bit == "patches" else y
        seen = best_cut(y.mean((1, 2, 3)), bits)
        assert seen > 0.97 if option == planted.PLANT[bit] else seen < 0.75, (option, seen)


def trained_accuracy(architecture: Architecture) -> float:
    torch.manual_seed(0)
    data, model = planted.dataset(), Model(SPACE, architecture)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(250):
        batch = torch.randint(0, len(data.train), (64,))
        loss = nn.functional.cross_entropy(model(data.train.images[batch]), data.train.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = model.eval()(data.validation.images).argmax(1) == data.validation.labels
    return float(right.float().mean())


def test_the_plant_learns_what_no_neighbour_with_another_convolution_does():
    picks = dict(planted.ARCHITECTURES["plant"].picks)
    assert trained_accuracy(SPACE.check(picks)) > 0.9
    for bit in ("level", "peak", "patches"):
        assert trained_accuracy(SPACE.check(picks | {f"{bit}.op": ("sep_conv_3x3",)})) < 0.7
    assert trained_accuracy(SPACE.check(picks | {"texture.op": ("skip_connect",)})) < 0.7


def test_gradients_on_softmax_gates_find_the_plant():
    """The gates of DARTS (https://arxiv.org/abs/1806.09055), first order, written out; three seeds."""
    found = [_settled(seed) for seed in range(3)]
    assert sum(picks == planted.PLANT for picks in found) >= 2, found


def _settled(seed: int) -> dict[str, str]:
    torch.manual_seed(seed)
    options = SPACE.decisions["level.op"].relaxed
    gates = (1e-3 * torch.randn(len(BITS), len(options))).requires_grad_()
    data, model = planted.dataset(), Model(SPACE)
    weights, adam = torch.optim.Adam(model.parameters(), 0.02), torch.optim.Adam([gates], 0.03, betas=(0.5, 0.999))
    for step in range(2 * 150):
        split, optimizer = (data.train, weights) if step % 2 else (data.validation, adam)
        batch = torch.randint(0, len(split), (64,))
        rows = zip(BITS, gates.softmax(1).unbind(), strict=True)
        mixture = Mixture({f"{bit}.op": dict(zip(options, row.unbind(), strict=True)) for bit, row in rows})
        loss = nn.functional.cross_entropy(model(split.images[batch], mixture), split.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {bit: options[1 + int(row[1:].argmax())] for bit, row in zip(BITS, gates, strict=True)}


def test_chance_hardly_ever_finds_it():
    plant = SPACE.check(planted.ARCHITECTURES["plant"].picks)
    assert SPACE.count() == 256
    assert sum(SPACE.sample(random.Random(seed)) == plant for seed in range(10)) < 2


def test_data_follow_the_seed():
    first, again, other = planted.dataset(seed=1), planted.dataset(seed=1), planted.dataset(seed=2)
    assert torch.equal(first.train.images, again.train.images) and torch.equal(first.test.labels, again.test.labels)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert not torch.equal(first.train.images, other.train.images)
    assert first.train.images.shape == (1024, *first.input) and first.train.images.dtype == torch.float32
    assert first.train.labels.dtype == torch.int64 and set(first.train.labels.tolist()) == set(range(16))


def test_images_with_too_few_channels_are_refused():
    with pytest.raises(SpaceError, match="1 channels came; it reads 4"):
        planted.space(input=(1, 8, 8))
