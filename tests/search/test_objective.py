"""What a search makes large or small: how objectives are read, constraints, and the reward of MnasNet."""

import pytest

from nasengine.errors import NasError
from nasengine.search.objective import ACCURACY, Goal, Objective, known_before_training


@pytest.mark.parametrize(
    ("text", "name", "sign", "bound"),
    [
        ("validation_accuracy", "validation_accuracy", 1, None),
        ("validation_loss", "validation_loss", -1, None),
        ("params", "params", -1, None),
        ("max:params", "params", 1, None),
        ("min:validation_accuracy", "validation_accuracy", -1, None),
        ("accuracy", "validation_accuracy", 1, None),
        ("loss", "validation_loss", -1, None),
        ("memory<320KB", "memory_bytes", -1, 320 * 1024),  # the SRAM of MCUFormer's board
        ("memory<1.5MiB", "memory_bytes", -1, 1.5 * 1024**2),
        ("min:memory", "memory_bytes", -1, None),
        ("latency<8", "latency", -1, 8.0),  # of a table
        ("latency<8ms@cpu", "latency_ms@cpu", -1, 8.0),
        ("latency@cpu < 8", "latency_ms@cpu", -1, 8.0),
        ("latency<1.5s@cuda:1", "latency_ms@cuda:1", -1, 1500.0),
        ("min:latency@cpu:2", "latency_ms@cpu:2", -1, None),
        ("latency_ms@onnx/cpu<500us", "latency_ms@onnx/cpu", -1, 0.5),
        ("energy<2J@pixel-3", "energy_mj@pixel-3", -1, 2000.0),
        ("hwnb_raspi4_latency_ms<8", "hwnb_raspi4_latency_ms", -1, 8.0),
        ("images@min_latency", "images@min_latency", 1, None),  # a device says nothing of the direction
        (" params < 3M ", "params", -1, 3e6),
        ("macs<0.6G", "macs", -1, 6e8),
        ("params<500k", "params", -1, 5e5),
        ("power<2e-3", "power", -1, 0.002),
        ("power<5", "power", -1, 5.0),
    ],
)
def test_an_objective_is_read(text: str, name: str, sign: int, bound: float | None) -> None:
    made = Objective.parse(text)
    assert (made.name, made.sign, made.bound) == (name, sign, bound)
    assert Objective.parse(str(made)) == made


@pytest.mark.parametrize(
    "text",
    [
        *("", "3M", "params<", "params<M", "params<1.2.3M", "params>3", "best:params", "max:params<3M", "a b"),
        *("latency@cpu<8ms@cuda", "latency@<8", "latency<8@"),
    ],
)
def test_an_unreadable_objective_is_refused_with_examples(text: str) -> None:
    with pytest.raises(NasError, match="params<3M"):
        Objective.parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("latency<8ms", "it names no device; give one: latency<8ms@cpu"),
        ("memory<320k", "unit k came; a bound on memory_bytes takes B, KB, KiB"),
        ("latency<8min@cpu", "takes ms, us, s, or none"),
        ("params<3MB", "takes k, M, G, or none"),
    ],
)
def test_what_is_no_unit_or_lacks_its_device_is_refused(text: str, words: str) -> None:
    with pytest.raises(NasError, match=words):
        Objective.parse(text)


def test_what_follows_from_the_architecture_alone() -> None:
    known = ("params", "macs", "memory_bytes", "latency_ms@cpu", "energy_mj@pixel3")
    assert all(known_before_training(name) for name in known)
    unknown = ("seconds", "validation_accuracy", "latency_ms", "latency_ms@", "params@cpu", "synflow")
    assert not any(known_before_training(name) for name in unknown)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "at least one"),
        (["params", "min:params"], "each value once"),
        (["accuracy", "validation_accuracy"], "each value once"),
        (["power<8", "validation_accuracy"], "bounds need an objective before them, such as accuracy"),
        (["validation_accuracy", "power<0"], "a number above 0"),
    ],
)
def test_goals_that_cannot_be_are_refused(texts: list[str], words: str) -> None:
    with pytest.raises(NasError, match=words):
        Goal.parse(texts)


def test_a_reward_needs_what_is_made_large() -> None:
    with pytest.raises(NasError, match="with the soft reward bounds need an objective to be made large before them"):
        Goal.parse(["params", "power<8"], "soft")
    goal = Goal.parse(["params", "power<8"])
    assert (goal.value({"params": 10.0, "power": 9.0}), goal.each({"params": 10.0, "power": 9.0})) == (-10.0, (-10.0,))


def test_an_unknown_reward_is_refused() -> None:
    with pytest.raises(NasError, match="constraint, soft, hard"):
        Goal.parse(["validation_accuracy"], "softer")  # type: ignore[arg-type]


def test_minimised_objectives_are_turned() -> None:
    goal = Goal.parse(["validation_accuracy", "params", "min:validation_loss"])
    values = {"validation_accuracy": 0.9, "params": 1000.0, "validation_loss": 0.3}
    assert goal.each(values) == (0.9, -1000.0, -0.3)
    assert goal.value(values) == 0.9  # without a bound the others do not enter the one number
    assert Goal.parse(["params"]).value(values) == -1000.0


def test_doubling_the_latency_buys_five_percent_of_accuracy() -> None:
    # MnasNet (Tan et al., 2019, https://arxiv.org/abs/1807.11626): ACC (LAT / T)^w, w = -0.07
    goal = Goal.parse(["validation_accuracy", "latency<80ms@pixel"], "soft")
    one = goal.value({"validation_accuracy": 0.7, "latency_ms@pixel": 60.0})
    other = goal.value({"validation_accuracy": 0.7 * 1.05, "latency_ms@pixel": 120.0})
    assert other / one == pytest.approx(1.00027, abs=5e-6)
    assert goal.value({"validation_accuracy": 0.7, "latency_ms@pixel": 160.0}) == pytest.approx(
        0.7 * 0.952638, rel=1e-6
    )
    assert goal.value({"validation_accuracy": 0.7, "latency_ms@pixel": 80.0}) == 0.7


def test_the_hard_reward_knows_no_gain_below_the_bound() -> None:
    # MnasNet: w = 0 where the bound holds, -1 where it does not
    goal = Goal.parse(["validation_accuracy", "latency<80@pixel"], "hard")
    assert goal.value({"validation_accuracy": 0.7, "latency_ms@pixel": 10.0}) == 0.7
    assert goal.value({"validation_accuracy": 0.7, "latency_ms@pixel": 160.0}) == pytest.approx(0.35)


def test_several_bounds_multiply() -> None:
    goal = Goal.parse(["validation_accuracy", "latency<80@pixel", "params<1M"], "soft")
    values = {"validation_accuracy": 0.5, "latency_ms@pixel": 160.0, "params": 2e6}
    assert goal.value(values) == pytest.approx(0.5 * 0.952638**2, rel=1e-6)


def test_what_was_not_measured_is_named() -> None:
    goal = Goal.parse(["validation_accuracy", "latency<80@pixel"])
    assert goal.missing({"validation_accuracy": 0.5, "latency_ms@pixel": float("nan")}) == ["latency_ms@pixel"]
    assert goal.missing({"latency_ms@pixel": 3.0}) == ["validation_accuracy"]
    assert ACCURACY.missing({"validation_accuracy": 0.5}) == [] and ACCURACY.first == "validation_accuracy"


@pytest.mark.parametrize(
    "text", ["min:params", "max:validation_accuracy", "params<1234567", "latency<0.125@cpu:2", "memory<320KB"]
)
def test_an_objective_in_words_is_read_back_as_it_was(text: str) -> None:
    made = Objective.parse(text)
    assert Objective.parse(str(made)) == Objective.recorded(str(made)) == made


def test_what_earlier_databases_hold_is_read_as_it_was_meant() -> None:
    old = Goal.from_json({"objectives": ["max:accuracy", "latency<8.0", "memory<3000.0"], "reward": "hard"})
    assert [one.name for one in old.objectives] == ["accuracy", "latency", "memory"]
    assert old.value({"accuracy": 0.6, "latency": 16.0, "memory": 10.0}) == pytest.approx(0.3)
    assert Goal.from_json(None) == ACCURACY
    assert Goal.parse(["min:params"]).to_json() == {"objectives": ["min:params"], "reward": "soft"}  # they still agree
    bounded = Goal.parse(["accuracy", "params<3M"])
    assert Goal.from_json(bounded.to_json()) == bounded and bounded.to_json()["reward"] == "constraint"


def test_constraints_are_broken_by_their_relative_excess() -> None:
    goal = Goal.parse(["accuracy", "min:macs", "latency<80@pixel", "params<1M"])
    values = {"validation_accuracy": 0.5, "macs": 7.0, "latency_ms@pixel": 100.0, "params": 3e6}
    assert goal.violation(values) == pytest.approx(0.25 + 2.0)
    assert goal.violation(values | {"latency_ms@pixel": 80.0, "params": 1.0}) == 0.0  # at the bound it holds
    assert goal.each(values) == (0.5, -7.0)
    assert goal.value(values) == 0.5
    rewarded = Goal.parse(["accuracy", "latency<80@pixel"], "soft")
    assert rewarded.violation(values) == 0.0 and rewarded.each(values) == (0.5, -100.0)
