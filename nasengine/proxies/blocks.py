"""Where a network's blocks begin, read off the names of its modules."""

from typing import Any

from torch import Tensor, nn


def block_of(name: str) -> str:
    """The block that a module belongs to: its name up to the last of the first numbers in it, or the whole of it.

    `stage1.blocks.0.mixer` is part of `stage1.blocks.0`, `layer1.0.1` of `layer1.0.1`, `stem` and `stage1.downsampling`
    stand for themselves.
    """
    parts = name.split(".")
    numbers = [i for i, part in enumerate(parts) if part.isdigit()]
    last = len(parts) - 1
    for i in numbers:
        last = i
        if i + 1 not in numbers:
            break
    return ".".join(parts[: last + 1])


def maps_between_blocks(network: nn.Module, images: Tensor) -> list[Tensor]:
    """What each block but the first reads from the one before, (batch, channels, height, width), in order of the run.

    Only the outermost calls count: a module that is called by another belongs to that one's block.
    """
    maps: list[Tensor] = []
    current, depth = None, 0

    def enter(name: str, inputs: tuple[Any, ...]) -> None:
        nonlocal current, depth
        if depth == 0 and block_of(name) != current:
            if current is not None and isinstance(inputs[0], Tensor) and inputs[0].dim() == 4:
                maps.append(inputs[0])
            current = block_of(name)
        depth += 1

    def leave(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    hooks = []
    for name, module in network.named_modules():
        holds_blocks = any(child.isdigit() for child, _ in module.named_children())
        if name and not holds_blocks:
            hooks.append(module.register_forward_pre_hook(lambda _, inputs, name=name: enter(name, inputs)))
            hooks.append(module.register_forward_hook(leave))
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return maps
