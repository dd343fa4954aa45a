"""Searches are begun, named, resumed with the same facts, refused with others, and written by one driver."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nasengine.errors import LedgerError
from nasengine.ledger import Ledger, Trial


def test_default_names_count_up_by_space_and_strategy(ledger: Ledger) -> None:
    names = []
    for space, strategy in [("darts", "pr-darts"), ("darts", "pr-darts"), ("darts", "darts"), ("my/own.py", "darts")]:
        with ledger.open_search(space=space, strategy=strategy) as search:
            names.append(search.name)
    assert names == ["darts-pr-darts-1", "darts-pr-darts-2", "darts-darts-1", "own-darts-1"]
    with ledger.open_search("darts-pr-darts-9", space="darts", strategy="pr-darts"):
        pass
    with ledger.open_search(space="darts", strategy="pr-darts") as search:
        assert search.name == "darts-pr-darts-10" and not search.resumed


def test_resume_keeps_the_first_command_and_notes_the_second(ledger: Ledger, facts: dict[str, Any]) -> None:
    with ledger.open_search("one", **facts, environment={"torch": "2.13"}) as first:
        first.start(Trial(0))
    with ledger.open_search("one", **{**facts, "trials": 50, "command": "again"}, environment={"torch": "2.14"}) as two:
        assert two.resumed and two.id == first.id
    found = ledger.search("one")
    assert (found["command"], found["trials"], found["seed"]) == (facts["command"], 50, 3)
    assert found["environment"]["torch"] == "2.13"
    assert [(again["command"], again["torch"]) for again in found["environment"]["resumed"]] == [("again", "2.14")]
    assert found["recipe"] == {"lr": 0.1, "betas": [0.9, 0.99]}


def test_resume_by_name_alone(ledger: Ledger, facts: dict[str, Any]) -> None:
    ledger.open_search("one", **facts).stop()
    with ledger.open_search("one") as again:
        assert again.facts["space"] == "darts" and again.facts["seed"] == 3


def test_resume_with_other_facts_lists_all_that_differs(ledger: Ledger, facts: dict[str, Any]) -> None:
    ledger.open_search("one", **facts).finish()
    other = {**facts, "space": "nasbench201", "seed": 4, "options": {"population": 9}, "data_fingerprint": "d2"}
    with pytest.raises(LedgerError) as caught:
        ledger.open_search("one", **other)
    for fault in (
        "space is recorded as 'darts', 'nasbench201' came",
        "seed is recorded as 3, 4 came",
        "options.population is recorded as None, 9 came",
        "data_fingerprint is recorded as 'd1', 'd2' came",
        "choose another --name",
    ):
        assert fault in str(caught.value)
    assert "recipe" not in str(caught.value)
    assert ledger.search("one")["state"] == "complete"


def test_unknown_and_missing_facts(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match='strategi; its facts are .*Did you mean "strategy"'):
        ledger.open_search("one", space="darts", strategi="darts")
    with pytest.raises(LedgerError, match="search one: strategy not given; a new search needs both"):
        ledger.open_search("one", space="darts")
    assert ledger.searches() == []


def test_decisions_of_a_space_are_kept_in_plain_form(ledger: Ledger) -> None:
    decision = SimpleNamespace(options=("skip", "conv"), keep=(1, 1))
    with ledger.open_search("one", space="darts", strategy="darts", decisions={"op": decision}):
        assert ledger.search("one")["decisions"] == {"op": {"options": ["skip", "conv"], "keep": [1, 1]}}


def test_two_drivers_on_one_search(url: str, ledger: Ledger, facts: dict[str, Any]) -> None:
    second = Ledger(url)
    with ledger.open_search("one", **facts) as search:
        with pytest.raises(LedgerError, match="search one: process .* is writing it; .*choose another --name"):
            second.open_search("one", **facts)
        with second.open_search("two", **facts):
            search.start(Trial(0))
    with second.open_search("one", **facts) as search:
        search.finish()
    second.close()


def test_states_of_a_search(ledger: Ledger, facts: dict[str, Any]) -> None:
    def state() -> str:
        return ledger.search("one")["state"]

    search = ledger.open_search("one", **facts)
    assert state() == "running"
    search.stop()
    assert state() == "stopped"
    with ledger.open_search("one", **facts) as search:
        search.finish()
    assert state() == "complete"
    with pytest.raises(ZeroDivisionError), ledger.open_search("one", **facts):
        _ = 1 / 0
    assert state() == "failed"
    with pytest.raises(KeyboardInterrupt), ledger.open_search("one", **facts):
        raise KeyboardInterrupt
    assert state() == "stopped"


def test_a_ledger_in_memory() -> None:
    with Ledger("sqlite://") as ledger, ledger.open_search(space="darts", strategy="darts") as search:
        search.start(Trial(0))
        assert [row["state"] for row in ledger.results()] == ["running"]


def test_the_ledger_loads_neither_torch_nor_optuna_nor_pandas(tmp_path: Path) -> None:
    code = (
        "import sys; from nasengine.ledger import Ledger; Ledger(sys.argv[1]); Ledger(sys.argv[1]).searches();"
        "print([name for name in ('torch', 'optuna', 'pandas', 'ray') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.db")], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
