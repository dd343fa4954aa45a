"""Which tensors are the kernels' and which are torch's."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nasengine.native.build import library
from nasengine.native.depthwise import depthwise
from nasengine.native.norm_sum import norm_sum
from nasengine.native.pointwise import pointwise
from nasengine.native.tensors import MOST_THREADS, available

# The shape of each kernel's weights for an image of four channels, and its call.
KERNELS: dict[str, tuple[tuple[int, ...], Callable[[Tensor, Tensor], Tensor]]] = {
    "depthwise": ((4, 1, 3, 3), depthwise),
    "pointwise": ((4, 4, 1, 1), pointwise),
    "norm_sum": ((4,), lambda x, weight: norm_sum([x], [weight], [None])[0]),
}


class Own(Tensor):
    """A tensor with rules of its own."""


@pytest.fixture(params=sorted(KERNELS))
def kernel(request: pytest.FixtureRequest, needs: Callable[[str], Path]) -> str:
    needs("compiler")
    assert library(request.param) is not None
    return request.param


def test_many_threads_are_left_to_torch(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for threads, is_taken in ((1, True), (MOST_THREADS, True), (MOST_THREADS + 1, False)):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        assert available(torch.zeros(1, 2, 3, 3), kernel) is is_taken


def test_other_tensors_are_left_to_torch(kernel: str) -> None:
    x = torch.zeros(1, 2, 3, 3)
    assert available(x, kernel) and available(nn.Parameter(x), kernel)
    others = x.double(), x[0], x[:0], x.to("meta"), x.half(), x.as_subclass(Own)
    assert [other for other in others if available(other, kernel)] == []


def test_autocast_is_torchs(kernel: str) -> None:
    x = torch.zeros(1, 2, 3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert not available(x, kernel)
        with torch.autocast("cpu", enabled=False):
            assert available(x, kernel)


def test_another_default_device_changes_nothing(kernel: str) -> None:
    shape, call = KERNELS[kernel]
    x, weight, slopes = torch.randn(2, 4, 5, 5), torch.randn(shape), torch.randn(2, 4, 5, 5)

    def results() -> tuple[Tensor, ...]:
        given = x.clone().requires_grad_(), weight.clone().requires_grad_()
        made = call(*given)
        return made, *torch.autograd.grad(made, given, slopes)

    wanted = results()
    with torch.device("meta"):
        found = results()
    assert all(map(torch.equal, found, wanted))


def test_numbers_that_a_kernel_cannot_reach_or_read_are_refused(kernel: str) -> None:
    shape, call = KERNELS[kernel]
    x, weight = torch.zeros(2, 4, 5, 5), torch.zeros(shape)
    elsewhere = x.to("meta"), weight.to("meta")
    wrong = [(elsewhere[0], weight), (x, elsewhere[1]), elsewhere]
    wrong += [(x.double(), weight), (x, weight.double()), (x.half(), weight.half())]
    for pair in wrong:
        with pytest.raises(ValueError, match=f"^{kernel}: .*(float16|float64|meta).*float32 on the CPU"):
            call(*pair)
