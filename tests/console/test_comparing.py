"""The compare command: tables, verdicts, doubts, two networks side by side, and words that are refused."""

from pathlib import Path

import pytest

from tests.compare.conftest import db as made_up_db
from tests.console.typed import good, nasengine

made = made_up_db


def test_groups_of_seeds_are_compared(made: Path, tmp_path: Path) -> None:
    out = good("compare", "evo-*", "rand-*", "--db", str(made), "--draw", "c.svg").out
    assert "best validation accuracy after 4 core seconds" in out and "0.9150 ± 0.0129" in out
    assert "evo beats rand (by 0.3, p = 0.029)" in out and (tmp_path / "c.svg").exists()
    found = good("compare", "evo-*", "rand-*", "--by", "trials", "--db", str(made), "--json").json
    assert (found["by"], found["equal_budget"], found["side_by_side"]) == ("trials", 4, None)
    assert found["groups"][0]["test"] == pytest.approx([0.85, 0.86, 0.87, 0.88])
    assert found["verdicts"]["test accuracy"][0]["significant"]


def test_two_searches_are_shown_side_by_side_as_well(made: Path) -> None:
    out = good("compare", "evo-0", "rand-1", "--db", str(made)).out
    assert "fewer than 3 seeds" in out and "side by side" in out
    assert "evolution" in out and "random-search" in out and "test accuracy" in out
    trials = good("compare", "evo-0:best", "evo-0:2", "--db", str(made)).out
    assert "option2" in trials and "the same in both: settings" in trials
    assert good("compare", "evo-0:0", "rand-0:0", "--db", str(made), "--json").json["same"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evo-0"], "name two searches or more"),
        (["evo-0", "rand-0", "--by", "coost"], "Did you mean"),
        (["evo-0:best", "rand-0"], "two at a time"),
        (["evo-0", "rand-0", "--draw", "c.gif"], ".svg, .png, .pdf"),
        (["evo-0:7", "rand-0:0"], "no trial '7'"),
    ],
)
def test_words_that_cannot_be(made: Path, words: list[str], said: str) -> None:
    done = nasengine("compare", *words, "--db", str(made))
    assert done.code == 2 and said in done.err and not done.out
