"""Two groups of made-up searches in one database: `evo-0` to `evo-3` find more than `rand-0` to `rand-3`."""

from pathlib import Path

import pytest

from tests.compare.made_up import write


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The database."""
    path = tmp_path / "n.db"
    for seed in range(4):
        more = seed / 100
        write(path, f"evo-{seed}", [0.5 + more, None, 0.7 + more, 0.9 + more], 0.85 + more, seed=seed)
        write(
            path, f"rand-{seed}", [0.4 + more, 0.6 + more, 0.5, 0.3], 0.55 + more, seed=seed, strategy="random-search"
        )
    return path
