"""GBDT-NAS: what it proposes, what it says of its models, what it prunes, and how well it does on published tables."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import numpy
import pytest
from scipy.stats import kendalltau

from nasengine.errors import NasError
from nasengine.interpreters.features import Features
from nasengine.layers import Identity, MaxPool
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Told
from nasengine.search_spaces import darts, metaformer, nasbench101
from nasengine.space import Architecture, Space, chain, choose, op
from nasengine.strategies._gbdt_model import fitted, normal_scores, rank_agreement
from nasengine.strategies._gbdt_prune import SHARE, Pruned, prune
from nasengine.strategies.gbdt import GBDT
from nasengine.tables import load_table
from nasengine.testing.strategies import agreement, search, table

Score = Callable[[Architecture], float]


def pools(decisions: int = 6, options: int = 4) -> Space:
    """Decisions whose options are layers that differ, so that every architecture is another network."""
    names = {f"option{n}": op(MaxPool, kernel=2 * n + 3) for n in range(options)}
    return Space("pools", (3, 32, 32), chain(**{f"step{n}": choose("op", **names) for n in range(decisions)}))


def planted(space: Space) -> Score:
    return agreement(space, space.sample(random.Random("plant")))


def noise(architecture: Architecture) -> float:
    return random.Random(str(sorted(architecture.picks.items()))).random()


# what it proposes


@pytest.mark.parametrize("code", ["all", "one-hot", "graph", "paths"])
def test_every_code_finds_a_plant(code):
    space = pools()
    results = search(GBDT(space, code=code), planted(space), 100)
    assert max(one.value for one in results) == 1.0


def test_nothing_is_proposed_twice_and_the_end_is_said():
    space = pools(decisions=2, options=3)
    results = search(GBDT(space, start=3, batch=2), planted(space), 20)
    assert len(results) == len({one.architecture for one in results}) == space.count() == 9


def test_new_networks_come_before_other_spellings():
    """Six in a row, each a pool or an identity: where the identities stand changes nothing."""
    steps = {f"step{n}": choose("op", pool=op(MaxPool, kernel=3), skip=op(Identity)) for n in range(6)}
    space = Space("spelled", (3, 8, 8), chain(**steps))
    networks = Features(space).identities(list(space.enumerate()))
    assert len(set(networks)) == 7
    results = search(GBDT(space, start=2, batch=5), planted(space), 64)
    first = Features(space).identities([one.architecture for one in results[2:7]])
    assert len(set(first)) == 5 and len(results) == 64


def test_workers_that_ask_at_the_same_time_mostly_get_different_ones():
    space = pools()
    strategy = GBDT(space, start=10, batch=10)
    search(strategy, planted(space), 27)
    asked = [strategy.ask(draws_of(0, number)) for number in range(27, 31)]
    assert len(set(asked)) >= 3


def test_a_round_depends_on_results_alone():
    space, other = pools(), pools()
    results = search(GBDT(space), planted(space), 30)
    one, two = GBDT(space), GBDT(other)
    for result in results:
        one.tell(result)
        two.ask(random.Random(result.number))
        two.tell(result)
    assert [one.ask(draws_of(1, n)) for n in range(10)] == [two.ask(draws_of(1, n)) for n in range(10)]


def test_failures_ties_and_constants_do_no_harm():
    space = pools()
    for value in (None, 0.5, -1.0):
        strategy = GBDT(space, start=4, batch=3)
        for number in range(12):
            architecture = strategy.ask(draws_of(0, number))
            assert not space.faults(architecture.picks)
            strategy.tell(Told(number, architecture, {}, value, None if value else "out of memory"))


def test_what_always_fails_is_avoided():
    space = pools()
    strategy = GBDT(space, start=10, batch=10)
    failed = []
    for number in range(60):
        architecture = strategy.ask(draws_of(0, number))
        fails = architecture.picks["step0.op"] == ("option0",)
        failed.append(fails)
        value = None if fails else planted(space)(architecture)
        strategy.tell(Told(number, architecture, {}, value, "out of memory" if fails else None))
    assert sum(failed[10:]) <= 5 < 50 / 4


@pytest.mark.parametrize("space", [darts.space(), metaformer.space(), nasbench101.space()], ids=lambda one: one.name)
@pytest.mark.parametrize("prune", ["none", "first", "second"])
def test_proposals_are_legal_in_large_spaces(space, prune):
    results = search(GBDT(space, start=6, batch=6, pool=60, prune=prune), planted(space), 20)
    assert len(results) == 20 and not any(space.faults(one.architecture.picks) for one in results)


def test_results_of_an_earlier_search_are_a_start():
    space = pools()
    strategy = GBDT(space)
    for number in range(-40, 0):
        architecture = space.sample(random.Random(number))
        strategy.tell(Told(number, architecture, {}, planted(space)(architecture)))
    results = search(strategy, planted(space), 10)
    assert max(one.value for one in results) >= 5 / 6


def test_numbers_below_one_are_refused_together():
    with pytest.raises(NasError, match="batch=0, pool=-1 came; each is at least 1"):
        GBDT(pools(), batch=0, pool=-1)


def test_xgboost_waits_until_there_is_a_model():
    code = "import sys, nasengine.strategies.gbdt; print({'xgboost', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"


# the model


def test_normal_scores_are_quantiles_of_ranks():
    scores = normal_scores([3.0, None, 7.0, 3.0])
    assert scores == pytest.approx([0.0, -1.1503493803760083, 1.1503493803760083, 0.0])
    assert normal_scores([None, None]) == pytest.approx([0, 0])
    assert normal_scores([1e9, 1, 2])[0] == normal_scores([3, 1, 2])[0]


def test_rank_agreement_is_kendalls_tau_b():
    assert rank_agreement(numpy.array([1, 2, 3]), numpy.array([1, 3, 2])) == pytest.approx(1 / 3)
    assert rank_agreement(numpy.ones(3), numpy.array([1, 3, 2])) == 0.0


def test_contributions_and_interactions_add_up_to_what_is_expected():
    rng = numpy.random.default_rng(0)
    codes = rng.random((60, 5)) > 0.5
    model = fitted(codes, codes[:, 0] * 1.0 - codes[:, 1] * codes[:, 2], 50)
    assert model.contributions(codes).shape == (60, 5)
    assert model.interactions(codes).sum(axis=2) == pytest.approx(model.contributions(codes), abs=1e-4)
    rest = model.expected(codes.astype(numpy.float32)) - model.contributions(codes).sum(axis=1)
    assert rest == pytest.approx(numpy.full(60, rest[0]), abs=1e-4)
    assert model.used(3) == [0, 1, 2]


# what it says


def said(space: Space, score: Score, asks: int) -> tuple[list, list[Told], GBDT]:
    strategy = GBDT(space, start=10, batch=10)
    results = search(strategy, score, asks)
    return strategy.remarks(), results, strategy


def test_it_reports_how_well_it_predicts_what_it_then_tries():
    remarks, results, strategy = said(pools(), planted(pools()), 40)
    assert [(one.kind, one.values["told"]) for one in remarks] == [("fidelity", 10), ("fidelity", 20), ("fidelity", 30)]
    last = results[30:40]
    expected = strategy.round.expected([one.architecture for one in last])
    tau = kendalltau(expected, [one.value for one in last]).statistic
    assert remarks[-1].values["tau"] == pytest.approx(0.0 if numpy.isnan(tau) else tau)
    assert f"Kendall's tau between what the model expected and what came is {remarks[-1].values['tau']:.2f}" in (
        remarks[-1].text
    )
    assert strategy.remarks() == []


def test_on_noise_it_says_that_its_models_are_worthless():
    warnings = [one for seed in range(3) for one in said(pools(7 + seed), noise, 100)[0] if one.kind == "warning"]
    assert warnings
    assert "worthless" in warnings[0].text and "mostly noise" in warnings[0].text


def test_on_a_plant_it_does_not():
    for decisions in (6, 7, 8):
        space = pools(decisions)
        assert not [one for one in said(space, planted(space), 100)[0] if one.kind == "warning"]


# what it prunes


def drawn(space: Space, score: Score, number: int = 150) -> tuple[list[Architecture], numpy.ndarray]:
    some = sorted((space.sample(random.Random(seed)) for seed in range(number)), key=score, reverse=True)
    return some, normal_scores([score(one) for one in some])


def test_a_harmful_option_is_pruned_and_others_are_not():
    def score(one: Architecture) -> float:
        return noise(one) * 0.01 - (one.picks["step2.op"] == ("option1",)) - 2 * (one.picks["step4.op"] == ("option3",))

    space = pools()
    found = prune("first", Features(space), *drawn(space, score), 100)
    assert {found.features.options[column] for column in found.options} >= {
        ("step2.op", "option1"),
        ("step4.op", "option3"),
    }
    assert len(found.options) <= round(SHARE * 24)
    left = found.space()
    assert "option1" not in left.decisions["step2.op"].options
    assert found.allowed(list(left.first(50))) == list(left.first(50))
    assert not found.allowed([space.check({**left.first(1)[0].picks, "step2.op": ("option1",)})])


def test_the_last_option_of_a_decision_is_never_pruned():
    space = pools(decisions=2, options=2)
    found = prune("first", Features(space), *drawn(space, noise), 100)
    assert all(len(decision.options) >= 1 for decision in found.space().decisions.values())
    keeping = Space("keeping", (3, 8, 8), choose("op", keep=2, a=op(MaxPool), b=op(Identity), c=op(MaxPool, kernel=5)))
    found = prune("first", Features(keeping), *drawn(keeping, noise), 100)
    assert len(found.space().decisions["op"].options) >= 2


def test_only_what_harms_is_pruned():
    space = pools()
    found = prune("first", Features(space), *drawn(space, lambda one: 0.5), 100)
    assert not found.options
    assert not prune("second", Features(space), *drawn(space, lambda one: 0.5), 100).pairs
    assert not prune("none", Features(space), *drawn(space, planted(space)), 100).options


def test_a_pair_that_harms_together_is_pruned_and_each_alone_is_not():
    def score(one: Architecture) -> float:
        both = one.picks["step1.op"] == one.picks["step3.op"] == ("option2",)
        return noise(one) * 0.01 - both

    space = pools()
    features = Features(space)
    found = prune("second", features, *drawn(space, score, 300), 100)
    bad = [(features.column["step1.op", "option2"], True), (features.column["step3.op", "option2"], True)]
    assert tuple(bad) in found.pairs[:1]
    best = space.sample(random.Random(1)).picks
    pruned = Pruned(features, pairs=(tuple(bad),))
    one, both = ({**best, "step1.op": ("option2",), "step3.op": (other,)} for other in ("option0", "option2"))
    assert pruned.allowed([Architecture(one), Architecture(both)]) == [Architecture(one)]


def test_what_the_best_picks_is_never_pruned():
    space = pools()
    features = Features(space)
    for order in ("first", "second"):
        some, scores = drawn(space, noise, 60)
        found = prune(order, features, some, scores, 100)
        assert found.options or found.pairs
        assert found.allowed(some[:1]) == some[:1]


@pytest.mark.parametrize("order", ["first", "second"])
def test_a_pruned_search_finds_the_plant(order):
    space = table()
    own = search(GBDT(space, prune=order, pool=150), planted(space), 70)
    assert max(one.value for one in own) >= 7 / 8


# published tables; ten searches each, the full figures are in the results


@pytest.mark.parametrize(("dataset", "least"), [("cifar10", 91.53), ("cifar100", 73.0), ("imagenet16", 46.4)])
def test_nas_bench_201(needs: Callable[[str], Path], dataset: str, least: float):
    needs("tables")
    published = load_table("nasbench201", dataset=dataset)

    def score(architecture: Architecture) -> float:
        return published.at(published.row(architecture))[published.objective]

    found = [search(GBDT(published.space), score, 100, seed) for seed in range(1000, 1008)]
    assert fmean(max(one.value for one in results) for results in found) >= least
