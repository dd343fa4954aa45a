"""One small search for all tests of the command line, which run in empty folders."""

from pathlib import Path

import pytest

from tests.console.typed import TINY, Done, good


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in an empty folder, away from the repository and its results."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Done]:
    """One search, its command and what it said; `--db` stands at the end of the command. Only to be read."""
    db = tmp_path_factory.mktemp("searched") / "n.db"
    command = ["search", *TINY, "--name", "one", "--db", str(db)]
    return command, good(*command)


@pytest.fixture
def db(searched: tuple[list[str], Done]) -> str:
    """The database of the search."""
    return searched[0][-1]
