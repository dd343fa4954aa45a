"""The page of figures says what was measured."""

from benchmarks import page
from benchmarks.measure import Measured


def test_the_page_has_the_newest_figures() -> None:
    text = page.PAGE.read_text()
    assert page.BETWEEN.search(text)
    assert text == page.renewed(text), "run `python -m benchmarks.page`"


def test_a_row_says_whether_the_goal_is_met() -> None:
    made = page.table(
        [
            Measured("step", 3.214, 1.1, 3.3, "plain | loop"),
            Measured("import", 0.1, 1.1, 0.15, "none", at_most=True, unit="s"),
            Measured("kernel", 3.2, 1.71, 1.0, "torch"),
        ]
    )
    assert "| step | 3.21 x | at least 3.3 x | **missed** | plain / loop |\n" in made
    assert "| import | 0.1 s | at most 0.15 s | met | none |\n" in made
    assert "| kernel |  | at least 1 x | refused: spread 1.71 | torch |\n" in made
    assert "Nothing has been measured" in page.table([])
