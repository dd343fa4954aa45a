"""Where a network's blocks begin, read off the names of its modules."""

from typing import Any

from torch import Tensor, nn

from nasengine.proxies.probe import weighted


def block_of(name: str) -> str:
    """The block that a module belongs to: its name up to the last of the first numbers in it, or the whole of it.

    `stage1.blocks.0.mixer` is part of `stage1.blocks.0`, `layer1.0.1` of `layer1.0.1`, `stem` stands for itself.
    """
    parts = name.split(".")
    end = next((i for i, part in enumerate(parts) if part.isdigit()), len(parts))
    while end < len(parts) and parts[end].isdigit():
        end += 1
    return ".".join(parts[:end])


def maps_between_blocks(network: nn.Module, images: Tensor) -> list[Tensor]:
    """What each block but the first reads first, (batch, channels, height, width), in the order of the run.

    Only the outermost calls count: a module that is called by another belongs to that one's block. Blocks are the
    numbered members of a series and, outside of such, what holds weights; anything else goes with the block before it.
    """
    maps: list[Tensor] = []
    current, depth = "", 0

    def enter(name: str, inputs: tuple[Any, ...]) -> None:
        nonlocal current, depth
        if depth == 0 and block_of(name) != current:
            read = inputs[0]
            if current and isinstance(read, Tensor) and read.dim() == 4 and not (maps and maps[-1] is read):
                maps.append(read)
            current = block_of(name)
        depth += 1

    def leave(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    hooks = []
    for name, module in network.named_modules():
        if name and _begins(name, module):
            hooks.append(module.register_forward_pre_hook(lambda _, inputs, name=name: enter(name, inputs)))
            hooks.append(module.register_forward_hook(leave))
    network(images)
    for hook in hooks:
        hook.remove()
    return maps


def _begins(name: str, module: nn.Module) -> bool:
    """Whether a module may be where a block begins; one that holds a series is none itself."""
    if any(child.isdigit() for child, _ in module.named_children()):
        return False
    return any(part.isdigit() for part in name.split(".")) or any(True for _ in weighted(module))
