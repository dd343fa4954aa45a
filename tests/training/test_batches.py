import torch

from nasengine.training.batches import batches
from nasengine.training.data import Split


def split(count):
    return Split(torch.arange(count * 4.0).view(count, 1, 2, 2), torch.arange(count))


def test_in_order_without_a_generator():
    parts = list(batches(split(7), 3))
    assert [labels.tolist() for _, labels in parts] == [[0, 1, 2], [3, 4, 5], [6]]
    assert parts[1][0][:, 0, 0, 0].tolist() == [12.0, 16.0, 20.0]


def test_shuffled_passes_differ_and_hold_every_image_once():
    generator = torch.Generator().manual_seed(0)
    passes = [torch.cat([labels for _, labels in batches(split(50), 8, generator)]) for _ in range(2)]
    assert not torch.equal(*passes)
    for one in passes:
        assert torch.equal(one.sort().values, torch.arange(50))
    again = torch.cat([labels for _, labels in batches(split(50), 8, torch.Generator().manual_seed(0))])
    assert torch.equal(again, passes[0])


def test_drop_last_keeps_the_only_batch():
    assert [len(labels) for _, labels in batches(split(7), 3, drop_last=True)] == [3, 3]
    assert [len(labels) for _, labels in batches(split(7), 9, drop_last=True)] == [7]
    assert [len(labels) for _, labels in batches(split(6), 3, drop_last=True)] == [3, 3]
