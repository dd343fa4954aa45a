"""Batch norms' running statistics, estimated anew for a network whose weights were trained inside another."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from nasengine.errors import TrainingError
from nasengine.training.batches import batches as batches_of
from nasengine.training.data import Split


@torch.no_grad()
def estimate_statistics(model: nn.Module, split: Split, *, batches: int = 20, batch: int = 64, seed: int = 0) -> int:
    """Give every batch norm the mean of the means and variances that it sees in so many batches; returns how many.

    The images (N, channels, height, width) come shuffled by the seed, each at most once, in batches of one size: all
    count the same. Only the batch norms are in training mode meanwhile; dropout and drop path are off, weights stay,
    and so do the model's mode and torch's global generators. A batch norm that is not run keeps its statistics, and
    where there are none to estimate nothing is run. Variances are those of samples (divided by n - 1), as in training.
    Raises TrainingError for fewer than two images, of which there is no variance.

    Without this the accuracies of sampled networks are near chance: Single path one-shot (Guo et al., 2020,
    https://arxiv.org/abs/1904.00420); BigNAS (Yu et al., 2020, https://arxiv.org/abs/2003.11142).
    """
    norms = [norm for norm in model.modules() if isinstance(norm, _BatchNorm) and norm.track_running_stats]
    if not norms:
        return 0
    size = min(batch, len(split))
    if size < 2 or batches < 1:
        raise TrainingError(
            f"statistics: {batches} batches of {size} came; norms over a batch need at least one batch of two images"
        )
    assert norms[0].running_mean is not None
    device = norms[0].running_mean.device
    shuffled = batches_of(split, size, torch.Generator().manual_seed(seed), drop_last=True)
    with _only_these_train(model, norms):
        for done, (images, _) in enumerate(shuffled, 1):
            model(images.to(device).contiguous(memory_format=torch.channels_last))
            if done == batches:
                break
    return done


@contextlib.contextmanager
def _only_these_train(model: nn.Module, norms: list[_BatchNorm]) -> Iterator[None]:
    """The norms in training mode, averaging all that they see; all else as in evaluation."""
    modes = {module: module.training for module in model.modules()}
    momenta = {norm: norm.momentum for norm in norms}
    model.eval()
    for norm in norms:
        norm.train()
        norm.momentum = None  # torch's word for the plain average over all batches
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked.zero_()  # the first batch then replaces what was there
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
        for norm, momentum in momenta.items():
            norm.momentum = momentum
