"""Under bounds that are known before training, no strategy proposes what breaks them."""

from collections.abc import Mapping

import pytest

from nasengine.plugins import strategy_class
from nasengine.search.constraints import bounded
from nasengine.search.objective import Goal
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space
from nasengine.testing.strategies import agreement, table, uneven
from tests.contracts.test_strategies import MADE_BY, STRATEGIES
from tests.strategies import talkers

PROPOSE = [name for name in STRATEGIES if hasattr(strategy_class(name), "ask")]
ASKS = 20


def anonymous(space: Space) -> object:
    return talkers.strategy(space, talkers.saying("{}"), known="picks", anonymous=True)


OPTIONS = {
    **{name: [{}] for name in PROPOSE},
    "random-search": [{}, {"repeats": False}],
    "gbdt": [{"start": 6, "batch": 6, "pool": 60, "trees": 10, "prune": prune} for prune in ("none", "first")],
    "optuna": [{"sampler": sampler, "startup": 10} for sampler in ("tpe", "nsga2", "qmc")],
    "nsga2": [{"population": 6}],
}
CASES = [(name, options) for name in PROPOSE for options in OPTIONS[name]] + [("anonymous", {})]


def size(architecture: Architecture) -> float:
    """The numbers in the names of its options, added up; what has none counts one."""
    digits = ("".join(filter(str.isdigit, option)) for kept in architecture.picks.values() for option in kept)
    return float(sum(int(one) if one else 1 for one in digits))


@pytest.mark.parametrize(
    ("space", "bound"), [(table(), 4), (table(decisions=5), 3), (uneven(), 4)], ids=["rare", "enumerated", "uneven"]
)
@pytest.mark.parametrize(
    ("name", "options"), CASES, ids=[f"{name}{[*options.values()] or ''}" for name, options in CASES]
)
def test_every_proposal_is_within_the_bounds(
    space: Space, bound: int, name: str, options: Mapping[str, object]
) -> None:
    goal = Goal.parse(["accuracy", f"params<{bound}"])
    within = bounded(space, goal, lambda one: {"params": size(one)})
    make = anonymous if name == "anonymous" else MADE_BY.get(name, strategy_class(name) if name in PROPOSE else None)
    strategy = make(within, **options)
    score = agreement(space, within.sample(draws_of(0, 0)))
    for number in range(ASKS):
        made = strategy.ask(draws_of(1, number))
        if made is None:
            assert number >= 5, "it gives up at once"
            break
        assert size(made) <= bound, f"proposal {number}: {size(made)}"
        broken = 0.1 if number % 4 == 3 else 0.0  # of a bound on something measured
        value = None if broken else score(made)
        strategy.tell(Told(number, made, {}, value, None, (score(made),), violation=broken))
