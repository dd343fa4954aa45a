"""What a search makes large or small: how objectives are read, and the reward of MnasNet."""

import pytest

from nasengine.errors import NasError
from nasengine.search.objective import ACCURACY, Goal, Objective


@pytest.mark.parametrize(
    ("text", "name", "sign", "bound"),
    [
        ("validation_accuracy", "validation_accuracy", 1, None),
        ("validation_loss", "validation_loss", -1, None),
        ("params", "params", -1, None),
        ("max:params", "params", 1, None),
        ("min:validation_accuracy", "validation_accuracy", -1, None),
        ("latency<8", "latency", -1, 8.0),
        (" params < 3M ", "params", -1, 3e6),
        ("macs<0.6G", "macs", -1, 6e8),
        ("params<500k", "params", -1, 5e5),
        ("energy<2e-3", "energy", -1, 0.002),
        ("power<5", "power", -1, 5.0),
    ],
)
def test_an_objective_is_read(text: str, name: str, sign: int, bound: float | None) -> None:
    made = Objective.parse(text)
    assert (made.name, made.sign, made.bound) == (name, sign, bound)
    assert Objective.parse(str(made)) == made


@pytest.mark.parametrize(
    "text", ["", "3M", "params<", "params<M", "params<1.2.3M", "params>3", "best:params", "max:params<3M", "a b"]
)
def test_an_unreadable_objective_is_refused_with_examples(text: str) -> None:
    with pytest.raises(NasError, match="params<3M"):
        Objective.parse(text)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "at least one"),
        (["params", "min:params"], "each value once"),
        (["params", "latency<8"], "bounds need an objective to be made large before them"),
        (["latency<8", "validation_accuracy"], "bounds need an objective to be made large before them"),
        (["validation_accuracy", "latency<0"], "a number above 0"),
    ],
)
def test_goals_that_cannot_be_are_refused(texts: list[str], words: str) -> None:
    with pytest.raises(NasError, match=words):
        Goal.parse(texts)


def test_an_unknown_reward_is_refused() -> None:
    with pytest.raises(NasError, match="soft, hard"):
        Goal.parse(["validation_accuracy"], "softer")  # type: ignore[arg-type]


def test_minimised_objectives_are_turned() -> None:
    goal = Goal.parse(["validation_accuracy", "params", "min:validation_loss"])
    values = {"validation_accuracy": 0.9, "params": 1000.0, "validation_loss": 0.3}
    assert goal.each(values) == (0.9, -1000.0, -0.3)
    assert goal.value(values) == 0.9  # without a bound the others do not enter the one number
    assert Goal.parse(["params"]).value(values) == -1000.0


def test_doubling_the_latency_buys_five_percent_of_accuracy() -> None:
    # MnasNet (Tan et al., 2019, https://arxiv.org/abs/1807.11626): ACC (LAT / T)^w, w = -0.07
    goal = Goal.parse(["validation_accuracy", "latency<80"])
    one = goal.value({"validation_accuracy": 0.7, "latency": 60.0})
    other = goal.value({"validation_accuracy": 0.7 * 1.05, "latency": 120.0})
    assert other / one == pytest.approx(1.00027, abs=5e-6)
    assert goal.value({"validation_accuracy": 0.7, "latency": 160.0}) == pytest.approx(0.7 * 0.952638, rel=1e-6)
    assert goal.value({"validation_accuracy": 0.7, "latency": 80.0}) == 0.7


def test_the_hard_reward_knows_no_gain_below_the_bound() -> None:
    # MnasNet: w = 0 where the bound holds, -1 where it does not
    goal = Goal.parse(["validation_accuracy", "latency<80"], "hard")
    assert goal.value({"validation_accuracy": 0.7, "latency": 10.0}) == 0.7
    assert goal.value({"validation_accuracy": 0.7, "latency": 160.0}) == pytest.approx(0.35)


def test_several_bounds_multiply() -> None:
    goal = Goal.parse(["validation_accuracy", "latency<80", "params<1M"])
    values = {"validation_accuracy": 0.5, "latency": 160.0, "params": 2e6}
    assert goal.value(values) == pytest.approx(0.5 * 0.952638**2, rel=1e-6)


def test_what_was_not_measured_is_named() -> None:
    goal = Goal.parse(["validation_accuracy", "latency<80"])
    assert goal.missing({"validation_accuracy": 0.5, "latency": float("nan")}) == ["latency"]
    assert goal.missing({"latency": 3.0}) == ["validation_accuracy"]
    assert ACCURACY.missing({"validation_accuracy": 0.5}) == [] and ACCURACY.first == "validation_accuracy"


@pytest.mark.parametrize("text", ["min:params", "max:validation_accuracy", "params<1234567", "latency<0.125"])
def test_an_objective_in_words_is_read_back_as_it_was(text: str) -> None:
    assert Objective.parse(str(Objective.parse(text))) == Objective.parse(text)
