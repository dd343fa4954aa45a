"""The page of figures says what was measured."""

from benchmarks import page


def test_the_page_has_the_newest_figures() -> None:
    text = page.PAGE.read_text()
    assert page.BETWEEN.search(text)
    assert text == page.renewed(text), "run `python -m benchmarks.page`"


def test_a_row_says_whether_the_goal_is_met() -> None:
    made = page.table(
        [
            {"name": "step", "ratio": 3.214, "spread": 1.1, "goal": 3.3, "peer": "plain | loop"},
            {"name": "import", "ratio": 0.1, "spread": 1.1, "goal": 0.15, "peer": "none", "unit": "s", "at_most": True},
        ]
    )
    assert "| step | 3.21 x | at least 3.3 x | **missed** | plain / loop |\n" in made
    assert "| import | 0.1 s | at most 0.15 s | met | none |\n" in made
    assert "Nothing has been measured" in page.table([])
