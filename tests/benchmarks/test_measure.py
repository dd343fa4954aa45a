"""Ratios of rounds that are timed by a made-up clock."""

import json
from collections.abc import Callable, Iterator

import pytest

from benchmarks.measure import Measured, cells, interleaved, median_and_spread, repeated, show


class Clock:
    """A clock that moves only when a variant says that it worked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def takes(self, durations: Iterator[float], calls: list[str], name: str) -> Callable[[], None]:
        def step() -> None:
            calls.append(name)
            self.now += next(durations)

        return step


def test_the_ratio_is_the_median_of_the_rounds_and_not_that_of_the_times() -> None:
    clock, calls = Clock(), list[str]()
    slow = clock.takes(iter([99.0, 4.0, 30.0, 8.0]), calls, "slow")
    fast = clock.takes(iter([99.0, 2.0, 10.0, 2.0]), calls, "fast")
    assert interleaved(slow, fast, 3, clock) == (3.0, 2.0)
    assert calls == ["slow", "fast", "slow", "fast", "fast", "slow", "slow", "fast"]


def test_the_turns_of_a_round_are_added_up_and_each_variant_begins_every_second_one() -> None:
    clock, calls = Clock(), list[str]()
    slow = clock.takes(iter([99.0, 4.0, 2.0, 30.0, 10.0]), calls, "slow")
    fast = clock.takes(iter([99.0, 1.0, 1.0, 5.0, 5.0]), calls, "fast")
    assert interleaved(slow, fast, 2, clock, turns=2) == (3.5, 4 / 3)
    assert calls[2:] == ["slow", "fast", "fast", "slow", "fast", "slow", "slow", "fast"]


def test_the_first_of_repeated_values_does_not_count() -> None:
    values = iter([50.0, 1.0, 3.0, 2.0])
    assert repeated(lambda: next(values), 3) == (2.0, 3.0)


def test_a_value_of_nothing_is_never_steady() -> None:
    assert median_and_spread([0.0, 1.0, 2.0]) == (1.0, float("inf"))


@pytest.mark.parametrize(("spread", "steady"), [(1.0, True), (1.5, True), (1.51, False), (float("inf"), False)])
def test_rounds_that_spread_further_than_half_are_refused(spread: float, steady: bool) -> None:
    figure = Measured("step", 3.0, spread, 2.0, "the loop")
    assert figure.steady == steady
    assert ("refused" in cells(figure)[4]) != steady


@pytest.mark.parametrize(
    ("ratio", "at_most", "met"), [(2.0, False, True), (1.9, False, False), (2.0, True, True), (2.1, True, False)]
)
def test_a_goal_is_reached_from_below_or_kept_from_above(ratio: float, at_most: bool, met: bool) -> None:
    assert Measured("step", ratio, 1.0, 2.0, "the loop", at_most).met == met


def test_only_what_is_unusual_is_written_beside_the_five_facts() -> None:
    usual = Measured("step", 3.21987, 1.04, 2.0, "the loop", note="at noon").to_json()
    assert usual == {"name": "step", "ratio": 3.2199, "spread": 1.04, "goal": 2.0, "peer": "the loop"}
    unusual = Measured("import", 0.1, 1.0, 0.15, "none", at_most=True, unit="s").to_json()
    assert unusual["unit"] == "s" and unusual["at_most"] is True


@pytest.mark.parametrize(("spread", "marked"), [(1.5004, False), (1.5006, True), (float("inf"), True)])
def test_a_figure_that_is_read_again_is_as_steady_as_before(spread: float, marked: bool) -> None:
    figure = Measured("step", 3.0, spread, 2.0, "the loop", at_most=True)
    facts = json.loads(json.dumps(figure.to_json(), allow_nan=False))
    assert facts.get("refused", False) == marked == (not figure.steady) == (not Measured.from_json(facts).steady)
    assert Measured.from_json(facts).met == figure.met


def test_the_table_names_what_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    show([Measured("a", 3.0, 1.0, 2.0, "p"), Measured("b", 1.0, 1.0, 2.0, "p"), Measured("c", 9.0, 1.9, 2.0, "p")])
    said = capsys.readouterr().out.splitlines()
    assert [next(line for line in said if f" {name} " in line).count(word) for name, word in zip(
        "abc", ("met", "missed", "refused"), strict=True
    )] == [1, 1, 1]  # fmt: skip
