"""A fresh results database for each test: a SQLite file, and one in PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from nasengine.ledger import Ledger, SearchRecord

FACTS: dict[str, Any] = {
    "space": "darts",
    "settings": {"channels": 16},
    "strategy": "random-search",
    "options": {},
    "data": "digits",
    "data_fingerprint": "d1",
    "recipe": {"lr": 0.1, "betas": (0.9, 0.99)},
    "seed": 3,
    "epochs": 2,
    "trials": 10,
    "command": "nasengine search --space darts",
    "decisions": {
        "op": {"options": ["skip", "conv", "pool"], "keep": [1, 1]},
        "inputs": {"options": ["in0", "in1", "node0"], "keep": [2, 2]},
    },
}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new, empty database, of each kind."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres")
    return f"sqlite:///{tmp_path}/nasengine.db"


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """An open, empty ledger."""
    opened = Ledger(url)
    yield opened
    opened.close()


@pytest.fixture
def facts() -> dict[str, Any]:
    """What a search is begun with."""
    return dict(FACTS)


@pytest.fixture
def search(ledger: Ledger, facts: dict[str, Any]) -> Iterator[SearchRecord]:
    """A search that has just begun."""
    with ledger.open_search("one", **facts) as record:
        yield record


@pytest.fixture
def storage(url: str) -> Iterator[optuna.storages.RDBStorage]:
    """Optuna's own way into the ledger's database."""
    opened = optuna.storages.RDBStorage(url)
    yield opened
    opened.remove_session()
    opened.engine.dispose()


@pytest.fixture
def study(storage: optuna.storages.RDBStorage) -> Callable[..., optuna.Study]:
    """Reads a study as a user of Optuna does."""
    sampler = optuna.samplers.RandomSampler()
    return lambda name="one": optuna.load_study(study_name=name, storage=storage, sampler=sampler)
