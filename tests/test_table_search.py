"""Searches on a table, from its file to the last entry in the results database."""

from pathlib import Path
from typing import Any

import pytest

from nasengine.engine import search
from nasengine.errors import NasError
from nasengine.listener import Listener
from nasengine.runs import Run

SPACE = '''"""Letters: two of five each."""
from nasengine.layers import Classifier, ConvNorm
from nasengine.space import Space, chain, choose, op

def space(input=(1, 8, 8), classes=10):
    a, b = (op(ConvNorm, width=choose(name, 1, 2, 3, 4, 5)) for name in "ab")
    return Space("letters", input, chain(a, b, op(Classifier, classes=classes)))
'''
MAPPING = """
space = "letters.py"
decisions = {a = "a", b = "b"}
values = {validation_accuracy = "val", test_accuracy = "test", latency = "ms"}
epochs = 10
seconds_per_epoch = "s"
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """25 rows: b matters more than a, and what is best is slow."""
    rows = [f"{a},{b},{a + 5 * b},{a + 5 * b - 0.5},{a * b},2" for a in range(1, 6) for b in range(1, 6)]
    (tmp_path / "letters.py").write_text(SPACE)
    (tmp_path / "letters.toml").write_text(MAPPING)
    (tmp_path / "letters.csv").write_text("\n".join(["a,b,val,test,ms,s", *rows]))
    return tmp_path / "letters.csv"


def on(table: Path, strategy: str = "random-search", **words: Any) -> Run:
    return search(None, strategy, table=table, db=table.parent / "n.db", **{"trials": 10, **words})


def rows(run: Run) -> list[tuple[Any, ...]]:
    return [(row["kind"], row["trial"], row["state"], row["architecture"], row["values"]) for row in run.results()]


def test_the_table_answers_and_reports_its_choice_at_the_end(table: Path) -> None:
    run = on(table)
    candidates = [trial for trial in run.trials() if trial.kind == "candidate"]
    assert len(candidates) == 10
    for trial in candidates:
        a, b = (int(trial.architecture.picks[name][0]) for name in "ab")
        assert trial.values == {"validation_accuracy": a + 5 * b, "latency": a * b, "seconds": 20.0}
        assert trial.seconds == 20.0
    chosen = max(candidates, key=lambda trial: trial.values["validation_accuracy"])
    assert run.best.kind == "final" and run.best.architecture == chosen.architecture
    assert run.best.values["test_accuracy"] == chosen.values["validation_accuracy"] - 0.5
    assert run.search["evaluator"] == "table" and run.search["state"] == "complete"
    assert not (table.parent / "n.runs").exists(), "nothing was trained"


def test_it_goes_on_where_it_was_stopped(table: Path) -> None:
    class Stopping(Listener):
        def result(self, result: Any, reused: str | None) -> None:
            if result.number == 6:
                raise KeyboardInterrupt

    whole = on(table, "evolution", name="whole", trials=15)
    with pytest.raises(KeyboardInterrupt):
        on(table, "evolution", name="cut", trials=15, listener=Stopping())
    assert rows(on(table, "evolution", name="cut", trials=15)) == rows(whole)


def test_bounds_and_other_objectives(table: Path) -> None:
    run = on(table, objective=["validation_accuracy", "latency<4"], reward="hard", trials=60, seed=1)
    assert run.best.values["latency"] <= 5, "beyond the bound the reward falls steeply"
    least = on(table, objective="min:latency", trials=60)
    assert least.best.values["latency"] == 1
    with pytest.raises(
        NasError, match='it has no value "energy"; there are validation_accuracy, test_accuracy, latency'
    ):
        on(table, objective="min:energy")


def test_more_trials_than_the_space_has_networks_end_cleanly(table: Path) -> None:
    class Noting(Listener):
        notes: list[str] = []

        def note(self, text: str) -> None:
            self.notes.append(text)

    run = on(table, "local-search", trials=100, listener=Noting())
    assert len([row for row in run.results() if row["kind"] == "candidate"]) == 25
    assert "strategy local-search has nothing more to propose in this space" in Noting.notes
    assert run.best.values["test_accuracy"] == 29.5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"strategy": "darts"}, "strategy darts trains a supernet; --table came, for strategies that propose"),
        ({"evaluator": "train"}, "--evaluator train came with --table"),
        ({"epochs": 12}, "epochs 12 came; it has 10"),
        ({"objective": "test_accuracy"}, "objective test_accuracy came; .*select by validation_accuracy"),
        ({"dataset": "cifar10"}, "knows one only"),
        ({"space": "nasbench201"}, "letters|nasbench201"),
    ],
)
def test_words_that_do_not_fit_a_table(table: Path, words: dict[str, Any], message: str) -> None:
    strategy, space = words.pop("strategy", "random-search"), words.pop("space", None)
    with pytest.raises(NasError, match=message):
        search(space, strategy, table=table, db=table.parent / "n.db", **words)


def test_words_of_a_table_need_one() -> None:
    with pytest.raises(NasError, match="--evaluator table came without --table"):
        search("darts", "random-search", evaluator="table")
    with pytest.raises(NasError, match="say how to read a table; give --table as well"):
        search("darts", "random-search", dataset="cifar10")


def test_seeds_give_the_same_search_again(table: Path) -> None:
    first, second, other = (
        on(table, "evolution", name=name, seed=seed) for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert rows(first) == rows(second) != rows(other)
