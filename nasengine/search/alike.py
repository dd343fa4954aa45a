"""What keeps the processes of a group at one supernet: the same gates and statistics, and dropout of their own."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasengine.search.group import Alone


def same_gates(group: Alone, generator: torch.Generator, gates: Sequence[Tensor]) -> None:
    """Bring gates, and what they are drawn with, from the first process: processors differ in their last digits."""
    if group.size > 1:
        state = generator.get_state()
        group.copy([state, *gates])
        generator.set_state(state)


def draw_apart(group: Alone, seed: int, epoch: int) -> None:
    """Let layers that draw, such as dropout, draw apart in each process; the same again after a restart."""
    if group.rank > 0:
        torch.manual_seed(seed + ((epoch + 1) * group.size + group.rank) * 2**20)


def join_statistics(group: Alone, model: nn.Module) -> None:
    """Average what norms have seen of their own parts, so that there is one model."""
    seen = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
    if group.size > 1 and seen:
        torch._foreach_copy_(seen, group.average(seen))
