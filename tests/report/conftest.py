"""A database of searches that were never run, for all tests of reports."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nasengine.ledger import Ledger, Trial
from nasengine.plugins import load_space
from nasengine.report.findings import Findings, read
from tests.report.made_up import EVIL, candidates, facts, small, supernet


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Searches of every kind and in every state; only to be read."""
    path = tmp_path_factory.mktemp("report") / "n.db"
    space = load_space("darts", {"channels": 4, "layers": 3, "input": (1, 8, 8), "classes": 10})
    of_darts = {"space": "darts", "strategy": "darts", "settings": dict(space.settings), "goal": None}
    with Ledger(path) as ledger:
        small(ledger, EVIL)
        for name, skips in (("gradient", False), ("collapsed", True)):
            with ledger.open_search(name, **facts(**of_darts)) as record:
                supernet(record, 12, space, skips=skips)
                record.finish()
        with ledger.open_search("begun", **facts()) as record:
            record.stop()
        with ledger.open_search("stopped", **facts(trials=50)) as record:
            candidates(record, 8)
            record.start(Trial(8))  # cut off in the middle
            record.stop()
        with ledger.open_search("table", **facts(evaluator="table", epochs=None, recipe={})) as record:
            candidates(record, 5)
            record.finish()
    return path


@pytest.fixture(scope="session")
def findings(database: Path) -> Iterator[Callable[[str], Findings]]:
    """What is known of one of its searches."""
    with Ledger(database, create=False) as ledger:
        yield lambda name: read(ledger, name)
