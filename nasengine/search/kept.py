"""What a gradient search keeps of itself, so that it goes on after an interruption to the same numbers."""

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from nasengine.search.turns import Turns


def state(turns: "Turns") -> dict[str, Any]:
    """All that the next epochs depend on: tensors, numbers and text."""
    found = {
        "history": turns.history,
        "model": turns.model.state_dict(),
        "gates": [gate.detach() for gate in turns.gates],
        "optimizers": [optimizer.state_dict() for optimizer in _optimizers(turns)],
        "generators": [generator.get_state() for generator in _generators(turns)],
        "global": torch.get_rng_state(),
    }
    if turns.for_gates is not None:
        found["left"] = turns.for_gates.left
    if hasattr(turns.relaxation, "state"):
        found["own"] = turns.relaxation.state()
    if turns.device.type == "cuda":
        found["global_cuda"] = torch.cuda.get_rng_state(turns.device)
    return found


def take_up(turns: "Turns", state: dict[str, Any]) -> None:
    """Go on from what `state` gave."""
    turns.model.load_state_dict(state["model"])
    with torch.no_grad():
        for gate, saved in zip(turns.gates, state["gates"], strict=True):
            gate.copy_(saved)
    for optimizer, saved in zip(_optimizers(turns), state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    for generator, saved in zip(_generators(turns), state["generators"], strict=True):
        generator.set_state(saved)
    if turns.for_gates is not None:
        turns.for_gates.left = state["left"]
    if hasattr(turns.relaxation, "take_up"):
        turns.relaxation.take_up(state["own"])
    turns.history = state["history"]
    torch.set_rng_state(state["global"])
    if turns.device.type == "cuda" and "global_cuda" in state:
        torch.cuda.set_rng_state(state["global_cuda"], turns.device)


def _optimizers(turns: "Turns") -> list[torch.optim.Optimizer]:
    return [turns.optimizer] if turns.gate_optimizer is None else [turns.optimizer, turns.gate_optimizer]


def _generators(turns: "Turns") -> list[torch.Generator]:
    return [*turns.orders, turns.draws, turns.changes]
