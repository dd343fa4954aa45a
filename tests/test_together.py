"""A supernet trained by two processes of a real Ray cluster: what is heard here is what happened there."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nasengine import plugins
from nasengine.errors import NasError, SpaceError, TrainingError
from nasengine.executors._terms import Terms
from nasengine.search.relax import Relaxed
from nasengine.together import _Flight, relax_together
from nasengine.together_worker import Exchange
from nasengine.training import data
from nasengine.training.recipe import recipe

# a relaxation of somebody's own: its second process dies once, at the beginning of the epoch named
MORTAL = """
import os, signal
from pathlib import Path
from torch import distributed
from nasengine.strategies.darts import Darts

class Mortal(Darts):
    def __init__(self, space, folder: str = "", dies: float = 9.0):
        super().__init__(space)
        self.folder, self.dies = Path(folder), dies

    def at(self, progress):
        (self.folder / f"{distributed.get_rank()}-{progress:.2f}-{os.getpid()}").touch()
        if distributed.get_rank() == 1 and progress >= self.dies and not (self.folder / "dead").exists():
            (self.folder / "dead").touch()
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits", limit=80)


def together(digits: data.Dataset, terms: Terms, strategy: str = "darts", **words: Any) -> Relaxed:
    """Three epochs on the smallest space."""
    space = plugins.load_space("small-cell", {"input": digits.input, "classes": 10})
    words = {"strategy_options": {}} | words
    return relax_together(
        space, digits, recipe("supernet", epochs=3, batch=16), space_name="small-cell", strategy_name=strategy,
        terms=terms, **words,
    )  # fmt: skip


def test_two_processes_outlive_a_death_and_find_one_architecture(ray_cluster, digits, tmp_path):
    told, notes, path = [], [], tmp_path / "checkpoints" / "supernet.pt"
    (tmp_path / "mortal.py").write_text(MORTAL)

    def on_epoch(values: dict[str, Any], gates: Any) -> None:
        json.dumps([values, gates])  # what a ledger keeps
        told.append((values["epoch"], path.exists()))

    found = together(
        digits, Terms(workers=2, address=ray_cluster), str(tmp_path / "mortal.py"), checkpoint=path, on_epoch=on_epoch,
        on_note=notes.append, strategy_options={"folder": str(tmp_path), "dies": 0.5},
    )  # fmt: skip
    assert told == [(1, True), (2, True), (3, True)], "each once, and saved before it is told"
    assert [record["epoch"] for record in found.epochs] == [1, 2, 3] and found.epoch == 3
    assert sum("died" in note for note in notes) == 1 and (tmp_path / "dead").exists()
    begun = sorted(file.name.rsplit("-", 1)[0] for file in tmp_path.glob("[01]-*"))
    assert begun == ["0-0.00", "0-0.50", "0-0.50", "0-1.00", "1-0.00", "1-0.50", "1-0.50", "1-1.00"]
    space = found.model.space
    assert space.faults(found.architecture.picks) == []
    kept = torch.load(path, weights_only=True)["model"]
    assert all(torch.equal(tensor, kept[name]) for name, tensor in found.model.state_dict().items())


@pytest.mark.slow
def test_ctrl_c_ends_the_processes_and_the_next_call_goes_on_until_the_time_is_up(ray_cluster, digits, tmp_path):
    path, terms, told = tmp_path / "supernet.pt", Terms(workers=2, address=ray_cluster), []

    def interrupted(values: dict[str, Any], gates: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        together(digits, terms, checkpoint=path, on_epoch=interrupted)
    done = len(torch.load(path, weights_only=True)["history"])
    found = together(
        digits, terms, checkpoint=path, on_epoch=lambda values, gates: told.append(values["epoch"]),
        out_of_time=lambda: True,
    )  # fmt: skip
    assert len(found.epochs) == done >= 1 and told == []


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        (Terms(workers=2, gpus_per_worker=0.5), r"gpus_per_worker 0\.5 came; 1 is allowed"),
        (Terms(workers=2, gpus_per_worker=1), "1 GPUs came"),
        (Terms(workers=99), r"99 processes of 1 cores came; the cluster has room for 4"),
    ],
)
def test_what_cannot_be_had_is_said_at_once(ray_cluster, digits, terms, fault):
    with pytest.raises(NasError, match=fault):
        together(digits, terms)


class Near:
    """Ray's calls, answered at once in this process."""

    def get(self, answer: Any) -> Any:
        return answer


class Called:
    """An exchange whose methods have `remote`, as an actor's have."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=getattr(self.exchange, name))


def flight_over(exchange: Exchange, checkpoint: Path | None = None) -> _Flight:
    """A flight whose processes have said what they had to say, and are gone."""
    flight = object.__new__(_Flight)
    flight.ray, flight.terms, flight.exchange, flight.checkpoint = (
        Near(),
        Terms(workers=2),
        Called(exchange),
        checkpoint,
    )
    flight.fault, flight.done, flight.thread = RuntimeError("first line\nlast line"), False, threading.Thread()
    return flight


def test_an_error_of_a_process_is_an_error_here_of_the_same_kind():
    exchange = Exchange(None)
    exchange.say(("error", "SpaceError", "space x: no"))
    with pytest.raises(SpaceError, match="space x: no"):
        flight_over(exchange).follow(None, print, lambda: False)


def test_processes_that_end_without_a_word_are_an_error_with_ray_s_reason():
    with pytest.raises(TrainingError, match="given up: process 0: last line"):
        flight_over(Exchange(None)).follow(None, print, lambda: False)


def test_an_exchange_keeps_the_latest_checkpoint_for_those_who_begin_again():
    exchange = Exchange(b"old")
    assert exchange.begin() == b"old" and exchange.hear() == ([], None)
    exchange.say(("epoch", {}, {}), b"new")
    assert exchange.hear() == ([("epoch", {}, {})], b"new") and exchange.hear() == ([], None)
    assert exchange.begin() == b"new" and "died" in exchange.hear()[0][0][1]
    assert exchange.join(0, "actor") and not exchange.is_over()
    exchange.end()
    assert exchange.is_over() and exchange.abort() == ["actor"] and not exchange.join(1, "late")
