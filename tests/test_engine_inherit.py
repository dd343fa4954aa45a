"""Searches whose candidates start from trained blocks: what is recorded, and what is never answered from the cache."""

from pathlib import Path
from typing import Any

from nasengine.engine import Listener, search
from nasengine.job import Result

SMALL: dict[str, Any] = {
    "limit": 120, "space_settings": {"channels": 2, "layers": 2}, "epochs": 1, "trials": 3,
    "recipe_values": {"epochs": 1}, "strategy_options": {"pool": True},
}  # fmt: skip


class Heard(Listener):
    def __init__(self) -> None:
        self.reused: list[str | None] = []

    def result(self, result: Result, reused: str | None) -> None:
        self.reused.append(reused)


def test_candidates_that_inherit_are_trained_in_every_search(tmp_path: Path) -> None:
    one = search("darts", "reinforce", db=tmp_path / "n.db", name="one", **SMALL)
    candidates = [row for row in one.results() if row["kind"] == "candidate"]
    inherited = [row["lineage"].get("inherit", {}) for row in candidates]
    assert inherited[0] == {} and inherited[1] and inherited[2]
    files = {Path(file).name for file, _ in inherited[2].values()}
    assert files <= {"trial-0.safetensors", "trial-1.safetensors"}
    assert not any(row["error"] for row in candidates)
    heard = Heard()
    two = search("darts", "reinforce", db=tmp_path / "n.db", name="two", listener=heard, **SMALL)
    assert heard.reused == ["one, trial 0", None, None]  # the first started from nothing, like any candidate
    assert [row["values"] for row in two.results()] == [row["values"] for row in one.results()]
