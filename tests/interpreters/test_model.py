"""One class for supernets and found networks: what runs, on which part of which weights, and what is inherited."""

import copy

import pytest
import torch
from torch import Tensor, nn

from nasengine.errors import SpaceError
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, DropPath, Identity, MaxPool, Zero
from nasengine.space import Architecture, Mixture, Space, aside, chain, choose, op, residual


def elastic() -> Space:
    """A width and a kernel to choose, and a layer that only training has."""
    stem = op(ConvNorm, width=choose("width", 4, 8), kernel=choose("kernel", 1, 3, 5))
    return Space("elastic", (3, 8, 8), chain(stem=stem, drop=op(DropPath), head=op(Classifier, classes=2)))


def picks(width: str = "4", kernel: str = "3") -> Architecture:
    return Architecture({"stem.width": (width,), "stem.kernel": (kernel,)})


IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_names_are_place_and_parameter_in_supernet_and_child() -> None:
    model = Model(elastic())
    names = ["stem.conv.weight", "stem.norm.weight", "stem.norm.bias", "head.linear.weight", "head.linear.bias"]
    assert [name for name, _ in model.named_parameters()] == names
    assert [name for name, _ in model.inherit(picks()).named_parameters()] == names


def test_a_supernet_wants_picks_and_a_found_network_its_own() -> None:
    with pytest.raises(SpaceError, match="supernet of elastic: forward came without picks"):
        Model(elastic())(IMAGES)
    found = Model(elastic(), picks())
    assert torch.equal(found.eval()(IMAGES), found(IMAGES, picks()))
    with pytest.raises(SpaceError, match="the picks of another architecture"):
        found(IMAGES, picks("8"))


def test_a_slice_is_the_leading_channels_and_the_central_window() -> None:
    model = Model(elastic()).eval()
    stored = dict(model.named_parameters())["stem.conv.weight"]
    assert stored.shape == (8, 3, 5, 5)
    child = model.inherit(picks("4", "3"))
    assert torch.equal(dict(child.named_parameters())["stem.conv.weight"], stored[:4, :, 1:4, 1:4])
    assert torch.equal(child(IMAGES), model(IMAGES, picks("4", "3")))


def test_only_the_slice_learns_and_only_its_statistics_move() -> None:
    model = Model(elastic()).train()
    model(IMAGES, picks("4", "3")).sum().backward()
    slope = dict(model.named_parameters())["stem.conv.weight"].grad
    mean = dict(model.named_buffers())["stem.norm.running_mean"]
    assert slope is not None and slope[:4, :, 1:4, 1:4].any() and mean[:4].any()
    outside = torch.ones_like(slope, dtype=torch.bool)
    outside[:4, :, 1:4, 1:4] = False
    assert not slope[outside].any() and not mean[4:].any()


def test_a_child_owns_its_weights_and_keeps_mode_and_statistics() -> None:
    model = Model(elastic()).train()
    model(IMAGES, picks())
    child = model.inherit(picks())
    assert child.training and torch.equal(child.state_dict()["stem.norm.running_mean"], _mean(model)[:4])
    with torch.no_grad():
        for tensor in child.parameters():
            tensor.zero_()
    assert all(tensor.any() for name, tensor in model.named_parameters() if name.endswith("conv.weight"))


def _mean(model: Model) -> Tensor:
    return model.state_dict()["stem.norm.running_mean"]


def test_a_copy_and_double_precision_compute_the_same() -> None:
    model = Model(elastic()).eval()
    wanted = model(IMAGES, picks())
    assert torch.equal(copy.deepcopy(model)(IMAGES, picks()), wanted)
    exact = model.double()
    torch.testing.assert_close(exact(IMAGES.double(), picks()), wanted.double(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(exact.inherit(picks())(IMAGES.double()), exact(IMAGES.double(), picks()))


@pytest.mark.parametrize("width", ["4", "8"])
def test_the_drop_rate_holds_at_every_width(width: str) -> None:
    """A schedule reaches a layer through `modules()`; the one that runs at a smaller width has to follow it."""
    model = Model(elastic()).train()
    for module in model.modules():
        if hasattr(module, "set_drop_rate"):
            module.set_drop_rate(0.999)
    torch.manual_seed(0)
    output = model(IMAGES, picks(width))
    assert torch.equal(output, output[:1].expand_as(output))  # every image lost its path: the classifier's bias is left


def test_gates_weigh_and_a_zero_gate_is_not_run() -> None:
    ran: list[str] = []

    class Loud(Identity):
        def forward(self, x: Tensor) -> Tensor:
            ran.append("loud")
            return x

    options = {"loud": op(Loud), "double": op(Identity), "zero": op(Zero)}
    model = Model(Space("gated", (3, 8, 8), chain(a=choose("x", **options), h=op(Classifier, classes=2)))).eval()
    ran.clear()  # its shape was measured
    one = model(IMAGES, Mixture({"a.x": {"double": 1.0}}))
    half = model(2 * IMAGES, Mixture({"a.x": {"loud": 0.0, "double": torch.tensor(0.5), "zero": 1.0}}))
    torch.testing.assert_close(half, one)
    assert ran == []


def test_asides_run_only_when_asked_for() -> None:
    body = chain(op(ConvNorm, width=4), aside("extra", op(Classifier, classes=5)), op(Classifier, classes=2))
    model = Model(Space("aside", (3, 8, 8), body), Architecture({})).eval()
    output, asides = model.forward_with_asides(IMAGES)
    assert torch.equal(output, model(IMAGES)) and {name: tuple(x.shape) for name, x in asides.items()} == {
        "extra": (4, 5)
    }


class Bottleneck(nn.Module):
    """Sizes that grow against each other, so that no one option holds them all."""

    def __init__(self, channels: int, shape: tuple[int, int]):
        super().__init__()
        self.up = nn.Conv2d(channels, shape[0], 1)
        self.down = nn.Conv2d(shape[0], shape[1], 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.up(x)).mean((2, 3))


class Optional(nn.Module):
    """A setting that decides which weights there are."""

    def __init__(self, channels: int, bias: bool):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


def test_the_store_holds_the_largest_of_each_dimension() -> None:
    shape = choose("shape", (8, 2), (4, 6))
    model = Model(Space("against", (3, 8, 8), chain(a=op(Bottleneck, shape=shape)))).eval()
    sizes = {name: tuple(tensor.shape[:2]) for name, tensor in model.named_parameters() if name.endswith("weight")}
    assert sizes == {"a.up.weight": (8, 3), "a.down.weight": (6, 8)}
    for option, outputs in (("(8, 2)", 2), ("(4, 6)", 6)):
        one = Architecture({"a.shape": (option,)})
        assert model(IMAGES, one).shape == (4, outputs)
        assert torch.equal(model.inherit(one)(IMAGES), model(IMAGES, one))


def test_a_setting_that_cannot_be_sliced_is_named() -> None:
    space = Space("optional", (3, 8, 8), chain(a=op(Optional, bias=choose("bias", True, False)), b=op(MaxPool)))
    with pytest.raises(SpaceError, match=r"a: option 'False' of decision 'a\.bias' changes which tensors .*conv\.bias"):
        Model(space)


def test_a_step_called_training_is_refused() -> None:
    inside = residual(choose("x", training=op(Identity), other=op(Identity)))
    for net in (chain(training=op(Identity)), inside):
        with pytest.raises(SpaceError, match='called "training", a name torch needs'):
            Model(Space("named", (3, 8, 8), net))
