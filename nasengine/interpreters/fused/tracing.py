"""Layers tried on a value without numbers; whatever that changes is put back."""

import random
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy
import torch
from torch import fx, nn

FRESH = vars(nn.Module())  # what every module holds
HOOKS = [name for name in FRESH if name.endswith("_hooks")]


class Unknown(Exception):
    """A layer does something that is not known to work for many at once; the message says what."""


class _Tracer(fx.Tracer):
    proxy_buffer_attributes = True  # what a layer makes of their numbers is not settled


def traced(layer: nn.Module, training: bool) -> list[Any]:
    """What a layer calls, node after node; Unknown where that depends on more than its kind."""
    with _put_back(layer) as changed:
        try:
            found = _Tracer().trace(layer.train(training))
        except Exception as error:  # whatever a layer's own code raises when its input has no numbers
            raise Unknown(f"it cannot be traced ({type(error).__name__}: {error})") from error
        if changed():
            raise Unknown("it changes itself, or draws random numbers, as it runs")
    return list(found.nodes)


@contextmanager
def _put_back(layer: nn.Module) -> Iterator[Any]:
    """Undo what is done meanwhile to a layer and to the generators; gives what says whether anything was."""
    held = [(module, dict(vars(module))) for module in layer.modules()]
    plain, numbers, chance = random.getstate(), numpy.random.get_state(), torch.get_rng_state()

    def changed() -> bool:
        kept = all(
            was.keys() == vars(module).keys()
            and all(value is was[name] for name, value in vars(module).items() if name != "training")
            for module, was in held
        )
        still = random.getstate() == plain and repr(numpy.random.get_state()) == repr(numbers)
        return not (kept and still and torch.equal(torch.get_rng_state(), chance))

    try:
        yield changed
    finally:
        for module, was in held:
            vars(module).clear()
            vars(module).update(was)
        random.setstate(plain)
        numpy.random.set_state(numbers)
        torch.set_rng_state(chance)


def likeness(layer: nn.Module) -> Hashable:
    """What layers have in common that do the same but for the numbers in their tensors.

    Raises Unknown where more happens in a layer than its class says, or other things from run to run.
    """
    found = []
    for path, module in layer.named_modules():
        if getattr(module, "training_only", False) or hasattr(module, "set_drop_rate"):
            raise Unknown("it draws random numbers in training")
        own = vars(module)
        if "forward" in own or any(own.get(name) for name in HOOKS):
            raise Unknown("it has hooks")
        held = [*module._parameters.items(), *module._buffers.items()]
        tensors = [(name, tensor if tensor is None else tuple(tensor.shape)) for name, tensor in held]
        plain = [(name, _frozen(value)) for name, value in own.items() if name not in FRESH]
        found.append((path, type(module), tuple(tensors), tuple(plain)))
    return tuple(found)


def _frozen(value: Any) -> Hashable:
    """A setting as something to be compared: by what it is where that is plain, else by which one it is."""
    match value:
        case None | bool() | int() | float() | str():
            return type(value), value
        case tuple() | list():
            return type(value), tuple(map(_frozen, value))
    return type(value), id(value)
