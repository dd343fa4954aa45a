"""Two networks side by side: figures in full, of the rest what differs."""

from pathlib import Path

from nasengine.compare.sides import sides
from nasengine.runs import Run


def test_what_differs_between_two_networks(db: Path) -> None:
    evo, rand = Run("evo-0", db), Run("rand-0", db)
    found = sides(evo.trial("0"), rand.trial("1"))
    assert found.names == ("evo-0:0", "rand-0:1")
    assert found.figures["validation_accuracy"] == (0.5, 0.6)
    assert found.different == {
        "architecture": {"op": (["option0"], ["option1"])}, "search": {"strategy": ("evolution", "random-search")},
    }  # fmt: skip
    assert found.same == ("settings", "recipe", "surroundings")
    same = sides(evo.best, evo.best)
    assert same.different == {} and same.figures["test_accuracy"] == (0.85, 0.85)
