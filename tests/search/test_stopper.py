"""Early stopping: bad trainings end, good ones stay, and an interruption of the search changes no answer."""

import math
import random
import statistics
from collections.abc import Iterator

import optuna
import pytest

from nasengine.errors import NasError
from nasengine.search.stopper import PRUNERS, Curve, Stopper, direction_of

Event = tuple[int, int, float, bool]  # trial, epoch, value, whether it was told to stop


def curve_of(number: int, epochs: int, seed: int = 0) -> list[float]:
    """An accuracy that saturates at a level of the trial's own, with noise, and sometimes no number at all."""
    draws = random.Random(f"{seed}/{number}")
    level, speed = draws.random(), draws.uniform(0.2, 1)
    curve = [level * (1 - math.exp(-speed * epoch)) + draws.gauss(0, 0.02) for epoch in range(1, epochs + 1)]
    return [math.nan if draws.random() < 0.01 else value for value in curve]


def search(stopper: Stopper, trials: int, epochs: int, workers: int, draws: random.Random) -> Iterator[list[Curve]]:
    """Train made-up trials, several at once in random turns; before each epoch yield what the ledger would hold."""
    running: list[int] = []
    held: dict[int, Curve] = {}
    while len(held) < trials or running:
        if len(held) < trials and len(running) < workers:
            running.append(len(held))
            held[len(held)] = (len(held), [], "running")
        yield [(number, list(points), state) for number, points, state in held.values()]
        number = draws.choice(running)
        points = list(held[number][1])
        epoch, value = len(points) + 1, curve_of(number, epochs)[len(points)]
        stopped = stopper.report(number, epoch, value)
        held[number] = (number, [*points, (epoch, value)], "stopped" if stopped else "running")
        if stopped or epoch == epochs:
            running.remove(number)
            if draws.random() < 0.9 or not stopped:  # else the driver had no time to write down the end
                state = "failed" if draws.random() < 0.05 else "stopped" if stopped and epoch < epochs else "complete"
                held[number] = (number, held[number][1], state)
                stopper.end(number, state, value)
    yield list(held.values())


class Listening(Stopper):
    """A stopper that keeps what it was asked and said."""

    def __init__(self, kind: str, **more: int):
        super().__init__(kind, "validation_accuracy", epochs=9, **more)
        self.events: list[Event | tuple[int, str, float | None]] = []

    def report(self, number: int, epoch: int, value: float) -> bool:
        stopped = super().report(number, epoch, value)
        self.events.append((number, epoch, value, stopped))
        return stopped

    def end(self, number, state, value=None):
        self.events.append((number, state, value))
        super().end(number, state, value)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("kind", PRUNERS)
def test_after_an_interruption_the_answers_are_those_of_an_undisturbed_search(kind: str, workers: int) -> None:
    undisturbed = Listening(kind)
    moments = [(len(undisturbed.events), held) for held in search(undisturbed, 60, 9, workers, random.Random(workers))]
    midst = 0
    for seen, held in moments[5::11]:
        midst += any(state == "running" and points for _, points, state in held)
        resumed = Stopper(kind, "validation_accuracy", epochs=9)
        resumed.replay(held)
        for event in undisturbed.events[seen:]:
            if len(event) == 3:
                resumed.end(*event)
            else:
                assert resumed.report(*event[:3]) == event[3], event
    assert midst > 5
    assert sum(len(event) == 4 and event[3] for event in undisturbed.events) > 15


@pytest.mark.parametrize("kind", PRUNERS)
def test_bad_trainings_are_stopped_and_the_best_is_kept(kind: str) -> None:
    """120 curves with levels that differ: the search costs less, and what ends complete is better than the rest."""
    saved, ranks, kept, lost = [], [], [], []
    for seed in range(5):
        stopper = Stopper(kind, "validation_accuracy", epochs=27, seed=seed)
        levels, spent, complete = {}, 0, []
        for number in range(120):
            draws = random.Random(f"{seed}/{number}")
            levels[number] = draws.random()
            for epoch in range(1, 28):
                spent += 1
                value = levels[number] * (1 - math.exp(-0.5 * epoch)) + draws.gauss(0, 0.01)
                if stopper.report(number, epoch, value):
                    stopper.end(number, "stopped", value)
                    break
            else:
                stopper.end(number, "complete", value)
                complete.append(number)
        saved.append(1 - spent / (120 * 27))
        ordered = sorted(levels, key=lambda number: -levels[number])
        ranks.append(min(ordered.index(number) for number in complete))
        kept += [levels[number] for number in complete]
        lost += [levels[number] for number in levels if number not in complete]
    least = {"asha": 0.8, "hyperband": 0.55, "median": 0.65}[kind]
    assert min(saved) > least, saved
    assert statistics.mean(kept) > statistics.mean(lost) + 0.2
    assert max(ranks) <= 1, "the best of 120, or the second in noise, ends complete"


def test_the_answers_are_optunas() -> None:
    """The same answers as `Trial.should_prune` in a search of one objective, one trial after the other."""
    with optuna_quiet():
        study = optuna.create_study(direction="maximize", pruner=PRUNERS["asha"](16))
        stopper, stopped = Stopper("asha", "validation_accuracy", epochs=16), 0
        for number in range(60):
            trial = study.ask()
            for epoch, value in enumerate(curve_of(number, 16, seed=2), start=1):
                trial.report(-1e300 if math.isnan(value) else value, epoch)
                expected = trial.should_prune()
                assert stopper.report(number, epoch, value) == (expected and epoch < 16)
                if expected:
                    break
            state = optuna.trial.TrialState.PRUNED if expected else optuna.trial.TrialState.COMPLETE
            study.tell(trial, state=state, values=None if expected else 1)
            stopper.end(number, "stopped" if expected else "complete", 1)
            stopped += expected
    assert 30 < stopped < 60


def optuna_quiet():
    return optuna_level(optuna.logging.ERROR)


class optuna_level:  # noqa: N801 - a context manager
    def __init__(self, level: int):
        self.level = level

    def __enter__(self) -> None:
        self.before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(self.level)

    def __exit__(self, *fault: object) -> None:
        optuna.logging.set_verbosity(self.before)


def test_optunas_own_study_refuses_several_objectives() -> None:
    """Which is why there is a private study of one metric."""
    with optuna_quiet():
        trial = optuna.create_study(directions=["maximize", "minimize"]).ask()
        with pytest.raises(NotImplementedError, match="multi-objective"):
            trial.report(0.5, 1)
        with pytest.raises(NotImplementedError, match="multi-objective"):
            trial.should_prune()


def test_hyperband_deals_by_number_whatever_the_order() -> None:
    """A trial worse than all others is stopped at its bracket's first rung."""

    def stops(order: list[int], seed: int = 0) -> dict[int, int]:
        stopper = Stopper("hyperband", "validation_accuracy", epochs=27, seed=seed)
        for number in range(100, 160):
            for epoch in range(1, 28):
                stopper.report(number, epoch, 1.0 + number)
        found = {}
        for number in order:
            found[number] = next((e for e in range(1, 28) if stopper.report(number, e, 0.1)), 0)
        return found

    numbers = list(range(30))
    forward, backward = stops(numbers), stops(numbers[::-1])
    assert forward == backward
    assert set(forward.values()) == {1, 3, 9, 0}, "four brackets; the last one stops nothing before epoch 27"
    assert stops(numbers, seed=1) != forward


@pytest.mark.parametrize("kind", PRUNERS)
def test_what_is_no_number_is_the_worst(kind: str) -> None:
    for broken in (math.nan, math.inf, -math.inf):
        for direction in ("maximize", "minimize"):
            stopper = Stopper(kind, "m", epochs=3, direction=direction)
            for number in range(12):
                for epoch in (1, 2, 3):
                    stopper.report(number, epoch, 0.5)
                stopper.end(number, "complete", 0.5)
            assert any(stopper.report(12, epoch, broken) for epoch in (1, 2, 3))
            assert not any(stopper.report(13, epoch, 0.5) for epoch in (1, 2, 3))
            stopper.end(13, "complete", broken)


def test_an_epoch_heard_of_before_changes_nothing() -> None:
    stopper = Stopper("asha", "m", epochs=9)
    assert [stopper.report(0, epoch, 0.9) for epoch in (1, 2)] == [False, False]
    assert stopper.report(1, 1, 0.1)
    assert stopper.report(1, 1, 0.95), "a retry is told the same again"
    assert stopper.report(1, 2, 0.95), "and a worker that goes on nevertheless as well"
    assert not stopper.report(0, 1, 0.0)
    assert not stopper.report(0, 2, 0.0)
    assert stopper.report(2, 1, 0.5), "the 0.9 of the first trial still is what counts"
    stopper.end(0, "failed")
    assert not stopper.report(0, 3, 0.9), "what failed may be tried again"
    stopper.end(0, "complete", 0.9)
    stopper.end(0, "complete", 0.9)
    assert not stopper.report(0, 4, 0.0)


@pytest.mark.parametrize("kind", PRUNERS)
def test_after_the_last_epoch_nothing_is_stopped(kind: str) -> None:
    stopper = Stopper(kind, "m", epochs=1)
    for number in range(20):
        assert not stopper.report(number, 1, -float(number))
        stopper.end(number, "complete", -float(number))


def test_a_missing_metric_is_named_once() -> None:
    stopper = Stopper("median", "validation_acuracy", epochs=3)
    values = {"epoch": 1, "train_loss": 2.0, "validation_accuracy": 0.5, "lr": 0.1, "seconds": 1.0}
    with pytest.raises(NasError, match=r'train_loss, validation_accuracy\. Did you mean "validation_accuracy"\?'):
        stopper.judge(0, values)
    assert stopper.judge(0, values | {"epoch": 2}) is False
    seldom = Stopper("asha", "validation_accuracy", epochs=3)
    assert seldom.judge(0, values) is False
    assert seldom.judge(0, {"epoch": 2, "train_loss": 1.0}) is False, "a value that comes now and then is no fault"
    assert seldom.judge(1, values | {"validation_accuracy": 0.4}) is True


def test_metrics_improve_upwards_unless_they_are_losses() -> None:
    assert direction_of("validation_accuracy") == "maximize"
    assert direction_of("validation_loss") == direction_of("train_loss") == "minimize"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(NasError, match=r'"ahsa" came; asha, hyperband, median are allowed\. Did you mean "asha"'):
        Stopper("ahsa", "m", epochs=3)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with optuna_level(optuna.logging.INFO):
        stopper = Stopper("hyperband", "m", epochs=9)
        for number in range(5):
            stopper.report(number, 1, 0.1)
            stopper.end(number, "stopped", 0.1)
    assert capfd.readouterr() == ("", "")
