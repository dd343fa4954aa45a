"""The page on weight sharing: what it names exists."""

import re
from pathlib import Path

from nasengine import plugins

PAGE = Path(__file__).parents[2] / "docs" / "weight-sharing.md"


def test_every_option_that_the_page_names_exists() -> None:
    text = PAGE.read_text()
    known = {one.name for name in ("one-shot", "sandwich") for one in plugins.signature("strategy", name)}
    assert (
        {"channels", "shots", "divergence", "delay", "fairness"} <= set(re.findall(r"--strategy\.(\w+)", text)) <= known
    )
