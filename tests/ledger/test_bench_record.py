"""Comparisons in the results database: one writer, each run once, the same facts to go on."""

import pytest
from sqlalchemy import select

from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.ledger.tables import benches

FACTS = {"table": "digits", "budget": 100}


def test_what_was_stopped_goes_on(ledger: Ledger) -> None:
    with ledger.open_bench(None, FACTS, command="nasengine bench", environment={"torch": "2"}) as record:
        assert (record.name, record.resumed, record.done()) == ("digits-1", False, set())
        record.add("evolution", 1, {"curve": [0.5]})
        record.add("evolution", 0, {"curve": [0.25]})
    with ledger.open_bench("digits-1", FACTS) as record:
        assert record.resumed
        assert record.done() == {("evolution", 0), ("evolution", 1)}
        assert record.runs() == [
            {"curve": [0.25], "strategy": "evolution", "seed": 0},
            {"curve": [0.5], "strategy": "evolution", "seed": 1},
        ]
        with pytest.raises(LedgerError, match="UNIQUE|unique"):
            record.add("evolution", 1, {})
    with ledger.database.reading() as connection:
        assert connection.execute(select(benches.c.command)).scalar_one() == "nasengine bench"


def test_names_count_on_and_other_facts_are_refused(ledger: Ledger) -> None:
    for number in (1, 2):
        with ledger.open_bench(None, FACTS) as record:
            assert record.name == f"digits-{number}"
    with pytest.raises(LedgerError, match="bench digits-2: budget is recorded as 100, 7 came; .*another --name"):
        ledger.open_bench("digits-2", {**FACTS, "budget": 7})


def test_one_writer_at_a_time(ledger: Ledger) -> None:
    with ledger.open_bench("a", FACTS), pytest.raises(LedgerError, match="bench a: process .* is writing it"):
        ledger.open_bench("a", FACTS)
