"""Adan, the adaptive Nesterov momentum optimizer, as one torch Optimizer."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from nasengine.errors import RecipeError, TrainingError
from nasengine.training.adan_native import step_natively
from nasengine.training.adan_rule import Move, rates, shared, step_in_blocks, step_together

BETAS = (0.98, 0.92, 0.99)
_KEPT = ("average", "average_difference", "average_square", "previous")  # of a parameter's state, as Move takes them
_kept = itemgetter(*_KEPT)


class Adan(torch.optim.Optimizer):
    """Adan: adaptive Nesterov momentum estimated from differences of gradients.

    Xie et al., 2022, https://arxiv.org/abs/2208.06677; `betas` are one minus the paper's. With gradient g and
    difference d = g - previous g (zero at first), the three averages follow g, d and (g + b2 d)^2.
    After the step the weights are divided by (1 + lr * weight_decay), which is the paper's proximal decay.
    `max_grad_norm` above 0 clips the norm over all groups.
    `foreach` None means: on the CPU one pass over memory where a C++ compiler is found, else block by block in cache;
    grouped kernels on a GPU. False keeps to the blocks, True to the grouped kernels; all agree up to rounding.
    Raises RecipeError for impossible settings, TrainingError for sparse gradients.

    Departures from the authors' code: `p.grad` is left as it was, clipped or not; steps are counted per parameter, so
    one that joins late gets its own bias corrections; the clip norm is summed in the gradients' own type (theirs in
    float32) and takes the constructor's eps. As in that code and not as in the paper, averages begin at zero with
    bias correction, and nothing restarts.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float, float] = BETAS,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        max_grad_norm: float = 0.0,
        foreach: bool | None = None,
    ) -> None:
        _refuse_impossible(lr, betas, eps, weight_decay, max_grad_norm)
        self.max_grad_norm = max_grad_norm
        self.foreach = foreach
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step with the gradients at hand; parameters without one are left alone."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        clip = self._clip_factor()
        for group in self.param_groups:
            for parameters in _alike([p for p in group["params"] if p.grad is not None]):
                self._move(group, parameters, clip)
        return loss

    def _clip_factor(self) -> Tensor | None:
        """Return what every gradient is multiplied by, without waiting for the device."""
        if self.max_grad_norm <= 0:
            return None
        gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        return (self.max_grad_norm / (norm + self.defaults["eps"])).clamp(max=1.0)

    def _move(self, group: dict[str, Any], parameters: list[Tensor], clip: Tensor | None) -> None:
        """Take the step of parameters of one group, device and type, in the fastest way there is for them."""
        states = [self._state_of(parameter, clip) for parameter in parameters]
        of_step = {step: rates(group, step) for step in {state["step"] for state in states}}
        moves = [
            Move((parameter, _gradient(parameter), *_kept(state)), of_step[state["step"]])
            for parameter, state in zip(parameters, states, strict=True)
        ]
        numbers = shared(group)
        if parameters[0].is_cuda if self.foreach is None else self.foreach:
            step_together(numbers, moves, clip)
        else:
            left = moves if self.foreach is False else step_natively(numbers, moves, clip)
            step_in_blocks(numbers, left, clip)

    def _state_of(self, parameter: Tensor, clip: Tensor | None) -> dict[str, Any]:
        """Return a parameter's averages, one step more counted: zero before the first, as is the difference then."""
        state: dict[str, Any] = self.state[parameter]
        if not state:
            gradient = _gradient(parameter)
            if gradient.layout != torch.strided:
                raise TrainingError(
                    "adan: a sparse gradient came; dense ones are allowed; make the layer's sparse=False"
                )
            state["step"] = 0
            for name in _KEPT:
                state[name] = torch.zeros_like(parameter)
            state["previous"].copy_(gradient if clip is None else gradient * clip.to(parameter.device))
        state["step"] += 1
        return state


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _alike(parameters: list[Tensor]) -> list[list[Tensor]]:
    """Group tensors by device and type, as grouped kernels need them."""
    groups: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for parameter in parameters:
        groups.setdefault((parameter.device, parameter.dtype), []).append(parameter)
    return list(groups.values())


def _refuse_impossible(
    lr: float, betas: tuple[float, ...], eps: float, weight_decay: float, max_grad_norm: float
) -> None:
    faults = []
    for name, value in (("lr", lr), ("eps", eps), ("weight_decay", weight_decay), ("max_grad_norm", max_grad_norm)):
        if not value >= 0:
            faults.append(f"adan.{name}: {value} came; numbers from 0 up are allowed")
    if len(betas) != 3 or not all(0 <= beta < 1 for beta in betas):
        faults.append(f"adan.betas: {betas} came; three numbers from 0 to below 1 are allowed")
    if faults:
        raise RecipeError("\n".join(faults))
