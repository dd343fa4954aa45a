"""How far a student's soft predictions are from a teacher's: divergences whose gradients teach the student."""

import torch
from torch import Tensor
from torch.nn import functional

CLIP = 5.0  # the most that a ratio of probabilities, or its inverse, counts
SIDES = (-1.0, 1.0)  # alphas of the adaptive divergence: what weighs is to think too much of a class, or too little


def kl(student: Tensor, teacher: Tensor) -> Tensor:
    """The mean of KL(teacher, student) over a batch of logits (batch, classes); the teacher's are constants."""
    known, learned = teacher.detach().log_softmax(1), student.log_softmax(1)
    return functional.kl_div(learned, known, reduction="batchmean", log_target=True)


def alpha_divergence(student: Tensor, teacher: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """The alpha-divergence of each image's predictions (batch,), and a loss (batch,) with its gradient.

    With the teacher's probabilities p, the student's q and r = p / q, the divergence is the sum over the classes of
    q (r^alpha - 1) / (alpha (alpha - 1)), and KL(p, q) at alpha 1. Its gradient with respect to log q is
    -q r^alpha / alpha and a multiple of q, which no logit feels; so it is that of -(q r^alpha / alpha) log q with the
    factor held constant. r^alpha is clipped. AlphaNet (Wang et al., 2021, https://arxiv.org/abs/2102.07954).
    """
    known, learned = teacher.detach().log_softmax(1), student.log_softmax(1)
    constant = learned.detach()
    power = (alpha * (known - constant)).exp().clamp(max=CLIP)
    if alpha == 1.0:
        value = (known.exp() * (known - constant)).sum(1)
    else:
        value = (constant.exp() * (power - 1)).sum(1) / (alpha * (alpha - 1))
    return value, -(constant.exp() * power / alpha * learned).sum(1)


def adaptive(student: Tensor, teacher: Tensor) -> Tensor:
    """For each image the side with the larger divergence, averaged: a loss to learn from, whose value says nothing."""
    (much, much_loss), (little, little_loss) = (alpha_divergence(student, teacher, alpha) for alpha in SIDES)
    return torch.where(much > little, much_loss, little_loss).mean()
