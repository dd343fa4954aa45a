"""Several stores of weights mixed into one network: K-shot NAS (Su et al., 2021)."""

import copy

import pytest
import torch
from torch import Tensor

from nasengine.errors import SpaceError
from nasengine.interpreters.model import Model
from nasengine.interpreters.slicing import TRAILING, Dressed, cyclic
from nasengine.layers import Classifier, ConvNorm, DropPath
from nasengine.space import Architecture, Space, chain, choose, op

IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def elastic(stem: str = "stem") -> Space:
    layer = op(ConvNorm, width=choose("width", 4, 8), kernel=choose("kernel", 1, 3))
    return Space("elastic", (3, 8, 8), chain(**{stem: layer, "drop": op(DropPath), "head": op(Classifier, classes=2)}))


def picks(width: str = "4", kernel: str = "1") -> Architecture:
    return Architecture({"stem.width": (width,), "stem.kernel": (kernel,)})


def supernet(shots: int) -> Model:
    torch.manual_seed(0)
    return Model(elastic(), shots=shots).double()


def dressed(one: Architecture, *shots: float) -> Dressed:
    return Dressed(one, shots=torch.tensor(shots, dtype=torch.float64))


@pytest.mark.parametrize("one", [picks(), picks("8", "3")])
def test_one_shot_is_the_plain_supernet(one: Architecture) -> None:
    plain, single = supernet(1), Model(elastic(), shots=1).double()
    single.load_state_dict(plain.state_dict())
    for images in (IMAGES.double(), IMAGES.double() + 1):
        assert torch.equal(plain.train()(images, one), single.train()(images, dressed(one, 1.0)))
    assert torch.equal(plain.eval()(IMAGES.double(), one), single.eval()(IMAGES.double(), one))


def test_names_of_the_first_store_stay() -> None:
    plain, many = Model(elastic()).state_dict(), Model(elastic(), shots=3).state_dict()
    assert [name for name in many if not name.startswith("shots.")] == [*plain]
    assert [name for name in many if name.startswith("shots.2.")] == [f"shots.2.{name}" for name in plain]
    assert not torch.equal(many["stem.conv.weight"], many["shots.1.stem.conv.weight"])


@pytest.mark.parametrize("one", [picks(), picks("8", "3")])
@pytest.mark.parametrize("training", [True, False])
def test_all_weight_on_one_store_is_that_store(one: Architecture, training: bool) -> None:
    many, plain = supernet(3), supernet(1)
    prefix = "shots.2."
    plain.load_state_dict({n.removeprefix(prefix): t for n, t in many.state_dict().items() if n.startswith(prefix)})
    for images in (IMAGES.double(), IMAGES.double() + 1):
        wanted = plain.train(training)(images, one)
        torch.testing.assert_close(many.train(training)(images, dressed(one, 0, 0, 1)), wanted, rtol=0, atol=1e-14)
    means = many.state_dict()["shots.2.stem.norm.running_mean"], plain.state_dict()["stem.norm.running_mean"]
    torch.testing.assert_close(*means)
    assert not many.state_dict()["stem.norm.running_mean"].any() and means[0].any() == training


def test_each_store_learns_by_its_share() -> None:
    """The gradient of store k is lambda_k times that of the mixed weights."""
    many, one, shares = supernet(3), picks("4", "3"), (0.2, 0.5, 0.3)
    how = Dressed(one, cyclic(0.75), torch.tensor(shares, dtype=torch.float64, requires_grad=True))
    child = many.inherit(one, how)
    for network, picked in ((many, how), (child, None)):
        network.train()(IMAGES.double(), picked).square().sum().backward()
    mixed = {name: parameter.grad for name, parameter in child.named_parameters()}
    stored = dict(many.named_parameters())
    for k, share in enumerate(shares):
        prefix = f"shots.{k}." if k else ""
        slope, wanted = stored[f"{prefix}head.linear.bias"].grad, mixed["head.linear.bias"]
        assert slope is not None and wanted is not None
        torch.testing.assert_close(slope, share * wanted)
        slope, wanted = stored[f"{prefix}stem.conv.weight"].grad, mixed["stem.conv.weight"]
        assert slope is not None and wanted is not None
        torch.testing.assert_close(slope[4:], share * wanted)
        assert not slope[:4].any()
    assert how.shots is not None and how.shots.grad is not None and how.shots.grad.any()


@pytest.mark.parametrize("window", [TRAILING, cyclic(0.75)])
def test_a_mixed_network_runs_as_its_child(window: object) -> None:
    many, one = supernet(2), picks("4", "3")
    many.train()(IMAGES.double(), dressed(one, 0.5, 0.5))
    how = Dressed(one, window, torch.tensor([0.25, 0.75], dtype=torch.float64))  # type: ignore[arg-type]
    child = many.eval().inherit(one, how)
    torch.testing.assert_close(child(IMAGES.double()), many(IMAGES.double(), how), rtol=0, atol=1e-14)
    assert [*child.state_dict()] == [*Model(elastic(), one).state_dict()]


def test_training_steps_reach_every_run() -> None:
    """Nothing of a forward is kept that an optimizer's step, another precision or new weights would make stale."""
    model, one = supernet(1).train(), picks("4", "1")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        model(IMAGES.double(), one).square().sum().backward()
        optimizer.step()
        torch.testing.assert_close(model(IMAGES.double(), one), model.inherit(one)(IMAGES.double()))
    model.eval()
    before: Tensor = model(IMAGES.double(), one)
    torch.testing.assert_close(model.float()(IMAGES, one), before.float(), rtol=1e-4, atol=1e-5)
    model.load_state_dict(supernet(1).float().state_dict())
    assert not torch.allclose(model(IMAGES, one), before.float())


def test_dropped_paths_and_parts_that_rest_follow_the_supernet() -> None:
    model = supernet(2).train()
    dict(model.layers())["stem"].norm.eval()  # type: ignore[union-attr, operator]
    how = dressed(picks(), 0.5, 0.5)
    first, second = model(IMAGES.double(), how), model(IMAGES.double()[:2], how)
    torch.testing.assert_close(first[:2], second)  # the norm rests: no image depends on the others


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SpaceError, match="it has 2 stores of weights, and picks came with no weights"):
        supernet(2)(IMAGES.double(), picks())
    with pytest.raises(SpaceError, match="it has 1 stores of weights, and picks came with weights for 2"):
        supernet(1)(IMAGES.double(), dressed(picks(), 0.5, 0.5))
    with pytest.raises(SpaceError, match="shots came as 0"):
        Model(elastic(), shots=0)
    with pytest.raises(SpaceError, match="came for a single architecture"):
        Model(elastic(), picks(), shots=2)
    with pytest.raises(SpaceError, match='a step is called "shots"'):
        Model(elastic("shots"), shots=2)


def test_a_copy_runs_on_its_own_weights() -> None:
    model, one = supernet(1).eval(), picks()
    before = model(IMAGES.double(), one)
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    assert not other(IMAGES.double(), one).any() and torch.equal(model(IMAGES.double(), one), before)
