"""The measuring loop, against a clock that says what it is told to."""

import itertools

from nasengine.hardware.timing import ENOUGH, ROUNDS, RUNS, WARM_UP, Run, Timing, measure, wall_clock


class Script:
    """A clock that reads out a list, and counts how often it was asked."""

    def __init__(self, *times: float):
        self.times, self.asked = itertools.cycle(times), 0

    def __call__(self, run: Run) -> float:
        self.asked += 1
        run()
        return next(self.times)


def test_what_is_slow_is_run_fifty_times_after_the_warm_up() -> None:
    clock = Script(4.0)
    assert measure(lambda: None, clock) == Timing(4.0, 4.0, 4.0, RUNS)
    assert clock.asked == WARM_UP + RUNS and RUNS == 50


def test_what_is_fast_is_run_until_it_takes_long_enough_to_be_measured() -> None:
    timing = measure(lambda: None, Script(0.25))
    assert timing.runs == ENOUGH / 0.25 and timing.median == 0.25


def test_warm_up_does_not_count() -> None:
    first = [100.0] * WARM_UP
    times = iter([*first, *[3.0] * RUNS])
    assert measure(lambda: None, lambda run: next(times)).median == 3.0


def test_a_time_limit_ends_it_after_three_runs_at_least() -> None:
    clock = Script(1000.0)
    assert measure(lambda: None, clock, limit=100.0).runs == 3
    assert clock.asked == 4


def test_median_and_quartiles() -> None:
    timing = measure(lambda: None, Script(1.0, 2.0, 3.0, 4.0, 5.0))
    assert (timing.low, timing.median, timing.high, timing.runs) == (2.0, 3.0, 4.0, RUNS)
    assert timing.spread == 2 / 3


def test_the_fastest_round_counts_where_others_disturb() -> None:
    noisy = [2.0, 9.0] * (RUNS // 2)
    times = iter([2.0] * WARM_UP + noisy + [2.0] * RUNS)
    assert measure(lambda: None, lambda run: next(times)) == Timing(2.0, 2.0, 2.0, RUNS)
    clock = Script(2.0, 9.0)
    assert measure(lambda: None, clock).spread > 1
    assert clock.asked == WARM_UP + ROUNDS * RUNS


def test_the_wall_clock_runs_once_and_counts_in_milliseconds() -> None:
    import time

    runs = []
    assert wall_clock(lambda: runs.append(time.sleep(0.002))) >= 2.0
    assert runs == [None]
