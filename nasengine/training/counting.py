"""How often each class was there, was said, and was said rightly: all that figures of classes are made of."""

import torch
from torch import Tensor

IGNORED = 255  # the label of pixels that count nothing


def counts(said: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return (3, classes) whole numbers: rightly said, in the labels, said; ignored labels are left out.

    `said` and `labels` are whole numbers of one shape. A whole table of confusions would not fit where classes are
    many. Nothing waits for a GPU.
    """
    counted = labels != IGNORED if labels.dim() > 1 else torch.ones_like(labels, dtype=torch.bool)
    right = counted & (said == labels)
    return torch.stack(
        [_histogram(labels, right, classes), _histogram(labels, counted, classes), _histogram(said, counted, classes)]
    )


def _histogram(values: Tensor, counted: Tensor, classes: int) -> Tensor:
    where = torch.where(counted, values, 0).flatten()
    found = torch.zeros(classes, dtype=torch.int64, device=values.device)
    return found.scatter_add_(0, where, counted.flatten().long())


def recall(table: Tensor) -> float:
    """Return the mean over the classes that are there of the share of them that was found: balanced accuracy."""
    right, there, _ = table.double()
    return float((right / there)[there > 0].mean()) if (there > 0).any() else 0.0


def f1(table: Tensor) -> float:
    """Return the mean over classes of 2 right / (there + said), over those that are there or were said: macro F1."""
    right, there, said = table.double()
    return _mean(2 * right, there + said)


def iou(table: Tensor) -> float:
    """Return the mean over classes of right / (there or said), over those that are there or were said."""
    right, there, said = table.double()
    return _mean(right, there + said - right)


def _mean(over: Tensor, under: Tensor) -> float:
    return float((over / under)[under > 0].mean()) if (under > 0).any() else 0.0


def balanced_weights(labels: Tensor) -> Tensor:
    """Return a weight for each class up to the largest label: inverse to how often it is there.

    Their mean over the labels is 1; classes that are not there weigh nothing. scikit-learn calls these "balanced".
    """
    kept = labels[labels != IGNORED] if labels.dim() > 1 else labels
    there = torch.bincount(kept.flatten()).double()
    weights = kept.numel() / (there.clamp(min=1) * max(int((there > 0).sum()), 1))
    return torch.where(there > 0, weights, 0.0).float()


def sized(weights: Tensor, classes: int) -> Tensor:
    """Return the weights of all classes that a network tells apart; those beyond the labels weigh nothing."""
    return torch.nn.functional.pad(weights, (0, classes - len(weights)))
