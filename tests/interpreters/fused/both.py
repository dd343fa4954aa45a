"""A supernet run by the walk and by the fused network, in double precision, and what differs."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from nasengine.interpreters.fused.network import Fused
from nasengine.interpreters.model import Model
from nasengine.space import Mixture, Picks, Space

Gates = Mapping[str, Mapping[str, Any]]


def near(one: Tensor, other: Tensor, size: float = 1.0) -> bool:
    """Equal but for the last digits, by this size or that of the larger numbers in it."""
    if one.shape != other.shape:
        return False
    return not one.numel() or bool((one - other).abs().max() <= 1e-10 * max(size, float(one.abs().max())))


def made(space: Space) -> Model:
    """A supernet whose norms scale by numbers of their own."""
    torch.manual_seed(0)
    model = Model(space).double().train()
    for weight in model.parameters():
        if weight.dim() == 1:
            weight.data += 0.3 * torch.randn_like(weight)
    return model


def seen(
    network: Callable[[Tensor, Picks], Tensor], model: Model, images: Tensor, mixture: Mixture
) -> dict[str, Tensor | None]:
    """Output, gradients and buffers after one batch, by name."""
    by_decision = {
        n: {o: g.detach().clone().requires_grad_() if isinstance(g, Tensor) else g for o, g in gates.items()}
        for n, gates in mixture.by_decision.items()
    }
    output = network(images, Mixture(by_decision, mixture.base))
    slopes = torch.randn(output.shape, generator=torch.Generator().manual_seed(5), dtype=output.dtype)
    (output * slopes).sum().backward()  # type: ignore[no-untyped-call]
    found: dict[str, Tensor | None] = {"output": output.detach()}
    for name, gates in by_decision.items():
        # a gate before zeros has no gradient, or one of zeros
        tensors = {o: g for o, g in gates.items() if isinstance(g, Tensor)}
        found |= {f"gate {name} {o}": torch.zeros_like(g) if g.grad is None else g.grad for o, g in tensors.items()}
    found |= {f"weight {name}": weight.grad for name, weight in model.named_parameters()}
    return found | {f"buffer {name}": buffer.double() for name, buffer in model.named_buffers()}


def differences(
    model: Model, mixture: Mixture, images: Tensor | None = None, prepare: Callable[[Model], Any] = lambda model: None
) -> list[str]:
    """What is not the same after one batch in the walk and in the fused network; `prepare` readies a model before."""
    if images is None:
        size = (4, *model.space.input)
        images = torch.randn(size, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    walked, fused = copy.deepcopy(model), copy.deepcopy(model)
    network = Fused(fused)
    for one in (walked, fused):
        prepare(one)
    torch.manual_seed(7)
    wanted = seen(walked, walked, images, mixture)
    torch.manual_seed(7)
    found = seen(network, fused, images, mixture)
    # before a norm some gradients are zero but for what is left of large numbers
    slopes = [float(x.abs().max()) for name, x in wanted.items() if x is not None and name.startswith("weight")]
    sizes = {name: max(1.0, *slopes) if name.startswith(("weight", "gate")) else 1.0 for name in wanted}
    return [name for name, value in wanted.items() if not _same(value, found[name], sizes[name])]


def _same(one: Tensor | None, other: Tensor | None, size: float) -> bool:
    if one is None or other is None:
        return one is other
    return near(one, other, size)


def is_fused(model: Model, mixture: Mixture) -> bool:
    """Whether the fused network runs this itself."""
    network = Fused(copy.deepcopy(model))
    return network.fits and network._live(mixture) is not None


def with_all(space: Space, gate: Any = 0.5) -> Mixture:
    """Every option between layers on."""
    return Mixture({n: dict.fromkeys(d.relaxed, gate) for n, d in space.decisions.items() if not d.of_values})
