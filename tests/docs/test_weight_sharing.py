"""The page on weight sharing: its sampler works as it stands there, and what it names exists."""

import re
from pathlib import Path

from nasengine import plugins

PAGE = Path(__file__).parents[2] / "docs" / "weight-sharing.md"


def test_the_example_is_a_sampler(tmp_path: Path) -> None:
    example, check = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    path = tmp_path / "ends.py"
    path.write_text(example)
    exec(check, {"Ends": plugins.strategy_class(str(path))})  # it raises where a claim does not hold


def test_every_option_that_the_page_names_exists() -> None:
    text = PAGE.read_text()
    known = {one.name for name in ("one-shot", "sandwich") for one in plugins.signature("strategy", name)}
    assert (
        {"channels", "shots", "divergence", "delay", "fairness"} <= set(re.findall(r"--strategy\.(\w+)", text)) <= known
    )
