"""What a search step waits for: the meta device has no numbers, so whatever asks for one fails or is counted."""

from functools import partial
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nasengine import plugins
from nasengine.search.turns import Turns
from nasengine.training.data import Dataset, Split
from nasengine.training.metrics import Meter
from nasengine.training.recipe import Recipe

META = torch.device("meta")
COPIES = ("_to_copy", "copy_")


class Waiting(TorchDispatchMode):
    """Notes each transfer for which the host waits, and gives zeros for what comes back from the device.

    A copy to the CPU waits; so do one to the device unless it is told not to, and a tensor made of numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, func.overloadpacket.__name__
        if name not in COPIES:
            return func(*args, **kwargs)
        source = args[1] if name == "copy_" else args[0]
        there = args[0].device if name == "copy_" else torch.device(kwargs.get("device") or source.device)
        if source.device == META and there.type == "cpu":
            self.noted.append("to the CPU")
            return torch.zeros(source.shape, dtype=kwargs.get("dtype") or source.dtype)
        blocking = not (kwargs.get("non_blocking") or (name == "copy_" and len(args) > 2 and args[2]))
        if source.device != there and blocking:
            self.noted.append("to the device")
        return func(*args, **kwargs)


@pytest.fixture
def on_meta(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnCPU(torch.Generator):
        """There is none on the meta device."""

        def __new__(cls, device: object = "cpu") -> "OnCPU":
            return super().__new__(cls, "cpu")

    monkeypatch.setattr(torch, "Generator", OnCPU)


def made_of_numbers(make: Any, waiting: Waiting, *args: Any, **words: Any) -> Any:
    """torch.tensor, noted as well: it copies its numbers out of the mode's sight."""
    if torch.device(words.get("device") or "cpu") == META:
        waiting.noted.append("to the device")
    return make(*args, **words)


@pytest.mark.parametrize(("strategy", "track"), [("darts", True), ("pr-darts", True), ("pr-darts", False)])
def test_a_step_waits_for_the_gates_gradients_alone(
    on_meta: None, monkeypatch: pytest.MonkeyPatch, strategy: str, track: bool
) -> None:
    norms = {"affine": False, "track": track, "pool_norm": True, "drop_path": True}
    space = plugins.load_space("darts", {"input": (1, 4, 4), "channels": 2, "layers": 2, "nodes": 2, **norms})
    split = Split(torch.zeros(16, 1, 4, 4), torch.zeros(16, dtype=torch.int64))
    data = Dataset("none", split, split, split, (1, 4, 4), 3, "none", (), (), ())
    recipe = Recipe(epochs=1, batch=4, clip=1.0, label_smoothing=0.1, optimizer="sgd")
    turns = Turns(space, plugins.load_strategy(strategy, space), data, recipe, 0, META)
    turns.model.train()
    batch = (turns.for_weights.images[:4], turns.for_weights.labels[:4])
    meters = Meter(), Meter()
    with Waiting() as waiting:
        monkeypatch.setattr(torch, "tensor", partial(made_of_numbers, torch.tensor, waiting))
        turns.step(batch, meters)
        waiting.noted.clear()  # the first step shuffles the gates' images
        turns.step(batch, meters)
    assert waiting.noted == ["to the CPU"]
