"""The page "Write a strategy": its example works as it stands there."""

import re
from pathlib import Path

from nasengine import plugins
from nasengine.space import Space
from nasengine.testing import check_strategy

PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"


def test_the_example_is_a_strategy_that_beats_random_search(tmp_path: Path) -> None:
    example, _ = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    path = tmp_path / "hill_climbing.py"
    path.write_text(example)
    made = plugins.strategy_class(str(path))
    report = check_strategy(made)
    assert report.ok
    options = plugins.signature("strategy", str(path))
    assert [(one.name, one.type, one.default) for one in options] == [("restart", float, 0.1)]
    assert options[0].doc == "how often a random network is proposed instead"


def test_every_call_of_a_space_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`space\.(\w+)", PAGE.read_text()))
    assert named >= {"sample", "mutate", "cross", "follow"}
    assert all(hasattr(Space, name) for name in named)
