"""How a policy learns from rewards: REINFORCE, clipped PPO, the baseline, and the correction of replayed results."""

from dataclasses import dataclass

import torch
from torch import Tensor


def reinforce_loss(logs: Tensor, advantages: Tensor) -> Tensor:
    """-log pi(a) (R - b), averaged over rollouts (Williams, 1992, https://doi.org/10.1007/BF00992696).

    Its expected gradient is the gradient of the expected reward, turned round.
    """
    return -(logs * advantages).mean()


def ppo_loss(logs: Tensor, old: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """-min(r A, clip(r, 1 - e, 1 + e) A), averaged; r is the chance now over the chance when drawn.

    Schulman et al., 2017, https://arxiv.org/abs/1707.06347. Where both policies are the same, r is exactly 1 and the
    gradient is that of `reinforce_loss`.
    """
    ratio = (logs - old).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()


def correction(logs: Tensor, behaviour: Tensor, most: float) -> Tensor:
    """The product over the draws of pi(now) / pi(then), no larger than `most`: exactly 1 where the policy is the same.

    The off-policy factor of FNAS (Liu et al., 2021, https://arxiv.org/abs/2105.11694): it multiplies the advantage of
    a replayed result.
    """
    return (logs - behaviour).exp().clamp(max=most)


@dataclass
class Baseline:
    """Exponential moving average of the rewards, free of the bias towards zero that such averages start with.

    `inclusive` takes the current reward in before the advantage is formed, as As-ViT's code does; otherwise the
    baseline is that of past rewards. Either way the very first advantage is exactly 0.
    """

    momentum: float
    inclusive: bool
    total: float = 0.0
    weight: float = 0.0

    def advantage(self, reward: float) -> float:
        """How much better than expected this reward is; it counts in what is expected next."""
        before = self.total / self.weight if self.weight else reward
        self.total = self.momentum * self.total + (1 - self.momentum) * reward
        self.weight = self.momentum * self.weight + (1 - self.momentum)
        if self.weight == 1 - self.momentum:  # the first: dividing would leave a rounding error
            return 0.0
        return reward - (self.total / self.weight if self.inclusive else before)
