"""Every strategy keeps the contract of its protocol: a new file in strategies/ is tested by being there."""

from typing import Any

import pytest

from nasengine.plugins import listing, strategy_class
from nasengine.space import Space
from nasengine.testing import check_relaxation, check_sampler, check_strategy
from tests.strategies import talkers

STRATEGIES = [name for name, _ in listing("strategy")]
YARDSTICK = "random-search"  # what the others have to beat


def with_model(space: Space) -> Any:
    """The layers of the contract's spaces compute nothing: there, architectures are known by their picks."""
    return talkers.strategy(space, talkers.sensible(space), known="picks")


MADE_BY = {"llm": with_model}  # those that cannot be made without options


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_keeps_its_contract(name: str) -> None:
    made = strategy_class(name)
    if hasattr(made, "ask"):
        check_strategy(MADE_BY.get(name, made), beats_random=name != YARDSTICK).require()
    elif hasattr(made, "settle"):
        check_relaxation(made).require()
    else:
        check_sampler(made).require()
