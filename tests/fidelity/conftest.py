"""A database with a supernet of the small cell, for samples of its networks."""

from pathlib import Path
from typing import Any

import pytest
import torch

from nasengine.interpreters.model import Model
from nasengine.interpreters.weights import save_weights
from nasengine.job import Result
from nasengine.ledger import Ledger, Trial
from nasengine.plan import space_for
from nasengine.training import data
from nasengine.training.fit import fit
from nasengine.training.recipe import recipe

LIMIT = 400
SHORT: dict[str, Any] = {"limit": LIMIT, "epochs": 1, "samples": 3}


class OnePath(torch.nn.Module):
    """A supernet that always runs the same network, to be trained like one."""

    def __init__(self, model: Model):
        super().__init__()
        self.model, self.architecture = model, model.space.first(40)[-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x, self.architecture)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a supernet that was trained a little."""
    dataset = data.load("digits", limit=LIMIT)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Model(space_for("small-cell", dataset, {"channels": 4}))
    fit(OnePath(model), dataset.train, recipe("proxy", epochs=3))
    return save_weights(model, tmp_path_factory.mktemp("supernet") / "supernet.safetensors")


@pytest.fixture
def db(weights: Path, tmp_path: Path) -> Path:
    """`big` trained a supernet, `evo` searched with it, `plain` trained candidates."""
    dataset = data.load("digits", limit=LIMIT)
    space = space_for("small-cell", dataset, {"channels": 4})
    facts: dict[str, Any] = {
        "space": "small-cell", "settings": dict(space.settings), "decisions": space.decisions, "options": {},
        "data": "digits", "data_fingerprint": dataset.fingerprint, "seed": 0, "command": f"nasengine --limit {LIMIT}",
    }  # fmt: skip
    with Ledger(tmp_path / "n.db") as ledger:
        with ledger.open_search("big", strategy="random-search", evaluator="train", **facts) as record:
            record.start(Trial(0, "supernet", lineage={"settings": dict(space.settings)}))
            record.record(Result(0, {}, weights=str(weights)), kind="supernet")
            record.finish()
        found = {"supernet": "big", "final": "train"}
        ledger.open_search("evo", strategy="evolution", evaluator="inherit", fidelity=found, **facts).finish()
        ledger.open_search("plain", strategy="evolution", evaluator="train", **facts).finish()
    return tmp_path / "n.db"
