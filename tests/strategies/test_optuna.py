"""Optuna's samplers as strategies: what is told and asked, purity, silence, several objectives, and each sampler."""

import importlib.util
import random
import subprocess
import sys
from collections import Counter
from statistics import mean

import optuna as library
import pytest

from nasengine.errors import NasError
from nasengine.layers import Identity
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space, choose, op
from nasengine.strategies import _optuna_studies
from nasengine.strategies.optuna import Optuna
from nasengine.testing.strategies import agreement, search, table, uneven

SAMPLERS = ["tpe", "nsga2", "nsga3", "gp", "qmc", pytest.param("cmaes", marks=pytest.mark.skipif(
    importlib.util.find_spec("cmaes") is None, reason="the package cmaes is not installed"
))]  # fmt: skip


def told(number: int, architecture: Architecture, value: float | None) -> Told:
    return Told(number, architecture, {}, value, None if value is not None else "it failed")


def test_the_name_optuna_is_the_library_and_is_loaded_late():
    assert _optuna_studies.optuna is library
    lines = "import sys, nasengine.strategies.optuna; print('optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_is_legal_pure_repeatable_and_silent(sampler, capfd):
    level, startup = library.logging.get_verbosity(), 10 if sampler == "cmaes" else 4
    space = uneven()
    undisturbed, asked, replayed = (Optuna(space, sampler, startup) for _ in range(3))
    for number in range(startup + 4):
        one = undisturbed.ask(draws_of(0, number))
        assert space.faults(one.picks) == []
        if number > startup:
            asked.ask(draws_of(1, number))
            assert asked.ask(draws_of(0, number)) == one
        result = told(number, one, None if number == 2 else random.Random(number).random())
        undisturbed.tell(result)
        asked.tell(result)
        replayed.tell(result)
    assert replayed.ask(draws_of(0, 99)) == undisturbed.ask(draws_of(0, 99))
    assert capfd.readouterr().err == ""
    assert library.logging.get_verbosity() == level


@pytest.mark.parametrize("sampler, startup, asks", [("nsga2", 10, 80), ("nsga3", 10, 80), ("gp", 10, 18)])
def test_samplers_that_learn_find_more_than_chance(sampler, startup, asks):
    """The contract has shown it for tpe."""
    space = table(5, 4)
    score = agreement(space, space.sample(random.Random("plant")))
    found = [one.value for one in search(Optuna(space, sampler, startup), score, asks)]
    assert mean(found[-8:]) > mean(found[:10]) + 0.25


def volume(points: list[tuple[float, ...]]) -> float:
    """The area that two objectives dominate, above the origin."""
    area, height = 0.0, 0.0
    for first, second in sorted(set(points), reverse=True):
        if second > height:
            area += first * (second - height)
            height = second
    return area


def test_the_dominated_area():
    assert volume([(1.0, 0.5), (0.5, 1.0), (0.4, 0.4)]) == 0.75


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_two_objectives_get_a_better_front_than_chance(sampler):
    """Two plants that contradict each other in most decisions: the front is where each decision agrees with one."""
    space = table(6, 5)
    own, chance = [], []
    for seed in range(2):
        scores = [agreement(space, space.sample(random.Random(f"{side} {seed}"))) for side in "ab"]
        strategy, found = Optuna(space, sampler, startup=10), []
        for number in range(80):
            one = strategy.ask(draws_of(seed, number))
            found.append(tuple(score(one) for score in scores))
            strategy.tell(Told(number, one, {}, found[-1][0], objectives=found[-1]))
        samples = [space.sample(draws_of(seed, number)) for number in range(80)]
        own.append(volume(found))
        chance.append(volume([tuple(score(one) for score in scores) for one in samples]))
    assert mean(own) > 1.1 * mean(chance)


def test_a_generation_is_so_many_results():
    """Parents of the third generation are the best of the first two; those of the second are the first."""
    space = table(8, 5)
    good = space.check({name: ("option4",) for name in space.decisions})
    bad = space.check({name: ("option0",) for name in space.decisions})
    strategy, alike = Optuna(space, "nsga2", startup=10), agreement(space, good)
    for number in range(20):
        if number == 15:
            assert mean(alike(strategy.ask(draws_of(0, draw))) for draw in range(20)) < 0.2
        strategy.tell(told(number, bad if number < 10 else good, float(number >= 10)))
    assert mean(alike(strategy.ask(draws_of(0, draw))) for draw in range(20)) > 0.8


def test_failed_trainings_teach_nothing_and_do_not_count_as_a_start():
    space = table(4, 4)
    strategy = Optuna(space, startup=3)
    for number in range(20):
        strategy.tell(told(number, space.sample(draws_of(1, number)), None))
    assert all(strategy.ask(draws_of(0, n)) == Optuna(space).ask(draws_of(0, n)) for n in range(5))


def test_a_quasi_random_sequence_gives_each_answer_its_share():
    """Of 16 consecutive points of a scrambled Sobol sequence, exactly half are in each half of every dimension."""
    space = table(6, 2)
    sequences = []
    for seed in (0, 1):
        results = search(Optuna(space, "qmc"), lambda one: 0.5, 17, seed)
        sequences.append([one.architecture for one in results[1:]])
        for name in space.decisions:
            assert Counter(one.picks[name] for one in sequences[-1]) == {("option0",): 8, ("option1",): 8}
    assert sequences[0] != sequences[1]


def test_decisions_with_very_many_answers_become_one_yes_or_no_for_each_option():
    answers = {f"option{i}": op(Identity) for i in range(14)}
    space = Space("wide", (1, 8, 8), choose("many", keep=(2, 3), **answers))
    strategy = Optuna(space, startup=10)
    assert len(strategy.questions["many"].parameters) == 14

    def score(one: Architecture) -> float:
        return float("option3" in one.picks["many"]) + float("option9" in one.picks["many"])

    results = search(strategy, score, 60)
    assert all(space.faults(one.architecture.picks) == [] for one in results)
    assert mean(one.value for one in results[-20:]) > mean(one.value for one in results[:10]) + 0.5


def test_answers_are_known_whatever_the_order_of_their_options():
    space = uneven()
    question = Optuna(space).questions["blocks.0.pair"]
    assert question.values(("b", "a")) == question.values(("a", "b")) == {"blocks.0.pair": 3}


def test_a_condition_is_kept():
    free = table(3, 3)

    def unlike(one: Architecture) -> bool:
        return one.picks["step0.op"] != one.picks["step1.op"]

    space = Space("unlike", free.input, free.network, where=unlike)
    assert all(unlike(one.architecture) for one in search(Optuna(space, startup=5), lambda one: 1.0, 30))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NasError, match="cmaes needs the package cmaes.*pip install cmaes"):
        Optuna(table(), "cmaes")


@pytest.mark.parametrize("sampler, least", [("tpe", 1), ("nsga2", 2), ("cmaes", 10)])
def test_too_short_a_start_is_refused(sampler, least):
    with pytest.raises(NasError, match=f"startup={least - 1} came; with {sampler} give at least {least}"):
        Optuna(table(), sampler, startup=least - 1)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3"])
def test_what_breaks_a_bound_is_passed_over_however_good_it_is(sampler: str) -> None:
    space = table()
    strategy = Optuna(space, sampler=sampler, startup=10)  # type: ignore[arg-type]
    for number in range(60):
        made = strategy.ask(draws_of(0, number))
        fours = sum(kept == ("option4",) for kept in made.picks.values())
        broken = max(0.0, fours - 1.0)  # what is good is not allowed
        strategy.tell(Told(number, made, {}, None if broken else float(fours), None, (float(fours),), violation=broken))
    asked = [strategy.ask(draws_of(1, number)) for number in range(20)]
    assert sum(sum(kept == ("option4",) for kept in one.picks.values()) <= 2 for one in asked) >= 15
