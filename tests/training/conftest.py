"""Decoded pictures of tests go to a folder of each test's own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept in the user's cache."""
    monkeypatch.setenv("NASENGINE_CACHE", str(tmp_path / "cache"))
