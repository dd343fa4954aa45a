"""Adan, the adaptive Nesterov momentum optimizer, as one torch Optimizer."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from nasengine.errors import RecipeError, did_you_mean

DECAYS = ("proximal", "decoupled")
BETAS = (0.98, 0.92, 0.99)


class Adan(torch.optim.Optimizer):
    """Adan: adaptive Nesterov momentum estimated from differences of gradients.

    Xie et al., 2022, https://arxiv.org/abs/2208.06677; `betas` are one minus the paper's. With gradient g and
    difference d = g - previous g (zero at first), the three averages follow g, d and (g + b2 d)^2.
    `decay="proximal"` divides the weights by (1 + lr * weight_decay) after the step, `"decoupled"` multiplies them by
    (1 - lr * weight_decay) before it. `max_grad_norm` above 0 clips the norm over all groups.
    `foreach` None means: a loop tensor by tensor on the CPU, where it stays in cache, and grouped kernels on a GPU.
    Raises RecipeError for impossible settings.

    Departures from the authors' code: `p.grad` is left as it was, clipped or not; steps are counted per parameter, so
    one that joins late gets its own bias corrections; the clip norm is summed in the gradients' own type (theirs in
    float32) and takes the constructor's eps. As in that code and not as in the paper, averages begin at zero with
    bias correction, and nothing restarts by itself: call `restart`.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float, float] = BETAS,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decay: str = "proximal",
        max_grad_norm: float = 0.0,
        foreach: bool | None = None,
    ) -> None:
        _refuse_impossible(lr, betas, eps, weight_decay, decay, max_grad_norm)
        self.max_grad_norm = max_grad_norm
        self.foreach = foreach
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "decay": decay})

    def restart(self) -> None:
        """Forget all averages and step counts; the next step is a first step again."""
        self.state.clear()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step with the gradients at hand; parameters without one are left alone."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        factor = self._clip_factor()
        for group in self.param_groups:
            for parameters in _alike([p for p in group["params"] if p.grad is not None]):
                grouped = parameters[0].is_cuda if self.foreach is None else self.foreach
                if grouped:
                    self._step_together(group, parameters, factor)
                else:
                    for parameter in parameters:
                        self._step_one(group, parameter, factor)
        return loss

    def _clip_factor(self) -> Tensor | None:
        """Return what every gradient is multiplied by, without waiting for the device."""
        if self.max_grad_norm <= 0:
            return None
        gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        return (self.max_grad_norm / (norm + self.defaults["eps"])).clamp(max=1.0)

    def _state_of(self, parameter: Tensor, gradient: Tensor) -> dict[str, Any]:
        state: dict[str, Any] = self.state[parameter]
        if not state:
            state["step"] = 0
            for name in ("average", "average_difference", "average_square"):
                state[name] = torch.zeros_like(parameter)
            state["previous"] = gradient.clone()
        state["step"] += 1
        return state

    def _step_one(self, group: dict[str, Any], parameter: Tensor, factor: Tensor | None) -> None:
        lr, eps, weight_decay = group["lr"], group["eps"], group["weight_decay"]
        b1, b2, b3 = group["betas"]
        gradient: Any = parameter.grad
        if factor is not None:
            gradient = gradient * factor.to(parameter.device)
        state = self._state_of(parameter, gradient)
        average, slope, square = state["average"], state["average_difference"], state["average_square"]
        c1, c2, c3 = (1 - beta ** state["step"] for beta in (b1, b2, b3))

        work = gradient - state["previous"]
        average.lerp_(gradient, 1 - b1)
        slope.lerp_(work, 1 - b2)
        torch.add(gradient, work, alpha=b2, out=work)
        square.mul_(b3).addcmul_(work, work, value=1 - b3)
        # sqrt(square / c3) + eps, with the correction moved into the factors: one pass less
        root = math.sqrt(c3)
        torch.sqrt(square, out=work).add_(eps * root)
        if weight_decay and group["decay"] == "decoupled":
            parameter.mul_(1 - lr * weight_decay)
        parameter.addcdiv_(average, work, value=-lr * root / c1)
        parameter.addcdiv_(slope, work, value=-lr * root * b2 / c2)
        if weight_decay and group["decay"] == "proximal":
            parameter.div_(1 + lr * weight_decay)
        state["previous"].copy_(gradient)

    def _step_together(self, group: dict[str, Any], parameters: list[Tensor], factor: Tensor | None) -> None:
        """Do what `_step_one` does, for all tensors of one device and type in few kernels."""
        lr, eps, weight_decay = group["lr"], group["eps"], group["weight_decay"]
        b1, b2, b3 = group["betas"]
        gradients = [p.grad for p in parameters if p.grad is not None]
        if factor is not None:
            gradients = list(torch._foreach_mul(gradients, factor.to(parameters[0].device)))
        states = [self._state_of(p, g) for p, g in zip(parameters, gradients, strict=True)]
        averages, slopes, squares, previous = (
            [state[name] for state in states]
            for name in ("average", "average_difference", "average_square", "previous")
        )
        c1, c2, c3 = ([1 - beta ** state["step"] for state in states] for beta in (b1, b2, b3))
        roots = [math.sqrt(c) for c in c3]

        work = torch._foreach_sub(gradients, previous)
        torch._foreach_lerp_(averages, gradients, 1 - b1)
        torch._foreach_lerp_(slopes, work, 1 - b2)
        work = torch._foreach_add(gradients, work, alpha=b2)
        torch._foreach_mul_(squares, b3)
        torch._foreach_addcmul_(squares, work, work, value=1 - b3)
        bottom = torch._foreach_sqrt(squares)
        torch._foreach_add_(bottom, [eps * root for root in roots])
        if weight_decay and group["decay"] == "decoupled":
            torch._foreach_mul_(parameters, 1 - lr * weight_decay)
        torch._foreach_addcdiv_(
            parameters, averages, bottom, [-lr * root / c for root, c in zip(roots, c1, strict=True)]
        )
        torch._foreach_addcdiv_(
            parameters, slopes, bottom, [-lr * root * b2 / c for root, c in zip(roots, c2, strict=True)]
        )
        if weight_decay and group["decay"] == "proximal":
            torch._foreach_div_(parameters, 1 + lr * weight_decay)
        torch._foreach_copy_(previous, gradients)


def _alike(parameters: list[Tensor]) -> list[list[Tensor]]:
    """Group tensors by device and type, as grouped kernels need them."""
    groups: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for parameter in parameters:
        groups.setdefault((parameter.device, parameter.dtype), []).append(parameter)
    return list(groups.values())


def _refuse_impossible(
    lr: float, betas: tuple[float, ...], eps: float, weight_decay: float, decay: str, max_grad_norm: float
) -> None:
    faults = []
    for name, value in (("lr", lr), ("eps", eps), ("weight_decay", weight_decay), ("max_grad_norm", max_grad_norm)):
        if not value >= 0:
            faults.append(f"adan.{name}: {value} came; numbers from 0 up are allowed")
    if len(betas) != 3 or not all(0 <= beta < 1 for beta in betas):
        faults.append(f"adan.betas: {betas} came; three numbers from 0 to below 1 are allowed")
    if decay not in DECAYS:
        faults.append(f'adan.decay: "{decay}" came; {" or ".join(DECAYS)} is allowed.{did_you_mean(decay, DECAYS)}')
    if faults:
        raise RecipeError("\n".join(faults))
