"""Every strategy keeps the contract of its protocol: a new file in strategies/ is tested by being there."""

import pytest

from nasengine.plugins import listing, strategy_class
from nasengine.testing import check_relaxation, check_strategy

STRATEGIES = [name for name, _ in listing("strategy")]
YARDSTICK = "random-search"  # what the others have to beat


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_keeps_its_contract(name: str) -> None:
    made = strategy_class(name)
    if hasattr(made, "ask"):
        check_strategy(made, beats_random=name != YARDSTICK).require()
    else:
        check_relaxation(made).require()
