"""What gates tell: their maps, when the settled network changed, and whether it collapsed."""

from collections.abc import Callable
from typing import Any

from nasengine.report.findings import Findings
from nasengine.report.gates import COLUMNS, GateStory, story


def told(found: Findings) -> GateStory:
    number = found.rows[0]["id"]
    made = story(found.curves[number], found.gates[number])
    assert made is not None
    return made


def test_a_map_for_each_decision_with_what_was_taken(findings: Callable[[str], Findings]) -> None:
    made = told(findings("gradient"))
    assert len(made.maps) == 28 and made.epochs == list(range(1, 13))
    assert {len(one.options) for one in made.maps} == {8}
    assert all(abs(sum(column) - 1) < 1e-6 for one in made.maps for column in zip(*one.strengths, strict=True))
    assert sum(one.taken is not None for one in made.maps) == 16  # two edges of four nodes in two cells
    assert made.largest == max(max(row) for one in made.maps for row in one.strengths)


def test_collapse_is_said_with_its_rule_and_when_it_began(findings: Callable[[str], Findings]) -> None:
    sound, collapsed = (" ".join(told(findings(name)).verdicts) for name in ("gradient", "collapsed"))
    assert "It did not collapse" in sound and "more than 50% skip connections" in sound
    assert (
        "It collapsed into skip connections, first seen in epoch 1: in the end skip connections are 100%" in collapsed
    )


def record(epoch: int, pick: str, **more: Any) -> dict[str, Any]:
    return {"epoch": epoch, "architecture": {"op": [pick]}, "gate_entropy": 0.5, "skip_share": 0.0} | more


def gates(epochs: int) -> list[dict[str, Any]]:
    return [{"epoch": epoch, "gates": {"op": {"a": 0.4, "b": 0.6}}} for epoch in range(1, epochs + 1)]


def test_changes_are_those_of_what_would_be_settled_on() -> None:
    made = story([record(1, "a"), record(2, "b"), record(3, "b"), record(4, "b")], gates(4))
    assert made is not None
    assert [(change.epoch, change.words) for change in made.changes] == [(2, "op: a → b")]
    assert "changed in 1 of 3 epochs: last in epoch 2 of 4, and was the same for the 2 after it." in made.verdicts[0]
    still = story([record(1, "a"), record(2, "a")], gates(2))
    assert still is not None and "was the same after each of the 2 epochs" in still.verdicts[0]


def test_gates_that_have_closed_are_no_collapse_into_skips() -> None:
    made = story([record(1, "a"), record(2, "a", gate_entropy=0.01)], gates(2))
    assert made is not None and "its gates have closed" in made.verdicts[-1]


def test_a_supernet_without_gates_has_no_story() -> None:
    assert story([{"epoch": 1}], [{"epoch": 1, "gates": {}}]) is None


def test_of_many_epochs_the_last_is_always_shown() -> None:
    made = story([], gates(3 * COLUMNS + 1))
    assert made is not None
    assert len(made.epochs) <= COLUMNS + 1 and made.epochs[-1] == 3 * COLUMNS + 1
