"""Windows of channels: where they begin, that each channel has its turn, and that a network runs as its child does."""

import copy
from collections import Counter

import pytest
import torch
from torch import Tensor

from nasengine.errors import SpaceError
from nasengine.interpreters.model import Model
from nasengine.interpreters.slicing import LEADING, TRAILING, Dressed, Window, cut, cyclic, dress_of, put
from nasengine.layers import Classifier, ConvNorm, Truncate
from nasengine.space import EVERYTHING, Architecture, Mixture, Space, chain, choose, op, residual

IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
WINDOWS = [LEADING, TRAILING, cyclic(0.25), cyclic(0.75)]


def elastic() -> Space:
    """A width that three layers share, and a kernel."""
    stem = op(ConvNorm, width=choose("width", 8, 12, 16), kernel=choose("kernel", 1, 3, 5))
    block = residual(op(ConvNorm, width=choose("inside", 4, 16)), op(ConvNorm, width=16, kernel=3))
    return Space(
        "elastic", (3, 8, 8), chain(stem=stem, to=op(ConvNorm, width=16), b=block, h=op(Classifier, classes=2))
    )


def picks(width: str = "8", kernel: str = "3", inside: str = "4") -> Architecture:
    return Architecture({"stem.width": (width,), "stem.kernel": (kernel,), "b.inside": (inside,)})


def taken(window: Window, asked: int, stored: int) -> list[int]:
    """The numbers of the channels."""
    return cut("place", "name", torch.arange(stored), (asked,), window).tolist()


def test_where_windows_begin() -> None:
    assert taken(LEADING, 4, 8) == [0, 1, 2, 3]
    assert taken(TRAILING, 4, 8) == [4, 5, 6, 7]
    assert taken(cyclic(0.5), 6, 8) == [4, 5, 6, 7, 0, 1]
    assert taken(cyclic(0.99), 3, 7) == [6, 0, 1]
    for window in WINDOWS:
        assert taken(window, 8, 8) == list(range(8))  # the whole, in order


def test_heads_and_groups_stay_whole() -> None:
    """What divides both widths divides the start."""
    for shift in (0.1, 0.4, 0.7):
        assert cyclic(shift).start(32, 48) % 16 == 0
        assert cyclic(shift).start(16, 24) == cyclic(shift).start(32, 48) / 2  # pairs that alternate stay pairs


def test_a_cycle_uses_every_channel_as_often_and_the_ordinal_rule_does_not() -> None:
    """ViTAS (Su et al., 2022): cyclic sharing is fair to every channel; BCNet (2021): so are both sides together."""
    stored = 12
    for asked in range(1, stored + 1):
        used = Counter(i for step in range(stored) for i in taken(cyclic(step / stored), asked, stored))
        assert set(used.values()) == {asked}
    widths = range(1, stored + 1)
    both = Counter(i for w in widths for side in (LEADING, TRAILING) for i in taken(side, w, stored))
    assert set(both.values()) == {stored + 1}
    ordinal = Counter(i for w in widths for i in taken(LEADING, w, stored))
    assert [ordinal[i] for i in range(stored)] == [*range(stored, 0, -1)]


def test_kernels_are_cut_in_the_middle_by_every_window() -> None:
    stored = torch.arange(2 * 3 * 5 * 5).reshape(2, 3, 5, 5)
    for window in WINDOWS:
        assert torch.equal(cut("", "", stored, (2, 3, 3, 1), window), stored[:, :, 1:4, 2:3])


@pytest.mark.parametrize("window", WINDOWS)
def test_what_is_put_back_lies_where_it_was_taken(window: Window) -> None:
    stored = torch.arange(8 * 12).reshape(8, 12)
    before = stored.clone()
    values = cut("", "", stored, (6, 9), window) + 1000
    put(stored, values, window)
    assert torch.equal(cut("", "", stored, (6, 9), window), values)
    assert (stored != before).sum() == 54


@pytest.mark.parametrize("window", WINDOWS)
def test_a_network_runs_in_its_window_as_cut_out(window: Window) -> None:
    model = Model(elastic()).eval()
    for one in (picks(), picks("12", "5"), picks("16", "1", "16")):
        child = model.inherit(one, Dressed(one, window))
        assert torch.equal(child(IMAGES), model(IMAGES, Dressed(one, window)))
    largest = Dressed(picks("16", "5", "16"), window)
    assert torch.equal(model(IMAGES, largest), model(IMAGES, largest.base))


@pytest.mark.parametrize("window", WINDOWS)
def test_only_the_window_learns_and_its_statistics_move_as_the_childs(window: Window) -> None:
    model = Model(elastic()).train()
    dressed = Dressed(picks("12"), window)
    child = model.inherit(picks("12"), dressed)
    for network, how in ((model, dressed), (child, None)):
        network(IMAGES, how).square().sum().backward()
    for (name, stored), own in zip(model.named_parameters(), child.parameters(), strict=True):
        assert stored.grad is not None and own.grad is not None
        torch.testing.assert_close(cut("", name, stored.grad, own.shape, window), own.grad)
        put(stored.grad, torch.zeros_like(own.grad), window)
        assert not stored.grad.any(), f"{name} learned outside its window"
    fresh = Model(elastic()).state_dict()
    for (name, stored), own in zip(model.named_buffers(), child.buffers(), strict=True):
        torch.testing.assert_close(cut("", name, stored, own.shape, window), own)
        expected = fresh[name].clone()
        put(expected, cut("", name, stored, own.shape, window), window)
        torch.testing.assert_close(stored, expected)


def test_producer_and_consumer_agree() -> None:
    """Where a later layer's weights are zero for all but one channel, that channel reaches it."""
    model = Model(elastic()).eval()
    stem, to = (dict(model.layers())[name].conv.weight for name in ("stem", "to"))
    with torch.no_grad():
        to.zero_()
        to[:, 5] = 1.0
        stem[:5], stem[6:] = 0.0, 0.0
    dressed = Dressed(picks("8"), cyclic(0.25))
    assert 5 in taken(dressed.window, 8, 16)
    assert model(IMAGES, dressed).std(0).sum() > 1e-3


def test_dress_is_found_below_gates_and_compares_by_value() -> None:
    inside = Mixture({}, Dressed(picks(), TRAILING))
    assert dress_of(inside) == (TRAILING, None) and dress_of(EVERYTHING) == (LEADING, None)
    one, other = (Dressed(picks(), cyclic(0.5), torch.tensor([0.5, 0.5])) for _ in range(2))
    assert one == other == copy.deepcopy(one) and hash(one) == hash(other)
    assert one != Dressed(picks(), cyclic(0.5)) and one != Dressed(picks(), TRAILING, one.shots)
    assert one != Dressed(picks(), cyclic(0.5), torch.tensor([0.25, 0.75]))


def test_a_shift_is_a_share() -> None:
    with pytest.raises(SpaceError, match="shift came as 1.0; it is a share"):
        cyclic(1.0)


def test_more_than_is_stored_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"stem: conv\.weight is asked for as \(9,\), the supernet holds \(8,\)"):
        cut("stem", "conv.weight", Tensor(8), (9,))


def test_several_windows_may_run_before_one_backward() -> None:
    """Statistics of one do not spoil the backward of another."""
    model = Model(elastic()).train()
    losses = [model(IMAGES, Dressed(picks("12"), window)).square().sum() for window in (*WINDOWS, *WINDOWS)]
    sum(losses, torch.zeros(())).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_layer_that_needs_the_leading_channels_is_named() -> None:
    net = chain(s=op(ConvNorm, width=choose("width", 4, 8)), t=op(Truncate, width=4), h=op(Classifier, classes=2))
    model = Model(Space("cut off", (3, 8, 8), net)).eval()
    for width, fits in (("8", True), ("4", False)):
        one = Architecture({"s.width": (width,)})
        assert model(IMAGES, one).isfinite().all()
        if fits:
            assert model(IMAGES, Dressed(one, TRAILING)).isfinite().all()
        else:
            with pytest.raises(SpaceError, match=r"t: Truncate came with a window .*keeps the first channels"):
                model(IMAGES, Dressed(one, TRAILING))
