"""Kernel transforms of once-for-all (Cai et al., 2020)."""

import torch

from nasengine.interpreters.kernels import KernelTransform, nested
from nasengine.interpreters.model import Model
from nasengine.interpreters.slicing import Dressed
from nasengine.layers import Classifier, ConvNorm, SepConv
from nasengine.space import Architecture, Space, chain, choose, op

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def elastic() -> Space:
    mixer = op(SepConv, kernel=choose("kernel", 3, 5, 7))
    return Space("k", (3, 8, 8), chain(stem=op(ConvNorm, width=4), a=mixer, head=op(Classifier, classes=2)))


def picks(kernel: int) -> Architecture:
    return Architecture({"a.kernel": (str(kernel),)})


def test_every_kernel_begins_as_the_centre_crop() -> None:
    kernel = torch.randn(4, 1, 7, 7)
    transform = KernelTransform([(3, 3), (7, 7), (5, 5)])
    assert torch.equal(transform(kernel, (7, 7)), kernel)
    assert torch.equal(transform(kernel, (5, 5)), kernel[:, :, 1:6, 1:6])
    assert torch.equal(transform(kernel, (3, 3)), kernel[:, :, 2:5, 2:5])


def test_the_smallest_goes_through_both_matrices_in_turn() -> None:
    kernel = torch.randn(4, 1, 7, 7)
    transform = KernelTransform([(7, 7), (5, 5), (3, 3)])
    with torch.no_grad():
        for parameter in transform.parameters():
            parameter.add_(torch.randn_like(parameter))
    of = dict(transform.named_parameters())
    five = (kernel[:, :, 1:6, 1:6].reshape(4, 25) @ of["5x5"]).reshape(4, 1, 5, 5)
    three = (five[:, :, 1:4, 1:4].reshape(4, 9) @ of["3x3"]).reshape(4, 1, 3, 3)
    torch.testing.assert_close(transform(kernel, (5, 5)), five)
    torch.testing.assert_close(transform(kernel, (3, 3)), three)
    torch.testing.assert_close(transform(kernel, (1, 1)), three[:, :, 1:2, 1:2])  # not among its sizes: the middle


def test_only_kernels_inside_each_other_are_transformed() -> None:
    assert nested([(3, 3), (7, 7)]) and nested([(1, 9), (1, 11)])
    assert not nested([(3, 3)]) and not nested([(3, 5), (5, 3)])


def test_a_supernet_begins_as_the_one_that_crops_and_learns_its_matrices() -> None:
    torch.manual_seed(0)
    plain = Model(elastic())
    torch.manual_seed(0)
    model = Model(elastic(), kernels="transform")
    assert [name for name, _ in model.named_parameters() if name.startswith("transforms.")] == [
        "transforms.a.depthwise.weight.5x5",
        "transforms.a.depthwise.weight.3x3",
    ]
    for kernel in (3, 5, 7):
        assert torch.equal(model.eval()(IMAGES, picks(kernel)), plain.eval()(IMAGES, picks(kernel)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(IMAGES, picks(3)).square().sum().backward()
    optimizer.step()
    learnt = dict(model.named_parameters())
    assert not torch.equal(learnt["transforms.a.depthwise.weight.3x3"], torch.eye(9))
    assert not torch.equal(learnt["transforms.a.depthwise.weight.5x5"], torch.eye(25))
    for kernel in (3, 5, 7):
        child = model.inherit(picks(kernel))
        assert [*child.state_dict()] == [*Model(elastic(), picks(kernel)).state_dict()]
        torch.testing.assert_close(child(IMAGES), model(IMAGES, picks(kernel)))


def test_stores_are_mixed_before_kernels_are_transformed() -> None:
    model = Model(elastic(), shots=2, kernels="transform").double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("transforms."):
                parameter.add_(torch.randn_like(parameter))
    how = Dressed(picks(3), shots=torch.tensor([0.25, 0.75], dtype=torch.float64))
    torch.testing.assert_close(model.inherit(picks(3), how)(IMAGES.double()), model(IMAGES.double(), how))
