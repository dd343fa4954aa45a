"""One run on a table: the protocol, duplicates, ends, failures and errors."""

import random
from pathlib import Path

from nasengine.bench.contestants import parse
from nasengine.bench.tabular import NO_ROW, play, query
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Remark, Told
from nasengine.space import Architecture, Space
from nasengine.strategies.random_search import RandomSearch
from tests.bench.made_up import Listed, contest, listed


def test_proposals_follow_from_seed_and_number_alone() -> None:
    made = contest()
    run = play(made, RandomSearch, 20, seed=3, label="random-search")
    wanted = [made.table.row(made.table.space.sample(draws_of(3, number))) for number in range(20)]
    assert run.rows == wanted and not run.ended and run.error is None
    assert play(made, RandomSearch, 20, seed=4).rows != wanted


def test_results_are_told_one_at_a_time_in_the_order_of_proposals() -> None:
    made = contest("validation_accuracy", "min:latency_ms")
    strategy = Listed(made.table.space, [4, 0, 4])
    rows: list[int] = []
    assert query(made, strategy, 3, 0, rows)
    assert rows == [4, 0, 4]  # the duplicate cost a query
    assert [one.number for one in strategy.told] == [0, 1, 2]
    value = made.table.values["validation_accuracy"][4]
    assert strategy.told[2].value == value
    assert strategy.told[2].objectives == (value, -1.004)


def test_a_strategy_without_more_to_propose_ends_the_run() -> None:
    run = play(contest(), listed(1, 2), 10, 0)
    assert run.rows == [1, 2] and run.ended and run.error is None


def test_what_the_table_does_not_know_is_a_failure_that_costs_a_query() -> None:
    made = contest(rows=40)
    strategy = Listed(made.table.space, [50, 3])
    rows: list[int] = []
    query(made, strategy, 2, 0, rows)
    assert rows == [NO_ROW, 3]
    assert strategy.told[0].value is None and "rows is for" in str(strategy.told[0].error)


class Illegal(RandomSearch):
    def ask(self, rng: random.Random) -> Architecture:
        return Architecture({"step0.op": ("nonsense",)})


def test_an_illegal_proposal_is_the_strategys_error() -> None:
    run = play(contest(), Illegal, 5, 0)
    assert run.rows == []
    assert run.error is not None and run.error.startswith("query 0: ") and "'nonsense' is no option" in run.error


def test_an_error_in_the_middle_is_kept_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "breaks.py"
    path.write_text(
        "class Breaks:\n    def __init__(self, space):\n        self.space, self.told = space, 0\n"
        "    def ask(self, rng):\n        1 / (2 - self.told)\n        return self.space.sample(rng)\n"
        "    def tell(self, result):\n        self.told += 1\n"
    )
    run = play(contest(), parse(str(path))[0].make, 5, 0)
    assert len(run.rows) == 2
    assert run.error == f"query 2: ZeroDivisionError: division by zero ({path}:5)"


class Warns(RandomSearch):
    def __init__(self, space: Space):
        super().__init__(space)
        self.waiting: list[Remark] = []

    def tell(self, result: Told) -> None:
        self.waiting += [Remark("warning", "worthless"), Remark("prompt", "long")]

    def remarks(self) -> list[Remark]:
        now, self.waiting = self.waiting, []
        return now


def test_warnings_are_kept_once() -> None:
    assert play(contest(), Warns, 3, 0).warnings == ["worthless"]
