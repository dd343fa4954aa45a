"""The two halves of the training images, and batches without end."""

import torch

from nasengine.search.halves import Endless, halves
from nasengine.training.data import Split


def numbered(count):
    return Split(torch.arange(count, dtype=torch.float32).reshape(count, 1, 1, 1), torch.arange(count))


def test_the_halves_share_no_image_and_hold_all():
    first, second = halves(numbered(11), seed=0)
    assert len(first) == 6 and len(second) == 5
    assert sorted([*first.labels.tolist(), *second.labels.tolist()]) == list(range(11))
    assert torch.equal(first.images.flatten().long(), first.labels)
    assert torch.equal(halves(numbered(11), seed=0)[0].labels, first.labels)
    assert not torch.equal(halves(numbered(11), seed=1)[0].labels, first.labels)


def test_batches_go_on_through_all_images_before_any_comes_again():
    source = Endless(numbered(10), 5, torch.Generator().manual_seed(0))
    passes = [sorted([*source.next()[1].tolist(), *source.next()[1].tolist()]) for _ in range(3)]
    assert passes == [list(range(10))] * 3


def test_a_batch_is_always_full_or_the_whole_split():
    assert [len(Endless(numbered(7), 3, torch.Generator()).next()[1]) for _ in range(3)] == [3, 3, 3]
    assert len(Endless(numbered(3), 8, torch.Generator()).next()[1]) == 3
