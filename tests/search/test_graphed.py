"""Halves of steps that are recorded teach what they teach without; here a recording is run again."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nasengine import plugins
from nasengine.search import graphed
from nasengine.search.graphed import graphs_for
from nasengine.search.group import ALONE, Alone
from nasengine.space import Space
from nasengine.strategies.darts import Darts
from nasengine.strategies.pr_darts import PRDarts
from tests.search.recorded import RECIPE, Again, Made, agree, near, steps

CPU = torch.device("cpu")
CELLS = {"input": (1, 6, 6), "channels": 2, "layers": 2, "drop_path": False}


@pytest.mark.parametrize("name", ["small", "darts"])
def test_three_steps_are_those_without_recordings(made: Made, small_space: Space, name: str) -> None:
    norms = {"affine": False, "pool_norm": True}
    chosen = small_space if name == "small" else plugins.load_space("darts", CELLS | norms)
    again = Again()
    plain, recorded = made(space=chosen), made(space=chosen, again=again)
    before = [gate.detach().clone() for gate in recorded.gates]
    assert all(map(near, steps(plain, [8] * 3), steps(recorded, [8] * 3)))
    agree(plain, recorded)
    assert (again.recorded, again.repeated) == (2, 6)
    assert not any(map(near, before, recorded.gates))


def test_weights_that_no_loss_reaches_have_no_gradient(made: Made) -> None:
    """An optimizer with weight decay would move them."""
    plain, recorded = made(weight_decay=0.1), made(weight_decay=0.1, again=Again())
    for turns in (plain, recorded):
        lone = nn.Parameter(torch.ones(3, dtype=torch.float64))
        turns.weights.append(lone)
        turns.optimizer.add_param_group({"params": [lone]})
        steps(turns, [8, 8])
        assert lone.grad is None and torch.equal(lone, torch.ones_like(lone))
    agree(plain, recorded)


def test_batches_of_another_size_run_without(made: Made) -> None:
    again = Again()
    plain, recorded = made(), made(again=again)
    assert all(map(near, steps(plain, [8, 5, 8]), steps(recorded, [8, 5, 8])))
    agree(plain, recorded)
    assert (again.recorded, again.repeated) == (2, 5)  # the gates' batches are all full


class Sampled(PRDarts):
    """Without its penalty, which is in single precision."""

    def penalty(self) -> Tensor:
        return torch.zeros(())


@pytest.mark.parametrize("variant", ["code", "paper"])
def test_gates_that_are_sampled_run_without(made: Made, variant: Any) -> None:
    again = Again()
    plain, recorded = (made(lambda space: Sampled(space, variant), again=one) for one in (None, again))
    steps(plain, [8] * 3), steps(recorded, [8] * 3)
    agree(plain, recorded)
    assert (again.recorded, again.repeated) == (0, 0)


def test_a_model_that_was_moved_is_recorded_anew(made: Made) -> None:
    again = Again()
    plain, recorded = made(), made(again=again)
    for turns in (plain, recorded):
        steps(turns, [8])
        turns.model.to(torch.float32).to(torch.float64)
        steps(turns, [8, 8])
    agree(plain, recorded)
    assert (again.recorded, again.repeated) == (4, 6)


def test_a_search_goes_on_from_a_checkpoint_to_the_same_numbers(made: Made, tmp_path: Any) -> None:
    whole, begun, resumed = (made(again=Again()) for _ in range(3))
    whole.epoch(), begun.epoch()
    begun.save(tmp_path / "supernet.pt")
    steps(resumed, [8])  # recordings made before a checkpoint is read still serve after it
    resumed.restore(tmp_path / "supernet.pt")
    assert whole.epoch()["train_loss"] == resumed.epoch()["train_loss"]
    agree(whole, resumed)


def test_bfloat16_is_that_without_recordings(made: Made) -> None:
    plain, recorded = (made(again=one, precision="bfloat16") for one in (None, Again()))
    steps(plain, [8] * 3), steps(recorded, [8] * 3)
    agree(plain, recorded)
    assert torch.is_autocast_cache_enabled()


class Two(Alone):
    """Several processes."""

    size = 2


class Imitating(Darts):
    """Losses of its own."""

    losses = None


class Restless(nn.Module):
    """A layer that always draws."""

    training_only = True


def test_who_gets_graphs(made: Made, small_space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphed, "Recorder", lambda device: Again())
    cuda, darts, still = torch.device("cuda"), Darts(small_space), nn.Sequential(nn.Dropout(0.0))
    droppable = made(space=plugins.load_space("darts", CELLS | {"drop_path": True})).model

    def given(
        model: nn.Module = still, by: Any = darts, device: torch.device = cuda, group: Alone = ALONE, **recipe: Any
    ) -> bool:
        return graphs_for(model, [], by, replace(RECIPE, **recipe), device, group) is not None

    assert given() and given(by=PRDarts(small_space)) and given(droppable)
    assert not given(device=CPU) and not given(group=Two())
    assert not given(by=Darts(small_space, order=2))
    assert not given(by=Imitating(small_space))
    assert not given(nn.Dropout(0.1)) and not given(Restless()) and not given(droppable, drop_path=0.1)
