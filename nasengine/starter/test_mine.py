"""The contracts of nasengine, for the files of this folder."""

from pathlib import Path

from nasengine import plugins
from nasengine.testing import check_space, check_strategy
from nasengine.training.data import load

HERE = Path(__file__).parent


def test_space() -> None:
    check_space(plugins.load("space", str(HERE / "space.py"))).require()


def test_strategy() -> None:
    check_strategy(plugins.strategy_class(str(HERE / "strategy.py"))).require()


def test_data() -> None:
    data = load(f"{HERE / 'data.py'}:make_data")
    assert data.classes == 10
    assert data.train.images[[0]].shape[2:] == (8, 8)
