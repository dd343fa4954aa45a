"""Learning rates over a training."""

import math

from nasengine.training.recipe import Recipe

END = 0.05  # where "constant-ending" stays, as a share of the first rate
FALL = 2 / 3  # of the training, until it is there


def rate(recipe: Recipe, epoch: float) -> float:
    """Return the learning rate at a moment counted in epochs (2.5 is the middle of the third).

    With `schedule_per="epoch"` it is the rate of the epoch's beginning throughout, as in DARTS' recipes. A warm-up
    rises linearly, and the schedule then runs over the epochs that are left. The cosine is half a wave (Loshchilov and
    Hutter, 2017, https://arxiv.org/abs/1608.03983) without restarts. "constant-ending" is BigNAS' (Yu et al., 2020,
    https://arxiv.org/abs/2003.11142), its length set relative to the training.
    """
    if recipe.schedule_per == "epoch":
        epoch = math.floor(epoch)
    if epoch < recipe.warmup:
        # A whole epoch at rate zero would be wasted, one step at a hundredth is not.
        risen = (epoch + 1) / (recipe.warmup + 1) if recipe.schedule_per == "epoch" else epoch / recipe.warmup
        return recipe.lr * max(risen, 0.01)
    done = min((epoch - recipe.warmup) / (recipe.epochs - recipe.warmup), 1.0)
    if recipe.schedule == "cosine":
        return recipe.min_lr + (recipe.lr - recipe.min_lr) * (1 + math.cos(math.pi * done)) / 2
    if recipe.schedule == "linear":
        return recipe.lr + (recipe.min_lr - recipe.lr) * done
    if recipe.schedule == "exponential":
        return max(recipe.lr * recipe.gamma ** (epoch - recipe.warmup), recipe.min_lr)
    if recipe.schedule == "constant-ending":
        return max(recipe.lr * END ** min(done / FALL, 1.0), recipe.min_lr)
    return recipe.lr
