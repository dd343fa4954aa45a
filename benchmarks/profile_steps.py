"""Which torch operators, and which kinds of layer, a few steps of a job spend their time in, by torch's profiler."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

LAYER = "layer "
BACKWARD = "autograd::engine::evaluate_function: "


class Enough(BaseException):
    """All steps are seen: the job is not wanted any longer."""


@dataclass
class Steps:
    """Seconds of the steps that were seen, by the clock, by operator and by kind of layer."""

    wall: float = 0.0
    operators: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    layers: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


def profiled(job: Callable[[], object], skip: int, steps: int, named: bool = False) -> Steps:
    """Run a job until so many steps of its optimizers are seen, after some that are not, and stop it there.

    Layers are known where they are `named`, which slows Python down: trust the seconds of a run without.
    """
    profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], acc_events=True)
    counted, began = 0, 0.0

    def stepped(*_: object) -> None:
        nonlocal counted, began
        counted += 1
        if counted == skip:
            profiler.start()
            sys.setprofile(_Names() if named else None)
            began = time.perf_counter()
        elif counted == skip + steps:
            raise Enough

    hook = register_optimizer_step_post_hook(stepped)
    try:
        job()
    except Enough:
        wall = time.perf_counter() - began
        sys.setprofile(None)
        profiler.stop()
        return _read(profiler.events(), wall)
    finally:
        hook.remove()
    raise RuntimeError(f"the job ended after {counted} steps of its optimizers; {skip + steps} were asked for")


class _Names:
    """Puts names around what our layers and the fused supernet's functions send to torch, as Python calls them."""

    def __init__(self) -> None:
        self._open: list[tuple[FrameType, Any]] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (name := _name(frame)):
            self._open.append((frame, torch.profiler.record_function(LAYER + name)))
            self._open[-1][1].__enter__()
        elif event == "return" and self._open and self._open[-1][0] is frame:
            self._open.pop()[1].__exit__(None, None, None)


def _name(frame: FrameType) -> str | None:
    """The layer's class in its forward, or the function's name where edges are computed together."""
    code = frame.f_code
    if "/nasengine/" not in code.co_filename:
        return None
    if code.co_name == "forward" and isinstance(layer := frame.f_locals.get("self"), torch.nn.Module):
        return type(layer).__name__
    return f"fused: {code.co_qualname}" if "/fused/" in code.co_filename and "<" not in code.co_qualname else None


def _read(events: Any, wall: float) -> Steps:
    """Sum up own times; a backward belongs to the layer in whose forward its node was made."""
    found, made_in = Steps(wall), dict[int, str]()
    for event in events:
        if event.sequence_nr >= 0 and not event.name.startswith(BACKWARD) and (layer := _layer(event)):
            made_in[event.sequence_nr] = layer
    for event in events:
        spent = event.self_cpu_time_total / 1e6
        name = "Python and native code of layers" if event.name.startswith(LAYER) else event.name
        found.operators[name.removeprefix(BACKWARD).removeprefix("aten::")] += spent
        found.layers[_layer(event) or made_in.get(_node(event), "outside of layers")] += spent
    missing = wall - sum(found.operators.values())
    found.operators["Python outside of layers and torch"] += missing
    found.layers["outside of layers"] += missing
    return found


def _layer(event: Any) -> str | None:
    """The innermost layer in whose forward an event was."""
    while event is not None:
        if event.name.startswith(LAYER):
            return str(event.name.removeprefix(LAYER))
        event = event.cpu_parent
    return None


def _node(event: Any) -> int:
    """The number of the node of the backward that an event was part of; -1 without one."""
    while event is not None and not event.name.startswith(BACKWARD):
        event = event.cpu_parent
    return -1 if event is None else int(event.sequence_nr)
