"""What a search step waits for: the meta device has no numbers, so whatever asks for one fails or is counted."""

from collections.abc import Callable
from functools import partial

import pytest
import torch

from nasengine import plugins
from nasengine.search.graphed import Graphs
from nasengine.search.graphed_cuda import Learn
from nasengine.search.turns import Turns
from nasengine.training.data import Dataset, Split
from nasengine.training.metrics import Meter
from nasengine.training.recipe import Recipe
from tests.waiting import META, Waiting, made_of_numbers


@pytest.fixture
def on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnCPU(torch.Generator):
        """There is none on the meta device."""

        def __new__(cls, device: object = "cpu") -> "OnCPU":
            return super().__new__(cls, "cpu")

    monkeypatch.setattr(torch, "Generator", OnCPU)


Lent = Callable[[str, bool], Turns]


@pytest.fixture
def on_meta(on_cpu: None) -> Lent:
    """`on_meta(strategy, track)`: the turns of a small DARTS search."""

    def make(strategy: str, track: bool) -> Turns:
        norms = {"affine": False, "track": track, "pool_norm": True, "drop_path": True}
        space = plugins.load_space("darts", {"input": (1, 4, 4), "channels": 2, "layers": 2, "nodes": 2, **norms})
        split = Split(torch.zeros(16, 1, 4, 4), torch.zeros(16, dtype=torch.int64))
        data = Dataset("none", split, split, split, (1, 4, 4), 3, "none", (), (), ())
        recipe = Recipe(epochs=1, batch=4, clip=1.0, label_smoothing=0.1, optimizer="sgd")
        turns = Turns(space, plugins.load_strategy(strategy, space), data, recipe, 0, META)
        turns.model.train()
        return turns

    return make


def waits_of_a_step(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    batch = (turns.for_weights.images[:4], turns.for_weights.labels[:4])
    meters = Meter(), Meter()
    with Waiting() as waiting:
        monkeypatch.setattr(torch, "tensor", partial(made_of_numbers, torch.tensor, waiting))
        turns.step(batch, meters)
        waiting.noted.clear()  # the first step shuffles the gates' images
        turns.step(batch, meters)
    return waiting.noted


@pytest.mark.parametrize(("strategy", "track"), [("darts", True), ("pr-darts", True), ("pr-darts", False)])
def test_a_step_waits_for_the_gates_gradients_alone(
    on_meta: Lent, monkeypatch: pytest.MonkeyPatch, strategy: str, track: bool
) -> None:
    assert waits_of_a_step(on_meta(strategy, track), monkeypatch) == ["to the CPU"]


@pytest.mark.parametrize("track", [True, False])
def test_what_is_recorded_waits_for_nothing(on_meta: Lent, monkeypatch: pytest.MonkeyPatch, track: bool) -> None:
    """A recording breaks where the host waits; with graphs a step waits for the gates' gradients alone, too."""
    turns, recorded = on_meta("darts", track), []

    def capture(learn: Learn) -> Learn:
        with Waiting() as waiting:
            monkeypatch.setattr(torch, "tensor", partial(made_of_numbers, torch.tensor, waiting))
            held = learn()
        recorded.append(waiting.noted)
        return lambda: held

    turns.graphs = Graphs(turns.weights, capture)
    assert waits_of_a_step(turns, monkeypatch) == ["to the CPU"]
    assert recorded == [[], []]
